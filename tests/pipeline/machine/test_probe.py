"""Control groups and PCI listings are trees of small files: made here as they look in containers and on servers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sutradhar.pipeline.machine import probe
from sutradhar.stages.recognisers.mlx.about import ABOUT, TOO_NEW


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


def test_version_2_takes_the_tightest_limit_on_the_way_up(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "0::/system.slice/job.scope",
            "sys/fs/cgroup/system.slice/cpu.max": "150000 100000",
            "sys/fs/cgroup/system.slice/memory.max": "2147483648",
            "sys/fs/cgroup/system.slice/memory.current": "300000000",
            "sys/fs/cgroup/system.slice/memory.stat": "anon 1\ninactive_file 100000000",
            "sys/fs/cgroup/system.slice/job.scope/cpu.max": "max 100000",
            "sys/fs/cgroup/system.slice/job.scope/memory.max": "max",
        },
    )
    assert probe.cpu_quota(root) == 1.5
    assert probe.memory_limit(root) == (2147483648, 200000000)


def test_version_1_in_a_container_whose_path_is_the_hosts(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/docker/1f2e\n4:memory:/docker/1f2e",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "250000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "1073741824",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "500",
            "sys/fs/cgroup/memory/memory.stat": "total_inactive_file 900",
        },
    )
    assert probe.cpu_quota(root) == 2.5
    assert probe.memory_limit(root) == (1073741824, 0)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"sys/fs/cgroup/cpu.max": "max 100000", "sys/fs/cgroup/memory.max": "max"},
        {
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        },
        {"proc/self/cgroup": "", "sys/fs/cgroup/cpu.max": ""},
    ],
)
def test_no_limit(files: dict[str, str], tmp_path: Path) -> None:
    root = tree(tmp_path, files)
    assert probe.cpu_quota(root) is None
    assert probe.memory_limit(root) == (None, 0)


def test_counts_display_adapters_by_nvidia_only(tmp_path: Path) -> None:
    devices = {
        "01:00.0": ("0x10de", "0x030000"),
        "01:00.1": ("0x10de", "0x040300"),
        "00:02.0": ("0x8086", "0x030000"),
        "02:00.0": ("0x10de", "0x030200"),
    }
    files = {}
    for name, (vendor, kind) in devices.items():
        files |= {f"sys/bus/pci/devices/{name}/vendor": vendor, f"sys/bus/pci/devices/{name}/class": kind}
    assert probe.nvidia_adapters(tree(tmp_path, files)) == 2


MLX = """
import contextlib, numbers, os
from types import SimpleNamespace
__version__, cpu, gpu, stream = "9.9", "cpu", "gpu", contextlib.nullcontext
metal, cuda = SimpleNamespace(is_available=lambda: False), SimpleNamespace(is_available=lambda: True)
products = [{cpu}, {gpu}]
class Matrix(int):
    def __matmul__(self, other): return eval(products.pop(0))
    def item(self): return self
def full(shape, value): return Matrix()
def all(found): return Matrix(found)
"""
RIGHT = repr("256")


@pytest.mark.parametrize(
    ("core", "expected"),
    [
        (MLX.format(cpu=RIGHT, gpu=RIGHT), probe.Backend(available=True, version="9.9", devices=("cpu", "cuda"))),
        (
            MLX.format(cpu=RIGHT, gpu=repr("0")),
            probe.Backend(
                available=True, version="9.9", reason="cuda: a product of matrices came out wrong", devices=("cpu",)
            ),
        ),
        (
            MLX.format(cpu=RIGHT, gpu=repr("exec('raise RuntimeError(\\'no kernel image\\')')")),
            probe.Backend(available=True, version="9.9", reason="cuda: no kernel image", devices=("cpu",)),
        ),
        (
            MLX.format(cpu=RIGHT, gpu=repr("os._exit(9)")),
            probe.Backend(available=True, version="9.9", reason="exit code 9", devices=("cpu",)),
        ),
        (
            "raise ImportError('libmlx.so: no such file')",
            probe.Backend(available=False, reason="import mlx.core failed: ImportError: libmlx.so: no such file"),
        ),
    ],
    ids=["both", "wrong", "error", "crash", "import"],
)
def test_mlx_is_tried_on_each_device(
    core: str, expected: probe.Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree(tmp_path, {"mlx/__init__.py": "", "mlx/core.py": core, "mlx_whisper/__init__.py": ""})
    for name in ("mlx", "mlx_whisper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert probe.probe_engine(ABOUT) == expected


SHADERS = "Failed to load the default metallib. This library is using"
RECORDED = [  # as users of macOS 15 reported them
    f"{SHADERS} language version 4.0 which is not supported on this OS. library not found library not found library not found",
    f"{SHADERS} a deployment target (0x00020008) that is not supported on this OS",
    "[metal::Device] Unable to build metal library from source\nerror: invalid value 'metal4.0' in '-std=metal4.0'\nnote: use 'ios-metal1.0' for it",
]


@pytest.mark.parametrize("said", RECORDED, ids=["language", "target", "source"])
@pytest.mark.parametrize("at", ["import", "sum"])
def test_a_build_for_a_newer_macos_is_told_with_its_remedy(
    said: str, at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sum_fails = MLX.format(cpu=RIGHT, gpu=repr(f"exec({f'raise RuntimeError({said!r})'!r})"))
    tree(
        tmp_path,
        {
            "mlx/__init__.py": "",
            "mlx/core.py": f"raise ImportError({said!r})" if at == "import" else sum_fails,
            "mlx_whisper/__init__.py": "",
        },
    )
    for name in ("mlx", "mlx_whisper"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = probe.probe_engine(ABOUT)
    assert found.reason == ("import mlx.core failed: " if at == "import" else "cuda: ") + TOO_NEW
    assert found.available is (at == "sum")


def test_probe_of_this_machine_is_plausible() -> None:
    found = probe.probe()
    assert found.threads >= found.cores >= 1
    assert found.memory >= found.memory_available > 0
    assert set(found.backends) == {"whisperx", "mlx"}
    assert found.cpu_brand
