from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from sutradhar.pipeline import files
from sutradhar.pipeline.errors import in_one_line


def test_record_holds_size_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    record = files.record(path)
    assert (record.size, record.sha256[:8]) == (3, "ba7816bf")
    assert record.looks_same(path)
    os.utime(path, ns=(1, 1))
    assert not record.looks_same(path)


def test_write_atomic_syncs_before_and_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(files, "_sync", lambda descriptor: steps.append("sync"))
    monkeypatch.setattr(Path, "replace", lambda self, target: steps.append("rename") or replace(self, target))
    files.write_atomic(tmp_path / "x", b"new")
    assert steps == ["sync", "rename", "sync"]
    assert (tmp_path / "x").read_bytes() == b"new"


@pytest.mark.parametrize(
    "work",
    [lambda path: files.write_atomic(path, b"new"), files.sync_file, lambda path: files.sync_folder(path.parent)],
    ids=["write", "file", "folder"],
)
def test_what_the_disk_refuses_is_named_also_where_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path], None]
) -> None:
    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "x").write_bytes(b"old")
    monkeypatch.setattr(files, "_sync", broken)
    with pytest.raises(OSError, match="Input/output error") as caught:
        work(tmp_path / "x")
    assert str(caught.value.filename) in (str(tmp_path / "x"), str(tmp_path))


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_sync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x", b"old")]


@pytest.fixture
def without_inodes(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for bytes, and none for a further file."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=4", "none", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        for number in range(3):
            (disk / str(number)).touch()
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_shortage_of_inodes_is_told_as_such(without_inodes: Path) -> None:
    path = without_inodes / "film.srt"
    with pytest.raises(OSError, match="No space left") as caught:
        path.write_text("x")
    said = "no more files can be made there, since its inodes are used up (8.4 MB free)"
    assert (
        in_one_line(caught.value)
        == f"No space left on device for {path}: {said}; make room and run the same command again"
    )
    assert files.room(path) == said


def test_file_systems_that_count_no_inodes_have_none_used_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def statvfs(path: Path) -> os.statvfs_result:
        return os.statvfs_result((4096, 4096, 1000, 500, 500, f_files, 0, 0, 0, 255))

    monkeypatch.setattr(os, "statvfs", statvfs)
    f_files = 0
    assert files.room(tmp_path / "gone" / "x") == "2.0 MB free"
    f_files = 10
    assert (
        files.room(tmp_path / "gone" / "x")
        == "no more files can be made there, since its inodes are used up (2.0 MB free)"
    )


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_fsync_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "fsync", _refused(number))
    files.write_atomic(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"


def test_other_faults_of_fsync_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", _refused(errno.EIO))
    with pytest.raises(OSError, match="Input/output error"):
        files.write_atomic(tmp_path / "x", b"new")


def _refused(number: int) -> Callable[[int], None]:
    def fsync(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    return fsync


def test_a_new_folder_lets_in_whom_the_one_above_lets_in(tmp_path: Path) -> None:
    (tmp_path / "models" / "base").mkdir(parents=True, mode=0o700)
    (tmp_path / "models" / "base" / "model.bin").touch(0o600)
    for mode, folder, file in ((0o755, 0o755, 0o644), (0o700, 0o700, 0o600), (0o750, 0o750, 0o640)):
        (tmp_path / "models").chmod(mode)
        files.open_like(tmp_path / "models", tmp_path / "models" / "base")
        assert [
            path.stat().st_mode & 0o777
            for path in (tmp_path / "models" / "base", tmp_path / "models" / "base" / "model.bin")
        ] == [folder, file]


def test_json_is_escaped_without_a_change_of_what_it_says() -> None:
    said = {"a\u2028b": "\x1b\x85\u202e\U000e0041\x7f नमस्ते 👨‍👩‍👧", "n": -0.25}
    data = files.json_document(said)
    assert (
        data.decode() == '{\n "a\\u2028b": "\\u001b\\u0085\\u202e\\udb40\\udc41\\u007f नमस्ते 👨‍👩‍👧",\n "n": -0.25\n}\n'
    )
    assert msgspec.json.decode(data) == json.loads(data) == said
