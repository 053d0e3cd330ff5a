"""Fit the settings of a job to the film or folder, the machine and the command line, with a reason for each choice
that is worth one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.machine import engines
from sutradhar.pipeline.wording import without_controls

if TYPE_CHECKING:
    from sutradhar.pipeline.console import Console
    from sutradhar.pipeline.machine.engines import About
    from sutradhar.pipeline.machine.hardware import Hardware
    from sutradhar.pipeline.media import AudioTrack, MediaInfo
    from sutradhar.pipeline.workspace import Workspace

# The settings with an option each, by its name in the parsed arguments; first those for a folder of recordings alone.
CORPUS_OPTIONS = {
    "CORPUS_GLOB": "glob",
    "CORPUS_MIN_BYTES": "min_bytes",
    "CORPUS_LIMIT": "limit",
    "CORPUS_SEED": "shuffle",
    "CORPUS_TIMESTAMPS": "timestamps",
    "CORPUS_EXECUTOR": "executor",
    "CORPUS_WORKERS": "workers",
}
OPTIONS = {
    "WORKFLOW": "workflow",
    "SOURCE_LANGUAGE": "source_language",
    "TARGET_LANGUAGES": "target_language",
    "MEDIA_START_TIME": "start",
    "MEDIA_END_TIME": "end",
    "AUDIO_TRACK": "audio_track",
    "ALLOW_TRUNCATED": "allow_truncated",
    "OFFLINE": "offline",
    "WHISPER_BACKEND": "backend",
    "WHISPERX_DEVICE": "device",
    "WHISPER_MODEL": "model",
    "TRANSLATION_ENGINE": "translation_engine",
    "GLOSSARY": "glossary",
    **CORPUS_OPTIONS,
}
FOR_BOTH = {  # options with a setting each for a film and for a folder of recordings
    "formats": ("SUBTITLE_FORMATS", "CORPUS_FORMATS"),
    "channels": ("AUDIO_CHANNELS", "CORPUS_CHANNELS"),
}


def options(*, is_corpus: bool) -> dict[str, str]:
    """Return the settings that have an option of their own, by its name in the parsed arguments."""
    return OPTIONS | _for_both(is_corpus=is_corpus)


def _for_both(*, is_corpus: bool) -> dict[str, str]:
    return {keys[is_corpus]: name for name, keys in FOR_BOTH.items()}


@dataclass
class Choices:
    """Values for settings, each with the reason where that is worth telling."""

    values: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def take(self, key: str, value: object, reason: str = "") -> None:
        from sutradhar.pipeline.jobs.envfile import to_text

        self.values[key] = to_text(value)
        if reason:
            self.reasons[key] = reason


def languages(arguments: argparse.Namespace, choices: Choices, console: Console) -> None:
    from sutradhar.pipeline import languages as names_of

    source = arguments.source_language.lower()
    if source != "auto":
        source = names_of.parse(arguments.source_language)
    choices.take("SOURCE_LANGUAGE", source)
    console.info(
        f"Language: {'detected from the sound' if source == 'auto' else f'{names_of.name(source)} ({source})'}"
    )
    if arguments.workflow == "transcribe":
        if arguments.target_language:
            raise UsageError("-t belongs to --translate; --transcribe writes the language spoken")
        return
    names = [name for name in (arguments.target_language or "en").split(",") if name.strip()]
    targets = list(dict.fromkeys(names_of.parse(name) for name in names))
    if targets == [source]:
        raise UsageError(f"The source is {names_of.name(source)} already; use --transcribe, or another -t")
    if source in targets:
        console.warn(f"No translation to {names_of.name(source)}: it is the language spoken")
        targets.remove(source)
    choices.take("TARGET_LANGUAGES", ",".join(targets))


def media(arguments: argparse.Namespace, info: MediaInfo, choices: Choices, console: Console) -> None:
    from sutradhar.pipeline import languages as names_of
    from sutradhar.pipeline import timecode
    from sutradhar.pipeline.media.tracks import choose_track, set_aside

    own_title = without_controls(info.title)
    choices.take(
        "TITLE", own_title or without_controls(arguments.media.stem), "the film's own title" if own_title else ""
    )
    track = choose_track(info.audio, arguments.audio_track, choices.values["SOURCE_LANGUAGE"])
    why = ""
    if not arguments.audio_track:
        track, why = _best_of_others(arguments, info, track, console)
    choices.take("AUDIO_TRACK", track.index, f"{track.describe()} of {len(info.audio)}{why}")
    if (
        choices.values["SOURCE_LANGUAGE"] != "auto"
        and track.language
        and not names_of.same(track.language, choices.values["SOURCE_LANGUAGE"])
    ):
        console.warn(
            f"Audio track {track.index} is tagged {names_of.name(track.language)}, "
            f"not {names_of.name(choices.values['SOURCE_LANGUAGE'])}"
        )
    if tag := set_aside(track):
        console.warn(
            f"Audio track {track.index} is tagged {tag} or titled so: perhaps not the film's own dialogue; "
            "--audio-track chooses another"
        )
    if arguments.channels == "split" and track.channels == 1:
        console.warn(
            f"--channels split needs two channels or more, and audio track {track.index} has 1: it is one speaker"
        )
    if len(info.audio) > 1:
        console.info(
            f"Audio track {track.index}: {track.describe()}; --audio-track chooses another of {len(info.audio)}"
        )
    for key, text in (("MEDIA_START_TIME", arguments.start), ("MEDIA_END_TIME", arguments.end)):
        choices.take(key, timecode.format_ms(timecode.parse_ms(text)) if text else "")
    choices.take("ALLOW_TRUNCATED", arguments.allow_truncated)
    choices.take("OFFLINE", arguments.offline)
    _take_given(_for_both(is_corpus=False), arguments, choices)
    if info.video and info.video.fps:
        choices.take("SUBTITLE_FPS", round(info.video.fps, 3), "the film's own frame rate")
    if info.subtitles:
        console.info(f"The file has subtitles already: {', '.join(track.describe() for track in info.subtitles)}")


def _best_of_others(
    arguments: argparse.Namespace, info: MediaInfo, track: AudioTrack, console: Console
) -> tuple[AudioTrack, str]:
    """Return this track, or another where it is silent; and why it is not the one that stands first."""
    from sutradhar.pipeline import timecode
    from sutradhar.pipeline.media import shown
    from sutradhar.pipeline.media.tracks import aside_before, not_silent, silent_before

    end_ms = timecode.parse_ms(arguments.end) if arguments.end else info.duration_ms
    part = timecode.parse_ms(arguments.start or "0"), min(end_ms, info.duration_ms)
    taken = not_silent(arguments.media, track, info.audio, part)
    silent, aside = silent_before(arguments.media, taken, info.audio, part), aside_before(taken, info.audio)
    for say, line in ((console.warn, silent), (console.info, aside)):
        if line:
            say(line[0].upper() + line[1:])
            console.foretold.add(f"{shown(arguments.media)}: {line}")
    return taken, "".join(f"; {line}" for line in (silent, aside) if line)


def corpus(arguments: argparse.Namespace, choices: Choices) -> None:
    """Choose the settings that are asked for with a folder of recordings."""
    choices.take("WORKFLOW", "corpus")
    choices.take(
        "TITLE", without_controls(arguments.media.stem if arguments.from_list else arguments.media.resolve().name)
    )
    choices.take("ALLOW_TRUNCATED", arguments.allow_truncated)
    choices.take("OFFLINE", arguments.offline)
    choices.take("CORPUS_ORDER", "shuffled" if arguments.shuffle else "longest")
    _take_given(CORPUS_OPTIONS | _for_both(is_corpus=True), arguments, choices)


def _take_given(names: Mapping[str, str], arguments: argparse.Namespace, choices: Choices) -> None:
    for key, name in names.items():
        if given := getattr(arguments, name):
            choices.take(key, given)


class Announcer(Protocol):
    """A receiver of what is said while settings are chosen."""

    def info(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...


def recogniser(
    arguments: argparse.Namespace, machine: Hardware, models: Path, choices: Choices, console: Announcer
) -> None:
    from sutradhar.pipeline.machine import sizing
    from sutradhar.pipeline.models import library

    advice = machine.recommended_settings
    backend, device = _backend_and_device(arguments, machine, console)
    engine = engines.engine_of(backend)
    if choices.values["SOURCE_LANGUAGE"] != "auto":
        engines.language_of(backend, choices.values["SOURCE_LANGUAGE"])
    runs_on = device if device in engine.devices else "cpu"
    as_advised = (backend, device) == (advice.whisper_backend, advice.device)
    choices.take("WHISPER_BACKEND", backend, advice.whisper_backend_reason if as_advised else "")
    choices.take("WHISPERX_DEVICE", device, advice.device_reason if as_advised else "")
    memory_gb = (machine.gpu_memory_gb or 0.0) if runs_on == "cuda" else machine.memory_gb
    if as_advised:
        choices.take("WHISPER_COMPUTE_TYPE", advice.compute_type, advice.compute_type_reason)
        suited, reason = advice.whisper_model, advice.whisper_model_reason
    else:
        choices.take("WHISPER_COMPUTE_TYPE", *sizing.choose_compute_type(engine, runs_on, machine.capability))
        suited, reason = sizing.choose_model(engine, runs_on, memory_gb, machine.cores)
    # A folder is shared out to all GPUs.
    if device == "cuda" and len(machine.gpus) > 1 and choices.values["WORKFLOW"] != "corpus":
        choices.take(
            "CUDA_VISIBLE_DEVICES",
            machine.gpu_uuid,
            f"{machine.gpu_name}, the one of {len(machine.gpus)} with the most free memory",
        )
    if arguments.model:
        name = Path(arguments.model).expanduser().resolve() if library.is_folder(arguments.model) else arguments.model
        choices.take("WHISPER_MODEL", name, "given with --model")
    else:
        in_turn = sizing.in_turn(engine.sizes, suited, runs_on, memory_gb)
        here = (model for model in in_turn if library.is_at_hand(model, engine.form, models_dir=models))
        model = next(here, engine.sizes.smallest)
        time = (
            f" ({sizing.film_time(engine.sizes, model, machine.cores)})" if runs_on == "cpu" and model != suited else ""
        )
        choices.take(
            "WHISPER_MODEL",
            model,
            reason if model == suited else f"the one that is here{time}; {suited} suits this machine: {reason}",
        )
        if model == library.STARTER:
            _name_a_better_model((suited, reason), runs_on, engine, machine, choices.values["SOURCE_LANGUAGE"], console)
    if engine.measures_memory:
        choices.take("BATCH_SIZE", "auto", "as many windows as fit once the model is loaded")
    else:
        choices.take(
            "BATCH_SIZE", *sizing.batch_size(engine.sizes, choices.values["WHISPER_MODEL"], runs_on, memory_gb)
        )


def detector(models: Path, choices: Choices) -> None:
    """Choose who listens for speech: both detectors, where the second is at hand."""
    from sutradhar.pipeline.models import library
    from sutradhar.stages.sound.about import ALONE, BOTH, FORM, NAME

    if library.find(NAME, FORM, models_dir=models):
        choices.take("SPEECH_DETECTOR", BOTH, f"{NAME} is here, so less is missed in films")
    else:
        choices.take("SPEECH_DETECTOR", ALONE, f"{NAME} is not here: {library.command_to_get(NAME, FORM)}")


def _name_a_better_model(
    suited: tuple[str, str], device: str, engine: About, machine: Hardware, language: str, console: Announcer
) -> None:
    """Warn of what the starter model cannot do, and say which model can and how long that takes here. `suited` is that
    model and the reason for it."""
    from sutradhar.pipeline.machine import sizing
    from sutradhar.pipeline.models import library

    model, reason = suited
    starter = f"Using the small starter model '{library.STARTER}'"
    if language != "en":
        starter += ", which is of little use but for English (Hindi: 88 % of characters wrong)"
    if model != library.STARTER:
        time = (
            f" ({sizing.film_times(engine.sizes, model, language, machine.memory_gb, machine.cores)})"
            if device == "cpu"
            else ""
        )
        console.warn(f"{starter}. Get the one for this machine{time}: {library.command_to_get(model, engine.form)}")
    elif language != "en":
        console.warn(f"{starter}. No larger one suits this machine: {reason}")


def translator(
    arguments: argparse.Namespace,
    changes: Mapping[str, str],
    machine: Hardware,
    workspace: Workspace,
    choices: Choices,
    console: Console,
) -> None:
    from sutradhar.pipeline.prepare import translation

    fitted = translation.candidates(choices.values["WHISPERX_DEVICE"], changes, machine)
    targets, wanted = choices.values["TARGET_LANGUAGES"].split(","), arguments.translation_engine or translation.AUTO
    choice = translation.choose(choices.values["SOURCE_LANGUAGE"], targets, wanted, fitted, workspace.models)
    console.info(f"Translation: {choice.engine} ({choice.reason})")
    choices.take("TRANSLATION_ENGINE", choice.engine, choice.reason)
    for candidate in fitted:
        if models := candidate.about.models:
            is_chosen = candidate.about.name == choice.engine
            choices.take(models.model, choice.model if is_chosen else candidate.sizes[0])
            choices.take(models.device, candidate.device)
            choices.take(models.compute_type, *candidate.compute_type)


def _backend_and_device(arguments: argparse.Namespace, machine: Hardware, console: Announcer) -> tuple[str, str]:
    """Choose the recogniser and its device. Raises UsageError where this machine cannot do what was asked for."""
    from sutradhar.pipeline.machine import hardware

    advice = machine.recommended_settings
    device = arguments.device or advice.device
    backend = arguments.backend or (advice.whisper_backend if device == advice.device else engines.DEFAULT)
    engine, default = engines.engine_of(backend), engines.ENGINES[engines.DEFAULT]
    if why_not := hardware.why_not(engines.DEFAULT, device, machine):
        raise UsageError(f"Device {device}: {why_not}; use {advice.device}")
    if why_not := hardware.why_not(backend, device, machine):
        raise UsageError(f"Backend {backend} on {device}: {why_not}. {default.title} works here: use {default.name}")
    for warning in engine.fallback_warnings.get(device, ()):
        console.warn(warning)
    return backend, device
