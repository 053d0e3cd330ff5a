from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.evaluate.readers import read_versions
from sutradhar.stages.evaluate.version import SpokenWord, Turn, Utterance, Version, words_in
from sutradhar.stages.transcript import Cue, Span

TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 2.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "anna - words"
        xmin = 0
        xmax = 2.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 1.0
            text = "she ""said"" hi"
        intervals [3]:
            xmin = 1.0
            xmax = 2.5
            text = "there"
    item [2]:
        class = "IntervalTier"
        name = "anna - phones"
        xmin = 0
        xmax = 2.5
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 2.5
            text = "DH"
    item [3]:
        class = "TextTier"
        name = "bells"
        xmin = 0
        xmax = 2.5
        points: size = 1
        points [1]:
            number = 1.5
            mark = "ding"
"""


def read(tmp_path: Path, name: str, content: str) -> Mapping[str, Version]:
    (tmp_path / name).write_text(content, encoding="utf-8")
    return read_versions(tmp_path / name)


def said(text: str, start_ms: int | None = None, end_ms: int | None = None, speaker: str = "") -> Utterance:
    return Utterance(words_in(text), None if start_ms is None else Span(start_ms, end_ms or 0), speaker)


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        ("a.txt", "One two.\n\nThree\n", Version((said("One two."), said("Three")))),
        ("a.txt", "", Version(())),
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:02,500\n<i>One</i>\ntwo\n\n2\n00:00:03,000 --> 00:00:04,000\n2: Three\n",
            Version(
                (said("One two", 1000, 2500), said("Three", 3000, 4000, "2")),
                (Cue(1000, 2500, ("One", "two")), Cue(3000, 4000, ("2: Three",))),
            ),
        ),
        (
            "a.vtt",
            "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Anna>One</v>\n",
            Version((said("One", 1000, 2000, "Anna"),), (Cue(1000, 2000, ("One",)),)),
        ),
        ("a.vtt", "WEBVTT\n", Version(())),
        (
            "a.stm",
            ";; a comment\na 1 anna 0.5 1.25 <o,f0> One (two)\na 1 x 2 3 ignore_time_segment_in_scoring\n",
            Version((said("One (two)", 500, 1250, "anna"), said("[ignore]", 2000, 3000, "x"))),
        ),
        (
            "a.rttm",
            "SPEAKER a 1 0.500 1.250 <NA> <NA> anna <NA> <NA>\n",
            Version((), turns=(Turn(Span(500, 1750), "anna"),), has_text=False),
        ),
        (
            "a.ctm",
            "a 1 0.5 0.25 one 0.9\na 1 0.8 0.2 two\na 1 1.5 0.1 three\n",
            Version(
                (
                    Utterance((SpokenWord("one", Span(500, 750)), SpokenWord("two", Span(800, 1000))), Span(500, 1000)),
                    Utterance((SpokenWord("three", Span(1500, 1600)),), Span(1500, 1600)),
                )
            ),
        ),
        (
            "a.TextGrid",
            TEXTGRID,
            Version(
                (
                    Utterance(
                        (SpokenWord('she "said" hi', Span(500, 1000)), SpokenWord("there", Span(1000, 2500))),
                        Span(500, 2500),
                    ),
                ),
                duration_ms=2500,
            ),
        ),
        (
            "a.json",  # our own
            '{"schema":1,"language":"hi","start_ms":0,"duration_ms":9000,"segments":[{"start_ms":100,"end_ms":900,'
            '"text":"One two","speaker":"1","words":[{"text":" One","start_ms":100,"end_ms":300},'
            '{"text":" two","start_ms":300,"end_ms":700},{"text":"-ish","start_ms":700,"end_ms":900}]}],'
            '"cues":[{"start_ms":100,"end_ms":1200,"lines":["One two-ish"]}]}',
            Version(
                (
                    Utterance(
                        (SpokenWord("One", Span(100, 300)), SpokenWord("two-ish", Span(300, 900))), Span(100, 900), "1"
                    ),
                ),
                (Cue(100, 1200, ("One two-ish",)),),
                language="hi",
                duration_ms=9000,
            ),
        ),
        (
            "a.json",  # WhisperX's
            '{"segments":[{"start":0.1,"end":0.9,"text":" One 2","words":[{"word":"One","start":0.1,"end":0.3},'
            '{"word":"2"}]}],"word_segments":[],"language":"en"}',
            Version((Utterance((SpokenWord("One", Span(100, 300)), SpokenWord("2")), Span(100, 900)),), language="en"),
        ),
        (
            "a.json",  # bare words
            '[{"word":"one","start":0,"end":0.2},{"word":"two","start":0.6,"end":0.9}]',
            Version(
                (
                    Utterance((SpokenWord("one", Span(0, 200)),), Span(0, 200)),
                    Utterance((SpokenWord("two", Span(600, 900)),), Span(600, 900)),
                )
            ),
        ),
    ],
)
def test_every_kind_of_file_is_read(tmp_path: Path, name: str, content: str, version: Version) -> None:
    assert read(tmp_path, name, content) == {"a": version}


def test_a_list_of_recordings_has_their_names(tmp_path: Path) -> None:
    rows = '{"audio":"x/a.flac","text":"One two","language":"hi-IN","duration":2.5}\n{"id":"b","text":"Three"}\n'
    failed = '{"path":"c.wav","status":"failed","text":null}\n'
    assert read(tmp_path, "list.jsonl", rows + failed) == {
        "x/a": Version((said("One two"),), language="hi", duration_ms=2500),
        "b": Version((said("Three"),)),
    }


def test_lines_of_several_recordings_are_told_apart(tmp_path: Path) -> None:
    found = read(tmp_path, "all.stm", "a 1 x 0 1 one\nb 1 x 0 1 two\na 1 y 1 2 three\n")
    assert {name: [one.text for one in version.utterances] for name, version in found.items()} == {
        "a": ["one", "three"],
        "b": ["two"],
    }


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.doc", "x", "cannot be judged; the files that can end in .json, .jsonl, .srt"),
        ("a.srt", "Just text.\n", "no subtitles"),
        ("a.json", "{", "no JSON"),
        ("a.json", '{"title": 3}', "neither segments, words nor text"),
        ("a.json", '[{"start": 1}]', "neither segments, words nor text"),
        ("a.json", '{"segments": [{"start": 2, "end": 1, "text": "x"}]}', "a time from 2 to 1"),
        ("a.json", '{"segments": [{"start": "x", "end": 1, "text": "x"}]}', "neither segments"),
        ("a.stm", "a 1 anna zero 1 text\n", "'zero' stands where a time belongs"),
        ("a.stm", "a 1 anna\n", "is not `recording channel speaker begin end text`"),
        ("a.stm", "a 1 anna 0 1 { um / uh } yes\n", "has alternatives in braces"),
        ("a.ctm", "a 1 0 nan x\n", "'nan' stands where a time belongs"),
        ("a.rttm", "SPEAKER\n", "has too few fields"),
        ("a.rttm", "SPEAKER a 1 0 1\n", "is not `SPEAKER recording"),
        ("a.textgrid", "x", "no TextGrid|cut short"),
        ("a.textgrid", TEXTGRID[:500], "cut short or damaged"),
        ("a.jsonl", "{}\n", "line 1 names no recording"),
        ("a.jsonl", '{"id":"a","text":""}\n{"id":"a","text":""}\n', "line 2 names a again"),
        ("a.jsonl", "[1]\n", "line 1: "),
    ],
)
def test_what_is_no_such_file_is_refused_in_one_line(tmp_path: Path, name: str, content: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        read(tmp_path, name, content)
    assert str(refused.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(refused.value)


def test_other_encodings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(UsageError, match="is not text in UTF-8"):
        read_versions(tmp_path / "a.txt")
