from __future__ import annotations

import json

import pysubs2
import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.cues.formats import FORMATS, formats_of
from sutradhar.stages.transcript import Cue, Track, Word
from tests.stages.cues.support import spoken, transcript

ODD = (r"C:\new\Notes {\an8}{\p1} \h", "<i>1 < 2 & 3 --> 4</i>")
TRACK = Track("en", "", (Cue(0, 1000, ("Yes.",)), Cue(3_599_999, 3_601_001, ODD), Cue(3_700_000, 3_701_000, ("नमस्ते।", "שלום 🎬"))))


def written(form: str, track: Track = TRACK) -> str:
    return FORMATS[form](spoken("Yes."), track)


def test_srt_is_literal() -> None:
    assert written("srt") == (
        "1\n00:00:00,000 --> 00:00:01,000\nYes.\n\n"
        "2\n00:59:59,999 --> 01:00:01,001\nC:\\new\\Notes {\\an8}{\\p1} \\h\n<i>1 < 2 & 3 --> 4</i>\n\n"
        "3\n01:01:40,000 --> 01:01:41,000\nनमस्ते।\nשלום 🎬\n\n"
    )


def test_vtt_escapes_markup() -> None:
    assert written("vtt").split("\n\n")[:3] == [
        "WEBVTT",
        "1\n00:00:00.000 --> 00:00:01.000\nYes.",
        "2\n00:59:59.999 --> 01:00:01.001\nC:\\new\\Notes {\\an8}{\\p1} \\h\n&lt;i&gt;1 &lt; 2 &amp; 3 --&gt; 4&lt;/i&gt;",
    ]


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_pysubs2_reads_the_same_cues_back(form: str) -> None:
    cues = (TRACK.cues[0], TRACK.cues[2])
    events = pysubs2.SSAFile.from_string(written(form, Track("en", "", cues)), format_=form).events
    assert [Cue(event.start, event.end, tuple(event.text.split(r"\N"))) for event in events] == list(cues)


def test_a_track_without_cues() -> None:
    assert (written("srt", Track("en", "", ())), written("vtt", Track("en", "", ()))) == ("", "WEBVTT\n\n")


def test_json_holds_words_and_cues() -> None:
    document = json.loads(FORMATS["json"](spoken("Yes."), Track("en", "translated by Whisper", TRACK.cues[:1])))
    assert list(document) == ["schema", "language", "note", "start_ms", "duration_ms", "segments", "cues"]
    assert document["segments"][0]["words"] == [{"text": "Yes.", "start_ms": 0, "end_ms": 240, "probability": 0.9}]
    assert document["cues"] == [{"start_ms": 0, "end_ms": 1000, "lines": ["Yes."]}]
    assert document["note"] == "translated by Whisper"


def test_json_is_one_line_a_line_to_every_program() -> None:
    said = FORMATS["json"](spoken("Yes\u2028no."), Track("en", "", (Cue(0, 1000, ("\u202eab\x85",)),)))
    assert json.loads(said)["cues"][0]["lines"] == ["\u202eab\x85"]
    assert said.splitlines() == said.split("\n")[:-1]
    assert "\\u202eab\\u0085" in said


def test_txt_has_a_line_for_each_sentence() -> None:
    said = spoken("Well, Mr. Smith. You are late! he said.[1600] so what")
    assert FORMATS["txt"](said, TRACK) == "Well, Mr. Smith.\nYou are late! he said.\nso what\n"
    chinese = transcript([[Word(text, 0, 1, 1.0) for text in "好。我来了，"], [Word("你呢", 1, 2, 1.0)]], "zh")
    assert FORMATS["txt"](chinese, TRACK) == "好。\n我来了，你呢\n"
    assert FORMATS["txt"](spoken("वह आया| मैं गया", language="hi"), TRACK) == "वह आया\nमैं गया\n"
    assert FORMATS["txt"](transcript([]), TRACK) == ""


def test_only_known_formats() -> None:
    assert list(formats_of("vtt, srt")) == ["vtt", "srt"]
    with pytest.raises(UsageError, match="no format docx; choose from srt, vtt, json, txt"):
        formats_of("srt,docx")
    with pytest.raises(UsageError, match="no format named"):
        formats_of(" , ")
