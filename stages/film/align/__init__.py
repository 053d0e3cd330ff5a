"""Refine word times: by the edges of the sound, and with a wav2vec2 model of the language where there is one, by
WhisperX's forced alignment (arXiv:2303.00747, 3.2).

PyTorch and WhisperX, 8 s to import, are imported only where there is a model to align with.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import msgspec

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Outcome, Stage, StageContext
from sutradhar.pipeline.media import SAMPLE_RATE
from sutradhar.pipeline.wording import counted
from sutradhar.pipeline.workspace import Workspace
from sutradhar.stages.alignment.bias import early_ms
from sutradhar.stages.alignment.edges import on_edges
from sutradhar.stages.film.align.models import MODELS, TORCH_FILES
from sutradhar.stages.recognisers.lyrics import without_lyrics
from sutradhar.stages.sound.quiet import quiet_spans
from sutradhar.stages.sound.wav import Sound, spoken_by
from sutradhar.stages.text.word_times import in_order, moved
from sutradhar.stages.transcript import Audio, Segment, Span, Transcript, Word, load, save

MARGIN_MS = 200  # of sound around a segment: the recogniser's times are about so exact
FOLDER_FILES = (
    ("config.json",),
    ("model.safetensors",),
    ("preprocessor_config.json",),
    ("vocab.json", "tokenizer.json"),
)


def check(settings: Settings) -> None:
    """Check that a named model exists: before the run, not hours into it."""
    if settings.ALIGNMENT_MODEL != "auto":
        find_model(settings.ALIGNMENT_MODEL, "", Workspace.find().models)


def run(ctx: StageContext) -> Outcome:
    transcript = load(ctx.read("transcript"), Transcript)
    segments, outcome = _refined(transcript, ctx)
    # By the times that stay: folders and Python tell lyrics by the same.
    refined, told = without_lyrics(msgspec.structs.replace(transcript, segments=segments), ctx.settings)
    save(ctx.write("transcript"), refined)
    return replace(outcome, summary="; ".join([outcome.summary, *told]))


def _refined(transcript: Transcript, ctx: StageContext) -> tuple[tuple[Segment, ...], Outcome]:
    if ctx.settings.ALIGNMENT_MODEL == "none" or not transcript.segments:
        summary = f"{_completed(transcript.segments)} with the recogniser's word times"
        return transcript.segments, Outcome(summary=summary)
    audio = load(ctx.read("audio"), Audio)
    model = find_model(ctx.settings.ALIGNMENT_MODEL, transcript.language, ctx.models)
    clip = Span(audio.start_ms, audio.start_ms + audio.duration_ms)
    early = early_ms(ctx.settings.WHISPER_BACKEND, ctx.settings.WHISPER_MODEL)
    with Sound(ctx.read("sound")) as sound:
        quiet = {name: quiet_spans(spoken_by(sound, name, audio.voices), audio.start_ms) for name in audio.voices}
        segments = on_edges(transcript.segments, quiet, clip, early)
        outcome = Outcome(summary=f"{_completed(segments)} with word times on the edges of the sound")
        if model and any(audio.voices):
            outcome = replace(outcome, degraded=("AUDIO_CHANNELS=split: words are aligned without wav2vec2",))
        elif model:
            segments, outcome = _by_wav2vec2(segments, model, transcript.language, sound, audio, ctx)
            segments = on_edges(segments, quiet, clip, 0)  # the last letter of a word lasts until the next begins
    return segments, outcome


def _completed(segments: Sequence[Segment]) -> str:
    return f"Alignment completed: {counted(len(segments), 'segment')}"


def _by_wav2vec2(
    given: Sequence[Segment], model: str, language: str, sound: Sound, audio: Audio, ctx: StageContext
) -> tuple[tuple[Segment, ...], Outcome]:
    aligner = Wav2Vec2Aligner(model, language, "cuda" if ctx.settings.WHISPERX_DEVICE == "cuda" else "cpu")
    ctx.log.info(f"Alignment model: {Path(model).name}")
    segments = tuple(_aligned(given, sound, audio, aligner, ctx))
    return segments, Outcome(
        summary=f"{_completed(segments)}, "
        f"{aligner.kept} of {aligner.words} words with times on the edges of the sound alone",
        engine={"backend": "whisperx", "device": aligner.device, "model": Path(model).name},
        packages=("whisperx", "torch", "transformers"),
        seconds_of_media=audio.duration_ms / 1000,
    )


def _aligned(
    segments: Sequence[Segment], sound: Sound, audio: Audio, aligner: Wav2Vec2Aligner, ctx: StageContext
) -> Iterator[Segment]:
    """Yield each segment, aligned in the sound around it, as far as the middle of the pause before and after."""
    for index, segment in enumerate(segments):
        before = (segments[index - 1].end_ms + segment.start_ms) // 2 if index else audio.start_ms
        after = (
            (segment.end_ms + segments[index + 1].start_ms) // 2
            if index + 1 < len(segments)
            else audio.start_ms + audio.duration_ms
        )
        begin, end = max(segment.start_ms - MARGIN_MS, before), min(segment.end_ms + MARGIN_MS, after)
        words = aligner.align(segment.words, sound.read_ms(begin - audio.start_ms, end - audio.start_ms), begin, end)
        yield msgspec.structs.replace(segment, words=words, start_ms=words[0].start_ms, end_ms=words[-1].end_ms)
        ctx.progress((end - audio.start_ms) / 1000, audio.duration_ms / 1000)


# --- Which model


def find_model(wanted: str, language: str, models: Path) -> str | None:
    """Return a folder, or WhisperX's name of a model that is in a cache; None: there is none to align with.
    Raises UsageError."""
    if wanted in ("none", "edges"):
        return None
    if wanted != "auto":
        path = next((path for path in (models / wanted, Path(wanted).expanduser()) if path.is_dir()), None)
        if path is None:
            raise UsageError(
                f"ALIGNMENT_MODEL={wanted}: there is no such folder, nor one in models/; "
                "give auto, edges, none or a wav2vec2 folder"
            )
        return str(_checked(path))
    path = models / f"align-{language}"
    if path.is_dir():
        return str(_checked(path))
    name = MODELS.get(language)
    return name if name and _is_cached(name) else None


def _checked(path: Path) -> Path:
    for names in FOLDER_FILES:
        if not any((path / name).is_file() for name in names):
            raise UsageError(f"{path} is no wav2vec2 model for alignment: it has no {' or '.join(names)}")
    return path


def _is_cached(name: str) -> bool:
    if name in TORCH_FILES:
        cache = Path(
            os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "torch"
        )
        return (cache / "hub" / "checkpoints" / TORCH_FILES[name]).is_file()
    from huggingface_hub import try_to_load_from_cache

    return any(
        isinstance(try_to_load_from_cache(name, file), str) for file in ("model.safetensors", "pytorch_model.bin")
    )


# --- Aligning


@dataclass(frozen=True)
class WholeText:
    """A stand-in for NLTK's sentence splitter, which WhisperX would download: our segments are sentences already."""

    def span_tokenize(self, text: str) -> list[tuple[int, int]]:
        return [(0, len(text))]


class Wav2Vec2Aligner:
    """A wav2vec2 model in memory. It counts the words that it saw, and those whose times it could not tell."""

    def __init__(self, model: str, language: str, device: str) -> None:
        # Nothing is fetched, and pickled weights (some caches hold no others) can bring no code along.
        os.environ.update(HF_HUB_OFFLINE="1", TORCH_FORCE_WEIGHTS_ONLY_LOAD="1")
        import whisperx.alignment

        self.words = self.kept = 0
        self.device = device
        self._whisperx = whisperx.alignment
        self._whisperx.nltk_load = lambda resource: WholeText()
        logging.getLogger("whisperx").setLevel(logging.ERROR)  # its warnings quote the text
        try:
            self._model, self._metadata = self._whisperx.load_align_model(
                language, device, model_name=model, model_cache_only=True
            )
        except (ValueError, OSError, RuntimeError, KeyError) as error:
            raise UsageError(
                f"ALIGNMENT_MODEL: {model} cannot be loaded ({str(error).splitlines()[0][:200]}); try another, or none"
            ) from error

    def align(self, words: Sequence[Word], samples: Any, start_ms: int, end_ms: int) -> tuple[Word, ...]:
        """Return the words of a segment with times from `samples`, its sound from `start_ms` to `end_ms`, film time."""
        text = "".join(word.text for word in words)
        self.words += len(words)
        times = self._character_times(text, samples)
        bounds = [0, *accumulate(len(word.text) for word in words)]
        refined = [
            _refine(word, times[begin:end], start_ms)
            for word, (begin, end) in zip(words, pairwise(bounds), strict=True)
        ]
        self.kept += sum(word is None for word in refined)
        return in_order(_fill(words, refined, start_ms, end_ms), start_ms, end_ms)

    def _character_times(self, text: str, samples: Any) -> list[tuple[float, float] | None]:
        """Return the seconds of each character that the model's alphabet has."""
        segment = {"text": text, "start": 0.0, "end": len(samples) / SAMPLE_RATE}
        done = self._whisperx.align(
            [segment], self._model, self._metadata, samples, self.device, return_char_alignments=True
        )["segments"]
        characters = done[0].get("chars") if done else None
        if not characters or len(characters) != len(text):
            return [None] * len(text)
        alphabet = self._metadata["dictionary"]
        return [
            (entry["start"], entry["end"]) if "start" in entry and entry["char"].lower() in alphabet else None
            for entry in characters
        ]


def _refine(word: Word, times: Sequence[tuple[float, float] | None], offset_ms: int) -> Word | None:
    timed = [time for time in times if time]
    if not timed:
        return None
    return moved(word, offset_ms + round(1000 * timed[0][0]), offset_ms + round(1000 * timed[-1][1]))


def _fill(words: Sequence[Word], refined: Sequence[Word | None], start_ms: int, end_ms: int) -> list[Word]:
    """Keep the times of words that could not be timed (digits, other scripts), as far as their neighbours' new ones
    leave room."""
    filled = list[Word]()
    for index, (word, better) in enumerate(zip(words, refined, strict=True)):
        if better is None:
            earliest = filled[-1].end_ms if filled else start_ms
            latest = next((later.start_ms for later in refined[index:] if later), end_ms)
            start = min(max(word.start_ms, earliest), latest)
            better = moved(word, start, max(start, min(word.end_ms, latest)))
        filled.append(better)
    return filled


STAGE = Stage(
    name="align",
    run=run,
    check=check,
    reads=("sound", "audio", "transcript"),
    writes=("transcript",),
    settings=("ALIGNMENT_MODEL", "MUSIC"),
    tuning=("WHISPERX_DEVICE", "WHISPER_BACKEND", "WHISPER_MODEL"),  # the transcript shows another recogniser
)
