"""JSON with segments or words: our own (times in ms: `start_ms`, `end_ms`), and those of Whisper, WhisperX,
faster-whisper and others (in seconds: `start`, `end`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sutradhar.stages.evaluate.readers import Reader
from sutradhar.stages.evaluate.readers.pauses import utterances_of
from sutradhar.stages.evaluate.version import SpokenWord, Unreadable, Utterance, Version, span_of, words_in
from sutradhar.stages.transcript import Cue, Span

_WORD_LISTS = ("words", "word_segments")
_TEXTS = ("text", "word", "punctuated_word")
_SHAPE = "neither segments, words nor text as our own JSON, Whisper's or WhisperX's have them"


def read(text: str, stem: str) -> Mapping[str, Version]:
    try:
        content = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Unreadable(f"no JSON: {error}") from None
    return {stem: version_of(content if isinstance(content, dict) else _listed(content))}


def version_of(content: Mapping[str, Any]) -> Version:
    """Return what a JSON object says. Raises Unreadable."""
    try:
        return Version(
            _utterances(content),
            tuple(Cue(cue["start_ms"], cue["end_ms"], tuple(cue["lines"])) for cue in content.get("cues", ())),
            language=_language(content),
            duration_ms=_duration(content),
        )
    except (KeyError, TypeError, AttributeError):
        raise Unreadable(_SHAPE) from None


def _listed(content: Any) -> Mapping[str, Any]:
    """Return a bare list of segments, or of words, as the object it would stand in."""
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise Unreadable(_SHAPE)
    sentences = any(key in item for item in content for key in _WORD_LISTS) or any(
        " " in _text(item).strip() for item in content
    )
    return {"segments" if sentences else "words": content}


def _utterances(content: Mapping[str, Any]) -> tuple[Utterance, ...]:
    if isinstance(content.get("segments"), list):
        return tuple(map(_utterance, content["segments"]))
    for key in _WORD_LISTS:
        if isinstance(content.get(key), list):
            return utterances_of(_words(content[key]))
    if isinstance(content.get("text"), str):
        return (Utterance(words_in(content["text"])),)
    raise Unreadable(_SHAPE)


def _utterance(segment: Mapping[str, Any]) -> Utterance:
    words = _words(segment.get("words") or ()) or words_in(_text(segment))
    return Utterance(words, _span(segment), str(segment.get("speaker") or ""))


def _words(items: Sequence[Mapping[str, Any]]) -> tuple[SpokenWord, ...]:
    """Return the words; a piece that has no space before it where others have goes on with the word before."""
    spaced = any(_text(item).startswith(" ") for item in items)
    found: list[SpokenWord] = []
    for item in items:
        text, span = _text(item), _span(item)
        if found and spaced and not text.startswith(" "):
            found[-1] = _glued(found[-1], text, span)
        elif text.strip():
            found.append(SpokenWord(text.strip(), span))
    return tuple(found)


def _glued(word: SpokenWord, text: str, span: Span | None) -> SpokenWord:
    whole = Span(word.span.start_ms, max(word.span.end_ms, span.end_ms)) if word.span and span else word.span
    return SpokenWord(word.text + text.strip(), whole)


def _text(item: Mapping[str, Any]) -> str:
    texts = [str(item[key]) for key in _TEXTS if key in item]
    if not texts:
        raise Unreadable(_SHAPE)
    return texts[0]


def _span(item: Mapping[str, Any]) -> Span | None:
    if "start_ms" in item:
        return span_of(item["start_ms"], item["end_ms"], per_second=1000)
    if item.get("start") is None or item.get("end") is None:
        return None  # WhisperX leaves words that it could not align without
    return span_of(item["start"], item["end"])


def _language(content: Mapping[str, Any]) -> str:
    language = content.get("language")
    return language.partition("-")[0] if isinstance(language, str) else ""


def _duration(content: Mapping[str, Any]) -> int | None:
    if "duration_ms" in content:
        return int(content.get("start_ms", 0)) + int(content["duration_ms"])
    return round(content["duration"] * 1000) if "duration" in content else None


READER = Reader(suffixes=(".json",), read=read)
