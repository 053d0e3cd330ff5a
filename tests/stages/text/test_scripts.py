from __future__ import annotations

from sutradhar.stages.text.scripts import is_of, needs_no_space, script_of


def test_scripts_of_languages() -> None:
    assert [script_of(language) for language in ("hi", "ur", "sat", "zh", "fr", "xx")] == [
        "DEVANAGARI",
        "ARABIC",
        "OL",
        "CJK",
        "LATIN",
        "LATIN",
    ]
    assert (is_of("KATAKANA", "ja"), is_of("KATAKANA", "zh")) == (True, False)
    assert [needs_no_space(character) for character in "ส我かက。a가अ"] == [
        True,
        True,
        True,
        True,
        True,
        False,
        False,
        False,
    ]
