"""What holds for every transcript, however odd."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.cutting import build_cues
from sutradhar.stages.cues.rules import PROFILES, rules_for
from sutradhar.stages.cues.tokens import clip_of
from sutradhar.stages.transcript import Transcript, Word
from tests.stages.cues.support import transcript

TEXT_RULES = {"blank", "lines", "line-length", "order", "overlap"}

ORDINARY = """ the| a| and| house| Mr.| gone.| what?| yes,| है| नहीं| घर| था।|我|们|。|ใ|コ| ок| ١| 🇮🇳"""
ordinary = st.sampled_from(ORDINARY.split("|"))
languages = st.sampled_from(["en", "hi", "zh", "ja", "ko", "th", "ar", "fr"])
durations = st.sampled_from([0, 700, 30_000, 200_000])
odd = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.text(
    "ab \u0301\u200d-{}\\N<>&\n", max_size=120
)
moments = st.integers(-2_000, 40_000)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    texts = draw(st.lists(st.lists(ordinary | odd, min_size=1, max_size=25), max_size=4))
    orderly = draw(st.booleans())
    now, segments = 0, []
    for part in texts:
        words = []
        for text in part:
            start, end = (now, now + draw(st.integers(0, 900))) if orderly else (draw(moments), draw(moments))
            now = end + draw(st.sampled_from([0, 0, 40, 400, 1700])) if orderly else now
            words.append(Word(text, start, end, 0.5))
        segments.append(words)
    return transcript(segments, draw(languages), draw(durations))


def visible(text: str) -> str:
    return "".join(
        character for character in text if unicodedata.category(character) not in ("Cf", "Cc", "Zs", "Zl", "Zp")
    )


@settings(max_examples=300, deadline=None)
@given(transcripts(), st.sampled_from(sorted(PROFILES)), st.sampled_from([23.976, 24.0, 25.0, 50.0]))
def test_every_word_is_kept_and_the_rules_hold(said: Transcript, profile: str, fps: float) -> None:
    rules = rules_for(profile, said.language, fps)
    cues = build_cues(said, rules)

    words = "".join(word.text for segment in said.segments for word in segment.words)
    assert visible("".join(line for cue in cues for line in cue.lines)) == visible(words)

    broken = {violation.rule for violation in check(cues, rules, clip_of(said)) if violation.hard}
    assert not broken & TEXT_RULES
    assert all(cue.start_ms < cue.end_ms for cue in cues)
    if len(cues) * (rules.min_ms + rules.gap_ms) <= said.duration_ms + rules.gap_ms:
        assert not broken
    assert build_cues(said, rules) == cues
