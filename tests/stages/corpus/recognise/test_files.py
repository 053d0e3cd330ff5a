from __future__ import annotations

import json
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.edit_log import EditLog
from sutradhar.stages.corpus.recognise.files import Files
from sutradhar.stages.corpus.recognise.messages import Remark
from sutradhar.stages.corpus.results import Result
from tests.stages.corpus.recognise.support import result, segment, sha

HELLO = result("a", segment("Hello there, my friend.", 1000), segment("Where were you?", 3000))
CALL = result(
    "a", segment("Hello there.", 1000, "1"), segment("Who is this?", 1200, "2"), segment("It is me.", 3000, "1")
)


def files(tmp_path: Path, formats: str = "txt", **settings: str) -> Files:
    return Files(tmp_path, Settings(CORPUS_FORMATS=formats, **settings))  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    """Without the list of what was written."""
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.parent.name != ".written"
    )


def test_text_is_a_line_a_segment_and_a_call_says_who_speaks(tmp_path: Path) -> None:
    files(tmp_path).write(HELLO, ["hello.wav"])
    files(tmp_path).write(CALL, ["call.wav"])
    assert (tmp_path / "hello.wav.txt").read_text() == "Hello there, my friend.\nWhere were you?\n"
    assert (tmp_path / "call.wav.txt").read_text() == "1: Hello there.\n2: Who is this?\n1: It is me.\n"


def test_subtitles_of_a_call_are_built_for_each_speaker_apart(tmp_path: Path) -> None:
    files(tmp_path, "srt,vtt").write(CALL, ["call.wav"])
    cues = [block.splitlines() for block in (tmp_path / "call.wav.srt").read_text().strip().split("\n\n")]
    assert [cue[2:] for cue in cues] == [["1: Hello there."], ["2: Who is this?"], ["1: It is me."]]
    assert [cue[1][:12] for cue in cues] == ["00:00:01,000", "00:00:01,200", "00:00:03,000"]
    vtt = (tmp_path / "call.wav.vtt").read_text()
    assert vtt.startswith("WEBVTT\n")
    assert "\n00:00:01.200 --> " in vtt
    assert "\n2: Who is this?\n" in vtt


def test_subtitles_in_another_script_say_so(tmp_path: Path) -> None:
    roman = result("a", segment("Main ghar ja raha hoon. " * 5, 1000, language="hi"))
    few = result("a", segment("Okay, thank you.", 1000, language="hi"))
    for name, one in (("roman", roman), ("few", few)):
        files(tmp_path, "srt,vtt").write(one, [f"{name}.wav"])
    assert "\n[100% of the text is not in Devanagari" in (tmp_path / "roman.wav.srt").read_text()
    assert "\n\nNOTE 100% of the text is not in Devanagari" in (tmp_path / "roman.wav.vtt").read_text()
    assert "Devanagari" not in (tmp_path / "few.wav.srt").read_text() + (tmp_path / "few.wav.vtt").read_text()


def test_a_short_call_in_urdu_letters_says_so(tmp_path: Path) -> None:
    call = result("a", segment("جی ہاں، کل آؤں گا۔", 1000, language="hi"))
    files(tmp_path, "srt,txt").write(call, ["call.wav"])
    note = "[100% of the text is not in Devanagari]\n"
    assert (
        (tmp_path / "call.wav.srt")
        .read_text()
        .startswith(f"1\n00:00:00,000 --> 00:00:00,916\n{note}\n2\n00:00:01,000 --> ")
    )
    assert (tmp_path / "call.wav.txt").read_text() == f"{note}جی ہاں، کل آؤں گا۔\n"


def test_json_holds_what_is_known(tmp_path: Path) -> None:
    files(tmp_path, "json").write(HELLO, ["in/hello.wav"])
    document = json.loads((tmp_path / "in" / "hello.wav.json").read_text())
    segments = document.pop("segments")
    assert document == {
        "file": "in/hello.wav",
        "sha256": sha("a"),
        "duration_ms": 5000,
        "speech_ms": 0,
        "language": "en",
        "avg_logprob": 0.0,
        "text": "Hello there, my friend. Where were you?",
        "degraded": [],
        "notes": [],
        "unheard": [],
        "music": [],
    }
    assert segments[1] == {
        "text": "Where were you?",
        "language": "en",
        "start_ms": 3000,
        "end_ms": 3600,
        "avg_logprob": -0.25,
        "no_speech_prob": 0.01,
        "temperature": 0.0,
    }


@pytest.mark.parametrize(
    ("times", "expected"),
    [("none", set()), ("segment", {"start_ms", "end_ms"}), ("word", {"start_ms", "end_ms", "words"})],
)
def test_json_has_the_times_that_were_asked_for(times: str, expected: set[str], tmp_path: Path) -> None:
    files(tmp_path, "json", CORPUS_TIMESTAMPS=times).write(CALL, ["call.wav"])
    one = json.loads((tmp_path / "call.wav.json").read_text())["segments"][1]
    assert one["speaker"] == "2"
    assert one.keys() & {"start_ms", "end_ms", "words"} == expected
    if times == "word":
        assert one["words"][1] == {"text": " is", "start_ms": 1400, "end_ms": 1600, "probability": 0.9}


def test_a_silent_recording_has_its_files_too(tmp_path: Path) -> None:
    files(tmp_path, "txt,json,srt,vtt").write(result("a"), ["a.wav"])
    assert names(tmp_path) == ["a.wav.json", "a.wav.srt", "a.wav.txt", "a.wav.vtt"]
    assert (tmp_path / "a.wav.txt").read_text() == ""


def test_recordings_that_differ_in_folder_or_suffix_only_have_files_of_their_own(tmp_path: Path) -> None:
    files(tmp_path).write(HELLO, ["a.wav", "a.mp3", "in/a.wav", "/far/away/a.wav"])
    assert names(tmp_path) == ["a.mp3.txt", "a.wav.txt", "far/away/a.wav.txt", "in/a.wav.txt"]


@pytest.mark.parametrize("letter", ["x", "दो"])
def test_names_as_long_as_can_be_are_cut_and_stay_apart(letter: str, tmp_path: Path) -> None:
    stem = letter * (248 // len(letter.encode()))
    paths = [f"in/{stem}1.wav", f"in/{stem}2.wav"]
    both = files(tmp_path, "txt,json")
    both.write(HELLO, paths)
    made = names(tmp_path)
    assert len(made) == 4
    assert all(name.startswith(f"in/{letter}") and len(name.encode()) < 240 for name in made)
    both.stamp()
    assert not any(both.missing(path) for path in paths)


def test_files_are_missing_when_one_of_them_is(tmp_path: Path) -> None:
    both = files(tmp_path, "txt,json")
    assert both.missing("a.wav")
    both.write(HELLO, ["a.wav"])
    both.stamp()
    assert not both.missing("a.wav")
    (tmp_path / "a.wav.json").unlink()
    assert both.missing("a.wav")


def test_files_that_were_written_with_other_settings_are_missing(tmp_path: Path) -> None:
    before = files(tmp_path, "json")
    before.write(HELLO, ["a.wav"])
    before.stamp()
    assert not files(tmp_path, "json").missing("a.wav")
    assert files(tmp_path, "json", CORPUS_TIMESTAMPS="word").missing("a.wav")
    assert files(tmp_path, "json,txt").missing("a.wav")


def test_a_folder_in_the_place_of_a_file_costs_that_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a.wav.txt").mkdir()
    remarks = files(tmp_path, "txt,json").write(HELLO, ["a.wav", "b.wav"])
    assert remarks == [Remark("a.wav", "its txt could not be written (Is a directory)", unwritten=True)]
    assert names(tmp_path) == ["a.wav.json", "b.wav.json", "b.wav.txt"]


def test_a_link_in_the_tree_leads_no_file_out_of_it(tmp_path: Path) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    tree.mkdir()
    elsewhere.mkdir()
    (tree / "calls").symlink_to(elsewhere)
    remarks = files(tree).write(HELLO, ["calls/a.wav", "calls/in/b.wav", "c.wav"])
    why = "its txt could not be written (a folder on the way to it is a link to elsewhere)"
    assert remarks == [Remark("calls/a.wav", why, unwritten=True), Remark("calls/in/b.wav", why, unwritten=True)]
    assert list(elsewhere.iterdir()) == []
    assert (tree / "c.wav.txt").exists()


def test_what_a_format_cannot_take_costs_that_file_alone(tmp_path: Path) -> None:
    both = files(tmp_path, "txt,json")

    def as_poison(result: Result, path: str, settings: Settings) -> str:
        raise ValueError(result.segments[0].text)

    both._formats["txt"] = as_poison
    assert both.write(HELLO, ["a.wav"]) == [
        Remark("a.wav", "its txt could not be made (ValueError in as_poison)", unwritten=True)
    ]
    assert names(tmp_path) == ["a.wav.json"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(tmp_path).write(HELLO, ["a.wav"])

    def fail(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        files(tmp_path).write(CALL, ["a.wav"])
    assert names(tmp_path) == ["a.wav.txt"]
    assert (tmp_path / "a.wav.txt").read_text() == "Hello there, my friend.\nWhere were you?\n"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"CORPUS_FORMATS": "txt,doc"}, r"CORPUS_FORMATS=txt,doc: no format doc; choose from srt, vtt, json, txt$"),
        ({"CORPUS_FORMATS": "txt,vtt", "CORPUS_TIMESTAMPS": "none"}, "vtt needs times; set CORPUS_TIMESTAMPS=segment$"),
    ],
    ids=["unknown", "without times"],
)
def test_formats_that_cannot_be_written_are_refused(settings: dict[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        Files(tmp_path, Settings(**settings))  # type: ignore[arg-type]


def test_what_somebody_has_edited_is_kept_when_it_is_written_anew(tmp_path: Path) -> None:
    first = files(tmp_path)
    assert first.write(HELLO, ["a.wav", "b.wav"]) == []
    (tmp_path / "a.wav.txt").write_text("Hello there, my fiend.\n")  # while the run is still going
    first.sweep()
    files(tmp_path).sweep()  # another run, which has nothing to do here
    again = files(tmp_path)
    assert again.write(CALL, ["a.wav", "b.wav"]) == [
        Remark("a.wav", "its txt had been edited: that version is kept beside it as ….edited-1.txt")
    ]
    assert (tmp_path / "a.wav.edited-1.txt").read_text() == "Hello there, my fiend.\n"
    assert files(tmp_path).write(HELLO, ["a.wav", "b.wav"]) == []
    assert names(tmp_path) == ["a.wav.edited-1.txt", "a.wav.txt", "b.wav.txt"]


def test_a_file_is_known_before_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the two must not make an edit of it."""
    there = []
    add = EditLog.add

    def look(self: EditLog, path: Path, content: bytes) -> None:
        there.append(path.exists())
        add(self, path, content)

    monkeypatch.setattr(EditLog, "add", look)
    files(tmp_path).write(HELLO, ["a.wav"])
    assert there == [False]


def test_an_edit_that_says_what_would_be_written_is_no_edit(tmp_path: Path) -> None:
    files(tmp_path).write(HELLO, ["a.wav"])
    files(tmp_path, "json").write(CALL, ["a.wav"])
    (tmp_path / "a.wav.txt").write_text("1: Hello there.\n2: Who is this?\n1: It is me.\n")
    assert files(tmp_path).write(CALL, ["a.wav"]) == []


def test_what_a_power_cut_left_empty_is_written_anew(tmp_path: Path) -> None:
    files(tmp_path).write(HELLO, ["a.wav"])
    (tmp_path / "a.wav.txt").write_bytes(b"")
    assert files(tmp_path).write(HELLO, ["a.wav"]) == []
    assert (tmp_path / "a.wav.txt").read_text() == "Hello there, my friend.\nWhere were you?\n"
