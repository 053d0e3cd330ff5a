from __future__ import annotations

from sutradhar.stages.evaluate.normalise import NORMALISERS
from sutradhar.stages.evaluate.scored import ScoredWord, scored_words
from sutradhar.stages.transcript import Span
from tests.stages.evaluate.support import spoken, text, timed

ENGLISH = NORMALISERS["english"]


def test_a_number_of_several_words_has_the_time_of_all_of_them() -> None:
    version = spoken((0, 100, "I'm"), (150, 300, "twenty"), (300, 500, "five,"), (600, 700, "Mister"))
    words = scored_words(version, ENGLISH)
    assert words == (
        ScoredWord("i", 0, Span(0, 100), is_exact=True),
        ScoredWord("am", 0, Span(0, 100), is_exact=True),
        ScoredWord("25", 0, Span(150, 500), is_exact=True),
        ScoredWord("mister", 0, Span(600, 700), is_exact=True),
    )


def test_words_without_times_share_those_of_their_utterance() -> None:
    words = scored_words(timed((1000, 2000, "one-eyed men"), (5000, 5100, "go")), ENGLISH)
    assert [(word.text, word.utterance, word.span, word.is_exact) for word in words] == [
        ("one", 0, Span(1000, 1692), False),
        ("eyed", 0, Span(1000, 1692), False),
        ("men", 0, Span(1692, 2000), False),
        ("go", 1, Span(5000, 5100), False),
    ]


def test_what_stands_in_brackets_is_no_word_optional_or_anything() -> None:
    words = scored_words(text("[door slams] Come <i>in</i> {\\an8} ♪ (my dear) [ignore] now (or"), ENGLISH)
    assert [(word.text, word.is_optional) for word in words] == [
        ("come", False),
        ("in", False),
        ("my", True),
        ("dear", True),
        ("[ignore]", True),
        ("now", False),
        ("or", False),
    ]
