"""Subtitles, as pysubs2 reads them: SubRip, WebVTT, ASS. A cue is an utterance; a speaker is told by WebVTT's voice
tag, the name in ASS, or a number before a colon, as our own cues have it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.version import Unreadable, Utterance, Version, words_in
from sutradhar.stages.transcript import Cue, Span

_VOICE = re.compile(r"<v(?:\.\S*)? ([^>]+)>")
_LABEL = re.compile(r"^(\d{1,2}|SPEAKER_\d+): ")
_TAG = re.compile(r"</?[a-z][^>]*>|\{\\[^}]*\}", re.IGNORECASE)


def read(text: str, stem: str) -> Mapping[str, Version]:
    import pysubs2

    try:
        events = pysubs2.SSAFile.from_string(text, keep_unknown_html_tags=True) if text.strip() else ()
    except (pysubs2.exceptions.Pysubs2Error, ValueError) as error:
        raise Unreadable(f"no subtitles: {str(error).splitlines()[0]}") from None
    if not events and text.strip().removeprefix("WEBVTT").strip():
        raise Unreadable("no subtitles: there is no line with the times of a cue")
    spoken = sorted((event for event in events if event.type == "Dialogue"), key=lambda event: event.start)
    pairs = [_cue(event.start, event.end, event.text, event.name) for event in spoken]
    return {stem: Version(tuple(one for one, _ in pairs), tuple(cue for _, cue in pairs))}


def _cue(start_ms: int, end_ms: int, text: str, name: str) -> tuple[Utterance, Cue]:
    voice = _VOICE.search(text)
    lines = [_TAG.sub("", line) for line in re.split(r"\\N|\\n|\n", text)]
    label = _LABEL.match(lines[0])
    speaker = voice[1].strip() if voice else name or (label[1] if label else "")
    spoken = _LABEL.sub("", " ".join(lines)) if label else " ".join(lines)
    return Utterance(words_in(spoken), Span(start_ms, end_ms), speaker), Cue(start_ms, end_ms, tuple(lines))


READER = Reader(suffixes=(".srt", ".vtt", ".ass", ".ssa"), read=read)
