from __future__ import annotations

from pathlib import Path

from sutradhar.stages.corpus.edit_log import EditLog


def test_all_know_what_any_of_them_wrote_before(tmp_path: Path) -> None:
    one, other = EditLog(tmp_path), EditLog(tmp_path)
    one.add(tmp_path / "a.txt", b"one")
    other.add(tmp_path / "b.txt", b"two")
    later = EditLog(tmp_path)
    assert later.has(tmp_path / "a.txt", b"one")
    assert later.has(tmp_path / "b.txt", b"two")
    assert not later.has(tmp_path / "b.txt", b"one")
    later.add(tmp_path / "c.txt", b"three")
    assert later.has(tmp_path / "c.txt", b"three")


def test_merging_keeps_what_is_known_in_one_file_and_leaves_out_torn_lines(tmp_path: Path) -> None:
    for number in range(3):
        EditLog(tmp_path).add(tmp_path / f"{number}.txt", b"text")
    (tmp_path / ".written" / "0123456789abcdef").write_bytes(b"torn")
    merging = EditLog(tmp_path)
    merging.merge()
    assert [path.read_bytes().count(b"\n") for path in (tmp_path / ".written").iterdir()] == [3]
    merging.add(tmp_path / "3.txt", b"text")
    assert all(EditLog(tmp_path).has(tmp_path / f"{number}.txt", b"text") for number in range(4))


def test_folders_that_a_file_system_puts_everywhere_are_passed_over(tmp_path: Path) -> None:
    EditLog(tmp_path).add(tmp_path / "a.txt", b"text")
    (tmp_path / ".written" / "@eaDir").mkdir()
    later = EditLog(tmp_path)
    later.merge()
    assert later.has(tmp_path / "a.txt", b"text")


def test_only_files_with_names_of_ours_are_merged(tmp_path: Path) -> None:
    (tmp_path / ".written").mkdir()
    (tmp_path / ".written" / "letter.txt").write_text("mine")
    for number in range(2):
        EditLog(tmp_path).add(tmp_path / f"{number}.txt", b"text")
    EditLog(tmp_path).merge()
    assert (tmp_path / ".written" / "letter.txt").read_text() == "mine"


def test_a_folder_that_nobody_wrote_to_holds_nothing_of_ours(tmp_path: Path) -> None:
    written = EditLog(tmp_path)
    written.merge()
    assert not written.has(tmp_path / "a.txt", b"text")
