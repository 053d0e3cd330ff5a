"""What every recogniser keeps to. The author of a new one subclasses `RecogniserContract` in its tests and runs them:

class TestContract(RecogniserContract):
    def open(self, **settings): ...     # the recogniser, opened with these settings
    windows = ...                       # a fixture, where tones are nothing that it could tell apart
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from sutradhar.stages.recognisers.contract import NOTHING_YET, AudioWindow, Recogniser, Recognition, Waiting
from sutradhar.stages.transcript import Span


def tone(number: int, samples: int = 16_000) -> AudioWindow:
    audio = np.sin(np.arange(samples) * (0.05 + 0.3 * number)).astype(np.float32)
    return AudioWindow(number, 0, audio, (Span(0, samples // 16),), "en")


def by_window(recogniser: Recogniser, windows: Iterable[AudioWindow | Waiting]) -> dict[int, Recognition]:
    found = list(recogniser.recognise(windows))
    results = {recognition.window: recognition for recognition in found}
    assert len(results) == len(found), "each window has one result"
    return results


PATIENCE_SECONDS = 120.0


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

    def test_what_is_prepared_ahead_comes_to_the_same(self, windows: list[AudioWindow]) -> None:
        recogniser = self.open()
        if (preparation := recogniser.preparation) is None:
            pytest.skip("the engine does nothing ahead")
        prepare = import_module(preparation.module).preparer(preparation.detail)
        ready = [replace(window, prepared=pickle.loads(pickle.dumps(prepare(window.audio)))) for window in windows]
        assert by_window(recogniser, ready) == by_window(self.open(), windows)

    def test_the_confidence_is_a_probability(self, windows: list[AudioWindow]) -> None:
        assert all(0.0 <= found.confidence <= 1.0 for found in by_window(self.open(), windows).values())

    def test_a_batch_gives_what_single_windows_give_in_any_order(self, windows: list[AudioWindow]) -> None:
        alone = by_window(self.open(BATCH_SIZE=1), windows)
        assert set(alone) == {window.id for window in windows}
        assert by_window(self.open(BATCH_SIZE=len(windows)), windows) == alone
        assert by_window(self.open(BATCH_SIZE=2), windows[::-1]) == alone

    def test_no_windows_give_no_results(self) -> None:
        assert list(self.open().recognise([])) == []

    @pytest.mark.parametrize("samples", [0, 1, 100])
    def test_a_tiny_window_is_no_fault_and_leaves_the_others_alone(
        self, samples: int, windows: list[AudioWindow]
    ) -> None:
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

    @pytest.mark.parametrize("is_urgent", [False, True])
    def test_a_source_that_has_nothing_yet_holds_up_nothing(self, is_urgent: bool, windows: list[AudioWindow]) -> None:
        """Each window is done while the source waits for that; none waits for a batch."""
        found: dict[int, Recognition] = {}

        def patient() -> Iterator[AudioWindow | Waiting]:
            for window in windows:
                yield NOTHING_YET
                yield replace(window, urgent=is_urgent)
                limit = time.monotonic() + PATIENCE_SECONDS
                while window.id not in found:
                    assert time.monotonic() < limit, "a window waits for others that do not come"
                    yield NOTHING_YET

        for recognition in self.open(BATCH_SIZE=len(windows) + 1).recognise(patient()):
            found[recognition.window] = recognition
        assert found == by_window(self.open(BATCH_SIZE=1), windows)

    def test_urgency_and_pauses_of_the_source_change_no_result(self, windows: list[AudioWindow]) -> None:
        first, *others = windows
        source = [NOTHING_YET, first, NOTHING_YET, *others[:-1], replace(others[-1], urgent=True), NOTHING_YET]
        assert by_window(self.open(), source) == by_window(self.open(), windows)

    def test_a_source_that_ends_without_a_window_gives_none(self) -> None:
        assert list(self.open().recognise([NOTHING_YET, NOTHING_YET])) == []

    def test_a_window_in_which_nothing_can_be_made_out_leaves_the_others_alone(
        self, windows: list[AudioWindow]
    ) -> None:
        noise = np.random.default_rng(1).normal(0, 0.3, 16_000).astype(np.float32)
        found = by_window(self.open(), [replace(tone(99), audio=noise), *windows])
        assert 0.0 <= found.pop(99).confidence <= 1.0
        assert found == by_window(self.open(), windows)

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
