"""Names and terms that must be translated in one way only, from a file that the user writes.

Translations are checked against it, and a sentence in which a term is `missing` is translated again with the term
`protect`ed. The first try leaves terms in: a name inside a sentence helps to translate the rest of it, and takes its
case endings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.text.characters import IN_WORD, clean
from sutradhar.stages.text.scripts import LATIN, in_script, script_of

# Slots have the form of a tag, so that they are taken out of a sentence and put back like e-mail addresses and URLs.
_SLOTS = re.compile(r"#G\d+")
_BETWEEN_NAMES = ", "
MAX_LINES = 5_000
NAMES_LENGTH = 400  # characters of a prompt that a glossary may fill


@dataclass(frozen=True)
class Term:
    source: str
    target: str
    line: int = 0  # of the file


@dataclass(frozen=True)
class Protected:
    """A sentence with its terms taken out, and the contents of the slots by their names."""

    text: str
    slots: tuple[tuple[str, str], ...]

    def restore(self, translation: str) -> str:
        targets = dict(self.slots)
        return _SLOTS.sub(lambda match: targets.get(match.group(), match.group()), translation)


class Glossary:
    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = tuple(sorted(terms, key=lambda term: -len(term.source)))  # the longest are looked for first
        self._in_order = tuple(terms)

    def terms_in(self, text: str) -> dict[Term, int]:
        """Return the terms whose source stands in the text, and how often. A part of a longer term does not count."""
        found: dict[Term, int] = {}
        for match in self._sources.finditer(clean(text)) if self.terms else ():
            term = self._term(match)
            found[term] = found.get(term, 0) + 1
        return found

    def missing(self, source: str, target: str) -> tuple[Term, ...]:
        """Return the terms that stand in the source, but not in the target."""
        return tuple(term for term in self.terms_in(source) if not count(term.target, target))

    def kept(self, source: str, target: str) -> bool:
        """Return whether each term of the source stands in the target exactly as often. It is asked of `protect`ed
        translations: a slot that the translator lost or wrote twice spoils the sentence."""
        protected = self.protect(source)
        wanted = protected.restore(protected.text)
        return all(count(term.target, target) == count(term.target, wanted) for term in self.terms_in(source))

    def protect(self, text: str) -> Protected:
        """Replace each term of the source by its target where that is in Latin letters, which translators copy, and
        else by a slot."""
        slots: dict[str, str] = {}

        def replaced(match: re.Match[str]) -> str:
            target = self._term(match).target
            if in_script(target, LATIN):
                return target
            slot = next((slot for slot, other in slots.items() if other == target), f"#G{len(slots) + 1}")
            slots[slot] = target
            return slot + " " * (match.string[match.end() : match.end() + 1] in ("'", "’"))  # "#G1's" would be one tag

        text = clean(text)
        return Protected(self._sources.sub(replaced, text) if self.terms else text, tuple(slots.items()))

    def fitting(self, language: str) -> Glossary:
        """Return the terms whose targets are written in the script of a language: one file serves several targets."""
        script = script_of(language)
        return Glossary(
            [
                term
                for term in self._in_order
                if all(in_script(letter, script) for letter in term.target if letter.isalpha())
            ]
        )

    def prompt(self, limit: int) -> str:
        """Return the names as they are said, for the recogniser: as many as fit into `limit` characters, in the order
        of the file."""
        names = list(dict.fromkeys(term.source for term in self._in_order))
        while names and len(_BETWEEN_NAMES.join(names)) > limit:
            names.pop()
        return _BETWEEN_NAMES.join(names)

    @cached_property
    def _sources(self) -> re.Pattern[str]:
        return _whole("|".join(f"({re.escape(term.source)})" for term in self.terms))

    def _term(self, match: re.Match[str]) -> Term:
        return self.terms[(match.lastindex or 1) - 1]


def prompt_of(text: str, path: Path | None) -> str:
    """Return the text that steers spelling: the user's own, and the names of the glossary, where there is one. Raises
    UsageError."""
    names = read_glossary(path).prompt(NAMES_LENGTH) if path else ""
    return " ".join(part for part in (text, names) if part)


def count(term: str, text: str) -> int:
    """Count how often the term stands in the text as separate words."""
    return len(_whole(re.escape(term)).findall(clean(text)))


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(f"(?<![{IN_WORD}])(?:{pattern})(?![{IN_WORD}])", re.IGNORECASE)


def read_glossary(path: Path) -> Glossary:
    """Read a UTF-8 file of lines `source<TAB>target` or `source<TAB>target<TAB>note`; blank lines and lines that
    begin with # are skipped.

    Raises UsageError, with the number of the line, where the file has another form or gives one source two targets."""
    terms: dict[str, Term] = {}
    lines = _lines(path)
    if len(lines) > MAX_LINES:
        raise UsageError(
            f"{path} has {len(lines):,} lines, but a glossary may have {MAX_LINES:,}: keep the names of this film"
        )
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        term = _parsed(path, number, line)
        first = terms.setdefault(term.source.lower(), term)
        if first.target != term.target:
            raise UsageError(
                f"{path}, line {number}: {term.source} is {first.target} in line {first.line} already; "
                "keep one of the two"
            )
    return Glossary(tuple(terms.values()))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        number = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}, line {number}: not UTF-8; save the file as UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"Cannot read the glossary {path}: {error.strerror}; give the path of a text file") from None


def _parsed(path: Path, number: int, line: str) -> Term:
    columns = [clean(column) for column in line.split("\t")]
    if len(columns) not in (2, 3) or not all(columns[:2]):
        raise UsageError(f"{path}, line {number}: write source, TAB, target, and if you like TAB and a note")
    return Term(columns[0], columns[1], number)
