"""Recognise speech: windows of sound to a transcript with a time for every word.

Where Whisper is to translate, the stage also writes its English translation, which costs a second decoding of the
same encoder output here, and would cost a second encoder pass in a separate stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.wording import counted
from sutradhar.stages.recognisers import declared
from sutradhar.stages.recognisers.contract import AudioWindow, CannotTranslate, Recognition
from sutradhar.stages.recognisers.kept import KeptRecogniser, open_pieces
from sutradhar.stages.recognisers.voting import FilmLanguage, language_of
from sutradhar.stages.sound.wav import Sound, spoken_by
from sutradhar.stages.text import glossary
from sutradhar.stages.transcript import Audio, Likely, Segment, Span, Transcript, Window, Windows, load, save

LANGUAGE = "language"  # the piece that holds the verdict on the whole film


def run(ctx: StageContext) -> Outcome:
    from sutradhar.stages.recognisers.doubts import doubts, echoes
    from sutradhar.stages.recognisers.gaps import is_much, unheard
    from sutradhar.stages.recognisers.joins import segments_of_windows
    from sutradhar.stages.recognisers.lyrics import without_lyrics

    audio = load(ctx.read("audio"), Audio)
    found = load(ctx.read("windows"), Windows)
    windows = found.windows
    # Where there is nothing to recognise, nothing is loaded: the marker then names no engine.
    work = _listen(audio, windows, ctx) if windows else Recognised(_silent_language(ctx.settings))
    by_id = {window.id: window for window in windows}
    segments = segments_of_windows((by_id[one.window], one) for one in work.recognitions)
    lost = unheard(windows, segments)
    whole = Transcript(work.language, audio.start_ms, audio.duration_ms, segments, unheard=lost, music=found.music)
    save(ctx.write("transcript"), whole)
    if "translation" in ctx.writes:
        translations = ((by_id[one.window], one.translation) for one in work.recognitions if one.translation)
        phrases = _on_edges(segments_of_windows(translations), audio, ctx)
        english = Transcript("en", audio.start_ms, audio.duration_ms, phrases, music=found.music)
        translation, _ = without_lyrics(whole if work.language == "en" else english, ctx.settings)
        save(ctx.write("translation"), translation)
    return Outcome(
        summary=f"Transcription completed: {counted(len(segments), 'segment')}"
        + _told(work.recognitions, lost if is_much(lost, windows) else ()),
        engine=work.engine,
        packages=work.packages,
        degraded=(*work.degraded, *_unheard(ctx.settings), *echoes(work.recognitions), *doubts(whole, found)),
        seconds_of_media=audio.duration_ms / 1000,
    )


def _on_edges(translated: tuple[Segment, ...], audio: Audio, ctx: StageContext) -> tuple[Segment, ...]:
    """Return a translation whose words, which share out padded speech, begin and end with its sound."""
    from sutradhar.stages.alignment.edges import on_edges
    from sutradhar.stages.sound.quiet import quiet_spans

    if not translated:
        return ()
    with Sound(ctx.read("sound")) as sound:
        quiet = {name: quiet_spans(spoken_by(sound, name, audio.voices), audio.start_ms) for name in audio.voices}
    return on_edges(translated, quiet, Span(audio.start_ms, audio.start_ms + audio.duration_ms), 0)


def _told(recognitions: Sequence[Recognition], lost: Sequence[Likely]) -> str:
    """Return what is not in the text, and what was looked for, for the summary."""
    dropped = sum(len(recognition.dropped) for recognition in recognitions)
    told = []
    if again_ms := sum(recognition.again_ms for recognition in recognitions):
        told.append(f"{again_ms / 1000:.0f} s of sound heard again")
    if dropped:
        told.append(f"{counted(dropped, 'text')} not believed in doubtful sound")
    if lost:
        seconds = sum(one.end_ms - one.start_ms for one in lost) / 1000
        told.append(f"no words for {seconds:.0f} s of likely speech (`unheard` in transcript.json)")
    return f" ({'; '.join(told)})" if told else ""


@dataclass(frozen=True)
class Recognised:
    """The recognised windows, in their order, and the engine that recognised them."""

    language: str
    recognitions: Sequence[Recognition] = ()
    engine: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    degraded: Sequence[str] = ()


def _listen(audio: Audio, windows: Sequence[Window], ctx: StageContext) -> Recognised:
    with open_pieces(ctx) as pieces, Sound(ctx.read("sound")) as sound:
        recogniser = KeptRecogniser(ctx, pieces, translate="translation" in ctx.writes)
        heard, prepared = _language(recogniser, sound, audio, windows, ctx)
        ctx.log.info(f"Recognising {counted(len(windows), 'window')}")
        recognitions = _recognise(recogniser, sound, audio, windows, heard.language, prepared, ctx)
    recognitions = [replace(recognition, language_probability=heard.probability) for recognition in recognitions]
    maker = recogniser.maker
    return Recognised(heard.language, recognitions, maker.engine, maker.packages, maker.degraded)


def _unheard(settings: Settings) -> list[str]:
    about = engines.engine_of(settings.WHISPER_BACKEND)
    takes = "WHISPER_INITIAL_PROMPT" in about.options
    return [f"GLOSSARY steers no spelling: {about.title} takes no prompt"] if settings.GLOSSARY and not takes else []


def _language(
    recogniser: KeptRecogniser, sound: Sound, audio: Audio, windows: Sequence[Window], ctx: StageContext
) -> tuple[FilmLanguage, dict[int, Any]]:
    """Return the language of the settings, or that which windows from all over the film sound like; and these windows
    as prepared, by id."""
    from sutradhar.pipeline import languages

    if ctx.settings.SOURCE_LANGUAGE != "auto":
        return FilmLanguage(languages.parse(ctx.settings.SOURCE_LANGUAGE), 1.0), {}
    if known := recogniser.pieces.get(LANGUAGE, FilmLanguage):
        return known, {}
    verdict = language_of(windows, lambda window: _cut_out(sound, audio, window, None, ""), recogniser.detect_languages)
    found = verdict.found
    ctx.log.info(
        f"Detected language: {found.language} ({found.probability:.2f}) in {counted(verdict.voters, 'window')}"
    )
    recogniser.pieces.keep({LANGUAGE: found})
    return found, verdict.prepared


def _silent_language(settings: Settings) -> str:
    from sutradhar.pipeline import languages

    return "und" if settings.SOURCE_LANGUAGE == "auto" else languages.parse(settings.SOURCE_LANGUAGE)


def _recognise(
    recogniser: KeptRecogniser,
    sound: Sound,
    audio: Audio,
    windows: Sequence[Window],
    language: str,
    prepared: dict[int, Any],
    ctx: StageContext,
) -> list[Recognition]:
    """Recognise the windows. Returns recognitions in their order."""
    prompt = glossary.prompt_of(
        ctx.settings.WHISPER_INITIAL_PROMPT, ctx.job_file(ctx.settings.GLOSSARY) if ctx.settings.GLOSSARY else None
    )
    by_id = {window.id: window for window in windows}

    def cut_out(number: int) -> AudioWindow:
        return replace(_cut_out(sound, audio, by_id[number], language, prompt), prepared=prepared.pop(number, None))

    return recogniser.recognise(
        {number: (window.end_ms - window.start_ms) / 1000 for number, window in by_id.items()}, cut_out
    )


def _cut_out(sound: Sound, audio: Audio, window: Window, language: str | None, prompt: str) -> AudioWindow:
    samples = spoken_by(sound, window.speaker, audio.voices).read_ms(
        window.start_ms - audio.start_ms, window.end_ms - audio.start_ms
    )
    return AudioWindow.of(window, samples, language, prompt)


def check(settings: Settings) -> None:
    """Check the settings. Raises UsageError for a recogniser or language that there is not, or that Whisper does not
    translate to."""
    declared.check(settings)
    if settings.translator != "whisper":
        return
    if settings.targets != ("en",):
        raise UsageError(
            f"TARGET_LANGUAGES={settings.TARGET_LANGUAGES}: Whisper translates into English only; "
            "set TARGET_LANGUAGES=en"
        )
    if not engines.engine_of(settings.WHISPER_BACKEND).translates(settings.WHISPER_MODEL):
        raise CannotTranslate(settings.WHISPER_MODEL)


OF_TRANSLATION = ("translation", "TRANSLATION_ENGINE", "TARGET_LANGUAGES", "MUSIC")
STAGE = Stage(
    name="asr",
    run=run,
    check=check,
    reads=("sound", "audio", "windows"),
    writes=("transcript", "translation"),
    settings=(*declared.SETTINGS, "GLOSSARY", "TRANSLATION_ENGINE", "TARGET_LANGUAGES", "MUSIC"),
    tuning=declared.TUNING,
    unused=lambda settings: () if settings.translator == "whisper" else OF_TRANSLATION,
    sets_pace=True,
    in_pieces=True,
    models=declared.models_of,
    files=lambda settings: settings.user_files,
    check_file=glossary.read_glossary,
    engines=declared.engines_of,
)
