"""Read raw facts about this machine: processors, memory, graphics processors, installed engines.
`sutradhar.pipeline.machine.hardware` judges them.

Nothing here decides, so a recorded `Probe` of any machine can stand in for it in tests (`tests/data/probes/`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from sutradhar.pipeline.processes import children
from sutradhar.stages.recognisers import ABOUTS
from sutradhar.stages.recognisers.about import About, Trial

COMMAND_SECONDS = 20


class NvidiaGpu(msgspec.Struct, frozen=True):
    index: int  # as the driver counts (PCI order)
    uuid: str
    name: str
    memory: int  # bytes
    free: int  # bytes
    compute_capability: str  # "8.6"


class Nvidia(msgspec.Struct, frozen=True):
    adapters: int = 0  # cards seen on the PCI bus, whatever the driver says
    driver: str = ""
    cuda: int = 0  # newest CUDA the driver speaks, as 1000 * major + 10 * minor
    error: str = ""  # why the driver could not be asked
    visible: str | None = None  # CUDA_VISIBLE_DEVICES
    gpus: tuple[NvidiaGpu, ...] = ()


class Backend(msgspec.Struct, frozen=True):
    available: bool
    version: str = ""
    reason: str = ""  # why it is not available, or not on some device
    devices: tuple[str, ...] = ()  # where it was tried out: those where it computes (cpu, mps, cuda)


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """Facts about this machine. Sizes are in bytes; a limit that is None does not exist."""

    probed_at: str  # ISO 8601, UTC
    system: str  # platform.system(): Darwin, Linux
    machine: str  # platform.machine(): arm64, x86_64
    translated: bool = False  # an Intel Python run by Rosetta on Apple Silicon
    cpu_brand: str
    cores: int
    threads: int
    affinity: int | None = None  # logical processors this process may run on
    cpu_quota: float | None = None  # processors' worth of time that the control group grants
    memory: int
    memory_available: int
    memory_limit: int | None = None  # of the control group
    memory_limit_used: int = 0
    nvidia: Nvidia = Nvidia()
    backends: dict[str, Backend]


def probe() -> Probe:
    """Ask this machine. Takes well under a second, and a few seconds where an engine is tried out for the first
    time."""
    return msgspec.structs.replace(probe_machine(), backends={engine.name: probe_engine(engine) for engine in ABOUTS})


def probe_machine() -> Probe:
    """Ask for all but the engines, which take longer to try than all else."""
    import psutil

    memory = psutil.virtual_memory()
    threads = psutil.cpu_count() or 1
    limit, used = memory_limit()
    return Probe(
        probed_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        system=platform.system(),
        machine=platform.machine(),
        translated=_sysctl("sysctl.proc_translated") == "1",
        cpu_brand=_cpu_brand(),
        cores=psutil.cpu_count(logical=False) or threads,
        threads=threads,
        affinity=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        cpu_quota=cpu_quota(),
        memory=memory.total,
        memory_available=memory.available,
        memory_limit=limit,
        memory_limit_used=used,
        nvidia=_nvidia(),
        backends={},
    )


# --- Processor


def _cpu_brand() -> str:
    if brand := _sysctl("machdep.cpu.brand_string"):
        return brand
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def _sysctl(name: str) -> str:
    if platform.system() != "Darwin":
        return ""
    try:
        return children.run(["/usr/sbin/sysctl", "-n", name], timeout=COMMAND_SECONDS).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


# --- Control groups (containers, systemd slices, SLURM)


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Return the processors' worth of time granted to this process: the smallest quota on the way up its control
    groups, version 2 or 1."""
    quotas = [_quota(*_read(folder / "cpu.max").split()) for folder in _control_groups(root, "")]
    quotas += [
        _quota(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))
        for folder in _control_groups(root, "cpu")
    ]
    return min((quota for quota in quotas if quota), default=None)


def usable_cores() -> int:
    """Count the physical cores that this process may use."""
    import psutil

    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    return max(1, int(min(cores, allowed, cpu_quota() or cores)))


def _quota(quota: str = "", period: str = "") -> float | None:
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else None  # "max" and "-1" mean none


def memory_limit(root: Path = Path("/")) -> tuple[int | None, int]:
    """Return the tightest memory limit of this process's control groups, and how much of it is in use (page cache
    apart), in bytes."""
    limits = [_limit(folder, "memory.max", "memory.current", "inactive_file") for folder in _control_groups(root, "")]
    limits += [
        _limit(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        for folder in _control_groups(root, "memory")
    ]
    return min((limit for limit in limits if limit[0] is not None), default=(None, 0), key=lambda limit: limit[0] or 0)


def _limit(folder: Path, limit_file: str, usage_file: str, cache_key: str) -> tuple[int | None, int]:
    limit = _read(folder / limit_file)
    if not limit.isdigit() or int(limit) >= 1 << 60:  # version 1 writes a huge number for "none"
        return None, 0
    statistics = dict(line.split(" ", 1) for line in _read(folder / "memory.stat").splitlines() if " " in line)
    return int(limit), max(0, int(_read(folder / usage_file) or 0) - int(statistics.get(cache_key, 0)))


def _control_groups(root: Path, controller: str) -> list[Path]:
    """Return this process's control group and those above it; `controller` is "" for version 2.

    Inside a container the path in /proc may be the host's, which is not mounted; the top of the mount then holds
    our limits.
    """
    top = root / "sys/fs/cgroup" / controller
    folders = [top]
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            below = top / path.strip("/")
            folders += [folder for folder in (below, *below.parents) if top in folder.parents]
    return folders


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


# --- Graphics processors


def _nvidia() -> Nvidia:
    adapters = nvidia_adapters()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    try:
        import pynvml
    except ImportError:
        return Nvidia(adapters=adapters, error="the package nvidia-ml-py is not installed", visible=visible)
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Nvidia(adapters=adapters, error=str(error), visible=visible)
    try:
        return Nvidia(
            adapters=adapters,
            driver=pynvml.nvmlSystemGetDriverVersion(),
            cuda=pynvml.nvmlSystemGetCudaDriverVersion_v2(),
            visible=visible,
            gpus=tuple(_nvidia_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())),
        )
    except pynvml.NVMLError as error:
        return Nvidia(adapters=adapters, error=str(error), visible=visible)
    finally:
        pynvml.nvmlShutdown()


def _nvidia_gpu(index: int) -> NvidiaGpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return NvidiaGpu(
        index=index,
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        name=pynvml.nvmlDeviceGetName(handle),
        memory=memory.total,
        free=memory.free,
        compute_capability=f"{major}.{minor}",
    )


def nvidia_adapters(root: Path = Path("/")) -> int:
    """Count the display controllers (PCI class 03) made by NVIDIA (vendor 10de), which Linux lists with or without
    their driver."""
    devices = (root / "sys/bus/pci/devices").glob("*")
    return sum(
        _read(device / "vendor") == "0x10de" and _read(device / "class").startswith("0x03") for device in devices
    )


# --- Engines


def probe_engine(engine: About) -> Backend:
    """Look for an engine. Packages are not imported, which takes seconds; a library that may be installed and not
    work is tried out."""
    for module in engine.modules:
        if importlib.util.find_spec(module) is None:
            return Backend(available=False, reason=f"the package {module} is not installed")
    if engine.trial:
        return _try_out(engine.trial)
    return Backend(available=True, version=importlib.metadata.version(engine.modules[0]) if engine.modules else "")


def _try_out(trial: Trial) -> Backend:
    """Run a trial in a child: whether a library loads, and on which device it computes, depends on the system's
    version, drivers and libraries too."""
    try:
        child = children.run([sys.executable, "-c", trial.program], timeout=trial.seconds)
    except subprocess.TimeoutExpired:
        return Backend(available=False, reason=f"{trial.title} did not return within {trial.seconds:g} s")
    version, *trials = child.stdout.splitlines() or [""]
    failure = (
        trial.remedy(child.stderr) or (child.stderr.strip().splitlines() or [f"exit code {child.returncode}"])[-1]
        if child.returncode
        else ""
    )
    if not version:
        return Backend(available=False, reason=f"{trial.title} failed: {failure}")
    tried = {device: trial.remedy(fault) or fault for device, fault in (line.split("\t", 1) for line in trials)}
    faults = [f"{device}: {fault}" for device, fault in tried.items() if fault] + [failure] * bool(failure)
    devices = tuple(device for device in tried if not tried[device])
    return Backend(available=True, version=version, reason="; ".join(faults), devices=devices)
