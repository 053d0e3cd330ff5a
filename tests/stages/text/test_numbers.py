from __future__ import annotations

import pytest

from stages.text.numbers import numbers, one_number, quantities


def test_numbers_are_read_in_any_digits() -> None:
    assert numbers("१२:३० पर ₹1,50,000 या 3.5, ௪௨ और 007") == {12, 30, 150000, 3, 5, 42, 7}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1,00,000 लोग", [100_000]),
        ("१,००,००० लोग", [100_000]),
        ("1 lakh people", [100_000]),
        ("1 crore 20 lakh", [12_000_000]),
        ("Rs. 2.5 crore", [25_000_000]),
        ("2 lakh crore", [2 * 10**12]),
        ("15 करोड़ और 150 million", [150_000_000, 150_000_000]),
        ("20 लाख, 15 हज़ार", [2_000_000, 15_000]),
        ("in 2020 12 men", [2020, 12]),
        ("lakhs of people", []),
    ],
)
def test_a_quantity_is_a_number_with_what_multiplies_it(text: str, values: list[int]) -> None:
    assert [one.value for one in quantities(text)] == values


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
