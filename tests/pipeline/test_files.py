from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline import files


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


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "_sync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write_atomic(path, b"new")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("x", b"old")]
