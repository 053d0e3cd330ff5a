"""Recognises a group of windows together: what several of them ask for is computed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stages.whisper.requests import Align, Encode, Generate, Hear, Request, Result, Steps

ORDER = (Encode, Hear, Generate, Align)  # who is behind goes first, so that the windows keep together


def run(
    windows: Iterable[Steps[Result]],
    answer: Callable[[Sequence[Any]], Sequence[Any]],
    tell: Callable[[int, Result], None] = lambda number, result: None,
    singly: tuple[type[Request], ...] = (),
) -> list[Result]:
    """`answer` is given requests of one kind, and gives back the answer to each; of the kinds in `singly`, one request at a time. What is
    sampled comes by itself, one window through all its temperatures before the next, so that random numbers need be made ready but once
    for each. `tell` is given the number of a window and its result as soon as it is there."""
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
        asking = {number: waiting.pop(number) for number in _next(waiting, singly)}
        for number, value in zip(asking, answer(list(asking.values())), strict=True):
            advance(number, value)
    return [results[number] for number in range(len(windows))]


def _next(waiting: Mapping[int, Request], singly: tuple[type[Request], ...]) -> list[int]:
    kind = min((type(request) for request in waiting.values()), key=ORDER.index)
    alike = {number: request for number, request in sorted(waiting.items()) if type(request) is kind}
    together = [number for number, request in alike.items() if not (kind in singly or (isinstance(request, Generate) and request.sampled))]
    return together or list(alike)[:1]
