"""The files that a recording's result is written as, in folders like those of the recordings.

`calls/a.wav` becomes `calls/a.wav.txt`, so that no two recordings ever meet in one file. To add a format: a function and a line in FORMATS.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from pipeline.errors import UsageError
from pipeline.files import write_whole
from pipeline.settings import Settings
from stages.cues import build_cues
from stages.cues.formats import srt, vtt
from stages.cues.rules import rules_for
from stages.results import Result
from stages.transcript import Cue, Segment, Track, Transcript

SETTINGS = ("CORPUS_FORMATS", "CORPUS_TIMESTAMPS", "SUBTITLE_PROFILE", "SUBTITLE_FPS")  # what the files depend on beside the results
NO_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
LEFTOVER = re.compile(r"\.tmp-[0-9a-f]{6}-.*", re.DOTALL)  # of write_whole
STAMP = ".written-with.json"
MOST_BYTES = 255  # of a name, on the usual file systems


def as_txt(result: Result, path: str, settings: Settings) -> str:
    """A line a segment."""
    return "".join(f"{_label(segment.speaker)}{segment.text}\n" for segment in result.segments)


def as_json(result: Result, path: str, settings: Settings) -> str:
    document = {
        "file": path,
        "sha256": result.id,
        "duration_ms": result.duration_ms,
        "speech_ms": result.speech_ms,
        "language": result.language,
        "avg_logprob": result.avg_logprob,
        "text": " ".join(segment.text for segment in result.segments),
        "segments": [_segment(segment, settings.CORPUS_TIMESTAMPS) for segment in result.segments],
        "degraded": result.degraded,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _segment(segment: Segment, times: str) -> dict[str, Any]:
    found: dict[str, Any] = {"text": segment.text, "language": segment.language}
    if segment.speaker:
        found["speaker"] = segment.speaker
    if times != "none":
        found |= {"start_ms": segment.start_ms, "end_ms": segment.end_ms}
    found |= {"avg_logprob": round(segment.avg_logprob, 4), "no_speech_prob": round(segment.no_speech_prob, 4), "temperature": segment.temperature}
    if times == "word":
        found["words"] = segment.words
    return found


def as_srt(result: Result, path: str, settings: Settings) -> str:
    return srt.write(*_track(result, settings))


def as_vtt(result: Result, path: str, settings: Settings) -> str:
    return vtt.write(*_track(result, settings))


def _track(result: Result, settings: Settings) -> tuple[Transcript, Track]:
    """Cues are built for each speaker apart, because their words overlap."""
    rules = rules_for(settings.SUBTITLE_PROFILE, result.language or "en", settings.SUBTITLE_FPS)
    cues: list[Cue] = []
    for speaker in sorted({segment.speaker for segment in result.segments}):
        spoken = tuple(segment for segment in result.segments if segment.speaker == speaker)
        for cue in build_cues(Transcript(result.language, 0, result.duration_ms, spoken), rules):
            cues.append(Cue(cue.start_ms, cue.end_ms, (_label(speaker) + cue.lines[0], *cue.lines[1:])))
    cues.sort(key=lambda cue: (cue.start_ms, cue.end_ms))
    return Transcript(result.language, 0, result.duration_ms, result.segments), Track(result.language, "", tuple(cues))


def _label(speaker: str) -> str:
    return f"{speaker}: " if speaker else ""


Writer = Callable[[Result, str, Settings], str]
FORMATS: Mapping[str, Writer] = {"txt": as_txt, "json": as_json, "srt": as_srt, "vtt": as_vtt}
TIMED = ("srt", "vtt")


def formats_of(settings: Settings) -> tuple[str, ...]:
    """Raises UsageError for a format that there is not, or that needs times which are not asked for."""
    names = tuple(dict.fromkeys(name.strip() for name in settings.CORPUS_FORMATS.split(",") if name.strip()))
    unknown = [name for name in names if name not in FORMATS]
    if unknown or not names:
        raise UsageError(f"CORPUS_FORMATS={settings.CORPUS_FORMATS}: no format {', '.join(unknown) or 'named'}; choose from {', '.join(FORMATS)}")
    if settings.CORPUS_TIMESTAMPS == "none" and (timed := [name for name in names if name in TIMED]):
        raise UsageError(f"CORPUS_FORMATS={settings.CORPUS_FORMATS}: {timed[0]} needs times; set CORPUS_TIMESTAMPS=segment")
    return names


class Files:
    def __init__(self, tree: Path, settings: Settings) -> None:
        self._tree, self._settings, self._formats = tree, settings, formats_of(settings)
        self._written_with = msgspec.json.encode({key: getattr(settings, key) for key in SETTINGS})
        written_with, self._ended_ns = self._read_stamp()
        self._outdated = written_with != self._written_with

    def write(self, result: Result, paths: Sequence[str]) -> list[str]:
        """For each name of the recording. What cannot be written for reasons of its own, such as a path too long, is told in a line each.
        Raises OSError where nothing can be written, on a full disk for instance."""
        complaints = []
        for path in paths:
            for name in self._formats:
                target = self.path(path, name)
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    content = FORMATS[name](result, path, self._settings).encode()
                    complaints += self._keep_if_edited(target, content)
                    write_whole(target, content, sync=False)
                except OSError as error:
                    if error.errno in NO_DISK:
                        raise
                    complaints.append(f"its {name} could not be written ({error.strerror})")
        return complaints

    def _keep_if_edited(self, target: Path, content: bytes) -> list[str]:
        """Move a file that somebody has changed since the last run ended out of the way of its new version."""
        if not self._ended_ns or not target.is_file() or target.stat().st_mtime_ns <= self._ended_ns or target.read_bytes() == content:
            return []
        kept = next(spare for n in count(1) if not (spare := target.with_name(f"{target.stem}.edited-{n}{target.suffix}")).exists())
        target.rename(kept)
        return [f"{target.name} had been edited: that version is kept as {kept.name}"]

    def missing(self, path: str) -> bool:
        """Whether they have to be written, because they are not there or were written with other settings."""
        return self._outdated or not all(self.path(path, name).exists() for name in self._formats)

    def stamp(self, *, ended: bool = False) -> None:
        """All are as these settings say. The date of the stamp is when a run last ended: what is younger then was written by somebody else."""
        self._tree.mkdir(parents=True, exist_ok=True)
        write_whole(self._tree / STAMP, self._written_with, sync=False)
        if not ended:
            os.utime(self._tree / STAMP, ns=(self._ended_ns, self._ended_ns))
        self._outdated = False

    def _read_stamp(self) -> tuple[bytes, int]:
        """What files were written with, and when a run last ended; 0 where none has."""
        try:
            return (self._tree / STAMP).read_bytes(), (self._tree / STAMP).stat().st_mtime_ns
        except OSError:
            return b"", 0

    def sweep(self) -> None:
        """Remove what killed workers left half written."""
        for leftover in self._tree.rglob(".tmp-*"):
            if LEFTOVER.fullmatch(leftover.name) and leftover.is_file() and not leftover.is_symlink():
                leftover.unlink(missing_ok=True)

    def path(self, path: str, name: str) -> Path:
        """Where a recording's file lies. A name that would be too long is cut, and ends in a sign that no other has."""
        folder, _, base = path.lstrip("/").rpartition("/")
        if len(f".tmp-1234567-{base}.{name}".encode()) > MOST_BYTES:
            base = base.encode()[:200].decode(errors="ignore") + "~" + hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:8]
        return self._tree / folder / f"{base}.{name}"
