from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.evaluate.recordings import paired, read_recordings
from tests.stages.evaluate.support import text

SRT = "1\n00:00:01,000 --> 00:00:02,000\n{}\n"


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def said(folder: Path, language: str = "") -> dict[str, str]:
    found = read_recordings(folder, language)
    return {name: " ".join(one.text for one in version.utterances) for name, version in found.items()}


def test_a_file_is_named_without_its_suffixes(tmp_path: Path) -> None:
    write(tmp_path, call_wav_txt="Hello", film_hi_srt=SRT.format("Namaste"))
    assert said(tmp_path / "call.wav.txt") == {"call": "Hello"}
    assert {name: version.language for name, version in read_recordings(tmp_path / "film.hi.srt").items()} == {
        "film": "hi"
    }


def test_of_several_files_of_a_recording_the_one_that_knows_most_is_taken(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        x__a_txt="text",
        x__a_srt=SRT.format("cue"),
        x__a_json='{"text": "json"}',
        b_wav_txt="other",
        notes_html="<p>",
    )
    assert said(folder) == {"b": "other", "x/a": "json"}


def test_languages_are_chosen_and_not_mixed(tmp_path: Path) -> None:
    folder = write(tmp_path, film_en_srt=SRT.format("Yes"), film_hi_srt=SRT.format("Haan"))
    assert said(folder, "hi") == {"film": "Haan"}
    with pytest.raises(UsageError, match="film: is there in en, hi; --language chooses one"):
        read_recordings(folder)


def test_of_a_jobs_results_the_transcripts_are_taken(tmp_path: Path) -> None:
    folder = write(tmp_path, transcripts_jsonl='{"path":"calls/a.wav","text":"x"}', transcripts__calls__a_wav_txt="A")
    assert said(folder) == {"calls/a": "A"}


def test_a_folder_with_nothing_to_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no file that can be judged"):
        read_recordings(write(tmp_path, a_html="x"))


def test_recordings_are_paired_by_name() -> None:
    a, b = text("a"), text("b")
    assert paired({"x": a}, {"y": b}) == {"x": b}  # one each
    assert paired({"x/a": a, "x/b": a}, {"b": b, "calls/a": a, "c": a}) == {"x/a": a, "x/b": b}
    assert paired({"x/a": a, "y/a": a, "b": a}, {"a": b, "b": b}) == {"b": b}  # which of the two is not known
