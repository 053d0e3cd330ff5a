from __future__ import annotations

import pytest

from sutradhar.stages.recognisers.contract import Recognition, WhisperScores
from sutradhar.stages.recognisers.phrases import segments_of, split_phrases
from sutradhar.stages.transcript import Word
from tests.real_sentences import SENTENCES


def words(text: str, pause_before: str = "") -> tuple[Word, ...]:
    """Words of 300 ms without pauses, but 1.5 s before one of them."""
    made, clock = [], 0
    for piece in text.split():
        clock += 1500 if piece == pause_before else 0
        made.append(Word(f" {piece}", clock, clock + 300, 0.9))
        clock += 300
    return tuple(made)


def phrases(text: str, pause_before: str = "", language: str = "") -> list[str]:
    said = split_phrases(words(text, pause_before), language)
    return ["".join(word.text for word in phrase).strip() for phrase in said]


def test_sentences_part() -> None:
    assert phrases("I have. Have you? Good! Yes") == ["I have.", "Have you?", "Good!", "Yes"]
    assert phrases("मैं कल आऊँगा। तुम कहाँ हो? चलो।") == ["मैं कल आऊँगा।", "तुम कहाँ हो?", "चलो।"]
    assert phrases('He said "no." Then he left.') == ['He said "no."', "Then he left."]


def test_titles_initials_and_numbers_do_not_end_a_sentence() -> None:
    assert phrases("Mr. Smith met J. R. Hartley at 3.30 today.") == ["Mr. Smith met J. R. Hartley at 3.30 today."]
    assert phrases("So do I. We know.") == ["So do I.", "We know."]


def test_a_sentence_goes_on_in_small_letters() -> None:
    assert phrases("Well... maybe not. No.") == ["Well... maybe not.", "No."]


def test_a_long_pause_parts() -> None:
    assert phrases("one two three four", pause_before="three") == ["one two", "three four"]


def test_no_sentence_ends_before_a_digit_or_after_an_abbreviation() -> None:
    for text in ("He paid Rs. 500 for No. 5 today.", "The Hon. Mr. Rao climbed Mt. Everest.", "पं. नेहरू ने रु. 500 दिए।"):
        assert phrases(text) == [text]


@pytest.mark.parametrize("language", SENTENCES)
def test_segments_end_where_sentences_do_in_every_script(language: str) -> None:
    assert phrases(" ".join(SENTENCES[language])) == SENTENCES[language]
    assert phrases(" ".join(SENTENCES[language]), language=language) == SENTENCES[language]


def test_no_pause_parts_a_word_or_a_number() -> None:
    def parted(*texts: str) -> list[str]:
        said = [Word(text, 2000 * number, 2000 * number + 300, 0.9) for number, text in enumerate(texts)]
        return ["".join(word.text for word in phrase) for phrase in split_phrases(said)]

    assert parted(" 1", ",00", ",000", " people") == [" 1,00,000", " people"]
    assert parted(" 2.5", " crore") == [" 2.5 crore"]
    assert parted("ส", "วัสดี", "ครับ") == ["สวัสดี", "ครับ"]


def test_nothing_said_makes_no_phrase() -> None:
    assert split_phrases(()) == ()


def test_segments_are_numbered_on_across_windows() -> None:
    def recognition(window: int, text: str) -> Recognition:
        scores = WhisperScores((), -0.2, 0.01, 1.3, 0.0)
        return Recognition(window, text, "en", 0.98, split_phrases(words(text)), 0.82, whisper=scores)

    segments = list(segments_of([recognition(0, "Yes. No."), recognition(1, ""), recognition(2, "Maybe.")]))
    assert [(segment.id, segment.text, segment.start_ms, segment.end_ms) for segment in segments] == [
        (0, "Yes.", 0, 300),
        (1, "No.", 300, 600),
        (2, "Maybe.", 0, 300),
    ]
    assert segments[0].words == (Word(" Yes.", 0, 300, 0.9),)
    assert (segments[2].language, segments[2].language_probability, segments[2].avg_logprob) == ("en", 0.98, -0.2)


def test_a_recogniser_without_whispers_scores_makes_segments_too() -> None:
    (sure, lost) = segments_of(
        Recognition(0, "Yes.", "or", 1.0, split_phrases(words("Yes.")), confidence) for confidence in (0.5, 0.0)
    )
    assert (sure.avg_logprob, sure.no_speech_prob, sure.temperature, sure.language) == (-0.6931, None, None, "or")
    assert lost.avg_logprob == -13.8155
