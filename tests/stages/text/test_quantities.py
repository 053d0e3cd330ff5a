from __future__ import annotations

from fractions import Fraction

import pytest

from sutradhar.stages.text.quantities import quantities


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
        ("2 lakh 50 thousand", [250_000]),
    ],
)
def test_a_quantity_is_a_number_with_what_multiplies_it(text: str, values: list[int]) -> None:
    assert [one.value for one in quantities(text)] == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("बीस प्रतिशत", [20]),
        ("साढ़े पाँच बजे", [5.5]),
        ("पौने छह, सवा सात", [5.75, 7.25]),
        ("पाँच करोड़ लोग", [50_000_000]),
        ("डेढ़ लाख, ढाई सौ", [150_000, 250]),
        ("सवा सौ, पौने दो सौ", [125, 175]),
        ("साढ़े तीन हज़ार", [3500]),
        ("सौ लोग", [100]),
        ("दो लाख पचास हज़ार", [250_000]),
        ("दो सौ, पाँच सौ", [200, 500]),
        ("दो सौ पाँच सौ", [200, 500]),
        ("उन्नीस सौ सैंतालीस", [1947]),
        ("दो हज़ार चौबीस", [2024]),
        ("आधा किलो", [0.5]),
        ("तीन चौथाई", [0.75]),
        ("इक्कीसवीं सदी", [21]),
        ("दस-पंद्रह", [10, 15]),
        ("निन्यानवे", [99]),
        ("साढ़े-आठ", [8.5]),
        ("पाँचगुना", [5]),
    ],
)
def test_hindi_words_are_numbers(text: str, values: list[float]) -> None:
    assert [one.value for one in quantities(text, "hi")] == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("twenty percent", [20]),
        ("half past five", [5.5]),
        ("quarter to six", [5.75]),
        ("one and a half lakh", [150_000]),
        ("a lakh and a half", [150_000]),
        ("half a million", [500_000]),
        ("three quarters", [0.75]),
        ("twenty-five", [25]),
        ("twenty-first", [21]),
        ("two hundred and fifty thousand", [250_000]),
        ("a hundred and one", [101]),
        ("nineteen forty-seven", [1947]),
        ("five and six", [5, 6]),
        ("fifty million", [50_000_000]),
        ("2 million", [2_000_000]),
        ("at 5:30", [5.5]),
        ("1/2 a cup", [0.5]),
    ],
)
def test_english_words_are_numbers(text: str, values: list[float]) -> None:
    assert [one.value for one in quantities(text, "en")] == values


def test_a_time_of_the_afternoon_may_be_told_by_the_twelve_hours() -> None:
    assert Fraction(11, 2) in quantities("17:30")[0].otherwise
