"""Which stages a job has, what each is handed, and which settings count: by these, jobs of earlier versions run on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage
from sutradhar.pipeline.jobs.workflow import steps_of
from sutradhar.stages import WORKFLOWS
from sutradhar.stages.film import rescue
from sutradhar.stages.recognisers.declared import SETTINGS as OF_RECOGNITION

INDICTRANS2 = Settings(WORKFLOW="translate", TRANSLATION_ENGINE="indictrans2")
WHISPER = Settings(WORKFLOW="translate", TRANSLATION_ENGINE="whisper")


def a_stage(name: str, reads: tuple[str, ...], writes: tuple[str, ...]) -> Stage:
    return Stage(name, lambda ctx: Outcome(""), reads=reads, writes=writes)


MAKE, CHANGE, SHOW = (
    a_stage("make", (), ("text",)),
    a_stage("change", ("text",), ("text",)),
    a_stage("show", ("text",), ("picture",)),
)


def test_a_stage_is_handed_what_was_made_last_before_it() -> None:
    make, change, show = steps_of({"film": (MAKE, CHANGE, SHOW)}, Settings())
    assert (make.reads, make.writes) == ({}, {"text": "make/text.json"})
    assert (change.reads, change.writes) == ({"text": "make/text.json"}, {"text": "change/text.json"})
    assert (show.reads, show.writes) == ({"text": "change/text.json"}, {"picture": "show/picture.json"})


def test_a_stage_that_is_not_wanted_is_left_out() -> None:
    _, show = steps_of({"film": (MAKE, replace(CHANGE, wanted=lambda settings: settings.OFFLINE), SHOW)}, Settings())
    assert show.reads == {"text": "make/text.json"}


def test_what_nobody_has_made_cannot_be_read() -> None:
    with pytest.raises(LookupError, match="stage show reads text, which no stage before it writes"):
        steps_of({"film": (SHOW, MAKE)}, Settings())


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        (Settings(), ["demux", "vad", "asr", "align", "subtitles", "mux"]),
        (WHISPER, ["demux", "vad", "asr", "align", "translate", "subtitles", "mux"]),
        (INDICTRANS2, ["demux", "vad", "asr", "align", "translate", "rescue", "subtitles", "mux"]),
        (Settings(WORKFLOW="corpus"), ["scan", "recognise", "export"]),
    ],
    ids=["transcribe", "whisper", "indictrans2", "corpus"],
)
def test_a_job_has_the_stages_that_its_settings_want(settings: Settings, names: list[str]) -> None:
    assert [step.name for step in steps_of(WORKFLOWS, settings)] == names


@pytest.mark.parametrize(
    ("settings", "name", "reads"),
    [
        (Settings(), "asr", ["demux/audio.wav", "demux/audio.json", "vad/windows.json"]),
        (Settings(), "align", ["demux/audio.wav", "demux/audio.json", "asr/transcript.json"]),
        (Settings(), "subtitles", ["align/transcript.json"]),
        (Settings(), "mux", ["subtitles/tracks.json"]),
        (WHISPER, "translate", ["align/transcript.json", "asr/translation.json"]),
        (WHISPER, "subtitles", ["align/transcript.json", "translate/transcripts.json"]),
        (INDICTRANS2, "translate", ["align/transcript.json"]),
        (
            INDICTRANS2,
            "rescue",
            ["demux/audio.wav", "demux/audio.json", "align/transcript.json", "translate/transcripts.json"],
        ),
        (INDICTRANS2, "subtitles", ["align/transcript.json", "rescue/transcripts.json"]),
        (Settings(WORKFLOW="corpus"), "export", ["recognise/done.json", "scan/folders.json"]),
    ],
)
def test_artifacts_lie_where_they_always_lay(settings: Settings, name: str, reads: list[str]) -> None:
    (step,) = [step for step in steps_of(WORKFLOWS, settings) if step.name == name]
    assert list(step.reads.values()) == reads


@pytest.mark.parametrize(
    ("settings", "name", "writes", "counted"),
    [
        (Settings(), "asr", ["asr/transcript.json"], {"GLOSSARY"}),
        (INDICTRANS2, "asr", ["asr/transcript.json"], {"GLOSSARY"}),
        (
            WHISPER,
            "asr",
            ["asr/transcript.json", "asr/translation.json"],
            {"GLOSSARY", "MUSIC", "TRANSLATION_ENGINE", "TARGET_LANGUAGES"},
        ),
    ],
)
def test_settings_of_translation_count_where_the_recogniser_translates(
    settings: Settings, name: str, writes: list[str], counted: set[str]
) -> None:
    (step,) = [step for step in steps_of(WORKFLOWS, settings) if step.name == name]
    assert list(step.writes.values()) == writes
    assert step.settings.keys() - set(OF_RECOGNITION) == counted


def test_settings_of_indictrans2_count_where_it_translates() -> None:
    by_whisper, by_indictrans2 = (
        next(step for step in steps_of(WORKFLOWS, settings) if step.name == "translate")
        for settings in (WHISPER, INDICTRANS2)
    )
    assert by_whisper.settings == {"TRANSLATION_ENGINE": "whisper"}
    assert by_indictrans2.settings == {
        "TRANSLATION_ENGINE": "indictrans2",
        "SOURCE_LANGUAGE": "auto",
        "TARGET_LANGUAGES": "",
        "INDICTRANS2_MODEL": "1B",
        "INDICTRANS2_DEVICE": "cpu",
        "INDICTRANS2_COMPUTE_TYPE": "int8",
        "INDICTRANS2_NUM_BEAMS": "5",
        "GLOSSARY": "",
    }


def test_a_stage_is_given_the_settings_that_it_declares() -> None:
    (step,) = [step for step in steps_of(WORKFLOWS, INDICTRANS2) if step.stage == rescue.STAGE]
    assert step.values.keys() == {*OF_RECOGNITION, "BATCH_SIZE"}
