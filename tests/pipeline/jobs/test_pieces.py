from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sutradhar.pipeline import files
from sutradhar.pipeline.jobs.pieces import Pieces
from tests.conftest import ROOT


def opened(path: Path, schema: int = 1, packages: tuple[str, ...] = ("msgspec",)) -> Pieces:
    return Pieces(path, schema, packages)


def kept(path: Path, **pieces: object) -> bytes:
    with opened(path) as file:
        for key, value in pieces.items():
            file.keep({key: value})
    return path.read_bytes()


def found(path: Path, schema: int = 1, packages: tuple[str, ...] = ("msgspec",)) -> dict[str, float | None]:
    with opened(path, schema, packages) as file:
        return {key: file.get(key, float) for key in ("a", "b", "c")}


def test_what_was_kept_is_there_again_in_the_precision_it_had(tmp_path: Path) -> None:
    kept(tmp_path / "pieces", a=0.1 + 0.2, b=-1e-17)
    assert found(tmp_path / "pieces") == {"a": 0.30000000000000004, "b": -1e-17, "c": None}


def test_the_later_of_two_counts(tmp_path: Path) -> None:
    kept(tmp_path / "pieces", a=1.0)
    kept(tmp_path / "pieces", a=2.0)
    assert found(tmp_path / "pieces")["a"] == 2.0


def test_cut_off_anywhere_it_holds_what_was_whole_and_takes_more(tmp_path: Path) -> None:
    path = tmp_path / "pieces"
    content = kept(path, a=1.0, b=2.0)
    ends = [number + 1 for number, byte in enumerate(content) if byte == 10]
    for length in range(len(content) + 1):
        path.write_bytes(content[:length])
        whole = sum(end <= length for end in ends)
        assert found(path) == {"a": 1.0 if whole > 1 else None, "b": 2.0 if whole > 2 else None, "c": None}
        kept(path, c=3.0)
        assert found(path)["c"] == 3.0


def test_a_piece_that_is_damaged_anywhere_is_not_there_and_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "pieces"
    content = kept(path, a=1.0, b=2.0, c=3.0)
    _, first, second, third = content.splitlines(keepends=True)
    begin = content.index(second)
    for place in range(begin, begin + len(second) - 1):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert found(path) == {"a": 1.0, "b": None, "c": 3.0}
    assert content.endswith(first + second + third)


@pytest.mark.parametrize(
    "content", [b"[1, 2.0]", b'["a"]', b'{"a": 1.0}', b"null", b"[[", b'["a", ' + b"[" * 99_999, b'["\xff", 1.0]']
)
def test_a_piece_of_a_wrong_form_with_a_checksum_that_is_right_is_not_there_and_costs_no_other(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "pieces"
    checksum = hashlib.sha256(content).hexdigest()[:16].encode()
    path.write_bytes(kept(path, b=2.0) + checksum + b" " + content + b"\n")
    assert found(path) == {"a": None, "b": 2.0, "c": None}
    kept(path, c=3.0)
    assert found(path) == {"a": None, "b": 2.0, "c": 3.0}


def test_it_is_never_opened_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "pieces").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(OSError, match=r"symbolic links: .*/pieces"):
        opened(tmp_path / "pieces")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_each_piece_is_on_the_disk_for_good_when_keep_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut cannot be had here: the pieces that the file holds whenever it is synchronised are those that outlive one."""
    path, outlive = tmp_path / "pieces", list[bytes]()
    kept(path, a=1.0)

    def sync(descriptor: int) -> None:
        outlive.append(os.pread(descriptor, 1 << 20, 0))

    monkeypatch.setattr(files.os, "fsync", sync)
    monkeypatch.setattr(files.sys, "platform", "linux")
    assert kept(path, b=2.0) == outlive[-1]
    assert kept(path, c=3.0) == outlive[-1]


def test_what_is_of_another_kind_is_not_there(tmp_path: Path) -> None:
    kept(tmp_path / "pieces", a="text")
    assert found(tmp_path / "pieces")["a"] is None


@pytest.mark.parametrize("other", [{"schema": 2}, {"packages": ("msgspec", "numpy")}])
def test_what_another_version_made_is_dropped(other: dict[str, int], tmp_path: Path) -> None:
    kept(tmp_path / "pieces", a=1.0)
    assert found(tmp_path / "pieces", **other)["a"] is None  # type: ignore[arg-type]
    assert found(tmp_path / "pieces")["a"] is None


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"nonsense\n"])
def test_a_file_that_holds_nothing_of_ours_begins_anew(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pieces").write_bytes(content)
    kept(tmp_path / "pieces", a=1.0)
    assert found(tmp_path / "pieces")["a"] == 1.0


def test_it_is_for_its_user_alone(tmp_path: Path) -> None:
    kept(tmp_path / "pieces")
    assert (tmp_path / "pieces").stat().st_mode & 0o777 == 0o600


def test_a_full_disk_is_told_with_the_path_and_costs_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "pieces"
    kept(path, a=1.0)
    limit = path.stat().st_size + 30
    code = f"""
import resource, signal
from pathlib import Path
from sutradhar.pipeline.jobs.pieces import Pieces
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    with Pieces(Path({str(path)!r}), 1, ("msgspec",)) as pieces:
        pieces.keep({{"b": "long" * 100}})
except OSError as error:
    print(error.errno, error.filename)
"""
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert told == [str(errno.EFBIG), str(path)]
    assert path.stat().st_size == limit
    assert found(path)["a"] == 1.0
