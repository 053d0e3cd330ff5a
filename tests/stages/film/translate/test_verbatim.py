from __future__ import annotations

import pytest

from sutradhar.stages.film.translate.verbatim import verbatim


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("मुझे a@b.in पर लिखो।", ["a@b.in"]),
        ("देखो https://sutradhar.in/x?y=1. अभी!", ["https://sutradhar.in/x?y=1"]),
        ("#फिल्म @raj_1 आज 12:30 बजे", ["#फिल्म", "@raj_1", "12:30"]),
        ("डॉ. शर्मा 20 लोगों के साथ आए.", []),
    ],
)
def test_what_has_to_come_back_letter_for_letter_is_found(sentence: str, found: list[str]) -> None:
    assert verbatim(sentence) == found
