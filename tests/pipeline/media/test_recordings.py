from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.media.recordings import find
from sutradhar.pipeline.workspace import Workspace
from tests.conftest import ROOT


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


def test_folders_deeper_than_paths_may_be_cost_only_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    deep, opened = "d" * 250, os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):
        os.mkdir(deep, dir_fd=opened)
        below = os.open(deep, os.O_RDONLY, dir_fd=opened)
        os.close(opened)
        opened = below
    os.close(os.open("b.wav", os.O_CREAT | os.O_WRONLY, dir_fd=opened))
    os.close(opened)
    found = find(tmp_path, "")
    assert found.paths == ["a.wav"]
    assert list(found.closed.values()) == ["File name too long"]
    assert len(found.unread) < 250


def test_folders_without_permission_and_folders_that_go_meanwhile_cost_only_themselves(tmp_path: Path) -> None:
    for name in ("closed", "gone", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").touch()
        (tmp_path / name).chmod(0 if name == "closed" else 0o755)
    code = """
import os, sys
from pathlib import Path
from sutradhar.pipeline.media import recordings
if os.getuid() == 0:
    os.setuid(65534)
scandir = os.scandir
def scan(path):
    if path.endswith("gone"):
        os.rename(path, path + ".away")
    return scandir(path)
recordings.os.scandir = scan
found = recordings.find(Path(sys.argv[1]), "")
print(found.paths, found.closed)
"""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents[:3]:
        if folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert said == "['open/a.wav'] {'closed': 'Permission denied', 'gone': 'No such file or directory'}\n"


def test_our_own_folders_below_are_left_out_by_whatever_way_they_are_reached(tmp_path: Path) -> None:
    for name in ("home/jobs", "home/out", "home/models", "out"):
        (tmp_path / "calls" / name).mkdir(parents=True)
        (tmp_path / "calls" / name / "a.wav").touch()
    (tmp_path / "link").symlink_to("calls")
    workspace = Workspace(tmp_path / "calls/home")
    for source in (tmp_path / "calls", tmp_path / "link"):
        found = find(source, "", workspace.folders)
        assert found.paths == ["out/a.wav"]
        assert found.unseen == "left out: our own home/jobs, home/models, home/out"
    assert find(workspace.out, "", workspace.folders).paths == ["a.wav"]  # whoever names it means it


def test_jobs_of_another_clone_are_no_recordings(tmp_path: Path) -> None:
    for name in ("old/jobs/one/stages/demux", "old/jobs/two/stages/demux", "calls/stages"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.wav").touch()
    for name in ("one", "two"):
        (tmp_path / "old/jobs" / name / "job.json").touch()
    found = find(tmp_path, "")
    assert (found.paths, found.unseen) == (["calls/stages/a.wav"], "left out: 2 jobs of another Sutradhar")


def listed(folder: Path, *lines: str) -> list[str]:
    (folder / "list.txt").write_text("\n".join(lines))
    return find(folder / "list.txt", "").paths


def test_listed_files_have_a_path_from_the_list_where_they_lie_below_it(tmp_path: Path) -> None:
    lines = [
        "# calls",
        "a.wav",
        str(tmp_path / "b/c.wav"),
        "./a.wav",
        "/elsewhere/d.wav",
        "x/../../e.wav",
        f"file://{tmp_path}/%E0%A4%95%20f.wav",
    ]
    assert listed(tmp_path, *lines) == [
        "a.wav",
        "b/c.wav",
        "/elsewhere/d.wav",
        str(tmp_path.parent / "e.wav"),
        "क f.wav",
    ]
    assert listed(tmp_path, "file://localhost/elsewhere/d.wav", "100%25.wav") == ["/elsewhere/d.wav", "100%25.wav"]


def test_listed_files_whose_results_would_meet_keep_their_whole_path(tmp_path: Path) -> None:
    assert listed(tmp_path, "home/a.wav", "/home/a.wav") == [str(tmp_path / "home/a.wav"), "/home/a.wav"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("https://host/a.wav", "https:// addresses are not fetched; download the recordings, and list their paths"),
        ("s3://bucket/a.wav", "s3:// addresses are not fetched; download the recordings, and list their paths"),
        (
            "file://host/a.wav",
            "file://host/a.wav is a file on another machine; write file:///folder/file, or the path alone",
        ),
    ],
)
def test_addresses_in_a_list_are_refused_with_their_line(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(UsageError) as caught:
        listed(tmp_path, "a.wav", line)
    assert str(caught.value) == f"{tmp_path}/list.txt line 2: {reason}"
