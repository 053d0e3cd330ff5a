from __future__ import annotations

from itertools import pairwise

import pytest

from sutradhar.stages.text.words import begin_words, in_words, word_starts


def cut(text: str, language: str) -> str:
    places = [*sorted(word_starts(text, language)), len(text)]
    return "|".join(text[left:right] for left, right in pairwise(places))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("th", "สวัสดี|ครับ|ผม|ชื่อ|สมชาย"),
        ("km", "ខ្ញុំ|ចង់ទៅ|ផ្សារ|ជាមួយ|មិត្តភក្តិ"),
        ("lo", "ຂ້ອຍ|ຢາກ|ໄປ|ຕະຫຼາດ|ກັບ"),
        ("my", "ကျွန်တော်|ဈေး|ကို|သူငယ်ချင်း|နဲ့"),
        ("zh", "我想|和|朋友|一起去|北京|大学"),
        ("zh", "一起去市中心|买东西"),
        ("zh", "火车站附近|有|很多|饭馆"),
        ("zh", "我们的|家|在|市中心|附近"),
        ("zh", "一亿二千万人"),
        ("ja", "お酒|を|飲んでいた|ので|、|ブリュッセル|へ|行った"),
        ("ja", "一億二千万人|が|食べました"),
        ("ja", "2億5千万円|を|払った"),
        ("ja", "物価|が|上がって|、|人|が|死にました"),
        ("ja", "今日|は|まだ|行けない"),
        ("ja", "読んだ|本|を|落とした"),
        ("ja", "聞いてみて|ください"),
        ("ja", "東京|スカイツリー|・|タワー"),
        ("ja", "私|は|東京タワー|へ|行きました|。|プログラミング|を|始めたいです"),
    ],
)
def test_words_begin_where_the_dictionary_says(language: str, words: str) -> None:
    assert cut(words.replace("|", ""), language) == words


def test_pieces_of_a_word_begin_none() -> None:
    assert begin_words(["ส", "วัส", "ดี", "ครับ"], "th") == [True, False, False, True]
    assert begin_words([" 1", ",00", ",000", " है"], "hi") == [True, False, False, True]
    assert begin_words([" don", "'t", " go"], "en") == [True, False, True]
    assert begin_words([], "th") == []


def test_a_piece_of_several_words_is_cut() -> None:
    assert in_words([" สวัสดีครับ", "ผม"], "th") == [[(" สวัสดี", True), ("ครับ", True)], [("ผม", True)]]
    assert in_words([" hello there"], "en") == [[(" hello there", True)]]
