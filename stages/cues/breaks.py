"""The cost of ending a line or a cue between two tokens."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sutradhar.stages.cues.break_words import ADJECTIVE, BOUND, CLAUSE, INSIDE_WORD, LANGUAGES, PHRASE, TIED, BreakWords
from sutradhar.stages.cues.tokens import Token
from sutradhar.stages.text import typography
from sutradhar.stages.text.characters import bare
from sutradhar.stages.text.scripts import needs_no_space
from sutradhar.stages.text.sentences import ends_clause, ends_sentence, is_abbreviation

_PUNCTUATED = 0.25  # the share of segments that end in a punctuation mark where the recogniser writes them
_CLAUSE_END = 0.25
_SEGMENT_END = 0.6  # the recogniser mostly ends a segment where it hears an end, punctuation or not
_SHORT_WORD = 1.2  # articles, prepositions and pronouns of languages that have no list here are short words
_UNKNOWN = BreakWords(before={}, after={})
_NO_CAPITALISED_NAMES = frozenset(("de",))  # every noun has a capital
_HALVING_PAUSE_MS = 400  # a pause this long between two words makes a break between them half as bad


def sentence_ends(tokens: Sequence[Token], language: str = "") -> list[bool]:
    """Return for each token whether a sentence ends before it. Where the transcript is hardly punctuated, the ends of
    its segments count."""
    pairs = list(pairwise(tokens))
    marks = [ends_clause(left.last_word, language) for left, right in pairs if right.opens_segment]
    punctuated = sum(marks) >= _PUNCTUATED * len(marks)
    ends = [
        ends_sentence(left.last_word, right.text, language) or (right.opens_segment and not punctuated)
        for left, right in pairs
    ]
    return [False][: len(tokens)] + ends


def break_costs(tokens: Sequence[Token], ends: Sequence[bool], language: str) -> list[float]:
    """Return the cost of a break before each token: 0 where a sentence `ends`, 1 between any two words, about 3 after
    an article."""
    return [0.0][: len(tokens)] + [
        0.0 if end else _break_cost(left, right, language)
        for (left, right), end in zip(pairwise(tokens), ends[1:], strict=True)
    ]


def _break_cost(left: Token, right: Token, language: str) -> float:
    cost = grammar_cost(left.last_word, right.first_word, language)
    if right.opens_segment and cost <= 1.0:
        cost = min(cost, _SEGMENT_END)
    elif right.spaced and needs_no_space(left.text[-1]):
        cost = min(cost, PHRASE)  # where words are not parted by spaces, a space parts phrases
    return cost * _HALVING_PAUSE_MS / (_HALVING_PAUSE_MS + right.start_ms - left.end_ms)


def grammar_cost(left: str, right: str, language: str) -> float:
    """Return the cost of a break between two words of one sentence by their grammar alone."""
    if ends_clause(left, language):
        return _CLAUSE_END
    if is_abbreviation(left, language) or typography.is_number(left):
        return BOUND
    if _is_name(left, right, language):
        return TIED
    if language == "ja":
        return _japanese_cost(left[-1], right[0])
    return _word_cost(left, right, language)


def _is_name(left: str, right: str, language: str) -> bool:
    """Return whether the words are taken for a name, by their capitals: "New York"; not "I Think", and not where all
    is in capitals."""
    if language in _NO_CAPITALISED_NAMES or left.isupper() or right.isupper():
        return False
    return typography.begins_capital(left) and typography.begins_capital(right) and bare(right)[:2] not in ("i'", "i’")


def _japanese_cost(left: str, right: str) -> float:
    """Return the cost in Japanese: kanji and katakana begin a phrase, hiragana ends it with its particles."""
    if typography.is_hiragana(left):
        return TIED if typography.is_hiragana(right) else CLAUSE
    return INSIDE_WORD if typography.is_katakana(left) and typography.is_katakana(right) else BOUND


def _word_cost(left: str, right: str, language: str) -> float:
    words = LANGUAGES.get(language, _UNKNOWN)
    left, right = bare(left).replace("’", "'"), bare(right).replace("’", "'")
    after, before = words.after.get(left, 1.0), words.before.get(right, 1.0)
    if before <= CLAUSE and 1.0 < after <= TIED:
        return PHRASE  # "I told you | that ..."
    if max(after, before) > 1.0:
        return max(after, before)
    if left.endswith(words.adjectives) and before == 1.0:
        return ADJECTIVE
    if words is _UNKNOWN and len(left) <= 3 and left != left.upper():
        return _SHORT_WORD
    return min(after, before)
