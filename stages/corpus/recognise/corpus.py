"""The work done and to do in a folder of recordings, told as it happens: to the manifest, the store and the user."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from sutradhar.pipeline.console import clock
from sutradhar.pipeline.errors import in_one_line, is_unwritable
from sutradhar.pipeline.jobs.stage import StageContext
from sutradhar.pipeline.processes.channel import Note
from sutradhar.pipeline.wording import counted
from sutradhar.stages.corpus import manifest, reasons
from sutradhar.stages.corpus.manifest import Journal, Recording
from sutradhar.stages.corpus.recognise.dispatcher import FailedForGood
from sutradhar.stages.corpus.recognise.files import Files
from sutradhar.stages.corpus.recognise.loading import remove_spooled
from sutradhar.stages.corpus.recognise.local import chosen_gpus
from sutradhar.stages.corpus.recognise.messages import (
    Begun,
    Deferred,
    Degraded,
    Done,
    Event,
    Ready,
    Remark,
    Retiring,
    Task,
    WindowsDone,
)
from sutradhar.stages.corpus.recognise.pace import Pace
from sutradhar.stages.corpus.results import Maker, Result, Store, Tally
from sutradhar.stages.ctranslate.nvidia import gpu_use

TOLD = 1.0  # seconds between two lines of progress


class Corpus:
    def __init__(self, ctx: StageContext, store: Store, files: Files, shard: tuple[int, int] | None = None) -> None:
        """Open the folder. Shard (i, n) is every nth recording; its rows are not written, since others write at the
        same time."""
        self.tasks: list[Task] = []
        self._complaints: dict[str, list[str]] = {}  # each fallback, and the recordings that it is true of
        self._notes = Counter[str]()  # each note, and how many recordings it is true of
        self._ctx, self.store, self._files = ctx, store, files
        path = ctx.keep(manifest.FILE)
        self._rows = manifest.read(path)
        self._copies: dict[str, list[Recording]] = {}
        for row in self._rows.values():
            if row.status not in manifest.NO_RECORDING:
                self._copies.setdefault(row.id, []).append(row)
        self._journal = None if shard else Journal(path)
        self._last_told = 0.0
        self._left_alone = 0  # recordings that failed in so many runs that they are not tried again
        if not shard:
            self._sweep()
        self.pace = self._plan(shard or (0, 1))
        if not shard:
            files.stamp()

    def _sweep(self) -> None:
        self.store.sweep()
        self._files.sweep()

    # --- The work to do

    def _plan(self, shard: tuple[int, int]) -> Pace:
        """Settle what is done already, and put the rest in order."""
        settings, there = self._ctx.settings, self.store.ids()
        ordered = self._ordered()
        chosen = set(ordered[: settings.CORPUS_LIMIT or None])
        ordered = [recording for recording in ordered if int(recording[:8], 16) % shard[1] == shard[0]]
        selected = chosen.intersection(ordered)
        before, before_ms = Counter[str](), list[int]()
        for recording in ordered:
            rows = self._copies[recording]
            result = self._result(rows) if recording in there else None
            if result and result.status == "failed" and self._is_worth_another(result) and recording in selected:
                self.tasks.append(_task(rows, result.attempts, result.failures))
            elif result:
                if result.status == "failed":
                    self._left_alone += 1
                    self._note(rows, "failed", result.reason, result.attempts)
                if recording in selected:
                    before[result.status] += 1
                    before_ms.append(rows[0].duration_ms)
            elif recording in selected:
                self.tasks.append(_task(rows, rows[0].attempts if rows[0].status == "pending" else 0, 0))
            else:
                self._note(rows, "pending", "", 0)
        return Pace([self._copies[recording][0].duration_ms for recording in selected], before, before_ms)

    def _is_worth_another(self, failure: Result) -> bool:
        settings = self._ctx.settings
        return failure.failures < settings.CORPUS_ATTEMPTS or failure.allow_truncated != settings.ALLOW_TRUNCATED

    def _ordered(self) -> list[str]:
        """Return the recordings longest first, so that no long one is left for the end. Or shuffled, so that
        whatever comes later changes little of the order: CORPUS_LIMIT chooses the same ones then."""
        if self._ctx.settings.CORPUS_ORDER == "shuffled":
            return sorted(
                self._copies,
                key=lambda recording: hashlib.sha256(f"{self._ctx.settings.CORPUS_SEED} {recording}".encode()).digest(),
            )
        return sorted(self._copies, key=lambda recording: (-self._copies[recording][0].duration_ms, recording))

    def _result(self, rows: Sequence[Recording]) -> Result | None:
        """Return what is known of a recording that has a result, which the manifest spares reading where all is
        done. Stale files for the user are made again."""
        if not self._stale(rows) and not self._ctx.verify:
            return Result(id=rows[0].id, status="done", attempts=rows[0].attempts)
        result = self.store.read(rows[0].id)
        if result and result.status == "done":
            self._settle(rows, result.attempts, self._files.write(result, self._stale(rows)))
        return result

    def _stale(self, rows: Sequence[Recording]) -> list[str]:
        """Return the paths whose files are gone, could not be written, or may be of what the recording held before."""
        return [row.path for row in rows if row.status != "done" or row.reason or self._files.missing(row.path)]

    def describe(self) -> str:
        text = (
            f"{counted(len(self.tasks), 'recording')} to recognise, "
            f"{clock(sum(task.duration_ms for task in self.tasks) / 1000)} of sound"
        )
        text += f"; {self.pace.before['done']} done before" if self.pace.before["done"] else ""
        attempts = self._ctx.settings.CORPUS_ATTEMPTS
        left = (
            f"; not tried again: {self._left_alone} that failed in {counted(attempts, 'run')} "
            f"(--set CORPUS_ATTEMPTS={attempts + 1} tries again)"
        )
        return text + (left if self._left_alone else "")

    # --- What happens

    def made(self, recording: str) -> Done | None:
        """Return what its worker would have told, had it not died before; the files are seen to. None where there
        is no result."""
        result = self.store.read(recording)
        if result is None or result.status != "done":
            return None
        remarks = self._files.write(result, self._stale(self._copies[recording]))
        return Done(
            recording, attempts=result.attempts, degraded=result.degraded, notes=result.notes, remarks=tuple(remarks)
        )

    def tell(self, event: Event | FailedForGood) -> None:
        match event:
            case FailedForGood():
                self._give_up(event)
            case Deferred():
                self._note(self._copies[event.id], "pending", event.reason, 0)
                self.pace.put_off(self._copies[event.id][0].duration_ms)
            case Done():
                self._finish(event)
            case WindowsDone():
                self.pace.come(event.id, int(self._copies[event.id][0].duration_ms * event.share))
            case Begun():
                rows = self._copies[event.id]
                self.pace.begin_anew(event.id)  # its worker may have died
                self._note(rows, "pending", "", rows[0].attempts + 1)
            case Ready():
                self._remember(Maker(engine=event.engine, packages=event.packages))
            case Degraded():
                self._degrade(event.line)
                self._remember(Maker(degraded=event.line))
            case Retiring():
                self._ctx.log.info(f"A worker that held {event.held_bytes / 1e9:.1f} GB is replaced by a new one")
            case Note():
                self._ctx.log.log(event.level if event.level >= logging.WARNING else logging.DEBUG, event.message)
        self._progress()

    def _finish(self, event: Done) -> None:
        rows = self._copies[event.id]
        self._settle(rows, event.attempts, event.remarks)
        self.pace.end(event.id, rows[0].duration_ms)
        for line in event.degraded:
            self._degrade(line, rows[0].path)
        self._notes.update(event.notes)

    def _give_up(self, given_up: FailedForGood) -> None:
        task, rows = given_up.task, self._copies[given_up.task.id]
        remove_spooled(self._ctx.scratch, task.id)
        failure = Result(
            id=task.id,
            status="failed",
            reason=given_up.reason,
            attempts=max(1, task.attempts),
            failures=task.failures + 1,
            duration_ms=task.duration_ms,
            allow_truncated=self._ctx.settings.ALLOW_TRUNCATED,
        )
        try:
            self.store.write(failure)
        except OSError as error:  # the manifest says it all the same, and it is tried again whenever the job is run
            if is_unwritable(error):
                raise
        self._note(rows, "failed", given_up.reason, max(1, task.attempts))
        self.pace.end(task.id, rows[0].duration_ms, failed=True)
        self._ctx.log.warning(f"{rows[0].path}: {given_up.reason}")

    def _degrade(self, line: str, path: str = "") -> None:
        """Keep a remark for the end; the log names each recording."""
        self._ctx.log.debug(f"{path}: {line}" if path else line)
        self._complaints.setdefault(line, []).append(path)

    def _remember(self, maker: Maker) -> None:
        try:
            self.store.note(maker)
        except OSError as error:
            self._ctx.log.warning(f"What recognises cannot be noted beside the results: {in_one_line(error)}")

    def _settle(self, rows: Sequence[Recording], attempts: int, remarks: Sequence[Remark]) -> None:
        """Note that the recording has a result. A row keeps a reason where files of its could not be written, and a
        later run writes them."""
        for remark in remarks:
            self._degrade(remark.text, remark.path)
        unwritten = {remark.path: remark.text for remark in remarks if remark.unwritten}
        self._put([replace(row, status="done", reason=unwritten.get(row.path, ""), attempts=attempts) for row in rows])

    def _note(self, rows: Sequence[Recording], status: manifest.Status, reason: str, attempts: int) -> None:
        self._put([replace(row, status=status, reason=reason, attempts=attempts) for row in rows])

    def _put(self, new: Sequence[Recording]) -> None:
        """Write the rows of a recording."""
        changed = [row for row, old in zip(new, self._copies[new[0].id], strict=True) if row != old]
        self._copies[new[0].id] = list(new)
        self._rows |= {row.path: row for row in changed}
        if self._journal:
            self._journal.append(changed)

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self._last_told < TOLD:
            return
        self._last_told = now
        settings = self._ctx.settings
        here = settings.WHISPERX_DEVICE == "cuda" and settings.CORPUS_EXECUTOR == "local"
        use = gpu_use(chosen_gpus(settings)) if here else None
        behind, total, before = self.pace.seconds
        present = ", ".join(filter(None, (self.pace.present(), "" if use is None else f"GPU {use} %")))
        self._ctx.progress(behind, total, already=before, note=self.pace.standing(), now=present, left=self.pace.left)

    # --- The outcome

    def close(self) -> None:
        """Write the manifest with one row a file again, and remove what killed workers left."""
        if self._journal:
            self._sweep()
            self._journal.close()
            manifest.rewrite(self._ctx.keep(manifest.FILE), self._rows.values())

    @property
    def degraded(self) -> tuple[str, ...]:
        """Return a line for each kind, however many recordings it is true of."""
        return tuple(
            line if not paths[0] else f"{paths[0]}{f' and {len(paths) - 1:,} more' if len(paths) > 1 else ''}: {line}"
            for line, paths in self._complaints.items()
        )

    @property
    def notes(self) -> str:
        """List surprises that are no fault or were put right without loss, with the number of recordings of this
        run that each is true of."""
        alike: dict[str, list[str]] = {}
        for line in self._notes:
            alike.setdefault(reasons.kind(line), []).append(line)
        counts = {
            lines[0] if len(lines) == 1 else kind: sum(self._notes[line] for line in lines)
            for kind, lines in alike.items()
        }
        return "".join(f"; of {counted(count, 'recording')} {line}" for line, count in counts.items())

    def standing(self) -> str:
        """Say how all of the folder stands: "498 done, 2 failed"."""
        statuses = Counter(row.status for row in self._rows.values())
        return ", ".join(f"{count:,} {status}" for status, count in statuses.most_common())

    def tally(self) -> Tally:
        """Return a digest of the manifest and the store now; it changes where they do."""
        statuses = Counter(row.status for row in self._rows.values())
        return Tally(
            fingerprint=self.store.fingerprint,
            statuses=dict(sorted(statuses.items())),
            rows=manifest.digest(self._rows.values()),
            results=self.store.digest(),
        )


def _task(rows: Sequence[Recording], attempts: int, failures: int) -> Task:
    return Task(
        id=rows[0].id,
        paths=tuple(row.path for row in rows),
        stamps=tuple((row.bytes, row.mtime_ns) for row in rows),
        duration_ms=rows[0].duration_ms,
        attempts=attempts,
        failures=failures,
    )
