from __future__ import annotations

from stages.translate.numbers import lost, numbers


def test_numbers_are_read_in_any_digits() -> None:
    assert numbers("१२:३० पर ₹1,50,000 या 3.5, ௪௨ और 007") == {12, 30, 150000, 3, 5, 42, 7}


def test_small_numbers_may_be_words() -> None:
    assert not lost("12 आदमी", "a dozen men", "en")
    assert lost("11 आदमी", "a dozen men", "en")
    assert not lost("2nd July", "दूसरी जुलाई", "hi")
    assert not lost("11 आदमी", "பதினொரு பேர்", "ta")
    assert lost("13 आदमी", "thirteen men", "en")
