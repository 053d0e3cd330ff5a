from __future__ import annotations

from stages.translate.numbers import lost


def test_small_numbers_may_be_words() -> None:
    assert not lost("12 आदमी", "a dozen men", "en")
    assert lost("11 आदमी", "a dozen men", "en")
    assert not lost("2nd July", "दूसरी जुलाई", "hi")
    assert not lost("11 आदमी", "பதினொரு பேர்", "ta")
    assert lost("13 आदमी", "thirteen men", "en")


def test_indian_and_western_numbers_are_equal() -> None:
    assert not lost("1,00,000 लोग", "1 lakh people", "en")
    assert not lost("1,00,000 लोग", "100,000 people", "en")
    assert not lost("15 करोड़ लोग", "150 million people", "en")
    assert not lost("1 crore 20 lakh people", "12 million people", "en")
    assert not lost("₹2.5 करोड़", "25 million rupees", "en")
    assert not lost("150 million people", "15 करोड़ लोग", "hi")


def test_a_number_with_another_factor_is_lost() -> None:
    assert lost("15 करोड़ लोग", "15 million people", "en")
    assert lost("20 lakh people", "20 करोड़ लोग", "hi")
    assert not lost("15 करोड़ लोग", "15 crore people, fifteen", "en")
