"""Judge what this machine can run, and why: `out/hardware_cache.json`. Sizes are in GB of 2**30 bytes, as memory is
sold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import UNREADABLE, json_document, read_file, write_atomic
from sutradhar.pipeline.machine import sizing
from sutradhar.pipeline.machine.engines import DEFAULT, ENGINES, About
from sutradhar.pipeline.machine.probe import Backend, Nvidia, NvidiaGpu, Probe, probe_engine
from sutradhar.pipeline.machine.probe import probe as probe
from sutradhar.pipeline.machine.probe import probe_machine as probe_machine
from sutradhar.pipeline.processes.ending import signals_held
from sutradhar.stages.recognisers.about import Capability

if TYPE_CHECKING:
    from sutradhar.pipeline.console import Console

GB = 1 << 30

GpuType = Literal["mps", "cuda", "cpu", "cuda-unavailable"]

APPLE_GPU_MEMORY = ((64, 32.0), (32, 16.0), (16, 10.0), (0, 8.0))  # GB of RAM, and how many of them the GPU may use

OLDEST_CUDA = 12_000  # what bootstrap installs is built for CUDA 12
SAME_MEMORY = 0.05  # share that may be missing on the same machine: kernels and firmware keep now more, now less
IN_USE_ELSEWHERE = 0.8  # with less than this share of a GPU free, only the free part counts


class Cpu(msgspec.Struct, frozen=True):
    brand: str
    cores: int
    threads: int
    usable: float  # logical processors that affinity and container leave to us


class Memory(msgspec.Struct, frozen=True):
    total_gb: float
    available_gb: float
    limit_gb: float | None  # of the container


class Gpu(msgspec.Struct, frozen=True):
    index: int
    uuid: str
    name: str
    memory_gb: float
    free_gb: float
    compute_capability: str
    usable: bool
    reason: str  # why it is not usable


class RecommendedSettings(msgspec.Struct, frozen=True, kw_only=True):
    whisper_model: str
    whisper_model_reason: str
    compute_type: str
    compute_type_reason: str
    batch_size: int
    batch_size_reason: str
    whisper_backend: str
    whisper_backend_reason: str
    device: str
    device_reason: str


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `hardware_cache.json`."""

    schema: Literal[2] = 2  # 2: the devices of a backend
    probed_at: str  # ISO 8601, UTC
    platform: str
    machine: str
    cpu: Cpu
    memory: Memory
    gpu_available: bool
    gpu_type: GpuType
    gpu_name: str | None
    gpu_memory_gb: float | None
    gpu_uuid: str | None  # the NVIDIA GPU to use, as CUDA_VISIBLE_DEVICES takes it
    gpu_reason: str
    compute_capability: str | None
    gpus: tuple[Gpu, ...]
    backends: dict[str, Backend]
    recommended_settings: RecommendedSettings

    @property
    def cores(self) -> int:
        """Count the physical cores, as far as this process may use them."""
        return _cores(self.cpu.cores, self.cpu.usable)

    @property
    def memory_gb(self) -> float:
        """Return the memory of the machine, or the limit of its container, in GB."""
        return self.memory.limit_gb or self.memory.total_gb

    @property
    def capability(self) -> Capability | None:
        return sizing.capability(self.compute_capability) if self.compute_capability else None


@dataclass(frozen=True)
class Accelerator:
    type: GpuType
    reason: str
    name: str | None = None
    memory_gb: float | None = None
    room_gb: float = 0.0  # memory that a model may use
    capability: Capability | None = None
    uuid: str | None = None


def recommend(facts: Probe) -> Hardware:
    gpus = tuple(_judge(gpu, facts.nvidia) for gpu in facts.nvidia.gpus)
    accelerator = _accelerator(facts, gpus)
    limit = facts.memory_limit if facts.memory_limit and facts.memory_limit < facts.memory else None
    available = (
        min(facts.memory_available, max(0, limit - facts.memory_limit_used)) if limit else facts.memory_available
    )
    return Hardware(
        probed_at=facts.probed_at,
        platform=facts.system,
        machine=facts.machine,
        cpu=Cpu(facts.cpu_brand, facts.cores, facts.threads, _usable_processors(facts)),
        memory=Memory(_gb(facts.memory), _gb(available), _gb(limit) if limit else None),
        gpu_available=accelerator.type in ("mps", "cuda"),
        gpu_type=accelerator.type,
        gpu_name=accelerator.name,
        gpu_memory_gb=accelerator.memory_gb,
        gpu_uuid=accelerator.uuid,
        gpu_reason=accelerator.reason,
        compute_capability=".".join(map(str, accelerator.capability)) if accelerator.capability else None,
        gpus=gpus,
        backends=facts.backends,
        recommended_settings=_settings(
            accelerator, facts.backends, _gb(limit or facts.memory), _cores(facts.cores, _usable_processors(facts))
        ),
    )


def _gb(size: int) -> float:
    return round(size / GB, 1)


def _usable_processors(facts: Probe) -> float:
    processors = facts.affinity or facts.threads
    return round(min(processors, facts.cpu_quota or processors), 2)


def _cores(physical: int, usable: float) -> int:
    """Count the physical cores that are ours: what recognition on a CPU can use."""
    return max(1, int(min(physical, usable)))


# --- Which processor


def _accelerator(facts: Probe, gpus: Sequence[Gpu]) -> Accelerator:
    if facts.system == "Darwin":
        return _apple(facts)
    usable = [gpu for gpu in gpus if gpu.usable]
    if usable:
        return _nvidia(max(usable, key=lambda gpu: gpu.free_gb), len(usable))
    if gpus:
        return Accelerator(
            "cuda-unavailable", "; ".join(f"{gpu.name}: {gpu.reason}" for gpu in gpus), gpus[0].name, gpus[0].memory_gb
        )
    if facts.nvidia.adapters:
        error = facts.nvidia.error or "the driver sees none"
        return Accelerator(
            "cuda-unavailable",
            f"there is an NVIDIA GPU, but its driver does not answer: {error}; nvidia-smi must work first",
        )
    return Accelerator("cpu", "no NVIDIA GPU")


def _apple(facts: Probe) -> Accelerator:
    if facts.translated:
        return Accelerator(
            "cpu",
            "this Python is an Intel build: remove .venv and run scripts/bootstrap.sh with an Apple Silicon Python",
        )
    if facts.machine != "arm64":
        return Accelerator("cpu", f"a Mac with an Intel processor: {_titles_on('mps')} needs Apple Silicon")
    memory = next(gpu_memory for ram, gpu_memory in APPLE_GPU_MEMORY if _gb(facts.memory) >= ram)
    return Accelerator(
        "mps", f"Apple Silicon: the GPU may use {memory} GB of {_gb(facts.memory)} GB", facts.cpu_brand, memory, memory
    )


def _nvidia(gpu: Gpu, usable: int) -> Accelerator:
    chosen = f"the one of {usable} with most free memory" if usable > 1 else "NVIDIA GPU"
    reason = f"{chosen}: {gpu.free_gb} of {gpu.memory_gb} GB free"
    room = gpu.memory_gb
    if gpu.free_gb < IN_USE_ELSEWHERE * gpu.memory_gb:
        room = gpu.free_gb
        reason += "; other programs hold the rest, so only the free part counts"
    return Accelerator(
        "cuda", reason, gpu.name, gpu.memory_gb, room, sizing.capability(gpu.compute_capability), gpu.uuid
    )


def _judge(gpu: NvidiaGpu, nvidia: Nvidia) -> Gpu:
    reason = _why_unusable(gpu, nvidia)
    return Gpu(
        gpu.index, gpu.uuid, gpu.name, _gb(gpu.memory), _gb(gpu.free), gpu.compute_capability, not reason, reason
    )


def _why_unusable(gpu: NvidiaGpu, nvidia: Nvidia) -> str:
    if _hidden(gpu, nvidia.visible):
        return f"hidden by CUDA_VISIBLE_DEVICES={nvidia.visible}"
    if nvidia.cuda < OLDEST_CUDA:
        speaks = f"CUDA {nvidia.cuda // 1000}.{nvidia.cuda % 1000 // 10}"
        return f"driver {nvidia.driver} speaks {speaks}; CUDA 12 needs driver 525 or newer"
    engine = ENGINES[DEFAULT]
    if sizing.capability(gpu.compute_capability) < engine.oldest_capability:
        needed = ".".join(map(str, engine.oldest_capability))
        return f"compute capability {gpu.compute_capability} is too old; {engine.library} needs {needed}"
    smallest = engine.sizes.smallest
    needed_gb = sum(engine.sizes.gpu_cost[smallest])
    if _gb(gpu.free) < needed_gb:
        return f"only {_gb(gpu.free)} of {_gb(gpu.memory)} GB are free; the model {smallest} needs {needed_gb}"
    return ""


def _hidden(gpu: NvidiaGpu, visible: str | None) -> bool:
    """Tell whether CUDA_VISIBLE_DEVICES, which lists numbers or beginnings of UUIDs, hides the GPU."""
    if visible is None:
        return False
    names = [name.strip() for name in visible.split(",")]
    return not any(name == str(gpu.index) or (name and gpu.uuid.startswith(name)) for name in names)


# --- Which settings


def _settings(
    accelerator: Accelerator, backends: dict[str, Backend], memory_gb: float, cores: int
) -> RecommendedSettings:
    backend, backend_reason, device, device_reason = _engine(accelerator, backends)
    engine = ENGINES[backend]
    compute_type, compute_type_reason = sizing.choose_compute_type(engine, device, accelerator.capability)
    room = memory_gb if device == "cpu" else accelerator.room_gb / (2 if compute_type == "float32" else 1)
    model, model_reason = sizing.choose_model(engine, device, room, cores)
    batch, batch_reason = sizing.batch_size(engine.sizes, model, device, room)
    return RecommendedSettings(
        whisper_model=model,
        whisper_model_reason=model_reason,
        compute_type=compute_type,
        compute_type_reason=compute_type_reason,
        batch_size=batch,
        batch_size_reason=batch_reason + f"; jobs say auto: {engine.title} measures what fits" * engine.measures_memory,
        whisper_backend=backend,
        whisper_backend_reason=backend_reason,
        device=device,
        device_reason=device_reason,
    )


def _engine(accelerator: Accelerator, backends: dict[str, Backend]) -> tuple[str, str, str, str]:
    """Choose backend and device, each with its reason."""
    device, hindrance = accelerator.type, ""
    for engine in (engine for engine in ENGINES.values() if device in engine.preferred_on):
        backend = backends[engine.name]
        hindrance = _why_not_engine(engine, device, backend, accelerator.capability)
        if not hindrance:
            reason = f"{engine.title} {backend.version} {engine.preferred_on[device]}"
            return engine.name, reason, device, accelerator.reason
    default, found = ENGINES[DEFAULT], backends[DEFAULT]
    if device == "mps":
        return DEFAULT, hindrance, "cpu", f"only {_titles_on('mps')} can use the Apple GPU"
    reason = (
        f"{default.title} {found.version}"
        if found.available
        else f"not usable yet ({found.reason}); run {default.installer}"
    )
    return DEFAULT, reason, "cuda" if device == "cuda" else "cpu", accelerator.reason


def _titles_on(device: str) -> str:
    return " or ".join(engine.title for engine in ENGINES.values() if device in engine.devices)


def why_not(backend: str, device: str, machine: Hardware) -> str:
    """Say what keeps a recogniser from running on a device of this machine; empty for nothing."""
    if device == "cuda" and machine.gpu_type != "cuda":
        return f"no usable NVIDIA GPU here ({machine.gpu_reason})"
    if device == "mps" and machine.gpu_type != "mps":
        return "this is not an Apple Silicon machine"
    engine = ENGINES[backend]
    found = machine.backends.get(backend) or probe_engine(engine)  # the cache may be older than the engine
    return _why_not_engine(engine, device, found, machine.capability)


def _why_not_engine(engine: About, device: str, found: Backend, capability: Capability | None) -> str:
    """Say what keeps an engine from recognising speech on a device, with the remedy where there is one; empty for
    nothing.

    `Gpu.reason` has told already about the engine that every installation has."""
    if engine.name == DEFAULT:
        return ""
    if not found.available:
        return f"{engine.title} cannot be used ({found.reason}); run {engine.installer}"
    if engine.trial and device not in found.devices:
        usable = " and ".join(found.devices) or "nothing"
        fault = f" ({found.reason})" if found.reason else ""
        installed = f"{engine.title} {found.version} as it is installed"
        return f"{installed} cannot use {device}, only {usable}{fault}; run {engine.installer}"
    if device == "cuda" and (capability or ()) < engine.oldest_capability:
        has, needed = (".".join(map(str, numbers)) for numbers in (capability or (), engine.oldest_capability))
        return f"compute capability {has} is too old for {engine.title} here, which needs {needed}"
    return ""


# --- The cache


def write_cache(path: Path, hardware: Hardware) -> Hardware:
    """Write the cache. Raises UsageError where the file cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with signals_held():
            write_atomic(path, json_document(hardware))
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}") from None
    return hardware


def read_cache(path: Path, warn: Callable[[str], None]) -> Hardware | None:
    """Read the cache. Returns None, with a warning, where it cannot be used or was made on another machine; None
    where there is none."""
    try:
        hardware = msgspec.json.decode(read_file(path), type=Hardware)
    except FileNotFoundError:
        return None
    except UNREADABLE:
        warn(f"{path} cannot be used: it is damaged, or of another version")
        return None
    if difference := _difference(hardware, probe_machine()):
        warn(f"{path} is not of this machine: {difference}")
        return None
    return hardware


def _difference(cached: Hardware, facts: Probe) -> str:
    """Say what the cache tells that is not so on the machine that was looked at. The engines change on one machine;
    these do not."""
    memory = _gb(facts.memory)
    same_memory = abs(cached.memory.total_gb - memory) <= SAME_MEMORY * memory
    both = (
        (f"{cached.platform} on {cached.machine}", f"{facts.system} on {facts.machine}"),
        (cached.cpu.brand, facts.cpu_brand),
        (_gpu_names(cached.gpus), _gpu_names(facts.nvidia.gpus)),
        (f"{memory if same_memory else cached.memory.total_gb} GB of memory", f"{memory} GB of memory"),
    )
    return next((f"it says {said}, and this is {found}" for said, found in both if said != found), "")


def _gpu_names(gpus: Sequence[Gpu] | Sequence[NvidiaGpu]) -> str:
    return ", ".join(f"{gpu.name} ({gpu.uuid})" for gpu in gpus) or "no NVIDIA GPU"


def look(path: Path, console: Console) -> Hardware:
    """Ask this machine, and keep what it says. Raises UsageError."""
    console.info("Looking at this machine's hardware")
    return write_cache(path, recommend(probe()))


def this_machine(path: Path, console: Console) -> Hardware:
    """Return the hardware from the cache, or else from the machine itself. Raises UsageError."""
    return read_cache(path, console.warn) or look(path, console)


def check(
    backend: str, device: str, path: Path, console: Console, setting: str = "WHISPERX_DEVICE", everywhere: str = ""
) -> None:
    """Raise UsageError where a recogniser, or the translator whose `setting` names the device, cannot run on it here.
    `everywhere` are the settings with which that translator always runs.

    The cache is not believed in that: a driver may be mended since."""
    if not why_not(backend, device, this_machine(path, console)):
        return
    machine = look(path, console)
    if reason := why_not(backend, device, machine):
        advice = machine.recommended_settings
        if everywhere:
            raise UsageError(f"{setting}={device}: {reason}. This works here: {everywhere}")
        better = (
            f"WHISPER_BACKEND={advice.whisper_backend} WHISPERX_DEVICE={advice.device} "
            f"WHISPER_COMPUTE_TYPE={advice.compute_type}"
        )
        raise UsageError(f"WHISPER_BACKEND={backend} WHISPERX_DEVICE={device}: {reason}. This works here: {better}")
