"""Usage errors, and names of files as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sutradhar.pipeline.commands import as_path
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.machine import command as command_of_machine
from sutradhar.pipeline.models import command as command_of_models
from sutradhar.pipeline.prepare import prepare
from sutradhar.pipeline.running import run


@pytest.mark.parametrize(
    ("command", "arguments", "line"),
    [
        (
            prepare,
            [],
            "missing: -s/--source-language, --transcribe or --translate, a film, a recording or a folder of recordings. For example: ",
        ),
        (
            prepare,
            ["film.mp4"],
            "missing: -s/--source-language, --transcribe or --translate."
            " For example: ./prepare-job.sh film.mkv --transcribe -s hi (prepare-job.sh --help tells all)",
        ),
        (
            prepare,
            ["a", "--trancribe", "-s", "hi"],
            "unknown option --trancribe; did you mean --transcribe? For example: ",
        ),
        (
            prepare,
            ["a", "--transcribe", "-s", "hi", "--device", "gpu"],
            "--device: invalid choice: 'gpu' (choose from ",
        ),
        (prepare, ["a", "--transcribe", "-s", "hi", "b\x1b[31m"], "unrecognized arguments: b\\x1b[31m."),
        (
            run,
            [],
            "one of the arguments -j/--job --all --list --status is required. For example: ./run-pipeline.sh -j 20261121-film-1",
        ),
        (run, ["film-1"], "film-1 stands there without an option: run-pipeline.sh -j film-1. For example: "),
        (run, ["--xyz"], "unknown option --xyz. For example: "),
        (command_of_models, ["fetch"], "missing: NAME. For example: scripts/get-model.sh large-v3"),
        (command_of_machine, ["--jsn"], "unknown option --jsn; did you mean --json?"),
    ],
)
def test_wrong_usage_ends_in_one_line(
    command: object, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)  # type: ignore[attr-defined]
    output = capsys.readouterr()
    assert (ended.value.code, output.out) == (2, "")
    assert output.err.startswith(f"[ERROR] {line}")
    assert output.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "https://me:secret@youtu.be/abc?key=1",
            "https://youtu.be/abc is an address, not a file: download it first, then give the file",
        ),
        ("HTTP://site/film.mp4", "http://site/film.mp4 is an address, not a file: download it first"),
        ("www.youtube.com/watch?v=1", "www.youtube.com/watch?v=1 is an address, not a file: download it first"),
        ("youtu.be/abc", "youtu.be/abc is an address, not a file: download it first"),
        ("s3://bucket/film.mkv", "s3://bucket/film.mkv is an address, not a file: download it first"),
        (
            "rtsp://camera/1",
            "rtsp://camera/1 is a stream, not a file: download it first (ffmpeg -i ADDRESS -c copy film.mkv records it)",
        ),
        ("magnet:?xt=urn:btih:1", "magnet:?xt=urn:btih:1 is a magnet link, not a file: download it first"),
        ("-", "- is standard input, not a file"),
        (
            "C:\\films\\x.mkv",
            "C:\\films\\x.mkv is a Windows path, which is not a file here: in WSL it is /mnt/c/films/x.mkv",
        ),
        (
            "me@nas:/films/x.mkv",
            "me@nas:/films/x.mkv is on another machine, not a file here: copy it to this one first",
        ),
        (
            "nas:film.mkv",
            "nas:film.mkv is no file here, and looks like one on another machine: copy it to this one first",
        ),
        ("nas:films/a b.mkv", "nas:films/a b.mkv is no file here, and looks like one on another machine"),
        (
            "file://nas/films/x.mkv",
            "file://nas/films/x.mkv is a file on another machine; write file:///folder/file, or the path alone",
        ),
        ("\\\\nas\\films", "\\\\nas\\films is on another machine"),
        ("", "An empty name was given"),
        ("https://x/\x1b[31m", "https://x/\\x1b[31m is an address"),
    ],
)
def test_what_is_no_file_here_is_told_from_one_that_is_missing(text: str, what: str) -> None:
    with pytest.raises(UsageError) as refused:
        as_path(text)
    assert str(refused.value).startswith(what)


def test_a_file_that_begins_like_an_option_is_told_with_the_way_to_give_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-rf.mp4").touch()
    with pytest.raises(SystemExit, match="2"):
        prepare.main(["-rf.mp4", "--transcribe", "-s", "en"])
    assert capsys.readouterr().err.startswith("[ERROR] -rf.mp4 begins like an option: write ./-rf.mp4. For example: ")


def test_names_that_look_like_addresses_are_files_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("C:\\x.mkv", "magnet:?x", "-", "~", "Mission: Impossible.mkv"):
        Path(name).touch()
        assert as_path(name) == Path(name)
    assert as_path("nowhere.mkv") == Path("nowhere.mkv")
    assert as_path("Alien: Covenant.mkv") == Path("Alien: Covenant.mkv")
    assert as_path("x" * 5000) == Path("x" * 5000)


def test_a_file_address_and_the_home_folder_are_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert as_path("file:///films/my%20film.mkv") == Path("/films/my film.mkv")
    assert as_path("~/film.mkv") == Path("/home/me/film.mkv")
