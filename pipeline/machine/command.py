"""The command that shows what this machine has: as a table, which ends the installation too, or as JSON."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from sutradhar.pipeline.commands import Parser
from sutradhar.pipeline.files import json_document
from sutradhar.pipeline.installed import named
from sutradhar.pipeline.machine.hardware import Hardware, recommend, write_cache
from sutradhar.pipeline.machine.probe import Backend, probe
from sutradhar.pipeline.processes.ending import code_of, end_with

EXAMPLES = """\
examples:
  python -m sutradhar.pipeline.machine.command                                     a table to read
  python -m sutradhar.pipeline.machine.command --json | jq .recommended_settings   for scripts
  python -m sutradhar.pipeline.machine.command --write out/hardware_cache.json     what prepare-job.sh reads
"""


def table(hardware: Hardware, width: int = 0) -> str:
    """Return the hardware as a table, as wide as it comes, or with lines broken between words at `width`."""
    advice = hardware.recommended_settings
    container = f", container limit {hardware.memory.limit_gb} GB" if hardware.memory.limit_gb else ""
    rows = [
        (
            "Processor",
            f"{hardware.cpu.brand}: {hardware.cpu.cores} cores, "
            f"{hardware.cpu.usable:g} of {hardware.cpu.threads} threads usable",
        ),
        ("Memory", f"{hardware.memory.total_gb} GB, {hardware.memory.available_gb} GB available{container}"),
        ("GPU", f"{hardware.gpu_name or 'none'} ({hardware.gpu_type}): {hardware.gpu_reason}"),
        *(
            (
                "",
                f"{gpu.index}: {gpu.name}, {gpu.free_gb} of {gpu.memory_gb} GB free"
                f"{'; ' * bool(gpu.reason)}{gpu.reason}",
            )
            for gpu in hardware.gpus
        ),
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
    return textwrap.fill(
        line, max(width, 2 * indent), subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False
    )


def _in_words(backend: Backend) -> str:
    if not backend.available:
        return f"not available: {backend.reason}"
    return (
        backend.version
        + f" on {', '.join(backend.devices)}" * bool(backend.devices)
        + f"; {backend.reason}" * bool(backend.reason)
    )


def main(argv: Sequence[str] | None = None) -> int:
    description = "Show what this machine has and which settings suit it."
    parser = Parser(
        prog=named("python -m sutradhar.pipeline.machine.command"), description=description, epilog=EXAMPLES
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", type=Path, metavar="PATH", help="write the JSON to a file too")
    arguments = parser.parse_args(argv)
    return code_of(lambda: _answer(recommend(probe()), arguments))


def _answer(hardware: Hardware, arguments: argparse.Namespace) -> None:
    if arguments.write:
        write_cache(arguments.write, hardware)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    print(
        json_document(hardware).decode() if arguments.json else table(hardware, width),
        end="" if arguments.json else "\n",
    )


if __name__ == "__main__":
    end_with(main)
