from __future__ import annotations

import pytest

from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.transcript import Cue, Segment, Transcript, Word
from tests.stages.cues.support import netflix, shown, spoken, transcript


def test_a_sentence_is_one_cue_broken_before_the_preposition() -> None:
    text = "I told you that if you ever came back to this house, I would call the police."
    assert shown(spoken(text)) == ["I told you that if you ever came back / to this house, I would call the police."]


def test_comfortable_sentences_get_a_cue_each() -> None:
    text = "And what did you do?[300] You let him in.[900] He's my brother, Sarah."
    assert shown(spoken(text)) == ["And what did you do?", "You let him in.", "He's my brother, Sarah."]


def test_a_short_sentence_without_room_joins_its_neighbour() -> None:
    assert shown(spoken("No. I tried to stop him.")) == ["No. I tried to stop him."]
    assert shown(spoken("No.[900] I tried to stop him.")) == ["No.", "I tried to stop him."]


def test_a_cue_too_short_to_be_read_joins_across_a_pause() -> None:
    assert shown(spoken("Wait.[400]| You let him in.")) == ["Wait. You let him in."]
    assert shown(spoken("Wait.[700]| You let him in.")) == ["Wait.", "You let him in."]


def test_the_end_of_a_sentence_is_not_shown_with_the_beginning_of_another() -> None:
    text = (
        "Before anyone finds out that we were here.[60]| Wait.[40]|"
        " Are you sure about that, because the last time I looked there was nobody in that building?"
    )
    assert shown(spoken(text)) == [
        "Before anyone finds out / that we were here. Wait.",
        "Are you sure about that,",
        "because the last time I looked / there was nobody in that building?",
    ]


def test_fast_speech_takes_the_time_of_a_pause_before_it() -> None:
    text = "If we do not go now,[1100] everyone was followed by the police. If we do not go now, everyone was followed by the police."
    assert shown(spoken(text, character_ms=40)) == ["If we do not go now, / everyone was followed by the police."] * 2
    assert shown(spoken(text))[0] == "If we do not go now,"


def test_a_long_sentence_is_cut_where_its_clauses_meet() -> None:
    text = (
        "Dr. Miller from the University of New York called this morning about the results of the test you took last week,"
        " and he wants you to come to the hospital as soon as you can."
    )
    assert shown(spoken(text)) == [
        "Dr. Miller from the University of New York / called this morning about the results",
        "of the test you took last week,",
        "and he wants you to come / to the hospital as soon as you can.",
    ]


def test_no_cue_ends_with_the_first_word_of_the_next_sentence() -> None:
    text = "We had been walking along the river for hours. So nobody noticed that the little boat was gone."
    assert shown(spoken(text)) == [
        "We had been walking / along the river for hours.",
        "So nobody noticed / that the little boat was gone.",
    ]


def test_a_long_pause_ends_a_cue_even_after_an_article() -> None:
    assert shown(spoken("It was the[1600] butler.")) == ["It was the", "butler."]
    assert shown(spoken("It was the[1400] butler.")) == ["It was the butler."]


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        (
            "मैंने तुमसे कहा था कि अगर तुम इस घर में वापस आए तो मैं पुलिस को बुला लूँगा।",
            ["मैंने तुमसे कहा था कि अगर तुम इस घर में / वापस आए तो मैं पुलिस को बुला लूँगा।"],
        ),
        (
            "उसने हमारा सब कुछ चुरा लिया और तुम बस खड़े देखते रहे।[60]| नहीं। मैंने उसे रोकने की कोशिश की थी लेकिन उसके पास बंदूक थी।",
            ["उसने हमारा सब कुछ चुरा लिया / और तुम बस खड़े देखते रहे।", "नहीं। मैंने उसे रोकने की कोशिश की थी / लेकिन उसके पास बंदूक थी।"],
        ),
        (
            "यह मेरी किताब है ।[800] वह उसकी बहन के साथ दिल्ली जा रही है ।",
            ["यह मेरी किताब है ।", "वह उसकी बहन के साथ दिल्ली जा रही है ।"],
        ),
    ],
)
def test_hindi(text: str, cues: list[str]) -> None:
    assert shown(spoken(text, language="hi")) == cues


def test_languages_without_spaces() -> None:
    chinese = [
        Word(text, 200 * number, 200 * number + 200, 1.0)
        for number, text in enumerate("我们今天去公园玩吧，你觉得怎么样？")
    ]
    japanese = [
        Word(text, 200 * number, 200 * number + 200, 1.0)
        for number, text in enumerate("昨日は友達と一緒に映画を見に行きました。")
    ]
    assert shown(transcript([chinese], "zh")) == ["我们今天去公园玩吧， / 你觉得怎么样？"]
    assert shown(transcript([japanese], "ja")) == ["昨日は友達と一緒に / 映画を見に行きました。"]


def test_times_follow_the_speech_and_stay_to_be_read() -> None:
    said = transcript(
        [[Word(" Look,", 7200, 7520, 1.0)], [Word(" I", 10060, 10160, 1.0), Word(" know.", 10160, 10700, 1.0)]]
    )
    assert build_cues(said, netflix()) == [Cue(7200, 8034, ("Look,",)), Cue(10060, 11200, ("I know.",))]


def test_the_gap_between_close_cues_is_two_frames() -> None:
    cues = build_cues(spoken("And what did you do?[300] You let him in."), netflix())
    assert [(cue.start_ms, cue.end_ms) for cue in cues] == [(0, 1416), (1500, 2960)]


def test_a_word_wider_than_a_line_is_cut_between_characters() -> None:
    family = "👨‍👩‍👧" * 10  # 5 code points each, so 8 of them on a line of 42
    assert shown(spoken(family)) == ["👨‍👩‍👧" * 8 + " / " + "👨‍👩‍👧" * 2]
    assert shown(spoken("क्षा" * 11, language="hi")) == ["क्षा" * 10 + " / " + "क्षा"]


def test_a_segment_without_word_times_shares_its_span() -> None:
    segment = Segment(0, 1000, 3000, "Yes, of course.", (), "en", 1.0, -0.2, 0.0, 1.5, 0.0)
    assert build_cues(Transcript("en", 0, 9000, (segment,)), netflix()) == [Cue(1000, 3500, ("Yes, of course.",))]


def test_no_words_no_cues() -> None:
    assert build_cues(Transcript("en", 0, 9000, ()), netflix()) == []
    assert build_cues(transcript([[Word(" ", 0, 100, 1.0), Word("\u200b", 100, 200, 1.0)]]), netflix()) == []


def test_profiles_differ() -> None:
    text = "The lead had dried into the shape of the pan, but it was no longer lead."
    assert shown(spoken(text)) == ["The lead had dried into the shape / of the pan, but it was no longer lead."]
    assert shown(spoken(text), rules_for("bbc", "en", 24)) == [
        "The lead had dried / into the shape of the pan,",
        "but it was no longer lead.",
    ]
    assert shown(spoken(text), rules_for("shorts", "en", 24)) == [
        "The lead had dried / into the shape",
        "of the pan, but it / was no longer lead.",
    ]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("th", "สวัสดี|ครับ|ผม|ชื่อ|สมชาย|ยินดี|ที่|ได้|รู้จัก|คุณ"),
        ("km", "ខ្ញុំ|ចង់ទៅ|ផ្សារ|ជាមួយ|មិត្តភក្តិ|របស់ខ្ញុំ"),
        ("lo", "ຂ້ອຍ|ຢາກ|ໄປ|ຕະຫຼາດ|ກັບ|ໝູ່|ຂອງ|ຂ້ອຍ"),
        ("my", "ကျွန်တော်|ဈေး|ကို|သူငယ်ချင်း|နဲ့|သွား|ချင်|တယ်"),
        ("zh", "我想|和|朋友|一起去|北京|大学"),
        ("ja", "私|は|友達|と|東京タワー|へ|行き|プログラミング|を|始めたいです"),
    ],
)
@pytest.mark.parametrize("whole", [False, True], ids=["characters", "phrases"])
def test_no_word_is_cut_in_scripts_without_spaces(language: str, words: str, whole: bool) -> None:
    text = words.replace("|", "") * 6
    starts = {sum(map(len, (words.split("|") * 6)[:number])) for number in range(6 * len(words.split("|")) + 1)}
    pieces = [text] if whole else list(text)
    said = [Word(piece, 100 * number, 100 * number + 100, 0.9) for number, piece in enumerate(pieces)]
    if whole:
        said = [Word(text, 0, 100 * len(text), 0.9)]
    cues = build_cues(transcript([said], language), netflix(language))
    lines = [line for cue in cues for line in cue.lines]
    assert "".join(lines) == text
    assert len(lines) > 3
    ends = {sum(map(len, lines[:number])) for number in range(1, len(lines))}
    assert ends <= starts


def test_a_number_stays_on_one_line() -> None:
    number = " 1 crore 20 lakh rupees"
    for before in range(1, 12):
        said = spoken(" so" * before + " it cost us all of" + number + " in the end of it all, they said")
        lines = [line for cue in build_cues(said, netflix()) for line in cue.lines]
        assert any(number.strip() in line for line in lines)


def test_the_parts_of_an_indian_number_stay_together() -> None:
    said = [
        Word(text, 1600 * number, 1600 * number + 300, 0.9)
        for number, text in enumerate((" यहाँ", " 1", ",00", ",000", " लोग"))
    ]
    assert any("1,00,000" in line for cue in build_cues(transcript([said], "hi"), netflix("hi")) for line in cue.lines)
