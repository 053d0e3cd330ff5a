from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from sutradhar.stages.corpus import manifest
from sutradhar.stages.corpus.manifest import Journal, Recording
from tests.conftest import ROOT

CALL = Recording(path="calls/a.wav", id="ab", bytes=12, mtime_ns=34, duration_ms=1500, codec="gsm_ms", channels=1)
LINE = (
    b'{"path":"calls/a.wav","id":"ab","bytes":12,"mtime_ns":34,"duration_ms":1500,"codec":"gsm_ms","channels":1,'
    b'"status":"pending","reason":"","attempts":0}\n'
)
NAMES = ["कॉल/नमस्ते 🎬.wav", 'a "b", it\'s.wav', "a\nb.wav", "ह" * 83 + ".wav", "\u2028\x85\x1c.wav"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "manifest.jsonl"


def append(path: Path, *rows: Recording) -> None:
    with Journal(path) as journal:
        journal.append(rows)


def test_a_row_is_one_line_of_json(path: Path) -> None:
    append(path, CALL)
    assert path.read_bytes() == LINE
    assert manifest.read(path) == {"calls/a.wav": CALL}


def test_no_manifest_is_an_empty_one(path: Path) -> None:
    assert manifest.read(path) == {}


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back(path: Path, name: str) -> None:
    append(path, replace(CALL, path=name), CALL)
    assert list(manifest.read(path)) == [name, "calls/a.wav"]


def test_the_last_row_of_a_path_counts_in_the_order_of_the_first(path: Path) -> None:
    other, done = replace(CALL, path="b.wav"), replace(CALL, status="done", attempts=1)
    append(path, CALL, other)
    append(path, done)
    assert list(manifest.read(path).values()) == [done, other]


@pytest.mark.parametrize("length", [1, 40, len(LINE) - 2, len(LINE) - 1])
def test_a_torn_last_line_is_not_trusted_and_costs_no_other(path: Path, length: int) -> None:
    path.write_bytes(LINE + LINE.replace(b"a.wav", b"b.wav")[:length])
    assert list(manifest.read(path)) == ["calls/a.wav"]
    append(path, replace(CALL, path="c.wav"))
    assert [name for name in manifest.read(path) if name != "calls/b.wav"] == ["calls/a.wav", "c.wav"]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"null\n",
        b'{"path":"x"}\n',
        b"\0\0\0\n",
        b'"\xff\xfe"\n',
        LINE.replace(b"pending", b"lost"),
        LINE.replace(b"calls/a", b"\xff"),
    ],
)
def test_a_line_that_is_no_row_is_passed_over(path: Path, line: bytes) -> None:
    path.write_bytes(line + LINE)
    assert manifest.read(path) == {"calls/a.wav": CALL}


@pytest.mark.parametrize(
    "change",
    [
        {"id": "no-sha256"},
        {"id": "../../x"},
        {"id": ""},
        {"path": "../../../home/a.wav"},
        {"path": "/a/../b.wav"},
        {"path": ""},
        {"path": "a\0.wav"},
        {"bytes": -1},
        {"channels": 2**40},
        {"duration_ms": 10**30},
    ],
)
def test_a_row_that_nobody_of_ours_can_have_written_is_left_out_and_told_of_once(
    path: Path, change: dict[str, object]
) -> None:
    path.write_bytes(
        json.dumps(json.loads(LINE) | change).encode() + b"\n" + LINE + b'{"torn\n' + b'{"x":' + b"[" * 99_999 + b"\n"
    )
    said: list[str] = []
    assert manifest.read(path, said.append) == {"calls/a.wav": CALL}
    assert said == ["1 line of manifest.jsonl cannot be trusted: what stands there is looked at anew"]


def test_two_processes_append_without_mixing_their_rows(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sutradhar.stages.corpus.manifest import *\n"
        "with Journal(Path(sys.argv[1])) as journal:\n"
        "    for number in range(300):\n"
        "        journal.append([Recording(path=f'{sys.argv[2]}{number}.wav', id='ab', bytes=1, mtime_ns=1, reason='x' * 999)] * 2)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path), name], cwd=ROOT) for name in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert (
        len([line for line in path.read_bytes().split(b"\n") if line]) == 1200
    )  # whoever opens it while another writes may add an empty one
    assert manifest.read(path).keys() == {f"{name}{number}.wav" for name in "ab" for number in range(300)}


def test_a_row_that_a_full_disk_took_in_part_is_an_error(path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal(path) as journal:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINE) + 20, limits[1]))
            with pytest.raises(OSError):
                journal.append([CALL, CALL])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert manifest.read(path) == {"calls/a.wav": CALL}


def test_rewriting_keeps_a_row_a_path_and_leaves_nothing_beside_it(path: Path) -> None:
    append(path, CALL, CALL)
    manifest.rewrite(path, manifest.read(path).values())
    assert path.read_bytes() == LINE
    assert [found.name for found in path.parent.iterdir()] == ["manifest.jsonl"]
    before = path.stat().st_ino
    manifest.rewrite(path, manifest.read(path).values())
    assert path.stat().st_ino == before  # --status knows by the date whether something is new
