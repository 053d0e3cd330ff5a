from __future__ import annotations

import pytest

from stages.text.scripts import foreign_share
from tests.stages.recognise.support import segment


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [("मैं Sanjay हूँ", "hi", 0.75), ("मैं स्कूल जा रहा हूँ।", "hi", 0.0), ("میں", "hi", 1.0), ("Hello", "en", 0.0), ("...", "hi", 0.0), ("漢字", "ja", 0.0)],
)
def test_foreign_share(text: str, language: str, share: float) -> None:
    assert foreign_share([segment(text, language=language)])[0] == pytest.approx(share)


def test_each_segment_is_held_to_its_own_language() -> None:
    call = [segment("Добрый день", language="ru"), segment("Good morning, how are you?", language="en")]
    assert foreign_share(call)[0] == 0.0
    assert foreign_share([*call, segment("dobry den", language="ru")]) == (pytest.approx(8 / 38), "ru")
