from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.numbers import lost


@pytest.mark.parametrize(
    ("source", "target", "pair"),
    [
        ("12 आदमी", "a dozen men", "hi en"),
        ("13 आदमी", "thirteen men", "hi en"),
        ("2nd July", "दूसरी जुलाई", "en hi"),
        ("11 आदमी", "பதினொரு பேர்", "hi ta"),
        ("1,00,000 लोग", "1 lakh people", "hi en"),
        ("1,00,000 लोग", "100,000 people", "hi en"),
        ("15 करोड़ लोग", "150 million people", "hi en"),
        ("1 crore 20 lakh people", "12 million people", "hi en"),
        ("₹2.5 करोड़", "25 million rupees", "hi en"),
        ("150 million people", "15 करोड़ लोग", "en hi"),
        ("15 करोड़ लोग", "15 crore people, fifteen", "hi en"),
        ("He paid 20% of it", "उसने बीस प्रतिशत दिया", "en hi"),
        ("Come at 5:30", "साढ़े पाँच बजे आओ", "en hi"),
        ("at 17:45", "पौने छह बजे", "en hi"),
        ("at 5.30", "साढ़े पाँच बजे", "en hi"),
        ("at 5:20", "पाँच बजकर बीस मिनट पर", "en hi"),
        ("50 million people", "पाँच करोड़ लोग", "en hi"),
        ("1.5 lakh rupees", "डेढ़ लाख रुपये", "en hi"),
        ("100 people", "सौ लोग", "en hi"),
        ("50% of them", "उनमें से आधे", "en hi"),
        ("the 21st century", "इक्कीसवीं सदी", "en hi"),
        ("in 1947", "उन्नीस सौ सैंतालीस में", "en hi"),
        ("at 12:45", "पौने एक बजे", "en hi"),
        ("60 eggs", "पाँच दर्जन अंडे", "en hi"),
        ("2 1/2 hours", "ढाई घंटे", "en hi"),
        ("100%", "शत प्रतिशत", "en hi"),
        ("the 1990s", "नब्बे का दशक", "en hi"),
        ("24 घंटे", "twenty-four hours", "hi en"),
        ("1947 में", "in nineteen forty-seven", "hi en"),
        ("2,50,000 लोग", "two hundred and fifty thousand people", "hi en"),
        ("100 लोग", "a hundred people", "hi en"),
        ("25 பேர்", "twenty-five people", "ta en"),
        ("25 people", "இருபத்தைந்து பேர்", "en ta"),
        ("15 करोड़ लोग", "15 கோடிப் பேர்", "hi ta"),
        ("सौ बार कहा", "told you a thousand times", "hi en"),
        ("a thousand times", "सौ बार", "en hi"),
        ("दो-चार सौ लोग", "a few hundred people", "hi en"),
        ("पाँच सौ दो", "Give 500", "hi en"),
        ("पचास हज़ार", "fifty thousand", "hi en"),
        ("दो करोड़ लोग", "20 million people", "hi en"),
        ("सवा लाख", "125,000", "hi en"),
        ("उन्नीस-बीस का फ़र्क", "hardly any difference", "hi en"),
        ("हम दो लोग", "the 2 of us", "hi en"),
    ],
)
def test_the_number_is_there(source: str, target: str, pair: str) -> None:
    assert not lost(source, target, *pair.split())


@pytest.mark.parametrize(
    ("source", "target", "pair"),
    [
        ("11 आदमी", "a dozen men", "hi en"),
        ("15 करोड़ लोग", "15 million people", "hi en"),
        ("15 करोड़ लोग", "15 people", "hi en"),
        ("20 lakh people", "20 करोड़ लोग", "en hi"),
        ("20 lakh people", "20 கோடி பேர்", "en ta"),
        ("वहाँ दो करोड़ लोग थे", "There were 2 million people there", "hi en"),
        ("दो करोड़ लोग", "two million people", "hi en"),
        ("डेढ़ लाख", "1.5 million", "hi en"),
        ("पचास हज़ार", "500", "hi en"),
        ("fifty thousand", "पाँच सौ", "en hi"),
        ("पचास लोग", "500 people", "hi en"),
        ("100 people", "हज़ार लोग", "en hi"),
        ("Come at 5:30", "साढ़े छह बजे आओ", "en hi"),
        ("20% of it", "इसका हिस्सा", "en hi"),
        ("25 people", "35 பேர்", "en ta"),
        ("9876543210", "அழையுங்கள்", "en ta"),
    ],
)
def test_the_number_is_lost(source: str, target: str, pair: str) -> None:
    assert lost(source, target, *pair.split())
