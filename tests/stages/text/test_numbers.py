from __future__ import annotations

import pytest

from sutradhar.stages.text.numbers import numbers, one_number


def test_numbers_are_read_in_any_digits() -> None:
    assert numbers("१२:३० पर ₹1,50,000 या 3.5, ௪௨ और 007") == {12, 30, 150000, 3, 5, 42, 7}


@pytest.mark.parametrize(
    ("words", "together"),
    [
        ("₹ 1,50,000", True),
        ("Rs. 2.5", True),
        ("रु. ५००", True),
        ("2.5 crore", True),
        ("बीस लाख", True),
        ("दो करोड़", True),
        ("– लाख", False),
        ("crore 20", True),
        ("लाख रुपये", True),
        ("10 000", True),
        ("5 km", True),
        ("50 %", True),
        ("साढ़े तीन", True),
        ("सवा दो", True),
        ("पौने तीन", True),
        ("साडे तीन", True),
        ("लाख बीस", True),
        ("lakh twenty", True),
        ("twenty five", True),
        ("௹ 5,00,000", True),
        ("US$ 500", True),
        ("1,00,000 रु.", True),
        ("500 ₹", True),
        ("बीस रुपये", True),
        ("fifty percent", True),
        ("साढ़े, तीन", False),
        ("twenty people", False),
        ("five twenty", False),
        ("5 people", False),
        ("lakh, 20", False),
        ("लाख लोग", False),
        ("in 1947.", False),
        ("1947. 20", False),
    ],
)
def test_words_of_one_number(words: str, together: bool) -> None:
    left, right = words.split()
    assert one_number(left, right) is together
