"""Figures over all recordings of a folder."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from sutradhar.stages.corpus import reasons
from sutradhar.stages.corpus.manifest import Recording
from sutradhar.stages.corpus.results import Result
from sutradhar.stages.text.own_script import Letters, wrong_script_because

LOW_CONFIDENCE = -1.0  # mean log-prob of a token: Whisper's own threshold for a text to be tried again
LISTED = 200  # the most recordings of low confidence that are named
SILENT_LISTED = 20  # the most recordings without speech that are named


@dataclass(frozen=True)
class Entry:
    recording: Recording
    result: Result | None  # None where the file is not done
    made_with: str = ""  # the fingerprint under which the result lies


class NotDone(msgspec.Struct, frozen=True):
    path: str
    status: str
    reason: str
    attempts: int


class Doubt(msgspec.Struct, frozen=True):
    path: str
    avg_logprob: float


class Quantiles(msgspec.Struct, frozen=True):
    least: float
    p05: float
    median: float
    p95: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Quantiles | None:
        """Return quantiles, each one of the values; None where no value is finite."""
        ordered = sorted(value for value in values if math.isfinite(value))
        if not ordered:
            return None
        return cls(
            *(round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 4) for share in (0, 0.05, 0.5, 0.95, 1))
        )


class FolderSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `summary.json`. It does not grow with the folder."""

    files: int
    statuses: dict[str, int]  # files by status, together all of them
    put_off: int  # pending files that were not as the scan saw them
    reasons: dict[str, int]  # files without a transcript by reason, without names and numbers
    done: int  # files: recordings and their copies
    copies: int  # files that are copies of other recordings
    recordings: int  # recordings that are done, each counted once, as in all that follows
    with_text: int
    silent: int  # recordings without speech; together with those with text all recordings
    silent_files: tuple[str, ...]  # some recordings without speech
    made_with: dict[str, int]  # recordings by fingerprint
    sound_s: float
    sound_hours: float
    speech_of_all_channels_s: float  # more than there is sound where two speak at a time
    speech_of_all_channels_hours: float
    worker_hours: float  # time that recognising took
    speed: float  # a worker's, times real time; 0 where it is not known
    languages: dict[str, int]  # recordings with text by language
    # Doubt about the script of all texts together, "" for none: calls that are too short to be judged add up.
    script_doubt: str
    low_confidence_below: float
    low_confidence: int
    low_confidence_files: tuple[Doubt, ...]  # the recordings of the lowest confidence
    remarks: dict[str, int]  # remarks on recordings that are done: "damaged at …", "both channels hold the same"
    duration_s: Quantiles | None
    times_real_time: Quantiles | None
    avg_logprob: Quantiles | None  # over recordings with text

    @property
    def shortfall(self) -> str:
        """Say how many files failed, are unsupported or were put off; "" where none."""
        bad = {status: count for status in ("failed", "unsupported") if (count := self.statuses.get(status, 0))}
        if self.put_off:
            bad["put off (run again)"] = self.put_off
        if not bad:
            return ""
        return (
            f"{' and '.join(f'{count} {status}' for status, count in bad.items())} "
            f"of {self.files} files; failures.csv says which and why"
        )


class Survey:
    """The counts over the files of a folder as they pass by."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.not_done: list[NotDone] = []
        self.durations_s: list[float] = []  # of each recording
        self.speeds: list[float] = []  # how many times as fast as it plays each was recognised
        self.confidences: list[float] = []  # mean log-prob of each recording with text
        self._statuses, self._reasons, self._remarks = Counter[str](), Counter[str](), Counter[str]()
        self._languages, self._made_with = Counter[str](), Counter[str]()
        self._doubts: list[Doubt] = []
        self._silent: list[str] = []
        self._sound_ms = self._speech_ms = 0
        self._worker_s = 0.0
        self._letters = Letters()
        seen = set[str]()
        for entry in entries:
            self._statuses[entry.recording.status] += 1
            if entry.result is None:
                self._count_not_done(entry.recording)
            elif entry.recording.id not in seen:
                seen.add(entry.recording.id)
                self._count(entry.recording.path, entry.result)
                self._made_with[entry.made_with] += 1
        self.summary = self._summary(len(seen))

    def _count_not_done(self, row: Recording) -> None:
        if row.reason:
            self.not_done.append(NotDone(row.path, row.status, row.reason, row.attempts))
            self._reasons[reasons.kind(row.reason)] += 1

    def _count(self, path: str, result: Result) -> None:
        self._sound_ms += result.duration_ms
        self._speech_ms += result.speech_ms
        self._worker_s += result.seconds
        self.durations_s.append(result.duration_ms / 1000)
        if result.seconds > 0:
            self.speeds.append(result.duration_ms / 1000 / result.seconds)
        self._remarks.update({reasons.kind(line) for line in (*result.degraded, *result.notes)})
        if result.segments:
            self._count_text(path, result)
        else:
            self._silent.append(path)

    def _count_text(self, path: str, result: Result) -> None:
        self._languages[result.language] += 1
        self._letters.add(result.segments)
        self.confidences.append(result.avg_logprob)
        if result.avg_logprob < LOW_CONFIDENCE:
            self._doubts.append(Doubt(path, result.avg_logprob))

    def _script_doubt(self) -> str:
        doubt = self._letters.doubt
        return f"Over all transcripts, {doubt}: {wrong_script_because(self._letters.language)}" if doubt else ""

    def _summary(self, recordings: int) -> FolderSummary:
        sound_s, speech_s = self._sound_ms / 1000, self._speech_ms / 1000
        return FolderSummary(
            files=self._statuses.total(),
            statuses=dict(self._statuses.most_common()),
            put_off=sum(file.status == "pending" for file in self.not_done),
            reasons=dict(self._reasons.most_common()),
            done=self._statuses["done"],
            copies=self._statuses["done"] - recordings,
            recordings=recordings,
            with_text=recordings - len(self._silent),
            silent=len(self._silent),
            silent_files=tuple(self._silent[:SILENT_LISTED]),
            made_with=dict(self._made_with.most_common()),
            sound_s=sound_s,
            sound_hours=round(sound_s / 3600, 4),
            speech_of_all_channels_s=speech_s,
            speech_of_all_channels_hours=round(speech_s / 3600, 4),
            worker_hours=round(self._worker_s / 3600, 4),
            speed=round(sound_s / self._worker_s, 2) if self._worker_s else 0.0,
            languages=dict(self._languages.most_common()),
            script_doubt=self._script_doubt(),
            low_confidence_below=LOW_CONFIDENCE,
            low_confidence=len(self._doubts),
            low_confidence_files=tuple(sorted(self._doubts, key=lambda doubt: doubt.avg_logprob)[:LISTED]),
            remarks=dict(self._remarks.most_common()),
            duration_s=Quantiles.of(self.durations_s),
            times_real_time=Quantiles.of(self.speeds),
            avg_logprob=Quantiles.of(self.confidences),
        )
