from __future__ import annotations

import json
from pathlib import Path

import pysubs2
import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.cues.formats import FORMATS, chosen, format_of
from sutradhar.stages.cues.formats.format import Format
from sutradhar.stages.transcript import Cue, Track, Transcript, Word
from tests.real_sentences import SENTENCES
from tests.stages.cues.support import spoken, transcript

ODD = (r"C:\new\Notes {\an8}{\p1} \h", "<i>1 < 2 & 3 --> 4</i>")
TRACK = Track(
    "en", "", (Cue(0, 1000, ("Yes.",)), Cue(3_599_999, 3_601_001, ODD), Cue(3_700_000, 3_701_000, ("नमस्ते।", "שלום 🎬")))
)


def written(form: str, track: Track = TRACK) -> str:
    return format_of(form).text(spoken("Yes."), track)


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
    document = json.loads(format_of("json").text(spoken("Yes."), Track("en", "translated by Whisper", TRACK.cues[:1])))
    keys = ["schema", "language", "note", "start_ms", "duration_ms", "segments", "cues", "unheard", "music"]
    assert list(document) == keys
    assert document["segments"][0]["words"] == [{"text": "Yes.", "start_ms": 0, "end_ms": 240, "probability": 0.9}]
    assert document["cues"] == [{"start_ms": 0, "end_ms": 1000, "lines": ["Yes."]}]
    assert document["note"] == "translated by Whisper"
    assert document["unheard"] == []


def test_json_is_one_line_a_line_to_every_program() -> None:
    said = format_of("json").text(spoken("Yes\u2028no."), Track("en", "", (Cue(0, 1000, ("\u202eab\x85",)),)))
    assert json.loads(said)["cues"][0]["lines"] == ["\u202eab\x85"]
    assert said.splitlines() == said.split("\n")[:-1]
    assert "\\u202eab\\u0085" in said


def test_txt_has_a_line_for_each_sentence() -> None:
    said = spoken("Well, Mr. Smith. You are late! he said.[1600] so what")
    assert format_of("txt").text(said, TRACK) == "Well, Mr. Smith.\nYou are late! he said.\nso what\n"
    chinese = transcript([[Word(text, 0, 1, 1.0) for text in "好。我来了，"], [Word("你呢", 1, 2, 1.0)]], "zh")
    assert format_of("txt").text(chinese, TRACK) == "好。\n我来了，你呢\n"
    assert format_of("txt").text(spoken("वह आया| मैं गया", language="hi"), TRACK) == "वह आया\nमैं गया\n"
    assert format_of("txt").text(transcript([]), TRACK) == ""


@pytest.mark.parametrize("language", SENTENCES)
def test_txt_has_a_line_for_each_sentence_in_every_script(language: str) -> None:
    said = spoken(" ".join(SENTENCES[language]), language=language)
    assert format_of("txt").text(said, TRACK).splitlines() == SENTENCES[language]


def test_only_known_formats() -> None:
    assert chosen("SUBTITLE_FORMATS", "vtt, srt,vtt") == ["vtt", "srt"]
    with pytest.raises(UsageError, match="SUBTITLE_FORMATS=srt,docx: no format docx; choose from srt, vtt, json, txt"):
        chosen("SUBTITLE_FORMATS", "srt,docx")
    with pytest.raises(UsageError, match="no format named"):
        chosen("SUBTITLE_FORMATS", " , ")


def test_a_format_cannot_be_declared_without_saying_how_text_is_escaped() -> None:
    with pytest.raises(TypeError, match="escape"):
        Format(write=lambda transcript, track: "")  # type: ignore[call-arg]


def test_a_writer_is_handed_no_text_that_is_not_escaped() -> None:
    def all_text(transcript: Transcript, track: Track) -> str:
        words = [word.text for segment in transcript.segments for word in segment.words]
        cues = [line for cue in (*track.cues, *track.told) for line in cue.lines]
        return "|".join([*(segment.text for segment in transcript.segments), *words, *cues])

    track = Track("en", "", (Cue(0, 1, ("a<b",)),), "", (Cue(0, 1, ("c<d", "e<")),))
    said = Format(escape=lambda text: text.replace("<", "&"), write=all_text).text(spoken("x< <y"), track)
    assert said == "x& &y|x&| &y|a&b|c&d|e&"


def test_files_for_programs_have_neither_a_mark_nor_other_ends_of_lines() -> None:
    assert format_of("json").encoded("{}\n", bom=True, newline="crlf") == b"{}\n"
    assert format_of("srt").encoded("1\n", bom=True, newline="crlf") == b"\xef\xbb\xbf1\r\n"


def test_every_format_is_described_in_the_docs(root: Path) -> None:
    told = (root / "docs" / "subtitles.md").read_text()
    assert [name for name in FORMATS if f"\n- `{name}`:" not in told] == []
