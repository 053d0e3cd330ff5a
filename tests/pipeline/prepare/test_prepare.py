from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.workflow import steps_of
from sutradhar.pipeline.machine.probe import Probe
from sutradhar.pipeline.models import downloads, library
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.prepare import prepare
from sutradhar.pipeline.workspace import Workspace
from sutradhar.stages import WORKFLOWS
from tests.conftest import ROOT
from tests.make_media import TONE, cut, ffmpeg, film, recording

SAMPLE = ROOT / "samples" / "dialogue.mp4"


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("SUTRADHAR_HOME", str(tmp_path))
    monkeypatch.setattr(library, "can_convert", lambda form: form == "mlx")  # also where MLX is not installed
    (tmp_path / "models").symlink_to(ROOT / "models")
    return Workspace(tmp_path)


def stages_with_files(settings: Settings) -> list[str]:
    return [step.name for step in steps_of(WORKFLOWS, settings) if step.stage.files(settings)]


def run(*arguments: str) -> int:
    return prepare.main(list(arguments))


def test_writes_the_job_and_prints_its_id_alone(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(SAMPLE), "--transcribe", "-s", "English") == 0
    output = capsys.readouterr()
    job = Job.open(workspace, output.out.strip())
    assert output.out == f"{job.id}\n"
    assert job.id.endswith("-dialogue-1")
    assert f"Next: ./run-pipeline.sh -j {job.id}" in output.err
    settings = job.settings()
    assert (settings.SOURCE_LANGUAGE, settings.WORKFLOW, settings.SUBTITLE_FPS, settings.TITLE) == (
        "en",
        "transcribe",
        25.0,
        "Dialogue",
    )
    assert job.request.media == str(SAMPLE)


def test_a_films_settings_are_those_of_films(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(SAMPLE), "--transcribe", "-s", "en") == 0
    text = Job.open(workspace, capsys.readouterr().out.strip()).env_path.read_text()
    assert "CORPUS_" not in text
    assert "Folders of recordings" not in text
    assert all(
        f"\n{key}=" in text
        for key in ("TITLE", "INDICTRANS2_MODEL", "MUX_CONTAINER", "SUBTITLE_BOM", "OUT_MODE", "CUDA_VISIBLE_DEVICES")
    )


def test_a_folders_settings_are_those_of_folders(
    calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(calls), "--transcribe", "-s", "en") == 0
    text = Job.open(workspace, capsys.readouterr().out.strip()).env_path.read_text()
    assert not any(
        f"\n{key}=" in text for key in ("AUDIO_TRACK", "MEDIA_START_TIME", "MUX_CONTAINER", "INDICTRANS2_MODEL")
    )
    assert all(f"\n{key}=" in text for key in ("CORPUS_LIMIT", "SUBTITLE_PROFILE", "SUBTITLE_BOM", "OUT_MODE"))


def test_ids_count_up_and_can_be_given(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        run(str(SAMPLE), "--transcribe", "-s", "en")
    assert [line[-2:] for line in capsys.readouterr().out.split()] == ["-1", "-2"]
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--job-id", "mine") == 0
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--job-id", "mine") == 2
    assert "Job mine exists already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    ["Mission: Impossible (1996).mp4", 'it\'s %03d "x".mp4', "दीवार 🎬.mp4", "-rf.mp4", "a\nb.mp4", "x;y & $(id).mp4"],
)
def test_any_file_name_works(
    tmp_path: Path, name: str, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    film = tmp_path / name
    film.symlink_to(ffmpeg(tmp_path / "untitled.mp4", "-i", str(SAMPLE), "-c", "copy", "-map_metadata", "-1"))
    assert run("--transcribe", "-s", "en", "--", str(film)) == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert job.settings().TITLE == film.stem.replace("\n", " ")


def test_the_title_is_the_one_asked_for_or_the_films_own(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    film = ffmpeg(tmp_path / "name.mp4", "-i", str(SAMPLE), "-c", "copy", "-metadata", "title=Its own\n title")
    for options, title in (((), "Its own title"), (("--set", "TITLE=Mine"), "Mine")):
        assert run(str(film), "--transcribe", "-s", "en", *options) == 0
        job = Job.open(workspace, capsys.readouterr().out.strip())
        assert (job.settings().TITLE, job.id[9:13]) == (title, "name")


def test_a_clip_is_measured(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    run(str(SAMPLE), "--transcribe", "-s", "en", "--start", "5", "--end", "0:12.5")
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert (job.settings().MEDIA_START_TIME, job.settings().MEDIA_END_TIME) == ("00:00:05.000", "00:00:12.500")
    assert job.request.duration_ms == 7500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--transcribe", "-s", "klingonese"], "Whisper does not know Klingon"),
        (["--transcribe", "-s", "en", "-t", "hi"], "-t belongs to --translate"),
        (
            ["--translate", "-s", "hi", "-t", "ta"],
            "takes IndicTrans2, whose model is not here; get it: scripts/get-model.sh indictrans2-indic-indic-1B",
        ),
        (["--translate", "-s", "fr", "-t", "ta"], "Nothing here translates fr to ta"),
        (
            ["--translate", "-s", "hi", "--glossary", "nowhere.tsv"],
            "Cannot read the glossary nowhere.tsv: No such file or directory",
        ),
        (
            ["--translate", "-s", "hi", "--model", "large-v3-turbo"],
            "[ERROR] WHISPER_MODEL=large-v3-turbo was not trained to translate: use",
        ),
        (
            ["--translate", "-s", "hi", "--model", "distil-large-v3"],
            "[ERROR] WHISPER_MODEL=distil-large-v3 was not trained to translate: use",
        ),
        (["--translate", "-s", "en"], "The source is English already"),
        (["--transcribe", "-s", "en", "--start", "9:00"], "is past the end"),
        (["--transcribe", "-s", "en", "--start", "soon"], "soon"),
        (["--transcribe", "-s", "en", "--audio-track", "3"], "No audio track 3; the file has 0:"),
        (["--transcribe", "-s", "en", "--model", "bsae"], "did you mean base?"),
        (["--transcribe", "-s", "en", "--model", "large-v3", "--offline"], "large-v3"),
        (["--transcribe", "-s", "en", "--device", "mps"], "Device mps: this is not an Apple Silicon machine"),
        (
            ["--transcribe", "-s", "en", "--set", "BATCH_SIZE=no"],
            "BATCH_SIZE='no' does not fit: it must be a whole number from 1 to 512, or auto",
        ),
        (
            ["--transcribe", "-s", "en", "--backend", "whisperx", "--set", "WHISPER_BACKEND=mlx"],
            "--set WHISPER_BACKEND=mlx contradicts the option that says WHISPER_BACKEND=whisperx; give one of them",
        ),
        (
            ["--transcribe", "-s", "en", "--offline", "--set", "OFFLINE=false"],
            "--set OFFLINE=false contradicts the option that says OFFLINE=true",
        ),
        (
            ["--transcribe", "-s", "en", "--set", "WORKFLOW=translate"],
            "contradicts the option that says WORKFLOW=transcribe",
        ),
        (["--transcribe", "-s", "en", "--set", "AUDIO_TRACK=3"], "No audio track 3; the file has 0:"),
        (
            ["--transcribe", "-s", "en", "--set", "WHISPER_MODEL="],
            "WHISPER_MODEL='' does not fit: it must be some text",
        ),
        (["--transcribe", "-s", "en", "--job-id", "../x"], "is no job id"),
    ],
)
def test_refuses_in_one_line_and_writes_nothing(
    workspace: Workspace, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(SAMPLE), *arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err
    assert [line for line in output.err.splitlines() if line.startswith("[ERROR]")] == [output.err.splitlines()[-1]]
    assert not workspace.jobs.exists() or not list(workspace.jobs.iterdir())


@pytest.mark.parametrize(
    ("media", "what"),
    [([str(SAMPLE), str(SAMPLE)], "2 files were given")],
    ids=["files"],
)
def test_several_films_are_refused_with_the_command_that_takes_them(
    media: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    remedy = (
        'for film in *.mkv; do ./prepare-job.sh "$film" ...; done, and then ./run-pipeline.sh --all;'
        " many recordings are one job: give their folder, or --from-list FILE"
    )
    for arguments in (["--transcribe", "-s", "en", *media], [media[0], "--transcribe", "-s", "en", *media[1:]]):
        assert run(*arguments) == 2
        assert capsys.readouterr().err == f"[ERROR] {what}, but it is one file a job: {remedy}\n"


def test_an_argument_that_is_no_file_is_not_taken_for_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(str(SAMPLE), "--transcribe", "-s", "en", "hi")
    assert "[ERROR] unrecognized arguments: hi. For example: " in capsys.readouterr().err


def test_targets_add_up_and_the_language_spoken_is_none(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(SAMPLE), "--translate", "-s", "hi", "-t", "en,", "-t", "hi") == 0
    output = capsys.readouterr()
    assert Job.open(workspace, output.out.strip()).settings().TARGET_LANGUAGES == "en"
    assert "[WARN] No translation to Hindi: it is the language spoken" in output.err


def test_a_silent_track_is_passed_over_unless_it_is_asked_for(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = ("-f", "lavfi", "-i", "anullsrc=r=48000:d=4")
    path = ffmpeg(tmp_path / "a.mkv", *silence, *TONE, "-map", "0", "-map", "1", "-c:a", "flac")
    for options, track, warned in (((), 1, True), (("--audio-track", "0"), 0, False)):
        assert run(str(path), "--transcribe", "-s", "en", *options) == 0
        output = capsys.readouterr()
        assert Job.open(workspace, output.out.strip()).settings().AUDIO_TRACK == track
        assert output.err.count("[WARN] Audio track 0 is silent: track 1 was taken\n") == warned


SILENCE = ("-f", "lavfi", "-i", "anullsrc=r=48000:d=4")
SPOKEN = ("-metadata:s:a:1", "language=eng", "-disposition:a:0", "0", "-disposition:a:1", "default")


@pytest.mark.parametrize("options", [(), SPOKEN])
def test_why_the_first_track_was_not_taken_stands_in_the_settings(
    options: tuple[str, ...], tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ffmpeg(tmp_path / "a.mkv", *SILENCE, *TONE, "-map", "0", "-map", "1", "-c:a", "flac", *options)
    assert run(str(path), "--transcribe", "-s", "en") == 0
    output = capsys.readouterr()
    assert output.err.count("[WARN] Audio track 0 is silent: track 1 was taken\n") == 1
    text = Job.open(workspace, output.out.strip()).env_path.read_text()
    assert re.search(
        r"# Chosen: .*flac, 1 channel\) of 2; audio track 0 is silent: track 1 was taken\nAUDIO_TRACK=1\n", text
    )


def test_a_commentary_that_stands_first_is_named(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ffmpeg(
        tmp_path / "a.mkv",
        *TONE,
        *TONE,
        "-map",
        "0",
        "-map",
        "1",
        "-c:a",
        "flac",
        "-metadata:s:a:0",
        "title=Commentary",
    )
    assert run(str(path), "--transcribe", "-s", "en") == 0
    output = capsys.readouterr()
    assert output.err.count("[INFO] Audio track 0 is tagged comment or titled so: track 1 was taken\n") == 1
    why = "of 2; audio track 0 is tagged comment or titled so: track 1 was taken\nAUDIO_TRACK=1\n"
    assert why in Job.open(workspace, output.out.strip()).env_path.read_text()


def test_a_film_that_lacks_its_end_is_refused_as_the_run_would(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cut(ffmpeg(tmp_path / "a.wav", *TONE))
    remedy = "Repair or copy it again, or accept it with --set ALLOW_TRUNCATED=true"
    for options in ((), ("--set", "ALLOW_TRUNCATED=false")):
        assert run(str(path), "--transcribe", "-s", "en", *options) == 2
        (error,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("[ERROR]")]
        assert re.fullmatch(
            rf"\[ERROR\] a\.wav is cut short: its header promises [\d,]+ bytes more than the [\d,]+ that are there\. {remedy}",
            error,
        )
        with pytest.raises(StageFailed) as failed:
            list(media.decode(path))
        assert f"[ERROR] {failed.value}" == error
    for options in (("--allow-truncated",), ("--set", "ALLOW_TRUNCATED=true")):
        assert run(str(path), "--transcribe", "-s", "en", *options) == 0
        output = capsys.readouterr()
        assert "[WARN] a.wav is cut short: its header promises" in output.err
        assert Job.open(workspace, output.out.strip()).settings().ALLOW_TRUNCATED


def test_a_download_whose_end_is_zeros_is_refused(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ffmpeg(tmp_path / "a.mp3", *TONE, "-write_xing", "0", "-id3v2_version", "0")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    assert run(str(path), "--transcribe", "-s", "en") == 2
    assert re.search(
        r"\[ERROR\] a\.mp3 is cut short: its last [\d,]+ of [\d,]+ bytes are all 0\. Repair or copy it again",
        capsys.readouterr().err,
    )


def test_reasons_stand_beside_what_was_chosen(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    run(str(SAMPLE), "--transcribe", "-s", "en", "--set", "WHISPER_BEAM_SIZE=1")
    text = Job.open(workspace, capsys.readouterr().out.strip()).env_path.read_text()
    assert "# Chosen: given with --set\nWHISPER_BEAM_SIZE=1\n" in text
    assert "# Chosen: the film's own frame rate\nSUBTITLE_FPS=25.0\n" in text


def test_hardware_is_looked_at_once(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    run(str(SAMPLE), "--transcribe", "-s", "en")
    assert "Looking at this machine's hardware" in capsys.readouterr().err
    assert "recommended_settings" in json.loads(workspace.hardware_cache.read_text())
    run(str(SAMPLE), "--transcribe", "-s", "en")
    assert "Looking at" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("machine", "options", "expected"),
    [
        ("m1-pro-16gb", [], ("mlx", "mps", "float16", "auto")),
        ("m1-pro-16gb", ["--device", "cpu"], ("whisperx", "cpu", "int8", 8)),
        ("m1-pro-16gb", ["--backend", "whisperx"], ("whisperx", "mps", "int8", 8)),
        ("m1-pro-16gb-no-mlx", [], ("whisperx", "cpu", "int8", 8)),
        ("h100-mlx-cuda", [], ("mlx", "cuda", "float16", "auto")),
        ("h100-mlx-cuda", ["--backend", "whisperx"], ("whisperx", "cuda", "float16", 32)),
        ("h100", [], ("whisperx", "cuda", "float16", 32)),
        ("h100-mlx-cpu", ["--backend", "mlx", "--device", "cpu"], ("mlx", "cpu", "float32", "auto")),
        ("gtx-1060", [], ("whisperx", "cuda", "int8", 10)),
        ("cpu-16gb-mlx", [], ("whisperx", "cpu", "int8", 8)),
        ("cpu-16gb-mlx", ["--backend", "mlx"], ("mlx", "cpu", "float32", "auto")),
        ("cpu-16gb-mlx", ["--set", "WHISPER_BACKEND=mlx"], ("mlx", "cpu", "float32", "auto")),
        ("cpu-16gb-mlx", ["--backend", "mlx", "--set", "WHISPER_BACKEND=MLX"], ("mlx", "cpu", "float32", "auto")),
        ("cpu-16gb-mlx", ["--backend", "mlx", "--set", "BATCH_SIZE=2"], ("mlx", "cpu", "float32", 2)),
    ],
)
def test_chooses_what_the_recogniser_can_do(
    machine: str,
    options: list[str],
    expected: tuple[str, str, str, int | str],
    workspace: Workspace,
    on_machine: Callable[[str], Probe],
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_machine(machine)
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--model", "base", *options) == 0
    settings = Job.open(workspace, capsys.readouterr().out.strip()).settings()
    assert (
        settings.WHISPER_BACKEND,
        settings.WHISPERX_DEVICE,
        settings.WHISPER_COMPUTE_TYPE,
        settings.BATCH_SIZE,
    ) == expected


@pytest.mark.parametrize(
    ("machine", "options", "message"),
    [
        (
            "cpu-16gb",
            ["--backend", "mlx"],
            "Backend mlx on cpu: MLX cannot be used (the package mlx is not installed); run ./install-mlx.sh.",
        ),
        (
            "m1-pro-16gb-no-mlx",
            ["--backend", "mlx", "--device", "mps"],
            "Backend mlx on mps: MLX cannot be used (the package mlx is not installed)",
        ),
        (
            "h100-mlx-cpu",
            ["--backend", "mlx"],
            "Backend mlx on cuda: MLX 0.32.4 as it is installed cannot use cuda, only cpu; run ./install-mlx.sh.",
        ),
        (
            "m1-pro-16gb",
            ["--device", "cuda"],
            "Device cuda: no usable NVIDIA GPU here (Apple Silicon: the GPU may use 10.0 GB of 16.0 GB); use mps",
        ),
        ("cpu-16gb-mlx", ["--backend", "mlx", "--device", "mps"], "Device mps: this is not an Apple Silicon machine"),
        ("cpu-16gb-mlx", ["--backend", "kaldi"], "WHISPER_BACKEND=kaldi: this version has no such recogniser"),
        (
            "cpu-16gb-mlx",
            ["--backend", "mlx", "--set", "WHISPER_COMPUTE_TYPE=int8"],
            "WHISPER_COMPUTE_TYPE=int8 does not go with WHISPER_BACKEND=mlx",
        ),
    ],
)
def test_refuses_a_recogniser_that_this_machine_cannot_run(
    machine: str,
    options: list[str],
    message: str,
    workspace: Workspace,
    on_machine: Callable[[str], Probe],
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_machine(machine)
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--model", "base", *options) == 2
    assert message in capsys.readouterr().err
    assert not workspace.jobs.exists()


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.tsv"
    path.write_text("Daniel\tडैनियल\n", encoding="utf-8")
    path.chmod(0o644)
    return path


@pytest.mark.parametrize("workflow", ["--transcribe", "--translate"])
def test_a_glossary_is_copied_into_the_job(
    workflow: str, names: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(SAMPLE), workflow, "-s", "de", "--glossary", str(names)) == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    copy = job.folder / "glossary.tsv"
    assert (copy.read_bytes(), oct(copy.stat().st_mode & 0o777)) == (names.read_bytes(), "0o600")
    assert "# Chosen: a copy of names.tsv\nGLOSSARY=glossary.tsv\n" in job.env_path.read_text()
    assert stages_with_files(job.settings()) == ["asr"]


@pytest.mark.parametrize("workflow", ["--transcribe", "--translate"])
def test_a_glossary_with_a_bad_line_is_refused_with_its_number(
    workflow: str, names: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    names.write_text("# names\nDaniel Dan\n", encoding="utf-8")
    assert run(str(SAMPLE), workflow, "-s", "de", "--glossary", str(names)) == 2
    assert (
        capsys.readouterr().err.splitlines()[-1]
        == f"[ERROR] {names}, line 2: write source, TAB, target, and if you like TAB and a note"
    )
    assert not workspace.jobs.exists()


@pytest.fixture
def indictrans2(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """IndicTrans2 from Hindi to English is here, and so are models of Whisper."""
    monkeypatch.setattr(library, "can_convert", lambda form: True)
    monkeypatch.setattr(
        "sutradhar.pipeline.models.integrity.check_content", lambda *_, **__: None
    )  # the files are empty
    workspace.models.unlink()
    workspace.models.mkdir()
    (workspace.models / "base").symlink_to(ROOT / "models" / "base")
    (workspace.models / "indictrans2-indic-en-1B").mkdir()
    for name in ("config.json", "dict.SRC.json", "dict.TGT.json", "model.SRC", "model.TGT", "model.safetensors"):
        (workspace.models / "indictrans2-indic-en-1B" / name).touch()


@pytest.mark.usefixtures("indictrans2")
@pytest.mark.parametrize(
    ("machine", "options", "expected"),
    [
        ("cpu-16gb", [], ("cpu", "int8")),
        ("h100", [], ("cuda", "float16")),
        ("gtx-1060", [], ("cuda", "int8")),
        ("m1-pro-16gb", [], ("mps", "float16")),
        ("m1-pro-16gb-no-mlx", ["--device", "mps"], ("cpu", "int8")),
        ("h100", ["--set", "INDICTRANS2_DEVICE=cpu"], ("cpu", "int8")),
        ("h100", ["--set", "INDICTRANS2_COMPUTE_TYPE=float32"], ("cuda", "float32")),
    ],
)
def test_the_translator_is_set_to_what_the_machine_can_do(
    machine: str,
    options: list[str],
    expected: tuple[str, str],
    workspace: Workspace,
    on_machine: Callable[[str], Probe],
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_machine(machine)
    assert run(str(SAMPLE), "--translate", "-s", "hi", "-t", "en", "--model", "base", *options) == 0
    output = capsys.readouterr()
    assert "[INFO] Translation: indictrans2 (it knows hi to en, and its model is here)\n" in output.err
    settings = Job.open(workspace, output.out.strip()).settings()
    assert (settings.TRANSLATION_ENGINE, settings.INDICTRANS2_MODEL) == ("indictrans2", "1B")
    assert (settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE) == expected


@pytest.mark.usefixtures("indictrans2")
def test_a_glossary_is_an_input_of_recognition_and_translation(
    names: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(SAMPLE), "--translate", "-s", "hi", "-t", "en", "--model", "base", "--glossary", str(names)) == 0
    settings = Job.open(workspace, capsys.readouterr().out.strip()).settings()
    assert stages_with_files(settings) == ["asr", "translate"]


@pytest.mark.usefixtures("indictrans2")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "INDICTRANS2_DEVICE=tpu"], "INDICTRANS2_DEVICE='tpu' does not fit"),
        (
            ["--set", "INDICTRANS2_COMPUTE_TYPE=float16"],
            "INDICTRANS2_COMPUTE_TYPE=float16 does not go with INDICTRANS2_DEVICE=cpu; int8, float32 do",
        ),
        (["--set", "INDICTRANS2_MODEL=./nowhere"], "nowhere is no indictrans2-int8 model: there is no such folder"),
    ],
)
def test_refuses_a_translator_that_cannot_work(
    options: list[str],
    message: str,
    workspace: Workspace,
    on_machine: Callable[[str], Probe],
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_machine("cpu-16gb")
    assert run(str(SAMPLE), "--translate", "-s", "hi", "-t", "en", "--model", "base", *options) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not workspace.jobs.exists()


def test_a_model_that_can_be_converted_counts_as_here(
    workspace: Workspace, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("m1-pro-16gb")
    workspace.models.unlink()
    (workspace.models / "large-v3").mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
        (workspace.models / "large-v3" / name).touch()
    assert run(str(SAMPLE), "--transcribe", "-s", "hi") == 0
    assert Job.open(workspace, capsys.readouterr().out.strip()).settings().WHISPER_MODEL == "large-v3"


def test_a_model_that_is_damaged_is_refused_before_a_job_is_made(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(model: ResolvedModel, *_: object, **__: object) -> None:
        raise UsageError(f"Model {model.name} is damaged")

    monkeypatch.setattr("sutradhar.pipeline.models.integrity.check_content", refuse)
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--model", "base") == 2
    assert "is damaged" in capsys.readouterr().err
    assert not workspace.jobs.exists()


def test_names_the_command_that_gets_the_model_in_the_backends_form(
    workspace: Workspace, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("m1-pro-16gb")
    run(str(SAMPLE), "--transcribe", "-s", "hi")
    assert "Get the one for this machine: ./scripts/get-model.sh large-v3 --form mlx\n" in capsys.readouterr().err


WEAK = "which is of little use but for English (Hindi: 88 % of characters wrong)."


@pytest.mark.parametrize(
    ("machine", "options", "warning"),
    [
        (
            "cpu-2-cores",
            ["-s", "en"],
            ". Get the one for this machine (a film of 2 h takes about 1 h on 2 cores): ./scripts/get-model.sh medium",
        ),
        (
            "cpu-2-cores",
            ["-s", "hi"],
            f", {WEAK} Get the one for this machine (a film of 2 h takes about 1 h on 2 cores, with large-v3 1 h 50 min): ./scripts/get-model.sh medium",
        ),
        (
            "cpu-32gb",
            ["-s", "hi"],
            f", {WEAK} Get the one for this machine (a film of 2 h takes about 55 min on 8 cores): ./scripts/get-model.sh large-v3",
        ),
        (
            "container",
            ["-s", "hi"],
            f", {WEAK} No larger one suits this machine: 2.0 GB of memory; small needs 4; a film of 2 h takes about 15 min on 1 core",
        ),
        ("rtx-3090", ["-s", "en"], ". Get the one for this machine: ./scripts/get-model.sh large-v3"),
        (
            "rtx-3090",
            ["-s", "en", "--device", "cpu"],
            ". Get the one for this machine (a film of 2 h takes about 55 min on 8 cores): ./scripts/get-model.sh large-v3",
        ),
    ],
)
def test_with_the_starter_model_it_says_which_one_suits_this_machine_and_how_long_that_takes(
    machine: str,
    options: list[str],
    warning: str,
    workspace: Workspace,
    on_machine: Callable[[str], Probe],
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_machine(machine)
    assert run(str(SAMPLE), "--transcribe", *options) == 0
    assert f"[WARN] Using the small starter model 'base'{warning}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("machine", "here", "taken", "reason"),
    [
        (
            "cpu-2-cores",
            ["medium", "large-v3"],
            "medium",
            "a film of 2 h takes about 1 h on 2 cores; large-v3 would take 1 h 50 min",
        ),
        (
            "cpu-2-cores",
            ["small", "large-v3"],
            "large-v3",
            "the one that is here (a film of 2 h takes about 1 h 50 min on 2 cores); medium suits",
        ),
        (
            "cpu-8gb",
            ["small", "large-v3"],
            "small",
            "the one that is here (a film of 2 h takes about 10 min on 8 cores); medium suits",
        ),
        ("gpu-half-full", ["small", "large-v3"], "small", "the one that is here; medium suits"),
    ],
)
def test_of_the_models_that_are_here_the_best_is_taken_that_fits(
    machine: str,
    here: list[str],
    taken: str,
    reason: str,
    workspace: Workspace,
    on_machine: Callable[[str], Probe],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    on_machine(machine)
    workspace.models.unlink()
    for model in here:
        (workspace.models / model).mkdir(parents=True)
        for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"):
            (workspace.models / model / name).touch()
    monkeypatch.setattr("sutradhar.pipeline.models.integrity.check_content", lambda *_, **__: None)  # they are empty
    assert run(str(SAMPLE), "--transcribe", "-s", "hi") == 0
    output = capsys.readouterr()
    job = Job.open(workspace, output.out.strip())
    assert job.settings().WHISPER_MODEL == taken
    assert f"# Chosen: {reason}" in job.env_path.read_text()
    assert "starter model" not in output.err


def test_where_no_better_model_suits_an_english_film_nothing_is_said(
    workspace: Workspace, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("container")
    assert run(str(SAMPLE), "--transcribe", "-s", "en") == 0
    assert "starter model" not in capsys.readouterr().err


def test_a_model_given_with_set_is_taken_as_if_with_its_option(
    workspace: Workspace, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("cpu-16gb-mlx")
    assert (
        run(
            str(SAMPLE),
            "--transcribe",
            "-s",
            "en",
            "--backend",
            "mlx",
            "--set",
            "WHISPER_MODEL=base-q8",
            "--set",
            "MEDIA_END_TIME=5",
        )
        == 0
    )
    output = capsys.readouterr()
    assert "starter model" not in output.err
    job = Job.open(workspace, output.out.strip())
    assert (job.settings().WHISPER_MODEL, job.settings().MEDIA_END_TIME) == ("base-q8", "00:00:05.000")
    assert "# Chosen: given with --set\nWHISPER_MODEL=base-q8\n" in job.env_path.read_text()


def test_a_cache_of_another_machine_is_not_believed(
    workspace: Workspace, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("m1-pro-16gb")
    run(str(SAMPLE), "--transcribe", "-s", "en", "--model", "base")
    capsys.readouterr()
    on_machine("cpu-16gb-mlx")
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--model", "base") == 0
    output = capsys.readouterr()
    assert output.err.count("[WARN] ") == 1
    assert "hardware_cache.json is not of this machine: it says Darwin on arm64" in output.err
    assert Job.open(workspace, output.out.strip()).settings().WHISPERX_DEVICE == "cpu"


def test_help_tells_how_an_old_job_gets_another_backend(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    printed = capsys.readouterr().out
    assert "A job keeps its backend" in printed
    assert "--set WHISPER_BACKEND=mlx --set WHISPERX_DEVICE=DEVICE" in printed
    assert "DEVICE is mps on a Mac with Apple Silicon, and cuda with an NVIDIA GPU." in printed


def test_commands_start_without_heavy_packages() -> None:
    for module in ("sutradhar.pipeline.prepare.options", "sutradhar.pipeline.running.run"):
        code = f"import sys, sutradhar.pipeline.prepare.prepare, {module} as m; m.make_parser().format_help(); print(sorted(set(sys.modules) & {{'torch', 'numpy', 'av', 'msgspec', 'rich'}}))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    folder.mkdir()
    (folder / "a.wav").touch()
    return folder


def test_a_folder_of_recordings_is_one_job(
    calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(calls), "--transcribe", "-s", "English") == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert job.id.endswith("-calls-1")
    assert (job.request.media, job.request.media_record, job.request.duration_ms) == (str(calls), None, 0)
    settings = job.settings()
    assert (settings.WORKFLOW, settings.SOURCE_LANGUAGE, settings.TITLE) == ("corpus", "en", "calls")
    assert (settings.CORPUS_ORDER, settings.CORPUS_LIMIT, settings.CORPUS_GLOB, settings.CORPUS_FORMATS) == (
        "longest",
        0,
        "",
        "txt,json",
    )


def test_a_list_of_recordings_is_one_job(calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (calls / "नाम.2024.txt").write_text("a.wav\n")
    assert run("--from-list", str(calls / "नाम.2024.txt"), "--transcribe", "-s", "en") == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert job.request.media == str(calls / "नाम.2024.txt")
    assert job.request.media_record is not None
    assert (job.settings().WORKFLOW, job.settings().TITLE) == ("corpus", "नाम.2024")


@pytest.mark.parametrize(
    ("name", "slug"), [("calls.2024.11", "calls-2024-11"), ("कॉल 🎬", "kol-clapper"), ("a b\nc", "a-b-c")]
)
def test_any_name_of_a_folder_works(
    name: str, slug: str, calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = calls.rename(calls.with_name(name))
    assert run(str(folder), "--transcribe", "-s", "en") == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert (job.id[9:], job.settings().TITLE) == (f"{slug}-1", name.replace("\n", " "))


def test_the_present_folder_is_called_by_its_name(
    calls: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(calls)
    assert run(".", "--transcribe", "-s", "en") == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert (job.id[9:], job.request.media, job.settings().TITLE) == ("calls-1", str(calls), "calls")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--glob", "*.wav", "--glob", "*.mp3"], {"CORPUS_GLOB": "*.wav,*.mp3"}),
        (["--min-bytes", "1024"], {"CORPUS_MIN_BYTES": 1024}),
        (["--limit", "500"], {"CORPUS_LIMIT": 500, "CORPUS_ORDER": "longest"}),
        (["--shuffle"], {"CORPUS_ORDER": "shuffled", "CORPUS_SEED": 1}),
        (["--shuffle", "0"], {"CORPUS_ORDER": "shuffled", "CORPUS_SEED": 0}),
        (["--timestamps", "word"], {"CORPUS_TIMESTAMPS": "word"}),
        (["--channels", "split"], {"CORPUS_CHANNELS": "split"}),
        (["--formats", "txt,srt"], {"CORPUS_FORMATS": "txt,srt"}),
        (["--executor", "ray", "--workers", "3"], {"CORPUS_EXECUTOR": "ray", "CORPUS_WORKERS": 3}),
        (["--allow-truncated", "--offline"], {"ALLOW_TRUNCATED": True, "OFFLINE": True}),
        (["--set", "CORPUS_LIMIT=7", "--set", "CORPUS_MIX=true"], {"CORPUS_LIMIT": 7, "CORPUS_MIX": True}),
    ],
)
def test_options_for_folders_are_settings(
    options: list[str],
    expected: dict[str, object],
    calls: Path,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(str(calls), "--transcribe", "-s", "en", "--model", "base", *options) == 0
    settings = Job.open(workspace, capsys.readouterr().out.strip()).settings()
    assert {key: getattr(settings, key) for key in expected} == expected


def test_a_glossary_of_a_folder_is_copied_and_checked(
    calls: Path, names: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (str(calls), "--transcribe", "-s", "en", "--model", "base", "--glossary", str(names))
    assert run(*command) == 0
    job = Job.open(workspace, capsys.readouterr().out.strip())
    assert (job.folder / "glossary.tsv").read_bytes() == names.read_bytes()
    assert job.settings().GLOSSARY == "glossary.tsv"
    assert stages_with_files(job.settings()) == ["recognise"]
    names.write_text("no second column")
    assert run(*command) == 2
    assert "line 1: write source, TAB, target" in capsys.readouterr().err


def test_channels_of_a_film_are_split_by_the_option_of_folders(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--channels", "split") == 0
    said = capsys.readouterr()
    assert Job.open(workspace, said.out.strip()).settings().AUDIO_CHANNELS == "split"
    assert "needs two channels" not in said.err
    assert run(str(recording(tmp_path / "mono.wav")), "--transcribe", "-s", "en", "--channels", "split") == 0
    assert (
        "--channels split needs two channels or more, and audio track 0 has 1: it is one speaker"
        in capsys.readouterr().err
    )
    assert run(str(SAMPLE), "--translate", "-s", "hi", "--channels", "split") == 2
    assert "sentences of two speakers at a time are not translated" in capsys.readouterr().err


def test_formats_are_chosen_for_films_and_for_folders_by_one_option(
    calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--formats", "txt,srt") == 0
    assert Job.open(workspace, capsys.readouterr().out.strip()).settings().SUBTITLE_FORMATS == "txt,srt"
    assert run(str(SAMPLE), "--transcribe", "-s", "en", "--set", "SUBTITLE_FORMATS=vtt") == 0
    assert Job.open(workspace, capsys.readouterr().out.strip()).settings().SUBTITLE_FORMATS == "vtt"
    assert run(str(calls), "--transcribe", "-s", "en", "--set", "CORPUS_FORMATS=vtt") == 0
    assert Job.open(workspace, capsys.readouterr().out.strip()).settings().CORPUS_FORMATS == "vtt"


def test_a_second_job_of_the_same_recordings_says_how_to_go_on_with_the_first(
    calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    command = (str(calls), "--transcribe", "-s", "en", "--model", "base")
    assert run(*command) == 0
    first = capsys.readouterr()
    assert "This is a new job" not in first.err
    assert run(*command) == 0
    warning = f"[WARN] This is a new job. {first.out.strip()} is of the same recordings: ./run-pipeline.sh -j {first.out.strip()} goes on with it"
    assert warning in capsys.readouterr().err.splitlines()
    begun = Job.open(workspace, first.out.strip()).marker_path("scan")
    begun.parent.mkdir(parents=True)
    begun.touch()
    assert run(*command) == 0
    assert warning in capsys.readouterr().err.splitlines()  # not the second, in which nothing is done
    assert run(str(calls), "--transcribe", "-s", "hi", "--model", "base") == 0
    assert run(*command, "--glob", "*.wav") == 0
    assert "This is a new job" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["calls", "--translate", "-s", "hi"],
            "Recordings of a folder are transcribed, not translated: use --transcribe.",
        ),
        (["calls", "--transcribe", "-s", "hi", "-t", "en"], "-t belongs to --translate"),
        (
            ["calls", "--transcribe", "-s", "hi", "--start", "1:00"],
            "--start is for one film; a folder of recordings is worked on whole",
        ),
        (["calls", "--transcribe", "-s", "hi", "--set", "MEDIA_END_TIME=1:00"], "--end is for one film"),
        (["calls", "--transcribe", "-s", "hi", "--audio-track", "0"], "--audio-track is for one film"),
        (
            ["calls", "--from-list", "list.txt", "--transcribe", "-s", "hi"],
            "Give a folder or --from-list, not both (calls)",
        ),
        (["--from-list", "nowhere.txt", "--transcribe", "-s", "hi"], "--from-list nowhere.txt: there is no such file"),
        (["--from-list", "calls", "--transcribe", "-s", "hi"], "--from-list calls: there is no such file"),
        (
            ["calls", "--transcribe", "-s", "hi", "--formats", "txt,doc"],
            "no format doc; choose from srt, vtt, json, txt",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--formats", "srt", "--timestamps", "none"],
            "srt needs times; set CORPUS_TIMESTAMPS=segment",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--limit", "-3"],
            "[ERROR] --limit: CORPUS_LIMIT='-3' does not fit: it must be a whole number at least 0",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--shuffle", "seed"],
            "[ERROR] --shuffle: CORPUS_SEED='seed' does not fit",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--workers", "0"],
            "CORPUS_WORKERS='0' does not fit: it must be a whole number from 1 to 1024, or auto",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--min-bytes", "1 KB"],
            "[ERROR] --min-bytes: CORPUS_MIN_BYTES='1 KB' does not fit",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--set", "CORPUS_LIMIT=-3"],
            "[ERROR] prepare-job.sh: CORPUS_LIMIT='-3' does not fit",
        ),
        (
            ["calls", "--transcribe", "-s", "hi", "--limit", "5", "--set", "CORPUS_LIMIT=6"],
            "contradicts the option that says CORPUS_LIMIT=5",
        ),
        (
            [str(SAMPLE), "--transcribe", "-s", "en", "--formats", "srt,doc"],
            "no format doc; choose from srt, vtt, json, txt",
        ),
        (
            [str(SAMPLE), "--transcribe", "-s", "en", "--set", "CORPUS_FORMATS=srt"],
            "CORPUS_FORMATS is for folders of recordings; of films it is SUBTITLE_FORMATS, or --formats",
        ),
        (
            ["calls", "--transcribe", "-s", "en", "--set", "SUBTITLE_FORMATS=srt"],
            "SUBTITLE_FORMATS is for films; of folders of recordings it is CORPUS_FORMATS, or --formats",
        ),
        (
            [str(SAMPLE), "--transcribe", "-s", "en", "--glob", "*.wav"],
            "--glob is for a folder of recordings; dialogue.mp4 is one file",
        ),
        (
            [str(SAMPLE), "--transcribe", "-s", "en", "--set", "CORPUS_MIN_BYTES=9"],
            "--min-bytes is for a folder of recordings",
        ),
        (["nowhere", "--transcribe", "-s", "en"], "nowhere does not exist"),
    ],
)
def test_what_does_not_go_with_a_folder_is_refused_in_one_line(
    arguments: list[str],
    message: str,
    calls: Path,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(calls.parent)
    (calls.parent / "list.txt").write_text("calls/a.wav\n")
    assert run(*arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err.splitlines()[-1]
    assert not workspace.jobs.exists()


def test_how_many_recordings_there_are_is_told(calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (calls / "b.wav").write_bytes(bytes(12_345_678))
    (calls / ".hidden").touch()
    assert run(str(calls), "--transcribe", "-s", "en") == 0
    assert "[INFO] Recordings: 2 files, 12 MB; left out: 1 hidden\n" in capsys.readouterr().err
    (calls / "list.txt").write_text("a.wav\nmissing.wav\n")
    assert run("--from-list", str(calls / "list.txt"), "--transcribe", "-s", "en") == 0
    assert "[INFO] Recordings: 2 files, 0.0 MB; 1 of them cannot be found\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["empty"], "empty holds no recordings; give another folder or --glob"),
        (
            ["calls", "--glob", "*.mp3"],
            "calls holds no file that --glob '*.mp3' chooses; left out by their names: 1 .wav (CORPUS_GLOB chooses); give another folder or --glob",
        ),
        (
            ["--from-list", "list.txt"],
            "list.txt holds no recordings; write the path of a recording into each line of it",
        ),
        (["--from-list", "missing.txt"], "Of the 2 files that missing.txt names none is there; look at its paths"),
    ],
)
def test_where_nothing_is_to_recognise_no_job_is_prepared(
    arguments: list[str],
    message: str,
    calls: Path,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(calls.parent)
    Path("empty").mkdir()
    Path("list.txt").write_text("# nothing yet\n\n")
    Path("missing.txt").write_text("x.wav\ny.wav\n")
    assert run(*arguments, "--transcribe", "-s", "en") == 2
    output = capsys.readouterr()
    assert (output.out, output.err.splitlines()[-1]) == ("", f"[ERROR] {message}")
    assert not workspace.jobs.exists()


def test_a_list_whose_name_is_not_utf8_is_refused(
    calls: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    name = os.fsdecode(bytes(calls / "caf") + b"\xe9.txt")
    Path(name).write_text("a.wav\n")
    assert run("--from-list", name, "--transcribe", "-s", "en") == 2
    assert capsys.readouterr().err.endswith("caf\\xe9.txt': the name is not UTF-8; rename the file\n")


def test_neither_film_nor_folder_nor_list_is_no_job(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--transcribe", "-s", "en")
    assert ended.value.code == 2
    assert "[ERROR] missing: a film, a recording or a folder of recordings. For example: " in capsys.readouterr().err


def test_a_film_takes_one_gpu_and_a_folder_all(
    calls: Path, workspace: Workspace, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("two-gpus")
    chosen = []
    for source in (SAMPLE, calls):
        assert run(str(source), "--transcribe", "-s", "en", "--model", "base") == 0
        chosen.append(Job.open(workspace, capsys.readouterr().out.strip()).settings().CUDA_VISIBLE_DEVICES)
    assert chosen == ["GPU-1f0c1a2b-0000-4000-8000-000000000001", ""]


def test_what_the_film_with_subtitles_will_lack_is_told_before_any_work(
    tmp_path: Path, workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(film(tmp_path / "film.mov", "-c:a", "pcm_f32be"))
    assert run(path, "--transcribe", "-s", "en") == 0
    assert (
        "[WARN] mkv cannot hold audio track 0, language not tagged (pcm_f32be, 1 channel): encoded without loss, to"
        in capsys.readouterr().err
    )
    assert run(path, "--transcribe", "-s", "en", "--set", "MUX_CONTAINER=none") == 0
    assert "cannot hold" not in capsys.readouterr().err
    assert run(path, "--transcribe", "-s", "en", "--set", "MUX_CONTAINER=mp4") == 2
    assert capsys.readouterr().err.endswith("[ERROR] mp4 cannot hold pcm_f32be: set MUX_CONTAINER=mkv\n")


def test_a_folder_that_may_not_be_written_is_told_with_the_way_out(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert run(str(SAMPLE), "--transcribe", "-s", "en") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"[ERROR] {workspace.root} may not be written by you")
    assert "SUTRADHAR_HOME" in line


def test_the_starter_model_is_fetched_before_a_job_is_written(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether its registry answers shows only then, and the run would be refused."""
    (workspace.root / "models").unlink()
    monkeypatch.setattr(library, "CLONE", workspace.root / "elsewhere")
    monkeypatch.setattr(
        downloads,
        "fetch_starter",
        lambda target, release, say: (_ for _ in ()).throw(UsageError("no registry answers")),
    )
    assert run(str(SAMPLE), "--transcribe", "-s", "en") == 2
    assert capsys.readouterr().err.splitlines()[-1] == "[ERROR] no registry answers"
    assert not workspace.jobs.exists()


def test_a_device_that_a_stage_cannot_have_is_refused(
    workspace: Workspace, indictrans2: None, on_machine: Callable[[str], Probe], capsys: pytest.CaptureFixture[str]
) -> None:
    on_machine("cpu-16gb")
    command = (
        "--translate",
        "-s",
        "hi",
        "-t",
        "en",
        "--set",
        "INDICTRANS2_DEVICE=cuda",
        "--set",
        "INDICTRANS2_COMPUTE_TYPE=float16",
    )
    assert run(str(SAMPLE), *command) == 2
    assert "INDICTRANS2_DEVICE=cuda: no usable NVIDIA GPU here" in capsys.readouterr().err.splitlines()[-1]


def test_models_of_a_shared_clone_are_found_from_a_home_of_ones_own(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace.root / "models").unlink()
    assert library.find("base", "ct2", models_dir=workspace.models) is not None
    assert library.find("base", "ct2", models_dir=workspace.root / "others") is None
