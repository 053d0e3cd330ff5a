"""Recognise the windows of a film and keep each as soon as it is done: an interrupted run goes on with the missing
ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from sutradhar.pipeline.jobs.pieces import NOTHING_KEPT, Pieces
from sutradhar.pipeline.jobs.stage import StageContext
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.wording import counted
from sutradhar.stages.recognisers import declared
from sutradhar.stages.recognisers.contract import AudioWindow, LanguageGuess, Recogniser, Recognition

SCHEMA = 3  # of the kept files: it changes whenever recognitions mean something else
MAKER = "maker"


@dataclass(frozen=True)
class MadeBy:
    """The recogniser as it really runs, and the fallbacks that were taken, in earlier runs too."""

    engine: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()

    def joined(self, later: MadeBy) -> MadeBy:
        return MadeBy(later.engine, later.packages, tuple(dict.fromkeys((*self.degraded, *later.degraded))))


class KeptRecogniser:
    """The recogniser of one run of one stage. It is loaded when there is something to recognise, and not before."""

    def __init__(self, ctx: StageContext, pieces: Pieces, *, translate: bool) -> None:
        self.pieces = pieces
        self._ctx, self._translate = ctx, translate
        self._before = self._noted = pieces.get(MAKER, MadeBy) or MadeBy()
        self._opened: Recogniser | None = None

    def _open(self) -> Recogniser:
        self._opened = self._opened or declared.open_for(self._ctx, self._translate)
        return self._opened

    @property
    def maker(self) -> MadeBy:
        one = self._opened
        return self._before.joined(MadeBy(dict(one.engine), one.packages, tuple(one.degraded))) if one else self._before

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[LanguageGuess]:
        """Guess the language of each window. Raises what opening a recogniser raises."""
        return self._open().detect_languages(windows)

    def recognise(self, seconds: Mapping[int, float], cut_out: Callable[[int], AudioWindow]) -> list[Recognition]:
        """Recognise in the order of `seconds`, which has the length of each window by its id; `cut_out` makes the
        window. Tells the progress. Raises what opening a recogniser raises, CannotTranslate too, and OSError where the
        disk is full."""
        found = {
            window: recognition for window in seconds if (recognition := self.pieces.get(str(window), Recognition))
        }
        progress = WindowProgress(self._ctx, seconds, found)
        if found:
            self._ctx.log.info(f"Going on: {len(found)} of {counted(len(seconds), 'window')} are there already")
        elif not self.pieces.is_first:
            self._ctx.log.info(NOTHING_KEPT)
        if len(found) < len(seconds):
            for recognition in self._open().recognise(self._windows(seconds, cut_out, found, progress)):
                self._keep(recognition)
                found[recognition.window] = recognition
                progress.keep(recognition.window)
        return [found[window] for window in seconds if window in found]

    def _windows(
        self,
        ids: Iterable[int],
        cut_out: Callable[[int], AudioWindow],
        found: Mapping[int, Recognition],
        progress: WindowProgress,
    ) -> Iterator[AudioWindow]:
        for number in ids:
            yield replace(cut_out(number), known=number in found, tell=partial(progress.tell, number))

    def _keep(self, recognition: Recognition) -> None:
        maker = self.maker
        self.pieces.keep({str(recognition.window): recognition} | ({MAKER: maker} if maker != self._noted else {}))
        self._noted = maker


class WindowProgress:
    """A count of windows by their length; begun ones count by the share that is done."""

    def __init__(self, ctx: StageContext, seconds: Mapping[int, float], known: Iterable[int]) -> None:
        self._ctx, self._seconds = ctx, seconds
        self._shares = dict.fromkeys(known, 1.0)
        self._kept = len(self._shares)
        self._already = self._done
        self._total = sum(seconds.values())
        self._lock = threading.Lock()
        self._report()

    @property
    def _done(self) -> float:
        return sum(seconds * self._shares.get(window, 0.0) for window, seconds in self._seconds.items())

    def tell(self, window: int, share: float) -> None:
        """Note the share of a window that is done. Several threads call this."""
        with self._lock:
            self._shares[window] = max(share, self._shares.get(window, 0.0))
            self._report()

    def keep(self, window: int) -> None:
        """Note that a window is done and on the disk."""
        with self._lock:
            self._shares[window] = 1.0
            self._kept += 1
            self._report()

    def _report(self) -> None:
        kept = f"{self._kept} of {counted(len(self._seconds), 'window')}"
        self._ctx.progress(self._done, self._total, already=self._already, kept=kept)


def open_pieces(ctx: StageContext) -> Pieces:
    """Open what earlier runs have recognised with the same packages. Raises OSError."""
    return Pieces(ctx.pieces, SCHEMA, engines.engine_of(ctx.settings.WHISPER_BACKEND).packages)
