"""The whole workflow as its user types it: the shell commands, the sample, the real starter model."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import jiwer
import pysubs2
import pytest

from bench.kill_loop import kill_loop
from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.transcript import Span, Tracks, load
from tests import make_media
from tests.conftest import ROOT

SAMPLE = ROOT / "samples" / "dialogue.mp4"
LENGTH_MS = 27_520


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(ROOT / "models")
    return home


def shell(home: Path, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / command), *arguments],
        env=os.environ | {"SUTRADHAR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def job(home: Path) -> str:
    """A job that was prepared and run with the README's first command."""
    done = shell(home, "prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en", "--run")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d{8}-dialogue-1\n", done.stdout)
    assert "✅ Stage mux: COMPLETED" in done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def out(home: Path, job: str) -> Path:
    return home / "out" / job


def words_of(text: str) -> str:
    return " ".join(re.findall(r"[\w']+", text.lower()))


def test_delivers_every_format_and_the_muxed_film(out: Path) -> None:
    names = {path.name for path in out.iterdir()}
    assert names == {
        "dialogue.en.srt",
        "dialogue.en.vtt",
        "dialogue.en.json",
        "dialogue.en.txt",
        "dialogue.subtitled.mp4",
    }


def test_the_text_is_what_was_said(out: Path) -> None:
    said = words_of((ROOT / "samples" / "dialogue.txt").read_text())
    assert jiwer.wer(said, words_of((out / "dialogue.en.txt").read_text())) <= 0.10


def test_every_cue_keeps_its_rules(home: Path, job: str, out: Path) -> None:
    (track,) = load(home / "jobs" / job / "stages" / "subtitles" / "tracks.json", Tracks).tracks
    assert [
        breach for breach in check(track.cues, rules_for("netflix", "en", 25.0), Span(0, LENGTH_MS)) if breach.hard
    ] == []
    in_srt = pysubs2.load(str(out / "dialogue.en.srt"))
    assert [(event.start, event.end) for event in in_srt] == [(cue.start_ms, cue.end_ms) for cue in track.cues]


def test_every_word_lies_inside_the_clip_and_in_order(out: Path) -> None:
    segments = json.loads((out / "dialogue.en.json").read_text())["segments"]
    times = [(word["start_ms"], word["end_ms"]) for segment in segments for word in segment["words"]]
    assert len(times) > 30
    assert times == sorted(times)
    assert all(0 <= start < end <= LENGTH_MS for start, end in times)


def test_a_second_run_does_nothing(home: Path, job: str) -> None:
    again = shell(home, "run-pipeline.sh", "-j", job)
    assert again.returncode == 0
    assert again.stdout.count("SKIPPED (already completed)") == 6


def test_a_changed_setting_reruns_what_depends_on_it(home: Path, job: str) -> None:
    done = shell(home, "run-pipeline.sh", "-j", job, "--set", "SUBTITLE_FORMATS=srt")
    assert done.returncode == 0
    assert "Stage subtitles runs again: SUBTITLE_FORMATS changed" in done.stdout
    assert "Stage asr: SKIPPED" in done.stdout


def test_status_and_list_tell_where_a_job_stands(home: Path, job: str) -> None:
    assert "asr        done" in shell(home, "run-pipeline.sh", "--status", job).stdout
    assert re.search(rf"{job} +done +0:2\d +dialogue.mp4", shell(home, "run-pipeline.sh", "--list").stdout)


def test_translation_is_labelled_as_whispers(home: Path) -> None:
    done = shell(home, "prepare-job.sh", str(SAMPLE), "--translate", "-s", "de", "-t", "en", "--end", "8", "--run")
    assert done.returncode == 0, done.stderr
    (subtitles,) = (home / "out" / done.stdout.strip()).glob("*.en.srt")
    assert subtitles.read_text()
    assert "Whisper" in done.stderr


# A Hindi film cannot be had offline, but with a Hindi prompt the starter model writes English speech down as if it were Hindi.
HINDI_PROMPT = "नमस्ते डैनियल, आप कैसे हैं? मुझे घर जाना है।"


@pytest.fixture(scope="module")
def hindi(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with the toy of IndicTrans2 among its models, and a job that was translated with it."""
    home = tmp_path_factory.mktemp("hindi")
    (home / "models").mkdir()
    (home / "models" / "base").symlink_to(ROOT / "models" / "base")
    shutil.copytree(ROOT / "tests" / "data" / "indictrans2" / "toy", home / "models" / "toy")
    (home / "names.tsv").write_text("डैनियल\tDaniel\n", encoding="utf-8")
    settings = ("INDICTRANS2_MODEL=toy", f"WHISPER_INITIAL_PROMPT={HINDI_PROMPT}", "WHISPER_TEMPERATURE=0")
    how = (
        *(argument for setting in settings for argument in ("--set", setting)),
        "--glossary",
        str(home / "names.tsv"),
    )
    done = shell(
        home,
        "prepare-job.sh",
        str(SAMPLE),
        "--translate",
        "-s",
        "hi",
        "-t",
        "en",
        "--device",
        "cpu",
        "--end",
        "12",
        "--run",
        *how,
    )
    assert done.returncode == 0, done.stderr
    assert "Translation: indictrans2 (it knows hi to en, and its model is here)" in done.stderr
    assert "Making models/toy-indictrans2-int8 out of the indictrans2 form of toy, this once" in done.stderr
    return home, done.stdout.strip()


def test_indictrans2_makes_an_english_track_that_keeps_its_rules(hindi: tuple[Path, str]) -> None:
    home, job = hindi
    source, english = load(home / "jobs" / job / "stages" / "subtitles" / "tracks.json", Tracks).tracks
    assert (source.language, english.language, english.note) == ("hi", "en", "translated by IndicTrans2")
    devanagari = re.compile("[\u0900-\u097f]")
    assert devanagari.search(" ".join(line for cue in source.cues for line in cue.lines))
    subtitles = (home / "out" / job / "dialogue.en.srt").read_text(encoding="utf-8")
    assert re.search("[A-Za-z]{3}", subtitles)
    assert not devanagari.search(subtitles)
    assert [
        breach for breach in check(english.cues, rules_for("netflix", "en", 25.0), Span(0, 12_000)) if breach.hard
    ] == []


def test_the_marker_names_the_translator(hindi: tuple[Path, str]) -> None:
    home, job = hindi
    marker = json.loads((home / "jobs" / job / "stages" / "translate" / "stage.json").read_text())
    assert marker["engine"] == {
        "backend": "ctranslate2",
        "device": "cpu",
        "model": "toy",
        "model_revision": "",
        "compute_type": "int8",
    }
    assert {"ctranslate2", "indictranstoolkit", "sentencepiece"} < marker["packages"].keys()
    assert {"align/transcript.json", "glossary.tsv", "model toy/model.bin"} < marker["inputs"].keys()


def test_a_translation_that_was_killed_goes_on_to_the_same_bytes(hindi: tuple[Path, str]) -> None:
    home, job = hindi
    before = {path.name: path.read_bytes() for path in (home / "out" / job).iterdir()}
    command = [ROOT / "run-pipeline.sh", "-j", job, "--from", "translate"]
    runner = subprocess.Popen(
        command, env=os.environ | {"SUTRADHAR_HOME": str(home)}, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout
    assert any("Stage translate: STARTING" in line for line in runner.stdout)
    runner.kill()
    runner.communicate()
    again = shell(home, "run-pipeline.sh", "-j", job, "--from", "translate")
    assert (again.returncode, again.stdout.count("COMPLETED (")) == (0, 4)
    assert {path.name: path.read_bytes() for path in (home / "out" / job).iterdir()} == before
    assert list(home.rglob(".tmp-*")) == []


def test_only_an_edited_glossary_makes_its_stages_run_again(hindi: tuple[Path, str]) -> None:
    home, job = hindi
    assert shell(home, "run-pipeline.sh", "-j", job).stdout.count("SKIPPED (already completed)") == 8
    glossary = home / "jobs" / job / "glossary.tsv"
    content = glossary.read_bytes()
    glossary.write_text("डैनियल\tDan\n", encoding="utf-8")
    again = [
        line.split()[0]
        for line in shell(home, "run-pipeline.sh", "--status", job).stdout.splitlines()
        if "glossary.tsv changed" in line
    ]
    assert again == ["asr", "translate"]
    glossary.unlink()
    refused = shell(home, "run-pipeline.sh", "-j", job)
    assert refused.returncode == 2
    (line,) = [line for line in refused.stdout.splitlines() if line.startswith("[ERROR]")]
    assert line.startswith(f"[ERROR] Cannot read the glossary {glossary}: No such file or directory")
    glossary.write_bytes(content)


@pytest.fixture(scope="module")
def three_times(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample three times over: 82.56 s, more than two windows."""
    path = tmp_path_factory.mktemp("long") / "three times.flac"
    return make_media.ffmpeg(path, "-stream_loop", "2", "-i", f"file:{SAMPLE}", "-vn", "-ac", "1", "-ar", "16000")


def test_nothing_is_lost_between_windows_nor_at_the_end(home: Path, three_times: Path) -> None:
    done = shell(
        home,
        "prepare-job.sh",
        str(three_times),
        "--transcribe",
        "-s",
        "auto",
        "--run",
        "--set",
        "SUBTITLE_FORMATS=txt,json",
    )
    assert done.returncode == 0, done.stderr
    out = home / "out" / done.stdout.strip()
    said = words_of((ROOT / "samples" / "dialogue.txt").read_text()) + " "
    assert jiwer.wer(said * 3, words_of((out / "three times.en.txt").read_text())) <= 0.05
    ends = [segment["end_ms"] for segment in json.loads((out / "three times.en.json").read_text())["segments"]]
    assert 2 * LENGTH_MS + 26_000 < ends[-1] <= 3 * LENGTH_MS


def test_a_part_keeps_the_films_own_times_and_stays_inside_it(home: Path, three_times: Path) -> None:
    part = ("--start", "0:55", "--end", "1:05", "--set", "SUBTITLE_FORMATS=json")
    done = shell(home, "prepare-job.sh", str(three_times), "--transcribe", "-s", "en", "--run", *part)
    assert done.returncode == 0, done.stderr
    (track,) = (home / "out" / done.stdout.strip()).glob("*.json")
    words = [word for segment in json.loads(track.read_text())["segments"] for word in segment["words"]]
    assert words_of("".join(word["text"] for word in words)).startswith("good morning daniel")
    assert abs(words[0]["start_ms"] - (2 * LENGTH_MS + 700)) < 400
    assert all(55_000 <= word["start_ms"] < word["end_ms"] <= 65_000 for word in words)


def test_a_run_leaves_nothing_in_the_users_home_and_is_private(tmp_path: Path, home: Path) -> None:
    old = os.umask(0o022)
    try:
        environment = os.environ | {"SUTRADHAR_HOME": str(home), "HOME": str(tmp_path)}
        command = [str(ROOT / "prepare-job.sh"), str(SAMPLE), "--transcribe", "-s", "en", "--end", "5", "--run"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    finally:
        os.umask(old)
    assert list(tmp_path.iterdir()) == []
    folders = (home / "jobs" / done.stdout.strip(), home / "out" / done.stdout.strip())
    assert {oct(path.stat().st_mode & 0o777) for folder in folders for path in [folder, *folder.rglob("*")]} == {
        "0o700",
        "0o600",
    }


def test_a_replaced_model_is_noticed(tmp_path: Path, home: Path) -> None:
    models = tmp_path / "models"
    shutil.copytree(ROOT / "models" / "base", models / "base")
    (models / "base" / "source.json").unlink(
        missing_ok=True
    )  # as a folder of the user's own, whose files nobody has recorded
    (tmp_path / "out").mkdir()
    prepared = shell(tmp_path, "prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en", "--end", "5", "--run")
    assert prepared.returncode == 0, prepared.stderr
    with (models / "base" / "vocabulary.txt").open("a") as vocabulary:
        vocabulary.write("\n")
    again = shell(tmp_path, "run-pipeline.sh", "-j", prepared.stdout.strip())
    assert "Stage asr runs again: model base/vocabulary.txt changed" in again.stdout


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    _, kills = kill_loop(tmp_path, SAMPLE, kills=3, seed=7)
    assert [(kill.exit_code, kill.identical, kill.leftovers) for kill in kills] == [(0, True, 0)] * 3


def test_ctrl_c_ends_within_seconds_and_the_next_run_goes_on(home: Path) -> None:
    job = shell(home, "prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en").stdout.strip()
    runner = subprocess.Popen(
        [ROOT / "run-pipeline.sh", "-j", job],
        env=os.environ | {"SUTRADHAR_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert runner.stdout
    for line in runner.stdout:
        if "Stage asr: STARTING" in line:
            break
    started = time.monotonic()
    runner.send_signal(signal.SIGINT)
    rest = runner.stdout.read()
    assert runner.wait() == 130
    assert time.monotonic() - started < 10
    assert f"[ERROR] Interrupted; ./run-pipeline.sh -j {job} goes on from here" in rest
    assert shell(home, "run-pipeline.sh", "--status", job).stdout.startswith(f"Job {job}: interrupted\n")
    assert shell(home, "run-pipeline.sh", "-j", job).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 0.6 MB."""
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(tmp_path)], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("mounting a small file system needs root")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_ends_the_stage_clearly_and_room_lets_it_go_on(small_disk: Path) -> None:
    (small_disk / "models").symlink_to(ROOT / "models")
    job = shell(small_disk, "prepare-job.sh", str(SAMPLE), "--transcribe", "-s", "en").stdout.strip()
    full = shell(small_disk, "run-pipeline.sh", "-j", job)
    assert full.returncode == 1
    assert re.search(
        r"^\[ERROR\] demux: No space left on device: audio.wav needs about 0.9 MB, 0.\d MB are free; make room",
        full.stdout,
        re.M,
    )
    assert not list(small_disk.rglob("stage.json"))
    subprocess.run(["mount", "-o", "remount,size=1m", str(small_disk)], check=True)
    full = shell(small_disk, "run-pipeline.sh", "-j", job)
    assert full.returncode == 1
    assert "[ERROR] mux: No space left on device: dialogue.subtitled.mp4 needs about 0.6 MB, 0." in full.stdout
    assert not (small_disk / "jobs" / job / "stages" / "mux" / "stage.json").exists()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    assert shell(small_disk, "run-pipeline.sh", "-j", job).returncode == 0


@pytest.mark.parametrize("command", ["prepare-job.sh", "run-pipeline.sh"])
def test_help_is_there_with_examples(home: Path, command: str) -> None:
    help_text = shell(home, command, "--help")
    assert help_text.returncode == 0
    assert "examples:" in help_text.stdout
