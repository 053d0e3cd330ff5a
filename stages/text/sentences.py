"""The rule for the ends of sentences: the one place that segments, cues and translation ask.

Only a full stop is doubtful. It ends nothing before a digit of any script ("No. 5", "in 1947. 20 years",
"cost. ₹500"), before a small letter, after an abbreviation (`abbreviations`) or an initial. Where a script has no
capitals, an abbreviation is never taken for the end of a sentence."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from sutradhar.stages.text.abbreviations import (
    EVERYWHERE,
    LAST,
    NEVER_LAST,
    OPENERS,
    ORDINALS,
    SOMETIMES_LAST,
    SOMETIMES_LAST_IN,
    WITH_A_CAPITAL,
)
from sutradhar.stages.text.characters import CLOSING, COMMAS, DASHES, ELLIPSES, OPENING, STOPS, bare, visible
from sutradhar.stages.text.scripts import LATIN, script_of

_DOUBTFUL = ".۔．"  # marks that end both sentences and abbreviations
_OTHER_STOPS = {"el": ";"}  # marks that end sentences in one language only
_BEFORE_A_SENTENCE = " #.…♪♫" + OPENING + DASHES
_BEFORE_A_NUMBER = _BEFORE_A_SENTENCE + "*@&§№"
_OF_A_CURRENCY = re.compile(r"[A-Z]{1,3}(?=[^\w\s])")  # "US$500"
# "J.", "म.", "د."; not the syllables of Korean and Chinese, which are words.
_LETTER = re.compile("[^\\W\\d_\u1100-\u11ff\u2e80-\uffff]")
_DOTTED = re.compile(r"[^\W\d_][^\s.۔]{0,3}(?:[.۔]\w[^\s.۔]{0,3})+[.۔]")  # "U.S.", "p.m.", "बी.ए."
_ORDINAL = re.compile(r"\d{1,2}\.")


def ends_sentence(word: str, following: str, language: str = "") -> bool:
    """Return whether the punctuation of `word` ends a sentence when `following` comes next.

    An ellipsis ends one only before a capital: elsewhere somebody hesitates."""
    word, following = visible(word), visible(following)
    core = word.strip().rstrip(CLOSING).lstrip(OPENING)
    first = following.lstrip(_BEFORE_A_SENTENCE)[:1]
    if not core or core[-1] not in STOPS + _OTHER_STOPS.get(language, "") or first.islower():
        return False
    if core.endswith(ELLIPSES):
        return first.isupper()
    if core[-1] in _DOUBTFUL and _begins_with_number(following):
        return False
    return core[-1] not in _DOUBTFUL or not _goes_on(core, following, language)


def ends_clause(word: str, language: str = "") -> bool:
    """Return whether a mark stands behind the word, of a clause or of a sentence."""
    core = visible(word).strip().rstrip(CLOSING)
    return bool(core) and core[-1] in COMMAS + STOPS + DASHES and not is_abbreviation(core, language)


def is_abbreviation(word: str, language: str = "") -> bool:
    """Return whether the word's full stop ends no sentence by itself: "Dr.", "J.", "कि.मी."."""
    core = visible(word).strip().lstrip(OPENING)
    return core.endswith(tuple(_DOUBTFUL)) and (bare(core) in _abbreviations(language) or _may_be_one(core, language))


def _begins_with_number(text: str) -> bool:
    """Return whether the text begins with a digit, but for brackets, a currency, and signs like + and <."""
    text = _OF_A_CURRENCY.sub("", text.lstrip(_BEFORE_A_NUMBER), count=1)
    first = next((character for character in text if character not in _BEFORE_A_NUMBER and not _is_sign(character)), "")
    return first.isdigit()


def _is_sign(character: str) -> bool:
    return unicodedata.category(character) in ("Sc", "Sm")


def _goes_on(core: str, following: str, language: str) -> bool:
    """Return whether the sentence goes on after the full stop of `core`."""
    if bare(core) in _abbreviations(language) or (language in ORDINALS and _ORDINAL.fullmatch(core)):
        return True
    return _may_be_one(core, language) and _first_word(following) not in OPENERS


def _may_be_one(core: str, language: str) -> bool:
    """Return whether `core` is an abbreviation that a sentence may end in."""
    is_titled = core[0].isupper() and bare(core) in WITH_A_CAPITAL and _reads_english(language)
    return is_titled or bare(core) in _sometimes_last(language) or _has_form_of_one(core)


def _has_form_of_one(core: str) -> bool:
    if bare(core) in LAST:
        return False
    initial = len(core) == 2 and _LETTER.match(core) is not None and not core[0].islower()
    return initial or _DOTTED.fullmatch(core) is not None


def _first_word(text: str) -> str:
    return re.split("['’]", bare(text.strip().partition(" ")[0]))[0]


def _reads_english(language: str) -> bool:
    """Return whether Latin letters in a text of the language are most likely English. Other Latin languages have
    words like it ("er")."""
    return language in ("", "en") or script_of(language) != LATIN


@cache
def _sometimes_last(language: str) -> frozenset[str]:
    english = SOMETIMES_LAST_IN["en"] if _reads_english(language) else frozenset[str]()
    return SOMETIMES_LAST | english | SOMETIMES_LAST_IN.get(language, frozenset())


@cache
def _abbreviations(language: str) -> frozenset[str]:
    """Return the language's abbreviations, those of English in other scripts, and in an unknown language all of
    scripts without capitals too."""
    english = NEVER_LAST["en"] if _reads_english(language) else frozenset[str]()
    if language:
        return EVERYWHERE | english | NEVER_LAST.get(language, frozenset())
    caseless = {word for words in NEVER_LAST.values() for word in words if word == word.upper()}
    return EVERYWHERE | english | caseless
