from __future__ import annotations

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.evaluate.normalise import NORMALISERS, normaliser_for


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("english", "It's Mr. Grey's colour, OK?", "it is mister gray is color ok"),
        ("english", "Wait … twenty-one", "wait 21"),
        ("unicode", "“मैं, हूँ।” क्या?", "मैं हूँ क्या"),
        ("unicode", "क\u093c\u094dया", "क\u093c\u094dया"),
        ("unicode", "L'État, c’est moi", "létat cest moi"),
        ("unicode", "日本 go", "日 本 go"),
        ("spelling", "हिन्दी हिंदी", "हिंदी हिंदी"),
        ("spelling", "हँस ज़रा गये", "हंस जरा गए"),
        ("spelling", "ये पढ़", "ये पढ़"),
        ("spelling", "जन्म", "जन्म"),
    ],
)
def test_what_texts_may_differ_in(name: str, text: str, found: str) -> None:
    assert NORMALISERS[name](text) == found


def test_english_has_a_normaliser_of_its_own() -> None:
    assert [normaliser_for("auto", language) for language in ("en", "hi")] == ["english", "unicode"]
    with pytest.raises(UsageError, match="--normaliser whisper: no such normaliser; choose from auto, english"):
        normaliser_for("whisper", "en")
