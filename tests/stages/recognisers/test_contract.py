"""The contract itself, kept by the simplest recogniser that there can be."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence

import pytest

from sutradhar.stages.recognisers.contract import (
    AudioWindow,
    CannotTranslate,
    LanguageGuess,
    Recogniser,
    Recognition,
    UnknownLanguage,
    Waiting,
)
from sutradhar.stages.transcript import Word
from tests.recogniser_contract import RecogniserContract


class Counting:
    """Says how many samples there are."""

    preparation = None
    packages = ("numpy",)

    def __init__(self) -> None:
        self.engine = {"backend": "counting", "device": "cpu", "model": "none"}
        self.degraded: list[str] = []

    def recognise(self, windows: Iterable[AudioWindow | Waiting]) -> Iterator[Recognition]:
        for window in windows:
            if isinstance(window, Waiting):
                continue
            text, language = str(len(window.audio)), window.language or "en"
            word = Word(text, window.offset_ms, window.end_ms, 1.0)
            yield Recognition(window.id, text, language, 1.0, ((word,),), confidence=1.0)

    def knows(self, language: str) -> bool:
        return True

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[LanguageGuess]:
        return [LanguageGuess({"en": 1.0}) for _ in windows]


@pytest.mark.parametrize("error", [CannotTranslate("turbo"), UnknownLanguage("base", "yue")])
def test_errors_come_back_from_another_process_as_they_are(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))


class TestContract(RecogniserContract):
    def open(self, **settings: object) -> Recogniser:
        return Counting()
