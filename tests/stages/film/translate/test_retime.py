from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.film.translate.markup import lift
from sutradhar.stages.film.translate.retime import as_spoken, pieces_of, segment_of, spoken
from sutradhar.stages.film.translate.sentences import Sentence
from sutradhar.stages.transcript import Span, Transcript, Word


def sentence(*spans: tuple[int, int]) -> Sentence:
    return Sentence(tuple(Word(" शब्द", start, end, 0.5) for start, end in spans), "hi", lift("शब्द"))


def times(source: Sentence, text: str) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for word in segment_of(source, text, "en", 0, -0.1).words]


def test_words_share_the_time_by_their_lengths() -> None:
    assert times(sentence((1000, 1600), (1600, 2200)), "abc de fgh") == [
        (" abc", 1000, 1436),
        (" de", 1436, 1763),
        (" fgh", 1763, 2200),
    ]


def test_a_pause_of_the_speaker_is_a_pause_of_the_target() -> None:
    source = sentence((0, 500), (1500, 2000))
    assert times(source, "aaaa bbbb") == [(" aaaa", 0, 500), (" bbbb", 1500, 2000)]
    assert times(sentence((0, 500), (740, 1240)), "aaaa bbbb") == [(" aaaa", 0, 620), (" bbbb", 620, 1240)]


def test_the_pause_falls_rather_on_the_end_of_a_clause() -> None:
    source = sentence((0, 1000), (1500, 2500))
    assert [word for word, _, end in times(source, "When he came, I had already left") if end == 1000] == [" came,"]
    assert [word for word, _, end in times(source, "When he came I had already left") if end == 1000] == [" I"]


def test_there_may_be_fewer_words_than_pauses() -> None:
    assert times(sentence((0, 100), (400, 500), (2000, 2100)), "Yes, sir") == [(" Yes,", 0, 500), (" sir", 2000, 2100)]
    assert times(sentence((0, 100), (400, 500), (2000, 2100)), "Yes") == [(" Yes", 0, 2100)]


def test_scripts_without_spaces_are_parted_between_characters() -> None:
    assert pieces_of("我爱你, Tom") == [" 我", "爱", "你,", " Tom"]
    assert pieces_of("น้ำ") == [" น้", "ำ"]
    assert "".join(pieces_of("मैं ठीक हूँ")) == " मैं ठीक हूँ"


def test_each_word_carries_the_score_of_the_sentence() -> None:
    piece = segment_of(sentence((0, 500)), "I am fine", "en", 7, -0.693)
    assert (piece.id, piece.language, piece.avg_logprob, [word.probability for word in piece.words]) == (
        7,
        "en",
        -0.693,
        [0.5, 0.5, 0.5],
    )


def test_what_is_in_the_target_language_already_keeps_its_words() -> None:
    words = (Word(" Let", 0, 200, 1.0), Word(" go", 700, 900, 1.0))
    piece = as_spoken(Sentence(words, "hi", lift("Let go")), "en", 3)
    assert (piece.text, piece.words, piece.avg_logprob, piece.language) == ("Let go", words, 0.0, "en")


def test_times_out_of_order_are_mended() -> None:
    assert spoken(sentence((100, 500), (300, 200), (900, 800), (2000, 2100)).words) == [
        Span(100, 500),
        Span(900, 900),
        Span(2000, 2100),
    ]
    assert spoken(sentence((100, 500), (9000, 9500), (600, 900)).words) == [Span(100, 500), Span(900, 900)]


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), min_size=1, max_size=12),
    st.lists(st.sampled_from(["I", "know,", "him.", "already", "爱你"]), min_size=1, max_size=20).map(" ".join),
)
def test_words_fill_the_sentence_in_order(gaps: list[tuple[int, int]], text: str) -> None:
    spans, now = [], 0
    for gap, length in gaps:
        spans.append((now + gap, now + gap + length))
        now += gap + length
    source = sentence(*spans)
    words = segment_of(source, text, "en", 0, -0.1).words
    assert "".join(word.text for word in words).split() == text.split()
    assert (words[0].start_ms, words[-1].end_ms) == (source.start_ms, source.end_ms)
    assert all(left.start_ms <= left.end_ms <= right.start_ms <= right.end_ms for left, right in pairwise(words))


@pytest.mark.parametrize(
    "text", ["When the long night was over at last, we walked all the way down to the river and slept until noon."]
)
def test_a_cue_ends_where_the_speaker_pauses(text: str) -> None:
    source = sentence((0, 2500), (3300, 6000))
    transcript = Transcript("en", 0, 20_000, (segment_of(source, text, "en", 0, -0.1),))
    cues = build_cues(transcript, rules_for("netflix", "en", 24.0))
    assert [" ".join(cue.lines).split()[-1] for cue in cues] == ["last,", "noon."]
    assert cues[0].end_ms < cues[1].start_ms == 3300
