from __future__ import annotations

import pytest

from stages.script import foreign_share


@pytest.mark.parametrize(
    ("text", "language", "share"),
    [("मैं Sanjay हूँ", "hi", 0.75), ("मैं स्कूल जा रहा हूँ।", "hi", 0.0), ("میں", "hi", 1.0), ("Hello", "en", 0.0), ("...", "hi", 0.0), ("漢字", "ja", 0.0)],
)
def test_foreign_share(text: str, language: str, share: float) -> None:
    assert foreign_share(text, language) == pytest.approx(share)
