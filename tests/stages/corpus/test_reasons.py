from __future__ import annotations

import pytest

from sutradhar.stages.corpus.reasons import kind


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (
            "decoded 3.2 s, but the container says 1,090.5 s: the file is cut short. Copy it",
            "decoded … s, but the container says … s: the file is cut short. Copy it",
        ),
        ("its last packet at 00:01:30.500 is not whole", "its last packet at … is not whole"),
        ("0 bytes", "0 bytes"),
        ("12 bytes", "… bytes"),
        ("its name is not UTF-8: give mp3 or wav", "its name is not UTF-8: give mp3 or wav"),
        ("ended with -11", "ended with -…"),
    ],
)
def test_numbers_do_not_tell_reasons_apart(reason: str, expected: str) -> None:
    assert kind(reason) == expected
