"""Recognise a group of windows together: the requests of several of them are computed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sutradhar.stages.recognisers.whisper.requests import (
    Align,
    DetectLanguage,
    Encode,
    Generate,
    Request,
    Result,
    Steps,
)

# The window that is behind goes first, so that the windows keep together
ORDER = (Encode, DetectLanguage, Generate, Align)


def run(
    windows: Iterable[Steps[Result]],
    answer: Callable[[Sequence[Any]], Sequence[Any]],
    tell: Callable[[int, Result], None] = lambda number, result: None,
    singly: tuple[type[Request], ...] = (),
) -> list[Result]:
    """Run windows to their results. `answer` takes requests of one kind, and returns the answer to each; of the
    kinds in `singly`, one request at a time. Samples come one window after another, each through all its
    temperatures, so that random numbers need be made ready but once for each. `tell` takes the number of a window
    and its result as soon as it is there."""
    windows = list(windows)
    results: dict[int, Result] = {}
    waiting: dict[int, Request] = {}

    def advance(number: int, value: Any) -> None:
        try:
            waiting[number] = windows[number].send(value)
        except StopIteration as end:
            results[number] = end.value
            tell(number, end.value)

    for number in range(len(windows)):
        advance(number, None)
    while waiting:
        asking = {number: waiting.pop(number) for number in _next(waiting)}
        at_once = 1 if isinstance(next(iter(asking.values())), singly) else len(asking)
        for some in _in_parts(list(asking), at_once):
            for number, value in zip(some, answer([asking[number] for number in some]), strict=True):
                advance(number, value)
    return [results[number] for number in range(len(windows))]


def _in_parts(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


def _next(waiting: Mapping[int, Request]) -> list[int]:
    """Return the windows that are answered before any goes further: all that ask for the same, or the first that
    asks for samples."""
    kind = min((type(request) for request in waiting.values()), key=ORDER.index)
    alike = {number: request for number, request in sorted(waiting.items()) if type(request) is kind}
    together = [number for number, request in alike.items() if not (isinstance(request, Generate) and request.sampled)]
    return together or list(alike)[:1]
