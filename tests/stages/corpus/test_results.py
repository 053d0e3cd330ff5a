from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from sutradhar.pipeline.errors import StoreClosed
from sutradhar.pipeline.files import write_whole
from sutradhar.stages.corpus import results
from sutradhar.stages.corpus.results import Maker, Result, Store
from sutradhar.stages.transcript import Segment, Word
from tests.conftest import ROOT

WITH = {"WHISPER_MODEL": "base", "WHISPER_BEAM_SIZE": "5", "model model.bin": "d01c"}
ID = "ab" + "0" * 62
WORDS = (Word("नमस्ते", 0, 500, 0.9), Word(" 🎬", 500, 1000, 0.5))
DONE = Result(
    id=ID,
    status="done",
    duration_ms=1500,
    language="hi",
    avg_logprob=-0.25,
    segments=(Segment(0, 0, 1000, "नमस्ते 🎬", WORDS, "hi", 0.99, -0.25, 0.01, 1.1, 0.0, speaker="left"),),
    degraded=("cut short",),
)


def made(folder: Path, *, mix: bool = False, **changes: str) -> Store:
    store = Store(folder, WITH | changes, mix=mix)
    store.create()
    return store


def place(store: Store, recording: str = ID) -> Path:
    return store.folder / recording[:2] / f"{recording}.json"


def test_a_result_comes_back_as_it_was(tmp_path: Path) -> None:
    store = made(tmp_path)
    assert store.read(ID) is None
    store.write(DONE)
    assert place(store).is_file()
    assert Store(tmp_path, WITH).read(ID) == DONE
    (store.folder / "cd").touch()  # somebody's
    assert store.ids() == {ID}


def test_the_store_says_what_it_was_made_with(tmp_path: Path) -> None:
    store = made(tmp_path)
    assert json.loads((store.folder / "made-with.json").read_text()) == WITH
    store.write(DONE)
    assert Store.of_fingerprint(tmp_path, store.fingerprint).read(ID) == DONE


@pytest.mark.parametrize(
    "change", [{"WHISPER_MODEL": "small"}, {"WHISPER_BEAM_SIZE": "1"}, {"model model.bin": "d01d"}, {"times": "true"}]
)
def test_another_setting_is_another_store(tmp_path: Path, change: dict[str, str]) -> None:
    store, other = made(tmp_path), made(tmp_path, **change)
    assert store.fingerprint != other.fingerprint
    store.write(DONE)
    assert (other.read(ID), other.ids()) == (None, set())
    assert other.others() == [WITH]


def test_the_order_of_settings_makes_no_difference(tmp_path: Path) -> None:
    assert Store(tmp_path, dict(reversed(WITH.items()))).fingerprint == Store(tmp_path, WITH).fingerprint


def test_another_schema_is_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Store(tmp_path, WITH).fingerprint
    monkeypatch.setattr(results, "SCHEMA", 2)
    assert Store(tmp_path, WITH).fingerprint != before


def test_mixing_counts_what_other_settings_made_but_takes_its_own_first(tmp_path: Path) -> None:
    made(tmp_path).write(DONE)
    mixed = made(tmp_path, mix=True, WHISPER_MODEL="small")
    assert (mixed.ids(), mixed.read(ID)) == ({ID}, DONE)
    again = msgspec.structs.replace(DONE, duration_ms=7)
    mixed.write(again)
    assert mixed.read(ID) == again
    assert made(tmp_path).read(ID) == DONE


def test_a_store_without_results_is_no_other(tmp_path: Path) -> None:
    empty = made(tmp_path, WHISPER_MODEL="small")
    place(empty).parent.mkdir()
    place(empty).with_name(f".tmp-7-{ID}.json").write_bytes(b"{")
    assert made(tmp_path).others() == []


HUGE = msgspec.json.encode(DONE).replace(b'"start_ms":', b'"start_ms":' + b"9" * 30)


@pytest.mark.parametrize(
    "damage",
    [b"", b"\0" * 99, msgspec.json.encode(DONE)[:-30], b'{"id":"\xff"}', b"[]", b'{"x":' + b"[" * 99_999, HUGE],
    ids=["empty", "nul", "torn", "latin", "list", "deep", "huge"],
)
def test_what_is_no_whole_result_is_not_done(tmp_path: Path, damage: bytes) -> None:
    store = made(tmp_path)
    store.write(DONE)
    place(store).write_bytes(damage)
    assert store.read(ID) is None


@pytest.mark.parametrize("change", [{"id": "cd" + "0" * 62}, {"schema": 99}])
def test_a_result_of_another_recording_or_version_is_not_trusted(tmp_path: Path, change: dict[str, object]) -> None:
    store = made(tmp_path)
    place(store).parent.mkdir()
    place(store).write_bytes(msgspec.json.encode(msgspec.structs.replace(DONE, **change)))
    assert store.read(ID) is None


def test_what_a_killed_worker_left_half_written_counts_for_nothing_and_is_swept(tmp_path: Path) -> None:
    store = made(tmp_path)
    store.write(DONE)
    leftover = place(store).with_name(f".tmp-4711-{ID}.json")
    leftover.write_bytes(b'{"schema":1,')
    assert store.ids() == {ID}
    store.sweep()
    assert [path.name for path in place(store).parent.iterdir()] == [f"{ID}.json"]


def test_everything_that_killed_writers_left_is_swept_whatever_their_settings(tmp_path: Path) -> None:
    for store in (made(tmp_path), made(tmp_path, WHISPER_MODEL="small")):
        store.write(DONE)
        store.note(Maker(packages=("a 1",)))
        for folder in (store.folder, store.folder / results.MADE_BY, place(store).parent):
            (folder / ".tmp-0a1b2c-x.json").write_bytes(b"{")
    kept = sorted(path for path in tmp_path.rglob("*") if not path.name.startswith(".tmp-"))
    made(tmp_path).sweep()
    assert sorted(tmp_path.rglob("*")) == kept
    assert len(kept) == 2 * 6


def test_the_probe_of_a_killed_writer_is_swept(tmp_path: Path) -> None:
    store = made(tmp_path)
    code = f"""
import os, signal
from pathlib import Path
from sutradhar.stages.corpus.results import Store
Path.unlink = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
Store(Path({str(tmp_path)!r}), {WITH!r})._is_closed()
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -signal.SIGKILL
    assert len(list(store.folder.iterdir())) == 2
    store.sweep()
    assert [path.name for path in store.folder.iterdir()] == [results.MADE_WITH]


def test_what_lies_behind_a_link_is_not_swept(tmp_path: Path) -> None:
    store, theirs = made(tmp_path / "results"), tmp_path / "elsewhere" / "of-somebody"
    theirs.mkdir(parents=True)
    (theirs / ".tmp-mine").touch()
    (store.folder / "ab").symlink_to(theirs)
    (store.all / "cd").symlink_to(theirs)
    (store.all / "ef").symlink_to(theirs.parent)
    store.sweep()
    assert (theirs / ".tmp-mine").exists()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ह.txt"
    write_whole(path, b"old", sync=False)

    def killed(self: Path, target: Path) -> Path:
        assert path.read_bytes() == b"old"
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new", sync=False)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("ह.txt", b"old")]
    monkeypatch.undo()
    write_whole(path, b"new", sync=True)
    assert path.read_bytes() == b"new"


def test_two_processes_that_write_one_file_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, replace = tmp_path / "a.txt", Path.replace

    def meanwhile(self: Path, target: Path) -> Path:
        monkeypatch.undo()
        write_whole(path, b"other", sync=False)
        assert path.read_bytes() == b"other"
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", meanwhile)
    write_whole(path, b"new", sync=False)
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("a.txt", b"new")]


def test_a_failure_of_other_settings_binds_nobody(tmp_path: Path) -> None:
    made(tmp_path, WHISPER_MODEL="small").write(Result(id=ID, status="failed", reason="cut short", attempts=2))
    mixed = made(tmp_path, mix=True)
    assert (mixed.others(), mixed.ids(), mixed.read(ID)) == ([], set(), None)


def test_a_result_that_was_written_anew_or_cut_changes_the_digest(tmp_path: Path) -> None:
    store = made(tmp_path)
    digests = [store.digest()]
    store.write(DONE)
    digests.append(store.digest())
    place(store).write_bytes(place(store).read_bytes()[:100])
    digests.append(store.digest())
    assert len(set(digests)) == 3


@pytest.mark.parametrize(
    ("content", "aside"),
    [
        (msgspec.json.encode(DONE), False),
        (b"{", True),
        (b"", True),
        (msgspec.json.encode(replace(DONE, id="cd" * 32)), True),
    ],
)
def test_only_what_is_damaged_is_put_aside(tmp_path: Path, content: bytes, aside: bool) -> None:
    store = made(tmp_path)
    store.write(DONE)
    place(store).write_bytes(content)
    assert store.put_aside(ID) is aside
    assert store.ids() == (set() if aside else {ID})
    assert store.put_aside(ID) is False


def test_what_cannot_be_read_now_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = made(tmp_path)
    store.write(DONE)
    with monkeypatch.context() as closed:
        closed.setattr(Path, "read_bytes", refuse)
        assert (store.read(ID), store.put_aside(ID)) == (None, False)
    assert store.read(ID) == DONE


def refuse(path: Path) -> bytes:
    raise OSError(116, "Stale file handle")


def test_one_folder_that_is_closed_is_told_from_a_store_that_is(tmp_path: Path) -> None:
    store = made(tmp_path)
    (store.folder / "ab").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists"):
        store.write(DONE)
    assert [path.name for path in sorted(store.folder.iterdir())] == ["ab", "made-with.json"]
    shutil.rmtree(store.folder)
    with pytest.raises(StoreClosed, match=r"^Results cannot be written any more: .*No such file or directory"):
        store.write(DONE)
