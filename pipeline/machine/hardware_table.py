"""The table of `python -m sutradhar.pipeline.machine.hardware`, which ends the installation too."""

from __future__ import annotations

import textwrap

from sutradhar.pipeline.machine.hardware import Hardware
from sutradhar.pipeline.machine.probe import Backend


def table(hardware: Hardware, width: int = 0) -> str:
    """Return the hardware as a table, as wide as it comes, or with lines broken between words at `width`."""
    advice = hardware.recommended_settings
    container = f", container limit {hardware.memory.limit_gb} GB" if hardware.memory.limit_gb else ""
    rows = [
        ("Processor", f"{hardware.cpu.brand}: {hardware.cpu.cores} cores, {hardware.cpu.usable:g} of {hardware.cpu.threads} threads usable"),
        ("Memory", f"{hardware.memory.total_gb} GB, {hardware.memory.available_gb} GB available{container}"),
        ("GPU", f"{hardware.gpu_name or 'none'} ({hardware.gpu_type}): {hardware.gpu_reason}"),
        *(("", f"{gpu.index}: {gpu.name}, {gpu.free_gb} of {gpu.memory_gb} GB free{'; ' * bool(gpu.reason)}{gpu.reason}") for gpu in hardware.gpus),
        *((name, _in_words(backend)) for name, backend in hardware.backends.items()),
        ("Recommended", ""),
        ("  backend", f"{advice.whisper_backend:<10}{advice.whisper_backend_reason}"),
        ("  device", f"{advice.device:<10}{advice.device_reason}"),
        ("  model", f"{advice.whisper_model:<10}{advice.whisper_model_reason}"),
        ("  compute type", f"{advice.compute_type:<10}{advice.compute_type_reason}"),
        ("  batch size", f"{advice.batch_size:<10}{advice.batch_size_reason}"),
    ]
    lines = [f"{label:<16}{value}".rstrip() for label, value in rows]
    return "\n".join(_broken(line, width) if width else line for line in lines)


def _broken(line: str, width: int) -> str:
    indent = 26 if line.startswith("  ") else 16
    return textwrap.fill(line, max(width, 2 * indent), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)


def _in_words(backend: Backend) -> str:
    if not backend.available:
        return f"not available: {backend.reason}"
    return backend.version + f" on {', '.join(backend.devices)}" * bool(backend.devices) + f"; {backend.reason}" * bool(backend.reason)
