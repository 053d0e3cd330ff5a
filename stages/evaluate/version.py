"""The two sides of a comparison: what the reference, or a system, says was said in a recording."""

from __future__ import annotations

from dataclasses import dataclass

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.transcript import Cue, Span

IGNORE = "[ignore]"  # text of an utterance in which anything may be heard


class Unreadable(UsageError):
    """A file that is not what its name says; the message is one line, without the file's name."""


@dataclass(frozen=True)
class SpokenWord:
    text: str
    span: Span | None = None


@dataclass(frozen=True)
class Utterance:
    """A stretch of text that is said in one go. `span` is None where a text has no times."""

    words: tuple[SpokenWord, ...]
    span: Span | None = None
    speaker: str = ""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def is_ignored(self) -> bool:
        return self.text.lower() == IGNORE


@dataclass(frozen=True)
class Turn:
    span: Span
    speaker: str


@dataclass(frozen=True)
class Version:
    """All that one side says of a recording. `cues` are there where it is subtitles, and `turns` say who speaks when
    where that is told apart from the words."""

    utterances: tuple[Utterance, ...]
    cues: tuple[Cue, ...] = ()
    turns: tuple[Turn, ...] = ()
    language: str = ""
    duration_ms: int | None = None
    has_text: bool = True  # False: it tells only who speaks when

    @property
    def is_timed(self) -> bool:
        return bool(self.turns) or any(utterance.span for utterance in self.utterances)

    @property
    def has_word_times(self) -> bool:
        return any(word.span for utterance in self.utterances for word in utterance.words)

    @property
    def shown(self) -> tuple[Span, ...]:
        """Return when text is on the screen: the cues, or what has times where there are none."""
        return tuple(Span(cue.start_ms, cue.end_ms) for cue in self.cues) or self.spoken

    @property
    def spoken(self) -> tuple[Span, ...]:
        """Return when somebody speaks: the turns where they are told, the words where they have times, or else the
        utterances."""
        if self.turns:
            return tuple(turn.span for turn in self.turns)
        words = tuple(word.span for utterance in self.utterances for word in utterance.words if word.span)
        return words or tuple(one.span for one in self.utterances if one.span and not one.is_ignored)

    @property
    def ignored(self) -> tuple[Span, ...]:
        """Return when it does not matter what is heard."""
        return tuple(one.span for one in self.utterances if one.span and one.is_ignored)

    @property
    def end_ms(self) -> int:
        """Return the end of the recording, or of what is known of it."""
        spans = (*self.spoken, *self.shown, *self.ignored)
        return max([self.duration_ms or 0, *(span.end_ms for span in spans)])


def words_in(text: str) -> tuple[SpokenWord, ...]:
    return tuple(map(SpokenWord, text.split()))


def span_of(start: float, end: float, per_second: float = 1.0) -> Span:
    """Return a span of times in seconds, or in parts of them. Raises Unreadable for one that ends before it begins."""
    if not 0 <= start <= end < 1e9:
        raise Unreadable(f"a time from {start:g} to {end:g}")
    return Span(round(start * 1000 / per_second), round(end * 1000 / per_second))
