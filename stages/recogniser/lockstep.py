"""Recognises a group of windows together: what several of them ask for is computed at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stages.recogniser.requests import Align, Encode, Generate, Hear, Request, Result, Steps

ORDER = (Encode, Hear, Generate, Align)  # who is behind goes first, so that the windows keep together


def run(windows: Iterable[Steps[Result]], answer: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Result]:
    """`answer` is given requests of one kind, and gives back the answer to each."""
    windows = list(windows)
    results: dict[int, Result] = {}
    waiting: dict[int, Request] = {}

    def advance(number: int, value: Any) -> None:
        try:
            waiting[number] = windows[number].send(value)
        except StopIteration as end:
            results[number] = end.value

    for number in range(len(windows)):
        advance(number, None)
    while waiting:
        kind = min((type(request) for request in waiting.values()), key=ORDER.index)
        asking = {number: waiting.pop(number) for number in sorted(waiting) if type(waiting[number]) is kind}
        for number, value in zip(asking, answer(list(asking.values())), strict=True):
            advance(number, value)
    return [results[number] for number in range(len(windows))]
