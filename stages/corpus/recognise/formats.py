"""Write results in the formats of `sutradhar.stages.cues.formats`; text and JSON of a recording have writers of
their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import json_document
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.corpus.results import Result
from sutradhar.stages.cues.formats import chosen, format_of
from sutradhar.stages.cues.formats.format import Format
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.cues.speakers import label
from sutradhar.stages.cues.track import track_of
from sutradhar.stages.text.own_script import script_doubt
from sutradhar.stages.transcript import Segment, Track, Transcript

Writer = Callable[[Result, str, Settings], str]  # takes a result, and the path of its recording


def as_txt(result: Result, path: str, settings: Settings) -> str:
    """Return a line a segment, after one that puts the text in doubt."""
    doubt = script_doubt(result.segments)
    return (f"[{doubt}]\n" if doubt else "") + "".join(
        f"{label(segment.speaker)}{segment.text}\n" for segment in result.segments
    )


def as_json(result: Result, path: str, settings: Settings) -> str:
    document = {
        "file": path,
        "sha256": result.id,
        "duration_ms": result.duration_ms,
        "speech_ms": result.speech_ms,
        "language": result.language,
        "avg_logprob": result.avg_logprob,
        "text": " ".join(segment.text for segment in result.segments),
        "segments": [_segment(segment, settings.CORPUS_TIMESTAMPS) for segment in result.segments],
        "degraded": result.degraded,
        "notes": result.notes,
        "unheard": result.unheard,
        "music": result.music,
    }
    return json_document(document).decode()


def _segment(segment: Segment, times: str) -> dict[str, Any]:
    found: dict[str, Any] = {"text": segment.text, "language": segment.language}
    if segment.speaker:
        found["speaker"] = segment.speaker
    if times != "none":
        found |= {"start_ms": segment.start_ms, "end_ms": segment.end_ms}
    no_speech_prob = None if segment.no_speech_prob is None else round(segment.no_speech_prob, 4)
    found |= {
        "avg_logprob": round(segment.avg_logprob, 4),
        "no_speech_prob": no_speech_prob,
        "temperature": segment.temperature,
    }
    if segment.doubt:
        found["doubt"] = segment.doubt
    if times == "word":
        found["words"] = segment.words
    return found


def _track(result: Result, settings: Settings) -> tuple[Transcript, Track]:
    rules = rules_for(settings.SUBTITLE_PROFILE, result.language or "en", settings.SUBTITLE_FPS)
    audio = (0, result.duration_ms)
    transcript = Transcript(result.language, *audio, result.segments, unheard=result.unheard, music=result.music)
    return transcript, track_of(transcript, rules)


def _as_subtitles(form: Format, result: Result, path: str, settings: Settings) -> str:
    return form.text(*_track(result, settings))


OWN: Mapping[str, Writer] = {"txt": as_txt, "json": as_json}


def formats_of(settings: Settings) -> dict[str, Writer]:
    """Return the writers that CORPUS_FORMATS names.
    Raises UsageError for a format that there is not, or that needs times which are not asked for."""
    writers = {}
    for name in chosen("CORPUS_FORMATS", settings.CORPUS_FORMATS):
        form = format_of(name)
        if form.needs_times and settings.CORPUS_TIMESTAMPS == "none":
            raise UsageError(
                f"CORPUS_FORMATS={settings.CORPUS_FORMATS}: {name} needs times; set CORPUS_TIMESTAMPS=segment"
            )
        writers[name] = OWN.get(name) or partial(_as_subtitles, form)
    return writers
