from __future__ import annotations

import wave
from itertools import pairwise
from pathlib import Path

import pytest

from sutradhar.stages.film import vad
from sutradhar.stages.transcript import Audio, Windows, load, save
from tests.conftest import ROOT
from tests.stages.run_stage import StageRun

SAMPLE = ROOT / "samples" / "dialogue.mp4"


def stage_on(sound: Path, tmp_path: Path) -> StageRun:
    stage = StageRun(vad.STAGE, SAMPLE, tmp_path)
    (stage.artifacts / "demux").mkdir()
    (stage.artifacts / "demux" / "audio.wav").symlink_to(sound)
    save(stage.artifacts / "demux" / "audio.json", Audio(0, 27_520, 16_000, 0, ""))
    return stage


def test_finds_the_speech_of_the_sample(tmp_path: Path, sound: Path) -> None:
    stage = stage_on(sound, tmp_path)
    outcome = stage.run()
    (window,) = load(stage.scratch / "vad" / "windows.json", Windows).windows
    assert outcome.summary.startswith("Speech found: 2")
    assert outcome.seconds_of_media == 27.52
    assert stage.progress[-1] == (27.52, 27.52)
    assert window.start_ms == pytest.approx(700, abs=300)
    assert window.end_ms == pytest.approx(27_000, abs=400)
    pauses = [(before.end_ms, after.start_ms) for before, after in pairwise(window.speech)]
    (music,) = [pause for pause in pauses if pause[1] - pause[0] > 1000]
    assert music == pytest.approx((14_200, 16_800), abs=450)


def test_a_silent_film_has_no_windows_and_the_cause_that_demux_found_or_else_that_it_is_not_like_speech(
    tmp_path: Path,
) -> None:
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(32_000 * 5))
    stage = stage_on(path, tmp_path)
    for known, told in (
        ("", "there is sound, but it is not like speech"),
        ("audio track 0 is digital silence", "audio track 0 is digital silence. Give"),
    ):
        save(stage.artifacts / "demux" / "audio.json", Audio(0, 5000, 16_000, 0, "", known))
        stage.run()
        found = load(stage.scratch / "vad" / "windows.json", Windows)
        assert found.windows == ()
        assert found.cause.startswith(told)


def test_each_of_two_speakers_has_windows_of_his_own(tmp_path: Path, sound: Path) -> None:
    with wave.open(str(sound)) as file:
        spoken = file.readframes(file.getnframes())
    later = bytes(32_000) + spoken[:-32_000]
    with wave.open(str(tmp_path / "two.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(spoken + later)
    stage = stage_on(tmp_path / "two.wav", tmp_path)
    save(stage.artifacts / "demux" / "audio.json", Audio(0, len(spoken) // 32, 16_000, 0, "", voices=("1", "2")))
    stage.run()
    first, second = load(stage.scratch / "vad" / "windows.json", Windows).windows
    assert [(window.id, window.speaker) for window in (first, second)] == [(0, "1"), (1, "2")]
    assert abs(second.start_ms - first.start_ms - 1000) < 64
