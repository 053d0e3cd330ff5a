from __future__ import annotations

from sutradhar.stages.cues.tokens import shares, tokens_of, without_overlap
from sutradhar.stages.transcript import Span, Word
from tests.stages.cues.support import netflix, transcript

CLIP = Span(0, 10_000)


def repaired(*spans: tuple[int, int]) -> list[tuple[int, int]]:
    return [(span.start_ms, span.end_ms) for span in without_overlap([Span(*span) for span in spans], CLIP)]


def test_times_without_overlap_stay() -> None:
    assert repaired((100, 300), (300, 300), (450, 900)) == [(100, 300), (300, 300), (450, 900)]


def test_a_time_out_of_order_is_outvoted() -> None:
    assert repaired((100, 300), (9000, 9100), (700, 900), (900, 1200)) == [
        (100, 300),
        (300, 700),
        (700, 900),
        (900, 1200),
    ]
    assert repaired((5000, 5100), (700, 900), (900, 1200)) == [(700, 700), (700, 900), (900, 1200)]
    assert repaired((700, 900), (900, 1200), (10, 20)) == [(700, 900), (900, 1200), (1200, 1600)]


def test_overlaps_reversed_words_and_words_outside_are_mended() -> None:
    assert repaired((100, 500), (300, 200), (400, 99_000)) == [(100, 300), (300, 300), (400, 10_000)]
    assert repaired((-400, -100), (20_000, 30_000)) == [(0, 0), (10_000, 10_000)]


def test_shares_follow_the_lengths() -> None:
    assert shares(["ab", "c", "defg"], 0, 700) == [Span(0, 200), Span(200, 300), Span(300, 700)]


def test_what_clings_together_is_one_token() -> None:
    words = [
        Word(" I", 0, 1, 1.0),
        Word(" don", 1, 2, 1.0),
        Word("'t", 2, 3, 1.0),
        Word(" know", 3, 4, 1.0),
        Word(" !", 4, 5, 1.0),
    ]
    tokens = tokens_of(transcript([words]), netflix())
    assert [(token.text, token.spaced, token.start_ms, token.end_ms) for token in tokens] == [
        ("I", True, 0, 1),
        ("don't", True, 1, 3),
        ("know !", True, 3, 5),
    ]


def test_segments_are_parted_by_a_space_unless_full_width_punctuation_does() -> None:
    def joined(*segments: str) -> str:
        tokens = tokens_of(transcript([[Word(text, 0, 1, 1.0)] for text in segments], "zh"), netflix("zh"))
        return "".join(" " * token.spaced + token.text for token in tokens).strip()

    assert joined("好的", "我知道") == "好的 我知道"
    assert joined("好的。", "我知道") == "好的。我知道"
    assert joined("Yes.", "No.") == "Yes. No."
