"""Sources that no translator is given: it would make a fluent sentence of anything."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Literal

from sutradhar.stages.text import roman
from sutradhar.stages.text.characters import WORDS, clean
from sutradhar.stages.text.loops import collapse
from sutradhar.stages.text.scripts import LATIN, is_of, is_usual, letters_in, script_of

Unreadable = Literal["roman script", "another script", "garbage"]

_FOREIGN_SHARE = 0.3  # of the words
_OWN_SHARE = 0.12  # of the words: with fewer words in its script it is a sentence of another language
_ONE_CHARACTER = 4  # times nothing but one character is no word
_LOOPED = 10  # times: said so often, it is the recogniser that stumbles
_BROKEN_SHARE = 0.1  # of the characters: signs for bytes that make no letter
_MOST_SCRIPTS = 3
_NO_LETTERS = ("Co", "Cn", "Cs")


def why_unreadable(text: str, said: str, language: str) -> Unreadable | None:
    """Return the reason not to translate a sentence from `language`: `text` is the translator's input, `said` the
    words as recognised."""
    if is_garbage(text, said):
        return "garbage"
    if roman.is_latin(text) and roman.language_of(text) == "hindi":
        return "roman script"
    return "another script" if in_another_script(text, language, is_usual) else None


def is_garbage(text: str, said: str) -> bool:
    """Return whether it is one character or one loop over and over, bytes that make no letters, signs without letters
    to stand on, or words of mixed scripts."""
    said = clean(said)
    characters = [character for character in said if not character.isspace()]
    words = said.split()
    if sum(map(_is_broken, characters)) > _BROKEN_SHARE * len(characters):
        return True
    letters = [character for character in characters if unicodedata.category(character)[0] in "LM"]
    if len(letters) >= _ONE_CHARACTER and len(set(letters)) == 1:
        return True
    if len(words) >= _LOOPED and len(collapse(text).split()) * _LOOPED <= len(words):
        return True
    torn = sum(unicodedata.category(word[0])[0] == "M" or _is_mixed(word) for word in words)
    return 2 * torn >= max(1, len(words)) or len(letters_in(said)) > _MOST_SCRIPTS


def _is_broken(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in _NO_LETTERS


def _is_mixed(word: str) -> bool:
    """Return whether letters of several scripts are in a word, neither of them as a whole part of it ("SIMवाला")."""
    scripts = [next(iter(letters_in(letter))) for letter in word if letter.isalpha()]
    return sum(left != right for left, right in pairwise(scripts)) > 1


def in_another_script(text: str, language: str, is_right: Callable[[str, str], bool] = is_of) -> bool:
    """Return whether many of the words are in a script that the language is not written in, or few in its script and
    the others Hindi in Latin letters. Names and borrowed words may be in Latin, and most of a sentence may be
    borrowed: "Alarm set करो for 12 minutes"."""
    words = [(script, word) for word in WORDS.findall(text) if (script := _script(word))]
    scripts = Counter(script for script, _ in words)
    own = sum(count for script, count in scripts.items() if is_right(script, language))
    strange = scripts.total() - own - (scripts[LATIN] if not is_right(LATIN, language) else 0)
    if strange > _FOREIGN_SHARE * scripts.total() or own < _OWN_SHARE * scripts.total():
        return True
    latin = " ".join(word for script, word in words if script == LATIN)
    return own < _FOREIGN_SHARE * scripts.total() and roman.language_of(latin) == "hindi"


def _script(word: str) -> str:
    """Return the script of most of its letters, "" for none."""
    found = letters_in(word).most_common(1)
    return found[0][0] if found else ""


def digits(text: str, target: str) -> str:
    """Return a text of numbers and marks for a target language: digits of any script as 0 to 9, a danda where that is
    written."""
    text = text.replace("।", ".") if script_of(target) == LATIN else text
    return "".join(str(unicodedata.digit(character)) if character.isdigit() else character for character in text)
