from __future__ import annotations

import pytest

from sutradhar.stages.text.roman import Roman, is_latin, is_names, language_of
from sutradhar.stages.text.roman_words import ENGLISH, HINDI


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("mujhe kal ghar jana hai", "hindi"),
        ("Main theek hoon, aap kaise hain?", "hindi"),
        ("Today ki UV rating kya hai?", "hindi"),
        ("Please mere phone ko off karo", "hindi"),
        ("Call Neha now please bolo usko", "hindi"),
        ("Thank you bhai", "hindi"),
        ("don’t", "english"),
        ("We will go home now.", "english"),
        ("I don’t know him, par usually he is late", "english"),
        ("The skies are clear.", "english"),
        ("Main Street", "unknown"),
        ("Main, Om Shanti", "unknown"),
        ("Raj Malhotra", "unknown"),
        ("1995", "unknown"),
        ("Pitaji police station chalein.", "unknown"),
        ("Bahut-bahut sorry.", "hindi"),
        ("Naan office late varen.", "unknown"),
    ],
)
def test_words_decide_the_language(text: str, language: Roman) -> None:
    assert language_of(text) == language


def test_only_latin_letters_are_latin() -> None:
    assert [is_latin(text) for text in ("Okay, 5!", "Okay जी", "5!", "é")] == [True, False, False, True]


def test_no_word_is_in_both_lists() -> None:
    assert not HINDI & ENGLISH
    assert not HINDI & {"main", "me", "to", "the", "are", "so", "do", "is", "us", "or", "but", "par"}


def test_names_are_few_words_with_capitals() -> None:
    assert [is_names(text) for text in ("Raj Malhotra!", "Om, 1995", "Raj came", "Come To My House Now")] == [
        True,
        True,
        False,
        False,
    ]
