"""The recogniser on MLX: Apple GPUs through Metal, NVIDIA GPUs through MLX's CUDA backend, and the CPU."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.contract import (
    AudioWindow,
    CannotTranslate,
    LanguageGuess,
    Recognition,
    UnknownLanguage,
    Waiting,
)
from sutradhar.stages.recognisers.mlx import memory, selftest, tokens
from sutradhar.stages.recognisers.mlx.about import ABOUT
from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import DTYPES, Network, load_network
from sutradhar.stages.recognisers.mlx.slots import NotANumber
from sutradhar.stages.recognisers.mlx.stream import COLUMNS, OutOfMemory, Stream
from sutradhar.stages.recognisers.whisper.decoding import Decoder
from sutradhar.stages.recognisers.whisper.requests import MAX_LENGTH, MAX_TEXT, Encode, Result, Steps, Urgent
from sutradhar.stages.recognisers.whisper.spectrogram import extractor, log_mel, preparation, whole_windows

CACHE_BYTES = 2 << 30  # freed memory that MLX keeps for itself


def open_engine(
    settings: Settings, model: ResolvedModel, translate: bool, times: bool, log: logging.Logger
) -> MlxWhisper:
    """Open the engine. Raises UsageError where the device, its number formats or the model will not do, and
    SutradharError where MLX computes wrongly."""
    device, compute_type = settings.WHISPERX_DEVICE, settings.WHISPER_COMPUTE_TYPE
    _choose_device(device)
    if compute_type not in DTYPES:
        quantised = f"; for 8-bit weights choose the model {model.name}-q8" if compute_type.startswith("int8") else ""
        raise UsageError(
            f"WHISPER_COMPUTE_TYPE={compute_type} does not go with WHISPER_BACKEND=mlx;"
            f" {', '.join(DTYPES)} do{quantised}"
        )
    mx.set_cache_limit(CACHE_BYTES)
    network = load_network(model.path, compute_type)
    known = tokens.languages(network)
    if settings.SOURCE_LANGUAGE != "auto" and languages.parse(settings.SOURCE_LANGUAGE) not in known:
        raise UnknownLanguage(model.name, settings.SOURCE_LANGUAGE)
    cut_decoder = network.dims.n_text_layer < network.dims.n_audio_layer
    if translate and (cut_decoder or not tokens.is_multilingual(network)):
        raise CannotTranslate(model.name)
    engine = MlxWhisper(network, model, settings, translate, log, times)
    log.info("Checking that MLX computes rightly")
    engine.check()
    return engine


def _choose_device(device: str) -> None:
    there = {"cpu": True, "mps": mx.metal.is_available(), "cuda": mx.cuda.is_available()}
    if not there[device]:
        usable = " or ".join(name for name, here in there.items() if here)
        raise UsageError(
            f"WHISPERX_DEVICE={device}, but this MLX cannot use it:"
            f" set WHISPERX_DEVICE={usable}, or run ./install-mlx.sh"
        )
    mx.set_default_device(mx.Device(mx.cpu if device == "cpu" else mx.gpu))


class MlxWhisper:
    """The recogniser, a `contract.Recogniser`. Results come as they are done."""

    packages = ABOUT.packages

    def __init__(
        self,
        network: Network,
        model: ResolvedModel,
        settings: Settings,
        translate: bool,
        log: logging.Logger,
        times: bool = True,
    ) -> None:
        self.degraded: list[str] = []
        self._less = ""  # its line that says that memory made do for fewer windows
        search = Search(settings.WHISPER_BEAM_SIZE, settings.WHISPER_PATIENCE, settings.WHISPER_LENGTH_PENALTY)
        slots, self._asked = settings.BATCH_SIZE, settings.BATCH_SIZE
        columns = MAX_LENGTH if settings.WHISPER_INITIAL_PROMPT else MAX_TEXT + COLUMNS
        if slots == "auto":
            slots = memory.fitting_slots(network, settings.WHISPERX_DEVICE, search.beams, columns)
            log.info(f"BATCH_SIZE=auto: up to {slots} windows at once")
        memory.keep_to(mx.get_active_memory() + memory.decoding_bytes(network, slots, search.beams, columns))
        self.engine = {
            "backend": "mlx",
            "device": settings.WHISPERX_DEVICE,
            "model": model.name,
            "model_revision": model.revision,
            "compute_type": settings.WHISPER_COMPUTE_TYPE,
        }
        self._decoder = Decoder(partial(tokens.make_tokenizer, network), settings, translate=translate, times=times)
        self._languages = frozenset(tokens.languages(network))
        self.preparation = preparation(network.dims.n_mels)
        self._features = extractor(network.dims.n_mels)
        self._stream = Stream(
            network,
            tokens.vocabulary_of(network),
            tokens.language_tokens(network),
            self._spectrograms,
            search,
            slots,
            self._note_less,
        )

    def check(self) -> None:
        """Check the computation. Raises SutradharError where MLX computes wrongly."""
        try:
            self._stream.check()
        except selftest.BrokenBuild as error:
            raise SutradharError(
                f"MLX {mx.__version__} is broken here: {error}. Run ./install-mlx.sh, or set WHISPER_BACKEND=whisperx"
            ) from None
        except OutOfMemory:
            raise self._too_large() from None

    def knows(self, language: str) -> bool:
        return language in self._languages

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[LanguageGuess]:
        heard = dict(self._run(_numbered(number, self._decoder.hear(window)) for number, window in enumerate(windows)))
        return [heard[number] for number in range(len(windows))]

    def recognise(self, windows: Iterable[AudioWindow | Waiting]) -> Iterator[Recognition]:
        return self._run(self._steps(windows))

    def _steps(self, windows: Iterable[AudioWindow | Waiting]) -> Iterator[Steps[Recognition] | Urgent | Waiting]:
        for window in windows:
            if isinstance(window, Waiting):
                yield window
            elif not window.known:
                steps = self._decoder.recognise(window)
                yield Urgent(steps) if window.urgent else steps

    def _run(self, windows: Iterable[Steps[Result] | Urgent | Waiting]) -> Iterator[Result]:
        try:
            yield from self._stream.run(windows)
        except OutOfMemory:
            raise self._too_large() from None
        except NotANumber:
            narrow = f"{self.engine['model']} does not compute in {self.engine['compute_type']}"
            raise SutradharError(f"{narrow} (scores that are no numbers): set WHISPER_COMPUTE_TYPE=float32") from None

    def _too_large(self) -> SutradharError:
        model, compute_type = self.engine["model"], self.engine["compute_type"]
        return SutradharError(
            f"Out of memory with {model} in {compute_type}, one window at a time:"
            " choose a smaller model, or one in 4 bits (large-v3-q4)"
        )

    def _spectrograms(self, asked: Sequence[Encode]) -> NDArray[np.float32]:
        """Return the spectrograms as the whisperx backend has them, but (windows, 3000, mels)."""
        mels = [log_mel(self._features, request.audio) if request.mel is None else request.mel for request in asked]
        spectrograms: NDArray[np.float32] = whole_windows(mels).transpose(0, 2, 1)
        return spectrograms

    def _note_less(self, slots: int) -> None:
        if self._less:
            self.degraded.remove(self._less)
        self._less = f"Out of memory: decoded {slots} windows at once instead of BATCH_SIZE={self._asked}"
        self.degraded.append(self._less)


def _numbered(number: int, steps: Steps[Result]) -> Steps[tuple[int, Result]]:
    return number, (yield from steps)
