"""The rule profiles that cues are built and checked by.

To add one: write its numbers and their source, and put it into PROFILES. Sources are in `docs/subtitles.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.text.typography import measure

# Netflix's language guides; the guides of the other profiles give no figures for these scripts, so they share them.
_LINE_CHARS = {"th": 35, "ko": 16, "zh": 16, "yue": 16, "ja": 13}
_FULL_WIDTH_CPS = {"ko": 12, "zh": 9, "yue": 9, "ja": 4}
_INDIC_CPS = dict.fromkeys(("hi", "ta", "te", "bn", "kn", "ml", "mr"), 22)


@dataclass(frozen=True)
class Lyrics:
    """The signs of a cue that is sung: before it, and after it, or after the last one of a song."""

    before: str
    after: str
    after_each: bool = True


@dataclass(frozen=True)
class Profile:
    """A style guide as numbers. `chars` and `cps` hold the languages that differ from the default."""

    source: str
    max_chars: int
    max_cps: float
    min_ms: int
    max_ms: int
    max_lines: int = 2
    gap_frames: int = 0
    gap_ms: int = 0
    chain_ms: int = 0
    word_ms: int = 0
    lyrics: Lyrics = Lyrics("♪ ", " ♪")
    chars: Mapping[str, int] = field(default_factory=lambda: _LINE_CHARS)
    cps: Mapping[str, float] = field(default_factory=lambda: _FULL_WIDTH_CPS)
    min_ms_of: Mapping[str, int] = field(default_factory=dict)


PROFILES: Mapping[str, Profile] = {
    "netflix": Profile(
        source="Netflix Timed Text Style Guides: General Requirements, Timing Guidelines, language guides",
        max_chars=42,
        max_cps=17,
        min_ms=834,  # 5/6 s
        max_ms=7000,
        gap_frames=2,
        chain_ms=500,
        cps={"en": 20, "ar": 20} | _INDIC_CPS | _FULL_WIDTH_CPS,
        min_ms_of={"ja": 500},
    ),
    "bbc": Profile(
        source="BBC Subtitle Guidelines 1.2: 160-180 words a minute, a gap of at least 1 s or none",
        max_chars=37,
        max_cps=math.inf,
        min_ms=834,  # the guide gives only 0.3 s a word; a one-word cue of 0.3 s cannot be read
        max_ms=7000,  # not in the guide
        chain_ms=1000,
        word_ms=333,
        lyrics=Lyrics("# ", " #", after_each=False),
    ),
    "ted": Profile(source="TED Translators cheat sheet", max_chars=42, max_cps=21, min_ms=1000, max_ms=7000),
    "amazon": Profile(
        source="Amazon Prime Video, as Subtitle Edit's preset has it",
        max_chars=42,
        max_cps=17,
        min_ms=1000,
        max_ms=7007,
        gap_ms=83,
    ),
    "shorts": Profile(
        source="Subtitle Edit's preset for 9:16 video", max_chars=24, max_cps=25, min_ms=700, max_ms=5000
    ),
}


@dataclass(frozen=True)
class Rules:
    """A profile for one language and frame rate: the rules that every cue of a track must keep to."""

    language: str
    max_lines: int
    max_chars: float  # of a line, counted as `script.measure` does
    min_ms: int
    max_ms: int
    gap_ms: int  # between two cues at least
    chain_ms: int  # a gap shorter than this is closed to `gap_ms`
    max_cps: float
    lyrics: Lyrics
    word_ms: int  # reading time of a word, 0 where only characters count
    linger_ms: int = 500  # how long a cue stays after the speech although it has been readable
    lead_ms: int = 500  # how much before its speech a cue may appear that could not be read else
    late_ms: int = 125  # and how much after it where the cue before could not: three frames
    pause_ms: int = 1500  # a pause this long ends a cue

    def signs_chars(self, is_lyrics: bool) -> float:
        """Return how much of a line is taken by the signs of lyrics."""
        return measure(self.lyrics.before + self.lyrics.after, self.language) if is_lyrics else 0.0

    def reading_ms(self, chars: float, words: int) -> int:
        """Return how long a reader needs to see a cue."""
        return max(math.ceil(chars * 1000 / self.max_cps), words * self.word_ms)


def rules_for(profile: str, language: str, fps: float) -> Rules:
    """Return the rules of a profile. Raises UsageError for a profile that is not in PROFILES."""
    if profile not in PROFILES:
        raise UsageError(f"SUBTITLE_PROFILE={profile}: no such profile; choose one of {', '.join(PROFILES)}")
    chosen = PROFILES[profile]
    return Rules(
        language=language,
        max_lines=chosen.max_lines,
        max_chars=min(chosen.max_chars, chosen.chars.get(language, chosen.max_chars)),
        min_ms=chosen.min_ms_of.get(language, chosen.min_ms),
        max_ms=chosen.max_ms,
        gap_ms=max(math.ceil(chosen.gap_frames * 1000 / fps), chosen.gap_ms),
        chain_ms=chosen.chain_ms,
        max_cps=chosen.cps.get(language, chosen.max_cps),
        lyrics=chosen.lyrics,
        word_ms=chosen.word_ms,
    )
