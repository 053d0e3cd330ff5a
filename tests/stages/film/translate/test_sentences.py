from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.sentences import assemble, distinct
from sutradhar.stages.transcript import Transcript, Word
from tests.real_sentences import SENTENCES
from tests.stages.film.translate.support import segment, spoken, transcript


def texts(source: Transcript) -> list[str]:
    return [sentence.text for sentence in assemble(source)]


def english(text: str) -> list[str]:
    return texts(spoken(text, "en"))


def test_punctuation_ends_a_sentence() -> None:
    assert texts(spoken(" मैं ठीक हूँ। तुम कैसे हो? चलो! हाँ॥ जी")) == ["मैं ठीक हूँ।", "तुम कैसे हो?", "चलो!", "हाँ॥", "जी"]


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_end_with_the_marks_of_their_script(language: str) -> None:
    assert texts(spoken(" " + " ".join(SENTENCES[language]), language)) == SENTENCES[language]


def test_a_sentence_runs_across_segments() -> None:
    [sentence] = assemble(spoken(" I told you that | he would come.", "en"))
    assert (sentence.text, sentence.start_ms, sentence.end_ms, len(sentence.words)) == (
        "I told you that he would come.",
        0,
        1860,
        7,
    )


def test_abbreviations_numbers_and_what_goes_on_in_small_letters_end_none() -> None:
    assert english(" Dr. Rao paid 3.5 lakh in the U.S. Really? he asked.") == [
        "Dr. Rao paid 3.5 lakh in the U.S. Really? he asked."
    ]
    assert english(" It cost 3. 5 of us paid. No. I did.") == ["It cost 3. 5 of us paid.", "No.", "I did."]
    assert texts(spoken(" डॉ. वर्मा और श्री. के. एल. राव आए. वह घर पर थी. चलो")) == [
        "डॉ. वर्मा और श्री. के. एल. राव आए.",
        "वह घर पर थी.",
        "चलो",
    ]


def test_no_sentence_ends_before_a_digit_or_inside_a_number() -> None:
    assert english(" He paid Rs. 500 to the Hon. Mr. Rao of No. 5.") == [
        "He paid Rs. 500 to the Hon. Mr. Rao of No. 5."
    ]
    assert texts(spoken(" पं. नेहरू को रु. ५०० मिले। चलो")) == ["पं. नेहरू को रु. ५०० मिले।", "चलो"]
    assert english(" It cost 2.5~1500 crore rupees") == ["It cost 2.5 crore rupees"]


def test_marks_that_stand_apart_belong_to_the_sentence_before_them() -> None:
    assert english(' "I came." he said. "Good. " At 5 p.m. I left !') == [
        '"I came." he said.',
        '"Good. "',
        "At 5 p.m.",
        "I left !",
    ]
    assert texts(spoken(" वह आया ।~700 ” डॉ. वर्मा")) == ["वह आया । ”", "डॉ. वर्मा"]


def test_the_halves_of_a_word_stay_together() -> None:
    assert english(" It is 3.~700.5 metres.") == ["It is 3..5 metres."]


def test_an_ellipsis_ends_a_sentence_before_a_capital_a_pause_or_a_new_segment() -> None:
    assert english(" Well... maybe. Wait… Who is it?") == ["Well... maybe.", "Wait…", "Who is it?"]
    assert texts(spoken(" मैं… नहीं जानता…~700 चलो… | हाँ")) == ["मैं… नहीं जानता…", "चलो…", "हाँ"]


def test_a_long_pause_always_ends_a_sentence() -> None:
    assert texts(spoken(" उसने कहा~1000 कि नहीं")) == ["उसने कहा", "कि नहीं"]
    assert texts(spoken(" उसने कहा~999 कि नहीं")) == ["उसने कहा कि नहीं"]


def test_a_shorter_pause_ends_a_clause_or_what_a_segment_ends() -> None:
    assert texts(spoken(" मैं घर जा रहा हूँ~600 तुम कब आओगे")) == ["मैं घर जा रहा हूँ", "तुम कब आओगे"]
    assert texts(spoken(" मैं घर जा रहा हूँ~590 तुम कब आओगे")) == ["मैं घर जा रहा हूँ तुम कब आओगे"]
    assert texts(spoken(" अच्छा~600 तुम कब आओगे")) == ["अच्छा तुम कब आओगे"]
    assert texts(spoken(" अच्छा~600 | तुम कब आओगे")) == ["अच्छा", "तुम कब आओगे"]


def test_a_pause_for_breath_parts_no_clause() -> None:
    assert texts(spoken(" उसने मुझे कल रात कहा~900 कि वह नहीं आएगा")) == ["उसने मुझे कल रात कहा कि वह नहीं आएगा"]
    assert english(" they went to see the~900 | doctor") == ["they went to see the doctor"]


def test_long_stretches_are_cut_at_the_best_pause() -> None:
    words = [f" शब्द{number}" for number in range(40)]
    cut = texts(spoken("".join(words[:25]) + "~500" + "".join(words[25:])))
    assert [len(text.split()) for text in cut] == [25, 15]
    assert [len(text.split()) for text in texts(spoken("".join(words)))] == [20, 20]
    assert max(len(text.split()) for text in texts(spoken("".join(f" अ{number}" for number in range(200))))) <= 30


def test_a_sentence_of_more_than_twelve_seconds_is_cut() -> None:
    cut = assemble(spoken("".join(f" {letter * 20}" for letter in "abcdefghijkl"), "en"))
    assert [sentence.end_ms - sentence.start_ms for sentence in cut] == [7560, 7560]


def test_a_dash_and_a_song_begin_a_new_one() -> None:
    assert english(" -Who is it? - Nobody | - I see -You do") == ["Who is it?", "Nobody", "I see", "You do"]
    assert english(" we waited – and waited at | -5 degrees") == ["we waited – and waited at -5 degrees"]
    assert english(" so he sang ♪ la la land ♪ and left") == ["so he sang", "la la land", "and left"]


def test_languages_are_never_joined() -> None:
    hindi, urdu = [Word(" मैं", 0, 200, 1.0)], [Word(" ہوں", 200, 400, 1.0)]
    sentences = assemble(transcript([segment(hindi, "hi"), segment(urdu, "ur")]))
    assert [(sentence.text, sentence.language) for sentence in sentences] == [("मैं", "hi"), ("ہوں", "ur")]


def test_segments_without_word_times_are_shared_out() -> None:
    sentences = assemble(spoken(" मैं हूँ। तुम हो।", untimed=True))
    assert [(sentence.text, sentence.start_ms, sentence.end_ms) for sentence in sentences] == [
        ("मैं हूँ।", 0, 540),
        ("तुम हो।", 540, 1020),
    ]


def test_a_sound_label_is_a_sentence_by_itself_but_not_inside_one() -> None:
    sentences = assemble(
        spoken(" [Music] Thank you [clears throat] all. | (laughs) | [Door closes] | (he knows) what to do", "en")
    )
    shown = [(sentence.text, sentence.lifted.front) for sentence in sentences]
    assert shown == [
        ("", ("[Music]",)),
        ("Thank you all.", ("[clears throat] ",)),
        ("", ("(laughs)",)),
        ("", ("[Door closes]",)),
        ("(he knows) what to do", ()),
    ]


def test_a_label_between_two_segments_parts_them() -> None:
    assert texts(spoken(" हाँ चलो | [संगीत] | जी")) == ["हाँ चलो", "", "जी"]


def test_every_word_is_in_one_sentence() -> None:
    source = spoken(" [संगीत] हाँ~1200 मैं (हँसी) ठीक | ♪ गाना ♪ - अच्छा। [शोर]")
    said = [word for piece in source.segments for word in piece.words]
    assert [word for sentence in assemble(source) for word in sentence.words] == said


def test_what_is_said_often_is_translated_once() -> None:
    assert distinct(["हाँ।", "नहीं।", " हाँ। ", "नहीं?"]) == (["हाँ।", "नहीं।", "नहीं?"], [0, 1, 0, 2])


def test_a_long_sentence_is_not_cut_inside_a_number() -> None:
    words = [" so"] * 14 + [" 2", " crore", " 50", " lakh"] + [" so"] * 14
    cut = english("".join(words))
    assert len(cut) == 2
    assert sum("2 crore 50 lakh" in text for text in cut) == 1
