"""Recordings and what came of them."""

from __future__ import annotations

from hashlib import sha256

from sutradhar.stages.corpus.export.summary import Entry
from sutradhar.stages.corpus.manifest import Recording, Status
from sutradhar.stages.corpus.results import Result
from sutradhar.stages.transcript import Segment, Word


def row(path: str, status: Status = "done", reason: str = "", *, content: str = "", attempts: int = 1) -> Recording:
    name = sha256((content or path).encode()).hexdigest()
    return Recording(
        path=path,
        id=name,
        bytes=100,
        mtime_ns=1,
        duration_ms=90_000,
        codec="gsm_ms",
        channels=2,
        status=status,
        reason=reason,
        attempts=attempts,
    )


def segment(text: str, start_ms: int = 0, speaker: str = "") -> Segment:
    words = (Word(text, start_ms + 100, start_ms + 1900, 0.75),)
    return Segment(0, start_ms, start_ms + 2000, text, words, "hi", 0.9, -0.25, 0.125, 1.0, 0.0, speaker)


def result(
    recording: Recording,
    *texts: str,
    avg_logprob: float = -0.25,
    seconds: float = 9.0,
    language: str = "hi",
    degraded: str = "",
) -> Result:
    return Result(
        id=recording.id,
        status="done",
        duration_ms=recording.duration_ms,
        speech_ms=45_000 * bool(texts),
        language=language * bool(texts),
        avg_logprob=avg_logprob * bool(texts),
        segments=tuple(segment(text, 2000 * number) for number, text in enumerate(texts)),
        seconds=seconds,
        degraded=(degraded,) if degraded else (),
    )


def done(path: str, *texts: str, content: str = "", **more: float | str) -> Entry:
    recording = row(path, content=content)
    return Entry(recording, result(recording, *texts, **more), "f1")  # type: ignore[arg-type]
