"""What every recogniser keeps to. The author of a new one subclasses `RecogniserContract` in its tests and runs them:

class TestContract(RecogniserContract):
    def open(self, **settings): ...     # the recogniser, opened with these settings
    windows = ...                       # a fixture, where tones are nothing that it could tell apart
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from sutradhar.stages.recognisers.contract import AudioWindow, Recogniser, Recognition
from sutradhar.stages.transcript import Span


def tone(number: int, samples: int = 16_000) -> AudioWindow:
    audio = np.sin(np.arange(samples) * (0.05 + 0.3 * number)).astype(np.float32)
    return AudioWindow(number, 0, audio, (Span(0, samples // 16),), "en")


def by_window(recogniser: Recogniser, windows: Iterable[AudioWindow]) -> dict[int, Recognition]:
    found = list(recogniser.recognise(windows))
    results = {recognition.window: recognition for recognition in found}
    assert len(results) == len(found), "each window has one result"
    return results


class SourceBroke(Exception):
    """Stands for whatever a source of windows may raise."""


class RecogniserContract:
    def open(self, **settings: object) -> Recogniser:
        raise NotImplementedError

    @pytest.fixture
    def windows(self) -> list[AudioWindow]:
        return [tone(number) for number in range(3)]

    def test_it_says_what_it_is(self) -> None:
        recogniser = self.open()
        assert {"backend", "device", "model"} <= set(recogniser.engine)
        assert recogniser.degraded == []
        assert recogniser.packages

    def test_a_batch_gives_what_single_windows_give_in_any_order(self, windows: list[AudioWindow]) -> None:
        alone = by_window(self.open(BATCH_SIZE=1), windows)
        assert set(alone) == {window.id for window in windows}
        assert by_window(self.open(BATCH_SIZE=len(windows)), windows) == alone
        assert by_window(self.open(BATCH_SIZE=2), windows[::-1]) == alone

    def test_no_windows_give_no_results(self) -> None:
        assert list(self.open().recognise([])) == []

    @pytest.mark.parametrize("samples", [0, 1, 100])
    def test_a_tiny_window_is_no_fault_and_leaves_the_others_alone(self, samples: int, windows: list[AudioWindow]) -> None:
        tiny = tone(99, samples)
        expected = by_window(self.open(), windows)
        found = by_window(self.open(), [tiny, *windows])
        assert found.pop(99).language == "en"
        assert found == expected

    def test_a_language_that_is_given_is_kept(self, windows: list[AudioWindow]) -> None:
        assert {found.language for found in by_window(self.open(), windows).values()} == {"en"}

    def test_a_language_that_is_not_given_is_one_that_it_knows(self, windows: list[AudioWindow]) -> None:
        recogniser = self.open(SOURCE_LANGUAGE="auto")
        heard = recogniser.detect_languages([replace(window, language=None) for window in windows])
        assert len(heard) == len(windows)
        assert all(0.0 <= share <= 1.0 for one in heard for share in one.languages.values())
        found = by_window(recogniser, [replace(window, language=None) for window in windows])
        assert {one.language for one in found.values()} <= set(heard[0].languages)

    def test_a_prompt_of_one_window_leaves_the_others_alone(self, windows: list[AudioWindow]) -> None:
        first, *others = windows
        expected = by_window(self.open(), others)
        found = by_window(self.open(), [replace(first, prompt="Sutradhar."), *others])
        assert found.pop(first.id).window == first.id
        assert found == expected

    def test_words_lie_inside_their_window(self, windows: list[AudioWindow]) -> None:
        later = [replace(window, offset_ms=60_000) for window in windows]
        for window in later:
            found = by_window(self.open(), [window])[window.id]
            words = [word for phrase in found.phrases for word in phrase]
            assert all(window.offset_ms <= word.start_ms <= word.end_ms <= window.end_ms for word in words)

    def test_a_source_that_raises_is_heard_of_and_the_recogniser_goes_on(self, windows: list[AudioWindow]) -> None:
        def broken() -> Iterator[AudioWindow]:
            yield windows[0]
            raise SourceBroke

        recogniser = self.open()
        with pytest.raises(SourceBroke):
            list(recogniser.recognise(broken()))
        assert by_window(recogniser, windows) == by_window(self.open(), windows)
