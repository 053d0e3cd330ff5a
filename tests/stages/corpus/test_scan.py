from __future__ import annotations

import codecs
import dataclasses
import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace

from sutradhar.pipeline.errors import StageFailed, UsageError
from sutradhar.pipeline.files import FileRecord
from sutradhar.pipeline.jobs.stage import Outcome
from sutradhar.pipeline.progress import Progress
from sutradhar.stages.corpus import manifest, scan
from sutradhar.stages.corpus.manifest import Recording
from tests.make_media import cut, recording, wav
from tests.stages.run_stage import StageRun

SECOND = bytes(32_000)
LONG = "ह" * 82 + ".wav"  # 250 bytes


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    folder.mkdir()
    return folder


def look(source: Path, **settings: object) -> tuple[dict[str, Recording], Outcome]:
    """What the manifest says after a scan, and what the scan says."""
    outcome = StageRun(scan.STAGE, source, source.parent, **settings).run()
    return manifest.read(source.parent / "manifest.jsonl"), outcome


def call(path: Path, number: int = 0) -> Path:
    """A second of sound that no other number has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return wav(path, number.to_bytes(2, "little") + SECOND[2:])


@pytest.mark.parametrize("forged", ["no-sha256", "ab", "../../../x"])
def test_a_manifest_with_an_id_that_is_no_sha256_costs_no_more_than_reading_that_file_again(
    calls: Path, forged: str
) -> None:
    call(calls / "a.wav")
    rows, _ = look(calls)
    path = calls.parent / "manifest.jsonl"
    path.write_text(path.read_text().replace(rows["a.wav"].id, forged))
    assert look(calls)[0] == rows


@pytest.fixture
def read_in_full(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that are read in full from now on."""
    names: list[str] = []
    real: Callable[[Path], FileRecord] = scan.record
    monkeypatch.setattr(scan, "record", lambda path: names.append(path.name) or real(path))
    return names


def test_a_recording_is_described(calls: Path) -> None:
    path = recording(calls / "stereo.wav", "-ac", "2", "-ar", "8000", "-c:a", "adpcm_ms")
    rows, outcome = look(calls)
    content = path.read_bytes()
    assert rows == {
        "stereo.wav": Recording(
            path="stereo.wav",
            id=sha256(content).hexdigest(),
            bytes=len(content),
            mtime_ns=path.stat().st_mtime_ns,
            duration_ms=4000,
            codec="adpcm_ms",
            channels=2,
        )
    }
    assert (outcome.summary, outcome.seconds_of_media, outcome.failures) == (
        "Found 1 recording, 0:04 of sound",
        4.0,
        "",
    )


def test_what_is_no_recording_gets_a_reason_and_costs_no_other(calls: Path) -> None:
    call(calls / "good.wav")
    (calls / "nothing.wav").touch()
    (calls / "short.wav").write_bytes(bytes(43))
    wav(calls / "silent.wav", b"")  # a header of 44 bytes
    (calls / "text.wav").write_text("this is no sound, whatever its name says. " * 9)
    (calls / "noise.mp3").write_bytes(b"\x89\x01" * 600)
    rows, outcome = look(calls, CORPUS_MIN_BYTES=44)
    assert {name: (row.status, row.reason) for name, row in rows.items() if name != "noise.mp3"} == {
        "good.wav": ("pending", ""),
        "nothing.wav": ("empty", "0 bytes"),
        "short.wav": ("empty", "43 bytes, fewer than CORPUS_MIN_BYTES=44"),
        "silent.wav": ("empty", "0 s of sound"),
        "text.wav": (
            "unsupported",
            "is not a media file that can be read (Invalid data found when processing input): give a film or recording, such as mkv, mp4, mp3 or wav",
        ),
    }
    assert rows["noise.mp3"].status == "unsupported"
    assert outcome.summary == "Found 6 recordings, 0:01 of sound, 3 empty, 2 unsupported"


def test_a_file_that_breaks_off_while_its_length_is_measured_costs_no_other(calls: Path) -> None:
    call(calls / "good.wav")
    with recording(calls / "damaged.caf").open("r+b") as file:
        file.seek(36)  # how many bytes a packet has
        file.write(b"\x20")
    assert {name: (row.status, row.reason) for name, row in look(calls)[0].items()} == {
        "damaged.caf": ("empty", "0 s of sound"),
        "good.wav": ("pending", ""),
    }


def test_a_recording_that_was_cut_short_is_left_to_the_one_who_decodes_it(calls: Path) -> None:
    cut(call(calls / "cut.wav"))
    assert look(calls)[0]["cut.wav"].status == "pending"


def test_copies_have_one_id_and_empty_files_are_none(calls: Path) -> None:
    for name in ("a.wav", "b/a.wav", "c.WAV"):
        call(calls / name)
    (calls / "d.wav").touch()
    (calls / "e.wav").touch()
    rows, outcome = look(calls)
    assert len({rows[name].id for name in ("a.wav", "b/a.wav", "c.WAV")}) == 1
    assert outcome.summary == "Found 5 recordings, 0:03 of sound, 2 empty, 2 copies of others"


@pytest.mark.parametrize(
    "name",
    [
        "कॉल/नमस्ते 🎬.wav",
        LONG,
        f"{'d' * 250}/{LONG}",
        "a\nb.wav",
        "\u2028\x85.wav",
        ' "a", b;$(id).wav',
        "-rf.wav",
        "<script>.wav",
    ],
)
def test_any_name_is_a_name(calls: Path, name: str) -> None:
    call(calls / name)
    assert {path: row.status for path, row in look(calls)[0].items()} == {name: "pending"}
    assert look(calls)[1].summary == "Found 1 recording, 0:01 of sound"


def test_a_name_that_is_not_utf8_costs_no_other(calls: Path) -> None:
    for name in ("good.wav", os.fsdecode(b"caf\xe9.wav"), os.fsdecode(b"x.\xff")):
        call(calls / name)
    rows, outcome = look(calls)
    assert {name: (row.status, row.reason) for name, row in rows.items()} == {
        "caf\\xe9.wav": ("unsupported", "its name is not UTF-8: rename it"),
        "good.wav": ("pending", ""),
    }
    assert outcome.summary.endswith("1 unsupported; left out by their names: 1 .\\xff (CORPUS_GLOB chooses)")


def test_order_is_that_of_the_names_and_what_is_hidden_is_left_out_and_counted(
    calls: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("b.wav", "a/z.wav", "a/b/c.wav", "a.wav", "._a.wav", ".git/a.wav"):
        call(calls / name)
    (calls / "link").symlink_to(calls / "a")
    with caplog.at_level("INFO"):
        assert list(look(calls)[0]) == ["a.wav", "b.wav", "a/z.wav", "a/b/c.wav"]
    assert caplog.messages == ["Looking for recordings in calls", "Left out: 2 hidden, 1 link to a folder"]


def test_links_to_files_are_followed_and_to_folders_not(calls: Path, tmp_path: Path) -> None:
    call(tmp_path / "elsewhere" / "a.wav")
    (calls / "file.wav").symlink_to(tmp_path / "elsewhere" / "a.wav")
    (calls / "folder.wav").symlink_to(tmp_path / "elsewhere")
    (calls / "above").symlink_to(calls)
    assert {name: row.duration_ms for name, row in look(calls)[0].items()} == {"file.wav": 1000}


def test_what_cannot_be_read_costs_no_other(calls: Path) -> None:
    call(calls / "good.wav")
    (calls / "broken.wav").symlink_to("nowhere.wav")
    (calls / "circle.wav").symlink_to("circle.wav")
    os.mkfifo(calls / "pipe.wav")
    rows, outcome = look(calls)
    assert {name: (row.status, row.reason) for name, row in rows.items()} == {
        "broken.wav": ("unsupported", "cannot be read: No such file or directory"),
        "circle.wav": ("unsupported", "cannot be read: Too many levels of symbolic links"),
        "good.wav": ("pending", ""),
        "pipe.wav": ("unsupported", "it is no file"),
    }
    assert outcome.summary == "Found 4 recordings, 0:01 of sound, 3 unsupported"


def test_a_file_without_permission_is_looked_at_again_once_it_may_be_read(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = call(calls / "a.wav")

    def forbidden(path: Path) -> FileRecord:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:  # permissions do not stop root
        patch.setattr(scan, "record", forbidden)
        assert look(calls)[0]["a.wav"].reason == "cannot be read: Permission denied"
    assert look(calls)[0]["a.wav"].id == sha256(path.read_bytes()).hexdigest()


def forbid(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Permissions do not stop root."""
    scandir = os.scandir

    def scan_or_not(path: str) -> object:
        if Path(path) in folders:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan_or_not)


def test_folders_below_without_permission_are_named_and_cost_no_other(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "lost+found", "z"):
        (calls / name).mkdir()
        call(calls / name / "a.wav")
    forbid(monkeypatch, calls / "a", calls / "lost+found")
    rows, outcome = look(calls)
    assert list(rows) == ["z/a.wav"]
    assert outcome.degraded == ("2 folders cannot be read: a and 1 more",)


@pytest.mark.parametrize(
    "number", [errno.EIO, errno.ESTALE, errno.ENAMETOOLONG, errno.ENOENT, errno.EACCES, errno.ENOMEM]
)
def test_a_folder_that_cannot_be_listed_costs_only_itself_and_is_named(
    calls: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    call(calls / "a/b/c.wav", 1)
    call(calls / "z.wav", 2)
    before, _ = look(calls)
    scandir = os.scandir
    monkeypatch.setattr(
        os, "scandir", lambda path: _raise(number, path) if path == str(calls / "a/b") else scandir(path)
    )
    rows, outcome = look(calls)
    assert rows == before  # what was known of it stays
    assert outcome.failures == "1 folder could not be listed, and what may lie there has no transcript"
    why = "" if number == errno.EACCES else f" ({os.strerror(number)})"
    assert outcome.degraded == (f"1 folder cannot be read: a/b{why}",)
    said = json.loads((calls.parent / "scratch/scan/folders.json").read_bytes())
    assert said == {"closed": {"a/b": os.strerror(number)}}


def _raise(number: int, path: str) -> None:
    raise OSError(number, os.strerror(number), path)


def test_lost_and_found_of_a_disk_is_no_failure(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call(calls / "a.wav")
    (calls / "lost+found").mkdir()
    forbid(monkeypatch, calls / "lost+found")
    _, outcome = look(calls)
    assert (outcome.degraded, outcome.failures) == (("1 folder cannot be read: lost+found",), "")


def test_the_folder_itself_without_permission_ends_the_scan(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid(monkeypatch, calls)
    with pytest.raises(UsageError, match=r"^Cannot read .*/calls: Permission denied; look at its permissions$"):
        look(calls)


def test_a_second_scan_reads_only_what_is_new_or_changed(calls: Path, read_in_full: list[str]) -> None:
    for number, name in enumerate(("same.wav", "changed.wav", "gone.wav")):
        call(calls / name, number)
    before, _ = look(calls)
    done = {name: replace(row, status="done", attempts=1) for name, row in before.items()}
    manifest.rewrite(calls.parent / "manifest.jsonl", done.values())
    read_in_full.clear()
    call(calls / "changed.wav", 9)
    os.utime(calls / "changed.wav", (1, 1))
    (calls / "gone.wav").unlink()
    shutil.copy2(calls / "same.wav", calls / "copied.wav")
    call(calls / "new.wav", 5)
    rows, outcome = look(calls)
    assert sorted(read_in_full) == ["changed.wav", "copied.wav", "new.wav"]
    assert {name: (row.status, row.attempts) for name, row in rows.items()} == {
        "changed.wav": ("pending", 0),
        "copied.wav": ("pending", 0),
        "new.wav": ("pending", 0),
        "same.wav": ("done", 1),
    }
    assert rows["same.wav"].id == rows["copied.wav"].id == before["same.wav"].id
    assert rows["changed.wav"].id != before["changed.wav"].id
    assert outcome.summary == "Found 4 recordings, 0:04 of sound, 1 copy of another, 2 new, 1 gone"


def test_a_scan_that_finds_nothing_new_leaves_the_manifest_as_it_was(calls: Path, read_in_full: list[str]) -> None:
    call(calls / "a.wav")
    (calls / "b.wav").write_text("no sound " * 20)
    look(calls)
    before = (calls.parent / "manifest.jsonl").read_bytes()
    read_in_full.clear()
    look(calls)
    assert (calls.parent / "manifest.jsonl").read_bytes() == before
    assert read_in_full == ["b.wav"]  # what is unsupported may not be so in another version


def test_a_killed_scan_goes_on(calls: Path, read_in_full: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "AT_ONCE", 2)
    for number in range(6):
        call(calls / f"{number}.wav", number)

    def kill(progress: Progress) -> None:
        if progress.done == 4:
            os.kill(os.getpid(), signal.SIGKILL)

    if not (child := os.fork()):
        scan.run(dataclasses.replace(StageRun(scan.STAGE, calls, calls.parent).context, report=kill))
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    path = calls.parent / "manifest.jsonl"
    assert path.read_bytes().count(b"\n") == 4
    path.write_bytes(path.read_bytes()[:-20])  # the last row was torn
    rows, _ = look(calls)
    assert sorted(read_in_full) == ["3.wav", "4.wav", "5.wav"]
    assert [(name, row.status) for name, row in rows.items()] == [(f"{number}.wav", "pending") for number in range(6)]


def test_a_list_names_files_by_absolute_and_relative_paths(calls: Path, tmp_path: Path) -> None:
    names = ["a.wav", "sub/नमस्ते 🎬.wav", "no suffix", "a b.wav", "\u2028.wav"]
    for number, name in enumerate(names):
        call(calls / name, number)
    call(tmp_path / "elsewhere.wav", 9)
    lines = [
        "# a comment",
        "",
        "a.wav",
        str(calls / "sub/नमस्ते 🎬.wav"),
        "sub/../a.wav",
        "./no suffix",
        "  a b.wav\t",
        "\u2028.wav",
        "../elsewhere.wav",
        "missing.wav",
        "sub",
    ]
    (calls / "list.txt").write_bytes(codecs.BOM_UTF8 + "\r\n".join(lines).encode())
    run = StageRun(scan.STAGE, calls / "list.txt", tmp_path)
    outcome = run.run()
    rows = manifest.read(tmp_path / "manifest.jsonl")
    assert {path: (row.status, row.reason) for path, row in rows.items()} == {
        **dict.fromkeys(names, ("pending", "")),
        str(tmp_path / "elsewhere.wav"): ("pending", ""),
        "missing.wav": ("unsupported", "cannot be read: No such file or directory"),
        "sub": ("unsupported", "it is no file"),
    }
    assert outcome.summary == "Found 8 recordings, 0:06 of sound, 2 unsupported"
    assert run.progress[-1] == (8, 8)


def test_a_list_that_is_no_text_is_refused(calls: Path, tmp_path: Path) -> None:
    (calls / "list.txt").write_text("a.wav\n", encoding="utf-16")
    with pytest.raises(
        UsageError,
        match=r"list\.txt is no list of files in UTF-8; write the path of a recording into each of its lines$",
    ):
        StageRun(scan.STAGE, calls / "list.txt", tmp_path).run()


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("", ["a.wav", "B.MP3", "d/a.wav"]),
        ("*.wav", ["a.wav", "d/a.wav"]),
        ("d/*, *.txt", ["c.txt", "d/a.wav"]),
        ("a.*", ["a.wav", "d/a.wav"]),
    ],
)
def test_patterns_choose_by_name_or_path(calls: Path, pattern: str, names: list[str]) -> None:
    for number, name in enumerate(("a.wav", "B.MP3", "c.txt", "d/a.wav")):
        call(calls / name, number)
    assert sorted(look(calls, CORPUS_GLOB=pattern)[0], key=str.lower) == names


def test_what_is_left_out_is_told(calls: Path) -> None:
    for name in ("a.wav", "B.WAV", "notes.txt", "more.txt", "README"):
        call(calls / name)
    assert (
        look(calls)[1].summary
        == "Found 2 recordings, 0:02 of sound, 1 copy of another; left out by their names: 2 .txt, 1 without suffix (CORPUS_GLOB chooses)"
    )
    assert look(calls, CORPUS_GLOB="a*")[1].summary.endswith(
        "left out by their names: 2 .txt, 1 .WAV, 1 without suffix (CORPUS_GLOB chooses)"
    )


def test_the_least_size_holds_for_what_was_looked_at_before_too(calls: Path) -> None:
    call(calls / "a.wav")
    statuses = [look(calls, CORPUS_MIN_BYTES=least)[0]["a.wav"].status for least in (32_044, 32_045, 64)]
    assert statuses == ["pending", "empty", "pending"]


def test_a_folder_without_recordings_is_told_with_what_is_there(calls: Path) -> None:
    with pytest.raises(StageFailed, match=r"/calls holds no recordings$"):
        look(calls)
    (calls / "notes.txt").touch()
    with pytest.raises(
        StageFailed, match=r"/calls holds no recordings; left out by their names: 1 \.txt \(CORPUS_GLOB chooses\)$"
    ):
        look(calls)


def test_a_file_that_vanishes_while_it_is_looked_at_costs_no_other(
    calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.wav"):
        call(calls / name)
    find = scan.find
    monkeypatch.setattr(scan, "find", lambda *arguments: (find(*arguments), (calls / "a.wav").unlink())[0])
    rows, _ = look(calls)
    assert [(row.status, row.reason) for row in rows.values()] == [
        ("unsupported", "cannot be read: No such file or directory"),
        ("pending", ""),
    ]
    monkeypatch.undo()
    assert list(look(calls)[0]) == ["b.wav"]


def test_verify_reads_every_recording_again(calls: Path) -> None:
    path = call(calls / "a.wav")
    before, status = look(calls)[0], path.stat()
    call(path, 7)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert look(calls)[0] == before
    run = StageRun(scan.STAGE, calls, calls.parent)
    run.context = dataclasses.replace(run.context, verify=True)
    run.run()
    assert (
        manifest.read(calls.parent / "manifest.jsonl")["a.wav"].id
        == sha256(path.read_bytes()).hexdigest()
        != before["a.wav"].id
    )
