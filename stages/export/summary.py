"""Figures over all recordings of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from stages.manifest import Recording
from stages.results import Result

LOW_CONFIDENCE = -1.0  # mean log-prob of a token: Whisper's own threshold for a text to be tried again
LISTED = 1000  # recordings of low confidence that are named


@dataclass(frozen=True)
class Entry:
    recording: Recording
    result: Result | None  # of what is done
    made_with: str = ""  # the fingerprint under which the result lies


class Failure(msgspec.Struct, frozen=True):
    path: str
    status: str
    reason: str
    attempts: int


class Doubt(msgspec.Struct, frozen=True):
    path: str
    avg_logprob: float


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    files: int
    statuses: dict[str, int]
    done: int
    hours: float  # of sound that is done, copies counted once
    speech_hours: float
    worker_hours: float  # that recognising it took
    copies: int  # of other recordings
    silent: int  # done, and nobody speaks
    languages: dict[str, int]
    reasons: dict[str, int]  # of failures, without the names of files
    failures: tuple[Failure, ...]
    low_confidence: tuple[Doubt, ...]
    durations_s: tuple[float, ...]  # of each recording that is done
    speeds: tuple[float, ...]  # how many times as fast as it plays
    confidences: tuple[float, ...]  # mean log-prob, of those in which somebody speaks
    degraded: int  # done, with something wrong

    @property
    def shortfall(self) -> str:
        """Empty where nothing failed."""
        bad = {status: count for status in ("failed", "unsupported") if (count := self.statuses.get(status, 0))}
        if put_off := sum(failure.status == "pending" for failure in self.failures):
            bad["not found as the scan saw them (run again)"] = put_off
        if not bad:
            return ""
        return f"{' and '.join(f'{count} {status}' for status, count in bad.items())} of {self.files} files; failures.csv says which and why"


def summarise(entries: Iterable[Entry]) -> Summary:
    statuses, languages, reasons = Counter[str](), Counter[str](), Counter[str]()
    failures, doubts = list[Failure](), list[Doubt]()
    durations, speeds, confidences = list[float](), list[float](), list[float]()
    seen = set[str]()
    silent = degraded = speech_ms = 0
    worked = 0.0
    for entry in entries:
        row, result = entry.recording, entry.result
        statuses[row.status] += 1
        if row.status != "done" and row.reason:
            failures.append(Failure(row.path, row.status, row.reason, row.attempts))
            reasons[without_name(row.reason, row.path)] += 1
        if result is None or row.id in seen:
            continue
        seen.add(row.id)
        durations.append(result.duration_ms / 1000)
        speech_ms += result.speech_ms
        worked += result.seconds
        degraded += bool(result.degraded)
        if result.seconds > 0:
            speeds.append(round(result.duration_ms / 1000 / result.seconds, 2))
        if not result.segments:
            silent += 1
            continue
        languages[result.language] += 1
        confidences.append(result.avg_logprob)
        if result.avg_logprob < LOW_CONFIDENCE:
            doubts.append(Doubt(row.path, result.avg_logprob))
    return Summary(
        files=statuses.total(),
        statuses=dict(statuses.most_common()),
        done=statuses["done"],
        hours=round(sum(durations) / 3600, 4),
        speech_hours=round(speech_ms / 3_600_000, 4),
        worker_hours=round(worked / 3600, 4),
        copies=statuses["done"] - len(seen),
        silent=silent,
        languages=dict(languages.most_common()),
        reasons=dict(reasons.most_common()),
        failures=tuple(failures),
        low_confidence=tuple(sorted(doubts, key=lambda doubt: doubt.avg_logprob)[:LISTED]),
        durations_s=tuple(durations),
        speeds=tuple(speeds),
        confidences=tuple(confidences),
        degraded=degraded,
    )


def without_name(reason: str, path: str) -> str:
    """A reason that begins with the file's name, without it, so that reasons alike are counted together."""
    name = path.rpartition("/")[2]
    for beginning in (f"{name}: ", f"{name} "):
        if name and reason.startswith(beginning):
            return reason[len(beginning) :]
    return reason
