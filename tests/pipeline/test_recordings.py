from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.recordings import find


def test_a_folder_is_searched_in_order_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    for name in ("b.WAV", "a/z.wav", "a/b/c.mp3", "a.wav", "notes.txt", "README", ".hidden/x.wav", "a/.y.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "again").symlink_to(tmp_path / "a")
    (tmp_path / "nowhere.wav").symlink_to("missing")
    found = find(tmp_path, "")
    assert found.paths == ["a.wav", "b.WAV", "nowhere.wav", "a/z.wav", "a/b/c.mp3"]
    assert found.other_names == "; left out by their names: 1 without suffix, 1 .txt (CORPUS_GLOB chooses)"
    assert found.unseen == "left out: 2 hidden, 1 link to a folder"
    assert find(tmp_path, "a/*, *.txt").paths == ["notes.txt", "a/z.wav", "a/b/c.mp3"]


def listed(folder: Path, *lines: str) -> list[str]:
    (folder / "list.txt").write_text("\n".join(lines))
    return find(folder / "list.txt", "").paths


def test_listed_files_have_a_path_from_the_list_where_they_lie_below_it(tmp_path: Path) -> None:
    lines = ["# calls", "a.wav", str(tmp_path / "b/c.wav"), "./a.wav", "/elsewhere/d.wav", "x/../../e.wav", f"file://{tmp_path}/%E0%A4%95%20f.wav"]
    assert listed(tmp_path, *lines) == ["a.wav", "b/c.wav", "/elsewhere/d.wav", str(tmp_path.parent / "e.wav"), "क f.wav"]
    assert listed(tmp_path, "file://localhost/elsewhere/d.wav", "100%25.wav") == ["/elsewhere/d.wav", "100%25.wav"]


def test_listed_files_whose_results_would_meet_keep_their_whole_path(tmp_path: Path) -> None:
    assert listed(tmp_path, "home/a.wav", "/home/a.wav") == [str(tmp_path / "home/a.wav"), "/home/a.wav"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("https://host/a.wav", "https:// addresses are not fetched; download the recordings, and list their paths"),
        ("s3://bucket/a.wav", "s3:// addresses are not fetched; download the recordings, and list their paths"),
        ("file://host/a.wav", "a file on another machine; write file:///folder/file, or the path alone"),
    ],
)
def test_addresses_in_a_list_are_refused_with_their_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        listed(tmp_path, "a.wav", line)
    assert str(caught.value) == f"{tmp_path}/list.txt line 2: {reason}"
