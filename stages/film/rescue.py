"""Put Whisper's own translation of a stretch of sound, if it gives one, where a translation into English is missing.

Whisper is loaded only where something is missing. This is a separate stage so that recogniser and translator never
share a process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.wording import counted
from sutradhar.stages.recognisers import declared
from sutradhar.stages.recognisers.contract import AudioWindow, CannotTranslate
from sutradhar.stages.recognisers.kept import KeptRecogniser, open_pieces
from sutradhar.stages.sound.wav import Sound
from sutradhar.stages.transcript import Audio, Segment, Span, Transcript, Translations, load, save

TARGET = "en"  # all that Whisper translates into
LONGEST_MS = 30_000  # of a window


def run(ctx: StageContext) -> Outcome:
    from msgspec.structs import replace

    translations = load(ctx.read("translations"), Translations).transcripts
    source = load(ctx.read("transcript"), Transcript)
    english = next((transcript for transcript in translations if transcript.language == TARGET), None)
    missing = [segment for segment in english.segments if segment.is_untranslated] if english else []
    if english is None or not missing:
        save(ctx.write("translations"), Translations(translations))
        return Outcome(
            summary="Nothing for Whisper to translate: it translates into English alone, where nothing is missing",
            seconds_of_media=0.0,
        )
    rescued, engine, packages, degraded = _rescue(missing, source, ctx)
    merged = [
        replace(transcript, segments=tuple(_merged(transcript.segments, rescued)))
        if transcript is english
        else transcript
        for transcript in translations
    ]
    save(ctx.write("translations"), Translations(tuple(merged)))
    return Outcome(
        summary=f"Whisper translated {len(rescued)} of {counted(len(missing), 'sentence')} "
        f"that {english.translator} could not",
        engine=engine,
        packages=packages,
        degraded=(*degraded, f"{len(rescued)} of {counted(len(missing), 'missing sentence')} translated by Whisper"),
        seconds_of_media=_seconds(missing),
    )


def _rescue(
    missing: Sequence[Segment], source: Transcript, ctx: StageContext
) -> tuple[dict[int, list[Segment]], dict[str, str], tuple[str, ...], Sequence[str]]:
    """Return, by the number of the missing segment, Whisper's segments for it; the name of the engine, its packages,
    and its fallbacks."""
    from msgspec.structs import replace

    from sutradhar.stages.recognisers.phrases import segments_of
    from sutradhar.stages.text.english import is_translation, shared_by_several

    audio = load(ctx.read("audio"), Audio)
    with open_pieces(ctx) as pieces, Sound(ctx.read("sound")) as sound:
        recogniser = KeptRecogniser(ctx, pieces, translate=True)
        cut_out = partial(_window, missing, sound, audio, source.language)
        try:
            recognitions = recogniser.recognise(
                {number: _seconds([segment]) for number, segment in enumerate(missing)}, cut_out
            )
        except CannotTranslate as error:  # turbo, for one: no reason to lose all the rest
            return {}, {}, (), (str(error),)
    heard = (
        (missing[one.window], part)
        for one in recognitions
        if one.translation
        for part in segments_of([one.translation])
    )
    found = [(segment, _inside(part, segment)) for segment, part in heard]
    shared = shared_by_several([part for _, part in found], source.segments)
    rescued: dict[int, list[Segment]] = {}
    for place, (segment, part) in enumerate(found):
        if place not in shared and is_translation(part, source.segments):
            rescued.setdefault(segment.id, []).append(replace(part, note="by Whisper"))
    maker = recogniser.maker
    return rescued, maker.engine, maker.packages, maker.degraded


def _seconds(segments: Sequence[Segment]) -> float:
    return sum(segment.end_ms - segment.start_ms for segment in segments) / 1000


def _window(missing: Sequence[Segment], sound: Sound, audio: Audio, language: str, number: int) -> AudioWindow:
    segment = missing[number]
    end_ms = min(segment.end_ms, segment.start_ms + LONGEST_MS)
    samples = sound.read_ms(segment.start_ms - audio.start_ms, end_ms - audio.start_ms)
    return AudioWindow(number, segment.start_ms, samples, (Span(segment.start_ms, end_ms),), language)


def _inside(found: Segment, segment: Segment) -> Segment:
    """Return the segment moved into the time of the one that it stands for."""
    from msgspec.structs import replace

    def bounded(ms: int) -> int:
        return min(max(ms, segment.start_ms), segment.end_ms)

    words = tuple(replace(word, start_ms=bounded(word.start_ms), end_ms=bounded(word.end_ms)) for word in found.words)
    return replace(found, start_ms=bounded(found.start_ms), end_ms=bounded(found.end_ms), words=words)


def _merged(segments: Sequence[Segment], rescued: dict[int, list[Segment]]) -> Iterator[Segment]:
    from msgspec.structs import replace

    merged = (one for segment in segments for one in rescued.get(segment.id, [segment]))
    for number, segment in enumerate(merged):
        yield replace(segment, id=number)


STAGE = Stage(
    name="rescue",
    run=run,
    reads=("sound", "audio", "transcript", "translations"),
    writes=("translations",),
    settings=declared.SETTINGS,
    tuning=declared.TUNING,
    wanted=lambda settings: settings.has_translator,
    in_pieces=True,
    models=declared.models_of,
    engines=declared.engines_of,
)
