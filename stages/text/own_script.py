"""Tell of text in another script than its language: small models write Hindi in Urdu or Latin letters. One rule for
films, recordings and folders of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sutradhar.stages.text import roman
from sutradhar.stages.text.scripts import LATIN, is_of, letters_in, script_name
from sutradhar.stages.transcript import Segment

FOREIGN_SHARE = 0.3  # so many letters in another script are more than names
FEW_LETTERS = 5  # so few may be a misheard word
FEW_LATIN = 100  # characters: a text of fewer may well be "Okay, thank you" and names


class Letters:
    """The letters of texts, counted by their script and their language."""

    def __init__(self, segments: Iterable[Segment] = ()) -> None:
        self._letters = self._characters = 0
        self._foreign = Counter[tuple[str, str]]()  # (language, script), where the one is not written in the other
        self._has_roman_hindi = False
        self.add(segments)

    def add(self, segments: Iterable[Segment]) -> None:
        for segment in segments:
            self._characters += len(segment.text)
            for script, count in letters_in(segment.text).items():
                self._letters += count
                if not is_of(script, segment.language):
                    self._foreign[segment.language, script] += count
                    self._has_roman_hindi |= (
                        script == LATIN and self._is_few_latin and roman.language_of(segment.text) == "hindi"
                    )

    @property
    def share(self) -> float:
        """Return the share of the letters, from 0 to 1, that are in another script than their segment's language."""
        return self._foreign.total() / self._letters if self._letters else 0.0

    @property
    def language(self) -> str:
        """Return the language that most of those letters should be in, "" for none."""
        languages = Counter[str]()
        for (language, _), count in self._foreign.items():
            languages[language] += count
        return languages.most_common(1)[0][0] if languages else ""

    @property
    def doubt(self) -> str:
        """Return a note for a text with much in another script, "" for any other."""
        told = self.share > FOREIGN_SHARE and not self._may_be_remarks
        return f"{self.share:.0%} of the text is not in {script_name(self.language)}" if told else ""

    @property
    def _is_few_latin(self) -> bool:
        return self._characters < FEW_LATIN

    @property
    def _may_be_remarks(self) -> bool:
        """Return whether it is so little that it says nothing. Hindi in Latin letters is no "Okay, thank you" however
        short it is."""
        other = sum(count for (_, script), count in self._foreign.items() if script != LATIN)
        return other < FEW_LETTERS and self._is_few_latin and not self._has_roman_hindi


def script_doubt(segments: Iterable[Segment]) -> str:
    """Return the `doubt` of all their letters."""
    return Letters(segments).doubt


def wrong_script_because(language: str) -> str:
    return f"the model is too small for the language ({language}), or it is another"
