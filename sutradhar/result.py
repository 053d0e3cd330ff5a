"""The result of `Model.transcribe`: a transcript that can be saved in every format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sutradhar.pipeline.errors import SutradharError, UsageError, in_one_line
from sutradhar.pipeline.wording import counted, escaped, shortened
from sutradhar.stages import transcript as table
from sutradhar.stages.transcript import Likely, Segment, Word

if TYPE_CHECKING:
    from sutradhar.stages.cues.rules import Rules

WHOLE = ("max_lines", "min_ms", "max_ms")


@dataclass(frozen=True, repr=False)
class Transcript:
    """The text of one file. All times are whole milliseconds on the file's own clock, also where a part of it was
    worked on.

    A `Segment` is a sentence or what pauses part: `start_ms`, `end_ms`, `text`, `words`, `language`, `speaker` and
    scores. A `Word` has `text` (with the space before it), `start_ms`, `end_ms` and `probability`.
    """

    path: Path | None  # None for sound from an array
    language: str  # code as Whisper has it (ISO 639-1 where there is one); "und" where nobody speaks and none was named
    language_probability: float  # from 0 to 1; 1 where the language was named
    start_ms: int  # begin of the sound that was worked on
    duration_ms: int
    segments: tuple[Segment, ...]
    warnings: tuple[str, ...] = ()  # what a person should know before they trust it, a line each
    translation: Transcript | None = None  # into English, with `translate=True`
    unheard: tuple[Likely, ...] = ()  # likely speech without words: `start_ms`, `end_ms` and its `probability`
    error: SutradharError | None = None  # why there is no text, with `on_error="return"`
    music: tuple[table.Music, ...] = ()  # with MUSIC=mark: where text is marked as lyrics
    fps: float = 24.0  # of the picture: gaps between cues are counted in frames

    @property
    def text(self) -> str:
        """Return the whole text in one line."""
        return " ".join(segment.text for segment in self.segments)

    @property
    def words(self) -> tuple[Word, ...]:
        """Return all words, in order."""
        return tuple(word for segment in self.segments for word in segment.words)

    def __repr__(self) -> str:
        """Return `<sutradhar.Transcript film.mkv, en, 90.0 s, 12 segments>`: what is said fills pages."""
        source = self.path.name if self.path else "sound from an array"
        what = f"error: {shortened(str(self.error))}" if self.error else counted(len(self.segments), "segment")
        return f"<sutradhar.Transcript {escaped(source)}, {self.language}, {self.duration_ms / 1000:.1f} s, {what}>"

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        format: str = "",
        profile: str = "netflix",
        max_chars: float | None = None,
        max_lines: int | None = None,
        max_cps: float | None = None,
        min_ms: int | None = None,
        max_ms: int | None = None,
        fps: float | None = None,
        bom: bool = False,
        newline: Literal["lf", "crlf"] = "lf",
    ) -> Path:
        """Write the transcript to a file, in place of one that is there, and return the file's path.

        The format is the suffix (srt, vtt, json, txt ...) or `format`. Cues keep to the rules of a `profile`
        (docs/subtitles.md lists them). `max_chars` a line, `max_lines` a cue, `max_cps` characters a second,
        `min_ms` and `max_ms` that a cue is seen, and `fps`, which gaps are counted in, replace the profile's own.
        Raises UsageError for an unknown format or profile and for numbers that will not do, SutradharError where the
        file cannot be written, and the transcript's own error where it has one.
        """
        from sutradhar.pipeline.files import write_atomic
        from sutradhar.stages.cues.formats import format_of

        if newline not in ("lf", "crlf"):
            raise UsageError(f"newline={newline!r}: it is 'lf' or 'crlf'")
        target = Path(path)
        form = (format or target.suffix.removeprefix(".")).lower()
        rules = {"max_chars": max_chars, "max_lines": max_lines, "max_cps": max_cps, "min_ms": min_ms, "max_ms": max_ms}
        text = self._written(form, self._rules(profile, fps, rules))
        try:
            write_atomic(target, format_of(form).encoded(text, bom=bom, newline=newline))
        except OSError as error:
            raise SutradharError(in_one_line(error)) from error
        return target

    def to_string(self, format: str = "srt", *, profile: str = "netflix", fps: float | None = None) -> str:
        """Return the content of the file that `save` would write. Raises what `save` raises."""
        return self._written(format, self._rules(profile, fps, {}))

    def _rules(self, profile: str, fps: float | None, given: dict[str, float | int | None]) -> Rules:
        from sutradhar.stages.cues.rules import rules_for

        changes = {name: value for name, value in given.items() if value is not None}
        for name, value in changes.items() if fps is None else [*changes.items(), ("fps", fps)]:
            _check_number(name, value)
        rules = replace(rules_for(profile, self.language, fps or self.fps), **changes)  # type: ignore[arg-type]
        if rules.min_ms > rules.max_ms:
            raise UsageError(f"min_ms={rules.min_ms} is more than max_ms={rules.max_ms}")
        return rules

    def _written(self, form: str, rules: Rules) -> str:
        from sutradhar.stages.cues.formats import FORMATS, format_of
        from sutradhar.stages.cues.track import track_of

        if self.error:
            raise self.error
        if form not in FORMATS:
            raise UsageError(
                f"No format {form or 'named'!r}; choose from {', '.join(FORMATS)}, as the file's suffix or with format="
            )
        audio = (self.start_ms, self.duration_ms)
        whole = table.Transcript(self.language, *audio, self.segments, unheard=self.unheard, music=self.music)
        return format_of(form).text(whole, track_of(whole, rules))


def _check_number(name: str, value: object) -> None:
    """Raise UsageError for anything but a number above 0, whole where a rule counts."""
    kind = Integral if name in WHOLE else Real
    if not isinstance(value, kind) or not float(value) > 0:
        raise UsageError(f"{name}={value!r}: it must be a {'whole ' * (name in WHOLE)}number above 0")
