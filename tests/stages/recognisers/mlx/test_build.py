"""On the machines of `tests/data/probes/`."""

from __future__ import annotations

import msgspec
import pytest

from sutradhar.pipeline.machine.probe import Backend, Probe
from sutradhar.stages.recognisers.mlx import build as mlx_build
from sutradhar.stages.recognisers.mlx.about import TOO_NEW
from tests.conftest import ROOT


def probed(name: str) -> Probe:
    return msgspec.json.decode((ROOT / "tests" / "data" / "probes" / f"{name}.json").read_bytes(), type=Probe)


@pytest.mark.parametrize(
    ("machine", "build", "why_no_better"),
    [
        ("m1-pro-16gb-no-mlx", "metal", ""),
        ("h100", "cuda13", ""),
        ("gpu-full", "cpu", "needs NVIDIA's driver 580 or newer, and this is 570.133.20"),
        ("tesla-k40", "cpu", "needs NVIDIA's driver 580 or newer"),
        ("driver-broken", "cpu", "the NVIDIA driver does not answer: Driver/library version mismatch"),
        ("cpu-16gb", "cpu", "no NVIDIA GPU here"),
    ],
)
def test_chooses_the_build_for_the_machine(machine: str, build: str, why_no_better: str) -> None:
    chosen, reason = mlx_build.choose(probed(machine))
    assert chosen == build
    assert why_no_better in reason
    assert bool(why_no_better) == bool(reason)


def test_a_gpu_that_is_in_use_gets_its_build_and_one_before_ampere_does_not() -> None:
    facts = probed("h100")
    (gpu,) = facts.nvidia.gpus
    assert mlx_build.choose(with_gpu(facts, msgspec.structs.replace(gpu, free=0)))[0] == "cuda13"
    t4 = msgspec.structs.replace(gpu, name="Tesla T4", compute_capability="7.5")
    assert mlx_build.choose(with_gpu(facts, t4)) == (
        "cpu",
        "Tesla T4 has compute capability 7.5, and the one for CUDA needs 8.0",
    )


def with_gpu(facts: Probe, gpu: object) -> Probe:
    return msgspec.structs.replace(facts, nvidia=msgspec.structs.replace(facts.nvidia, gpus=(gpu,)))


def test_verifies_where_mlx_computes() -> None:
    assert mlx_build.verify(probed("m1-pro-16gb"), "metal") == "MLX 0.32.4 computes on mps: Apple M1 Pro"
    assert mlx_build.verify(probed("h100-mlx-cuda"), "cuda13") == "MLX 0.32.4 computes on cuda: NVIDIA H100 80GB HBM3"
    assert mlx_build.verify(probed("cpu-16gb-mlx"), "cpu").startswith("MLX 0.32.4 computes on cpu: ")


@pytest.mark.parametrize(
    ("mlx", "build", "message"),
    [
        (
            Backend(available=True, version="0.32.4", devices=("cpu",)),
            "metal",
            "mps: it finds only cpu. MLX needs macOS 14",
        ),
        (
            Backend(available=False, reason="no libcuda.so.1"),
            "cuda13",
            "cuda: no libcuda.so.1. nvidia-smi must work, with driver 580",
        ),
        (
            Backend(available=False, reason=f"import mlx.core failed: {TOO_NEW}"),
            "metal",
            f"mps: import mlx.core failed: {TOO_NEW}\n",
        ),
    ],
    ids=["no Metal", "no driver", "older macOS"],
)
def test_says_what_to_do_where_it_does_not(
    mlx: Backend, build: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = probed("m1-pro-16gb")
    monkeypatch.setattr(
        mlx_build, "probe", lambda: msgspec.structs.replace(facts, backends={**facts.backends, "mlx": mlx})
    )
    assert mlx_build.main(["verify", build]) == 1
    assert capsys.readouterr().err.startswith(f"[ERROR] MLX does not compute on {message}")


def test_prints_the_build_alone(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlx_build, "probe", lambda: probed("cpu-16gb"))
    assert mlx_build.main(["choose"]) == 0
    output = capsys.readouterr()
    assert (output.out, output.err) == ("cpu\n", "[INFO] Taking MLX's build for CPUs: no NVIDIA GPU here\n")
