"""Advice for machines that we do not have: probes in `tests/data/probes/`, expectations written out."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline.console import Console
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.machine import command, hardware, sizing
from sutradhar.pipeline.machine.hardware import Hardware, recommend
from sutradhar.pipeline.machine.probe import Backend, Probe
from sutradhar.stages.recognisers.mlx.about import ON_CUDA
from sutradhar.stages.recognisers.whisper.sizes import WHISPER_SIZES
from tests.conftest import ROOT, probed
from tests.damaged_json import damaged


def machine(name: str) -> Hardware:
    return recommend(probed(name))


@pytest.mark.parametrize(
    ("name", "gpu_type", "gpu_memory_gb", "expected"),
    [
        ("m1-pro-16gb", "mps", 10.0, ("mlx", "mps", "large-v3", "float16", 2)),
        ("m1-pro-16gb-no-mlx", "mps", 10.0, ("whisperx", "cpu", "large-v3", "int8", 4)),
        ("m4-max-64gb", "mps", 32.0, ("mlx", "mps", "large-v3", "float16", 16)),
        ("m1-rosetta-python", "cpu", None, ("whisperx", "cpu", "large-v3", "int8", 4)),
        ("rtx-3090", "cuda", 24.0, ("whisperx", "cuda", "large-v3", "float16", 11)),
        ("h200", "cuda", 140.4, ("whisperx", "cuda", "large-v3", "float16", 32)),
        ("h100", "cuda", 79.6, ("whisperx", "cuda", "large-v3", "float16", 32)),
        ("h100-mlx-cpu", "cuda", 79.6, ("whisperx", "cuda", "large-v3", "float16", 32)),
        ("h100-mlx-cuda", "cuda", 79.6, ("mlx", "cuda", "large-v3", "float16", 32)),
        ("two-gpus", "cuda", 12.0, ("whisperx", "cuda", "large-v3", "float16", 3)),
        ("two-gpus-one-hidden", "cuda", 24.0, ("whisperx", "cuda", "base", "float16", 3)),
        ("gtx-1060", "cuda", 6.0, ("whisperx", "cuda", "large-v3", "int8", 1)),
        ("tesla-p100", "cuda", 16.0, ("whisperx", "cuda", "large-v3", "float32", 1)),
        ("tesla-k40", "cuda-unavailable", 11.2, ("whisperx", "cpu", "large-v3", "int8", 8)),
        ("gpu-full", "cuda-unavailable", 24.0, ("whisperx", "cpu", "large-v3", "int8", 8)),
        ("gpu-half-full", "cuda", 24.0, ("whisperx", "cuda", "medium", "float16", 1)),
        ("driver-broken", "cuda-unavailable", None, ("whisperx", "cpu", "large-v3", "int8", 8)),
        ("driver-old", "cuda-unavailable", 24.0, ("whisperx", "cpu", "large-v3", "int8", 8)),
        ("cpu-4gb", "cpu", None, ("whisperx", "cpu", "small", "int8", 5)),
        ("cpu-8gb", "cpu", None, ("whisperx", "cpu", "medium", "int8", 3)),
        ("cpu-16gb", "cpu", None, ("whisperx", "cpu", "large-v3", "int8", 4)),
        ("cpu-16gb-mlx", "cpu", None, ("whisperx", "cpu", "large-v3", "int8", 4)),
        ("cpu-32gb", "cpu", None, ("whisperx", "cpu", "large-v3", "int8", 8)),
        ("container", "cpu", None, ("whisperx", "cpu", "base", "int8", 4)),
    ],
)
def test_recommends(
    name: str, gpu_type: str, gpu_memory_gb: float | None, expected: tuple[str, str, str, str, int]
) -> None:
    found = machine(name)
    advice = found.recommended_settings
    assert (found.gpu_type, found.gpu_memory_gb) == (gpu_type, gpu_memory_gb)
    assert found.gpu_available == (gpu_type in ("mps", "cuda"))
    assert (
        advice.whisper_backend,
        advice.device,
        advice.whisper_model,
        advice.compute_type,
        advice.batch_size,
    ) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tesla-k40", "Tesla K40m: compute capability 3.5 is too old; CTranslate2 needs 5.3"),
        ("gpu-full", "only 0.7 of 24.0 GB are free; the model base needs 1.4"),
        ("gpu-half-full", "other programs hold the rest, so only the free part counts"),
        ("driver-broken", "its driver does not answer: Driver/library version mismatch; nvidia-smi must work first"),
        ("driver-old", "driver 470.256.02 speaks CUDA 11.4; CUDA 12 needs driver 525 or newer"),
        ("two-gpus", "the one of 2 with most free memory"),
        ("m1-rosetta-python", "this Python is an Intel build"),
    ],
)
def test_says_why_the_gpu_is_used_or_not(name: str, words: str) -> None:
    assert words in machine(name).gpu_reason


def test_records_every_gpu_and_names_the_one_to_use() -> None:
    found = machine("two-gpus-one-hidden")
    assert [(gpu.index, gpu.usable, gpu.reason) for gpu in found.gpus] == [
        (0, True, ""),
        (1, False, "hidden by CUDA_VISIBLE_DEVICES=0"),
    ]
    assert found.gpu_uuid == found.gpus[0].uuid
    assert machine("two-gpus").gpu_uuid == found.gpus[1].uuid


def test_reasons_for_the_settings() -> None:
    assert (
        machine("gtx-1060").recommended_settings.compute_type_reason
        == "compute capability 6.1 has no fast float16, but has int8"
    )
    assert (
        machine("rtx-3090").recommended_settings.batch_size_reason
        == "four fifths of 24.0 GB less 7.0 for the model, at 1.2 GB a window; from 1 to 32"
    )
    assert (
        machine("h200").recommended_settings.whisper_backend_reason
        == "not usable yet (the package whisperx is not installed); run scripts/bootstrap.sh"
    )
    assert machine("h100-mlx-cuda").recommended_settings.whisper_backend_reason.startswith(
        "MLX 0.32.4 runs on the NVIDIA GPU: on one H200 at 16 windows"
    )
    assert machine("h100-mlx-cpu").recommended_settings.whisper_backend_reason == "WhisperX 3.8.6"
    assert machine("m1-pro-16gb").recommended_settings.batch_size_reason.endswith(
        "from 1 to 16; jobs say auto: MLX measures what fits"
    )
    without_mlx = machine("m1-pro-16gb-no-mlx").recommended_settings
    assert (
        without_mlx.whisper_backend_reason
        == "MLX cannot be used (the package mlx is not installed); run ./install-mlx.sh"
    )
    assert without_mlx.device_reason == "only MLX can use the Apple GPU"


def cores(number: int, name: str = "cpu-32gb") -> Hardware:
    return recommend(msgspec.structs.replace(probed(name), cores=number, threads=2 * number, affinity=2 * number))


@pytest.mark.parametrize(
    ("number", "name", "model", "reason"),
    [
        (1, "cpu-32gb", "small", "a film of 2 h takes about 45 min on 1 core; medium would take 2 h 10 min"),
        (2, "cpu-32gb", "medium", "a film of 2 h takes about 1 h on 2 cores; large-v3 would take 1 h 50 min"),
        (2, "cpu-8gb", "medium", "7.6 GB of memory; large-v3 needs 16; a film of 2 h takes about 1 h on 2 cores"),
        (
            4,
            "cpu-32gb",
            "large-v3",
            "31.2 GB of memory; large-v3 needs 16; a film of 2 h takes about 55 min on 4 cores",
        ),
        (16, "cpu-4gb", "small", "3.8 GB of memory; medium needs 8; a film of 2 h takes about 10 min on 16 cores"),
        (1, "container", "base", "2.0 GB of memory; small needs 4; a film of 2 h takes about 15 min on 1 core"),
        (2, "rtx-3090", "large-v3", "24.0 GB of memory; large-v3 needs 6"),
        (2, "m1-pro-16gb", "large-v3", "10.0 GB of memory; large-v3 needs 6"),
    ],
)
def test_on_a_cpu_a_model_is_recommended_that_hears_a_film_in_its_own_length(
    number: int, name: str, model: str, reason: str
) -> None:
    advice = cores(number, name).recommended_settings
    assert (advice.whisper_model, advice.whisper_model_reason) == (model, reason)


def test_the_times_of_a_film_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results" / "model_cost.json").read_text())["seconds_a_window"]
    assert WHISPER_SIZES.cpu_seconds == {
        model: (round(measured[model]["encode"], 1), round(measured[model]["decode"], 1))
        for model in WHISPER_SIZES.cpu_seconds
    }


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.001, "5 min"), (0.93, "55 min"), (0.97, "1 h"), (1.32, "1 h 20 min"), (2.13, "2 h 10 min"), (26.0, "26 h")],
)
def test_durations_are_no_more_exact_than_they_are_known(hours: float, text: str) -> None:
    assert sizing.duration(hours) == text


def test_where_mlx_has_no_metal_the_apple_gpu_is_not_used() -> None:
    facts = probed("m1-pro-16gb")
    mlx = Backend(available=True, version="0.32.4", reason="mps: no Metal device", devices=("cpu",))
    advice = recommend(msgspec.structs.replace(facts, backends={**facts.backends, "mlx": mlx})).recommended_settings
    assert (advice.whisper_backend, advice.device, advice.compute_type) == ("whisperx", "cpu", "int8")
    assert (
        advice.whisper_backend_reason
        == "MLX 0.32.4 as it is installed cannot use mps, only cpu (mps: no Metal device); run ./install-mlx.sh"
    )


def test_the_speed_given_as_a_reason_is_the_one_that_was_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results" / "mlx_speed.json").read_text())
    ours, other = (int(measured["large-v3"]["B=16"][name] + 0.5) for name in ("ours", "ctranslate2"))
    assert f"large-v3 ran at {ours} times real time, CTranslate2 at {other}" in ON_CUDA


def test_a_gpu_before_ampere_is_left_to_whisperx_whatever_mlx_can_do() -> None:
    facts = probed("h100-mlx-cuda")
    t4 = msgspec.structs.replace(facts.nvidia.gpus[0], compute_capability="7.5")
    found = recommend(msgspec.structs.replace(facts, nvidia=msgspec.structs.replace(facts.nvidia, gpus=(t4,))))
    assert (found.recommended_settings.whisper_backend, found.recommended_settings.device) == ("whisperx", "cuda")
    why_not = hardware.why_not("mlx", "cuda", found)
    assert why_not == "compute capability 7.5 is too old for MLX here, which needs 8.0"


def test_a_container_is_what_its_limits_say() -> None:
    found = machine("container")
    assert (found.cpu.threads, found.cpu.usable) == (128, 1.5)
    assert (found.memory.total_gb, found.memory.limit_gb, found.memory.available_gb) == (503.5, 2.0, 1.8)


@pytest.mark.parametrize(
    ("device", "memory_gb", "batch"),
    [("cuda", 3, 4), ("cuda", 80, 32), ("mps", 80, 16), ("cpu", 80, 8), ("cpu", 0.3, 1)],
)
def test_batch_size_stays_in_bounds(device: str, memory_gb: float, batch: int) -> None:
    assert sizing.batch_size(WHISPER_SIZES, "base" if memory_gb < 4 else "large-v3", device, memory_gb)[0] == batch


def test_a_model_that_the_tables_do_not_know_counts_as_the_biggest() -> None:
    assert sizing.batch_size(WHISPER_SIZES, "my-own", "cuda", 24.0) == sizing.batch_size(
        WHISPER_SIZES, "large-v3", "cuda", 24.0
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "hardware_cache.json"


def test_cache_round_trip(path: Path, on_machine: Callable[[str], Probe]) -> None:
    found = hardware.write_cache(path, recommend(on_machine("rtx-3090")))
    assert hardware.read_cache(path, pytest.fail) == found
    keys = json.loads(path.read_text())
    assert (keys["schema"], keys["gpu_type"], keys["gpu_name"], keys["gpu_memory_gb"]) == (
        2,
        "cuda",
        "NVIDIA GeForce RTX 3090",
        24.0,
    )
    assert keys["recommended_settings"]["whisper_model"] == "large-v3"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("made_on", "read_on", "difference"),
    [
        ("m1-pro-16gb", "cpu-16gb", "it says Darwin on arm64, and this is Linux on x86_64"),
        ("m1-pro-16gb", "m4-max-64gb", "it says Apple M1 Pro, and this is Apple M4 Max"),
        ("cpu-16gb", "cpu-32gb", "it says 15.4 GB of memory, and this is 31.2 GB of memory"),
        (
            "rtx-3090",
            "driver-broken",
            "it says NVIDIA GeForce RTX 3090 (GPU-0f0c1a2b-0000-4000-8000-000000000000), and this is no NVIDIA GPU",
        ),
    ],
)
def test_a_cache_of_another_machine_is_none_with_a_warning(
    made_on: str, read_on: str, difference: str, path: Path, on_machine: Callable[[str], Probe]
) -> None:
    hardware.write_cache(path, machine(made_on))
    on_machine(read_on)
    warnings: list[str] = []
    assert hardware.read_cache(path, warnings.append) is None
    assert warnings == [f"{path} is not of this machine: {difference}"]


@pytest.mark.parametrize(("made_on", "read_on"), [("two-gpus", "two-gpus-one-hidden"), ("cpu-16gb", "cpu-16gb-mlx")])
def test_what_changes_on_one_machine_does_not_make_its_cache_another_s(
    made_on: str, read_on: str, path: Path, on_machine: Callable[[str], Probe]
) -> None:
    hardware.write_cache(path, machine(made_on))
    on_machine(read_on)
    assert hardware.read_cache(path, pytest.fail) == machine(made_on)


def test_a_little_memory_more_or_less_is_the_same_machine(
    path: Path, on_machine: Callable[[str], Probe], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = on_machine("cpu-16gb")
    hardware.write_cache(path, recommend(msgspec.structs.replace(facts, memory=facts.memory - (300 << 20))))
    assert hardware.read_cache(path, pytest.fail)


UNFIT = damaged("platform") | {"list": b"[]", "old": b'{"schema": 1, "gpu_type": "mps"}'}


@pytest.mark.parametrize("content", UNFIT.values(), ids=UNFIT)
def test_a_cache_that_cannot_be_used_is_none_with_a_warning_in_plain_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hardware_cache.json"
    path.write_bytes(content)
    warnings: list[str] = []
    assert hardware.read_cache(path, warnings.append) is None
    assert warnings == [f"{path} cannot be used: it is damaged, or of another version"]


def test_no_cache_is_none_without_a_warning(tmp_path: Path) -> None:
    assert hardware.read_cache(tmp_path / "none.json", pytest.fail) is None


def test_a_cache_of_another_schema_is_not_used(path: Path) -> None:
    hardware.write_cache(path, msgspec.structs.replace(machine("cpu-8gb"), schema=1))
    assert hardware.read_cache(path, lambda warning: None) is None


def test_the_machine_is_looked_at_anew_where_the_cache_is_of_another(
    path: Path, on_machine: Callable[[str], Probe]
) -> None:
    hardware.write_cache(path, machine("m1-pro-16gb"))
    here, output = recommend(on_machine("cpu-16gb")), io.StringIO()
    assert hardware.this_machine(path, Console(output)) == here
    assert [line[:6] for line in output.getvalue().splitlines()] == ["[WARN]", "[INFO]"]
    assert hardware.this_machine(path, Console(output)) == here
    assert len(output.getvalue().splitlines()) == 2


def test_a_device_is_refused_with_what_works_here(path: Path, on_machine: Callable[[str], Probe]) -> None:
    on_machine("h100-mlx-cpu")
    with pytest.raises(UsageError) as caught:
        hardware.check("mlx", "cuda", path, Console(io.StringIO()))
    assert str(caught.value) == (
        "WHISPER_BACKEND=mlx WHISPERX_DEVICE=cuda: MLX 0.32.4 as it is installed cannot use cuda, only cpu; run ./install-mlx.sh."
        " This works here: WHISPER_BACKEND=whisperx WHISPERX_DEVICE=cuda WHISPER_COMPUTE_TYPE=float16"
    )
    on_machine("h100-mlx-cuda")  # the cache knows nothing of that yet
    hardware.check("mlx", "cuda", path, Console(io.StringIO()))


def test_a_translators_device_is_refused_in_its_own_settings(path: Path, on_machine: Callable[[str], Probe]) -> None:
    on_machine("cpu-16gb")
    with pytest.raises(UsageError) as caught:
        hardware.check("mlx", "mps", path, Console(io.StringIO()), "ECHO_DEVICE", "ECHO_DEVICE=cpu")
    assert str(caught.value) == (
        "ECHO_DEVICE=mps: this is not an Apple Silicon machine. This works here: ECHO_DEVICE=cpu"
    )


def test_command_on_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cache.json"
    assert command.main(["--json", "--write", str(path)]) == 0
    printed = capsys.readouterr().out
    assert printed == path.read_text()
    assert json.loads(printed)["memory"]["total_gb"] > 0
    assert command.main([]) == 0
    assert "Recommended" in capsys.readouterr().out


def test_command_refuses_a_path_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert command.main(["--write", str(tmp_path / "file" / "cache.json")]) == 2
    assert capsys.readouterr().err.startswith("[ERROR] Cannot write")


def test_importing_loads_no_heavy_package() -> None:
    heavy = "{'numpy', 'torch', 'psutil', 'pynvml', 'rich', 'huggingface_hub', 'mlx', 'ctranslate2'}"
    code = f"import sys, sutradhar.pipeline.machine.hardware, sutradhar.pipeline.models.library; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
