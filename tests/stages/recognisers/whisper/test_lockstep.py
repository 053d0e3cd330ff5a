from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sutradhar.stages.recognisers.whisper import lockstep
from sutradhar.stages.recognisers.whisper.requests import Align, Decoded, DetectLanguage, Encode, Generate, Steps

SOUND = np.zeros(16_000, np.float32)
TOKENIZER: Any = None
KINDS = {Encode: "encode", DetectLanguage: "hear", Generate: "generate", Align: "align"}


class NotingEngine:
    """Answers any request with its kind and the number of the answer, and writes down what it was asked together."""

    def __init__(self) -> None:
        self.rounds: list[tuple[str, int]] = []
        self.answered = 0

    def answer(self, asked: Sequence[Any]) -> list[str]:
        (kind,) = {KINDS[type(request)] for request in asked}
        self.rounds.append((kind, len(asked)))
        self.answered += len(asked)
        return [f"{kind} {number}" for number in range(self.answered - len(asked), self.answered)]


def window(*kinds: type) -> Steps[list[Any]]:
    """Asks for these one after the other, and ends with the answers."""
    requests = {
        Encode: Encode(SOUND),
        DetectLanguage: DetectLanguage(None),
        Generate: Generate(None, (), 0.0),
        Align: Align(None, TOKENIZER, (), 0),
    }
    answers = []
    for kind in kinds:
        answers.append((yield requests[kind]))
    return answers


def test_what_windows_ask_for_together_is_answered_at_once() -> None:
    engine = NotingEngine()
    results = lockstep.run([window(Encode, Generate, Align) for _ in range(3)], engine.answer)
    assert engine.rounds == [("encode", 3), ("generate", 3), ("align", 3)]
    assert results == [[f"encode {number}", f"generate {3 + number}", f"align {6 + number}"] for number in range(3)]


def test_who_is_behind_goes_first_so_that_windows_keep_together() -> None:
    engine = NotingEngine()
    lockstep.run(
        [
            window(Encode, Generate, Align),
            window(Encode, Generate, Generate, Align),
            window(Encode, DetectLanguage, Generate, Align),
            window(Generate, Align),
        ],
        engine.answer,
    )
    assert engine.rounds == [("encode", 3), ("hear", 1), ("generate", 4), ("generate", 1), ("align", 4)]


def test_a_window_may_go_back_to_a_further_sound() -> None:
    engine = NotingEngine()
    results = lockstep.run(
        [window(Encode, Generate, Align, Encode, Generate, Align), window(Encode, Generate, Align)], engine.answer
    )
    assert engine.rounds == [("encode", 2), ("generate", 2), ("align", 2), ("encode", 1), ("generate", 1), ("align", 1)]
    assert [len(answers) for answers in results] == [6, 3]


def test_samples_are_drawn_for_one_window_after_the_other() -> None:
    asked = []

    def answer(requests: Sequence[Any]) -> list[str]:
        asked.append([(request.encoded, request.temperature) for request in requests])
        return [""] * len(requests)

    def failing(name: str, *temperatures: float) -> Steps[None]:
        for temperature in temperatures:
            yield Generate(name, (), temperature)

    lockstep.run([failing("a", 0.0, 0.4, 0.8), failing("b", 0.0), failing("c", 0.0, 0.4)], answer)
    assert asked == [[("a", 0.0), ("b", 0.0), ("c", 0.0)], [("a", 0.4)], [("a", 0.8)], [("c", 0.4)]]


def test_some_kinds_are_answered_one_at_a_time() -> None:
    engine = NotingEngine()
    lockstep.run([window(Encode, Generate, Align) for _ in range(2)], engine.answer, singly=(Encode, Align))
    assert engine.rounds == [("encode", 1), ("encode", 1), ("generate", 2), ("align", 1), ("align", 1)]


def test_windows_keep_together_where_some_kinds_are_answered_one_at_a_time() -> None:
    engine = NotingEngine()
    again = (Encode, Generate, Align, Encode, Generate, Align)
    lockstep.run([window(*again) for _ in range(2)], engine.answer, singly=(Encode, Align))
    assert [together for kind, together in engine.rounds if kind == "generate"] == [2, 2]


def test_a_result_is_told_as_soon_as_it_is_there() -> None:
    engine = NotingEngine()
    told: list[tuple[int, int]] = []
    lockstep.run(
        [window(Encode, Generate), window(Encode)],
        engine.answer,
        lambda number, _: told.append((number, len(engine.rounds))),
    )
    assert told == [(1, 1), (0, 2)]


def test_results_are_in_the_order_of_the_windows() -> None:
    assert lockstep.run([window(Generate, Generate), window(), window(Encode)], NotingEngine().answer) == [
        ["generate 1", "generate 2"],
        [],
        ["encode 0"],
    ]
    assert lockstep.run([], NotingEngine().answer) == []


def test_every_request_needs_its_answer() -> None:
    with pytest.raises(ValueError, match="zip"):
        lockstep.run([window(Encode), window(Encode)], lambda asked: [Decoded([], 0, 0)])
