"""The program that is called for what cannot be done in this process."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.media import ffmpeg as module
from sutradhar.pipeline.media import ffmpeg_path, ffmpeg_version, run_ffmpeg


def killed(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many of the processes that a program is tried in are killed."""
    real, left = subprocess.check_call, [times]

    def check_call(command: list[str], **options: Any) -> int:
        left[0] -= 1
        if left[0] >= 0:
            command = ["/bin/sh", "-c", "kill -9 $$"]
        return real(command, **options)

    monkeypatch.setattr(subprocess, "check_call", check_call)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE", raising=False)


def test_one_that_was_killed_as_it_was_tried_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    killed(1, monkeypatch)
    assert Path(ffmpeg_path()).is_file()


def test_none_that_starts_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    killed(99, monkeypatch)
    with pytest.raises(
        StageFailed,
        match=r"^There is no ffmpeg that can be started: install one .* or run scripts/bootstrap\.sh, then run",
    ):
        ffmpeg_path()
    monkeypatch.undo()
    assert ffmpeg_path()


def test_it_sees_no_secrets_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, seen = tmp_path / "ffmpeg", tmp_path / "seen"
    program.write_text(f"#!/bin/sh\n/usr/bin/env >> {seen}\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    run_ffmpeg(["-i", "a.wav"], tmp_path / "b.wav")
    ffmpeg_version()
    module.complaint(["-i", "a.wav"])
    assert seen.read_text().count(f"PATH={tmp_path}\n") == 3
    assert "hf_secret" not in seen.read_text()
