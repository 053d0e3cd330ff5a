"""Whisper on CTranslate2: sound to encoder output, encoder output to text, languages and times.

Facts about CTranslate2 4.8 that this rests on:
- On a CPU, workers of one thread that share the weights are 1.8 times as fast as one worker of two threads, and
  windows encoded one by one are 1.4 times as fast as in batches of 8 (base, int8). Decoding gains from batches.
- int8 texts do not depend on what else is in a batch (measured: same tokens and scores in batches of 1 to 19);
  float32 scores differ by 1e-6. Alignments do, by a frame now and then; on a CPU they are 1.4 times as fast one by
  one (base, int8: 60 ms a window, 86 in batches of 4), and so depend on nothing else.
- Its random numbers are seeded when a worker thread draws for the first time, and never again (src/random.cc). So
  each window that is sampled needs a worker of its own, which costs as much as to load the model (base, int8, two
  cores: 0.17 s).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import ctranslate2
import msgspec
import numpy as np
import tokenizers
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.ctranslate.nvidia import is_out_of_memory
from sutradhar.stages.recognisers.whisper.requests import (
    BEST_OF,
    HOP,
    MAX_LENGTH,
    Align,
    Alignment,
    Decoded,
    Encode,
    Generate,
)
from sutradhar.stages.recognisers.whisper.spectrogram import extractor, log_mel, whole_windows

SEED = 1

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Encoded:
    """The encoder output of one window: a row of that of a batch, (windows, 1500, width)."""

    batch: Any  # ctranslate2.StorageView
    row: int


class Whisper:
    """A model for several threads at once."""

    def __init__(self, folder: Path, device: str, compute_type: str, workers: int, threads: int) -> None:
        ctranslate2.set_random_seed(SEED)
        self.device, self.workers, self.threads = device, workers, threads
        self._folder = folder
        self._load = partial(
            ctranslate2.models.Whisper, str(folder), device=device, compute_type=compute_type, intra_threads=threads
        )
        self._model = self._load(inter_threads=workers)
        self.compute_type: str = self._model.compute_type
        self.multilingual: bool = self._model.is_multilingual
        self._tokenizer = _tokenizer_of(folder)
        self.mels: int = self._model.n_mels
        self._features = extractor(self.mels)
        self._sampling = threading.Lock()  # held by the thread that has a second model in memory

    @property
    def singly(self) -> tuple[type[Encode] | type[Align], ...]:
        """Return the kinds of request that are answered one at a time."""
        return (Encode, Align) if self.device == "cpu" else ()

    @property
    def apart(self) -> bool:
        """Tell whether an answer is the same to the last bit with any other requests in its batch: only whole
        numbers add up the same in any order."""
        return self.device == "cpu" and self.compute_type.startswith("int8")

    def sampler(self, no_room: Callable[[], None]) -> Sampler:
        """Return a sampler. It tells `no_room` where there is no memory for a second model."""
        return Sampler(self._load, self._sampling, self._model, no_room)

    def tokenizer(self, task: str, language: str) -> Tokenizer:
        return Tokenizer(self._tokenizer, self.multilingual, task=task, language=language)

    def knows(self, language: str) -> bool:
        return self._tokenizer.token_to_id(f"<|{language}|>") is not None if self.multilingual else language == "en"

    def encode(self, asked: Sequence[Encode]) -> list[Encoded]:
        mels = [log_mel(self._features, request.audio) if request.mel is None else request.mel for request in asked]
        batch = self._model.encode(_storage(whole_windows(mels)))
        return [Encoded(batch, row) for row in range(len(asked))]

    def hear(self, windows: Sequence[Encoded]) -> list[dict[str, float]]:
        if not self.multilingual:
            return [{"en": 1.0}] * len(windows)
        return [
            {token[2:-2]: probability for token, probability in row}
            for row in self._model.detect_language(_gather(windows))
        ]

    def generate(self, asked: Sequence[Generate], settings: Settings) -> list[Decoded]:
        """Return texts for requests of one prompt, none of them sampled."""
        return _generate(
            self._model,
            asked,
            settings,
            {"beam_size": settings.WHISPER_BEAM_SIZE, "patience": settings.WHISPER_PATIENCE},
        )

    def align(self, asked: Sequence[Align]) -> list[Alignment]:
        """Return times for requests of one language and task."""
        frames = [-(-request.samples // HOP) for request in asked]
        texts = [list(request.text) for request in asked]
        encoded = _gather([request.encoded for request in asked])
        found = self._model.align(encoded, asked[0].tokenizer.sot_sequence, texts, frames)
        return [Alignment(one.alignments, one.text_token_probs) for one in found]

    @property
    def cut_decoder(self) -> bool:
        """Tell whether this is a large model whose decoder was cut to a few layers (turbo, distil): those cannot
        translate."""
        config = msgspec.json.decode((self._folder / "config.json").read_bytes())
        return bool(self.mels == 128 and max(layer for layer, _ in config["alignment_heads"]) < 4)


class Sampler:
    """A source of texts drawn at random. For each window the numbers begin anew, so that its text depends on
    nothing but its encoder output; they go on from one of its temperatures to the next. For one thread, which lets
    it rest in the end."""

    def __init__(self, load: Callable[[], Any], turn: threading.Lock, shared: Any, no_room: Callable[[], None]) -> None:
        """Take `load`, which gives a model with one worker thread; `turn` is held while there is one. Where memory
        is too small for it, or for its work, numbers are drawn from the `shared` one, after any earlier draws."""
        self._load, self._turn, self._shared, self._no_room = load, turn, shared, no_room
        self._drawing: tuple[Encoded, Any] | None = None  # the window, and the model once it is loaded

    def generate(self, request: Generate, settings: Settings) -> Decoded:
        if self._drawing and self._drawing[0] is not request.encoded:
            self.rest()
        if not self._drawing:
            self._turn.acquire()
            self._drawing = request.encoded, None
        search = {
            "beam_size": 1,
            "num_hypotheses": BEST_OF,
            "sampling_topk": 0,
            "sampling_temperature": request.temperature,
        }
        model = self._drawing[1]
        try:
            model = model or self._load()
            self._drawing = request.encoded, model
            return _generate(model, [request], settings, search)[0]
        except RuntimeError as error:
            if model is self._shared or not is_out_of_memory(error):
                raise
        self._no_room()
        model = None  # frees its memory
        self._drawing = request.encoded, self._shared
        return _generate(self._shared, [request], settings, search)[0]

    def rest(self) -> None:
        """Note that nothing more is to be drawn for this window."""
        if self._drawing:
            self._drawing = None
            self._turn.release()


def _tokenizer_of(folder: Path) -> tokenizers.Tokenizer:
    """Load the tokenizer. Raises ValueError for a damaged one."""
    try:
        return tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
        raise ValueError(f"tokenizer.json: {error}") from None


def _generate(model: Any, asked: Sequence[Generate], settings: Settings, search: Mapping[str, Any]) -> list[Decoded]:
    penalty = settings.WHISPER_LENGTH_PENALTY
    results = model.generate(
        _gather([request.encoded for request in asked]),
        [list(asked[0].prompt)] * len(asked),
        length_penalty=penalty,
        max_length=MAX_LENGTH,
        return_scores=True,
        return_no_speech_prob=True,
        **search,
    )
    return [
        Decoded(tokens, result.scores[0] * len(tokens) ** penalty / (len(tokens) + 1), result.no_speech_prob)
        for result in results
        for tokens in [result.sequences_ids[0]]
    ]


@dataclass(frozen=True)
class _Row:
    """A window of a batch on a GPU, where it lies. By way of NumPy the whole batch would pass through the
    processor (base, 48 windows on an H200: 0.2 s)."""

    batch: Any
    row: int

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        whole = self.batch.__cuda_array_interface__
        shape, (address, read_only) = whole["shape"][1:], whole["data"]
        size = np.dtype(whole["typestr"]).itemsize * int(np.prod(shape))
        return {**whole, "shape": (1, *shape), "data": (address + self.row * size, read_only)}


def _gather(windows: Sequence[Encoded]) -> Any:
    """Gather windows as one batch, without a copy where it is one already, or a single window."""
    batch = windows[0].batch
    if all(window.batch is batch for window in windows) and [window.row for window in windows] == list(
        range(batch.shape[0])
    ):
        return batch
    if len(windows) == 1 and batch.device == "cuda" and batch.dtype != ctranslate2.DataType.bfloat16:
        return ctranslate2.StorageView.from_array(_Row(batch, windows[0].row))
    copies = {id(batch): _on_cpu(batch) for batch in {id(window.batch): window.batch for window in windows}.values()}
    return _storage(np.concatenate([copies[id(window.batch)][window.row : window.row + 1] for window in windows]))


def _on_cpu(batch: Any) -> NDArray[Any]:
    if batch.device == "cuda":  # NumPy knows neither GPUs nor bfloat16
        batch = batch.to(ctranslate2.DataType.float32).to_device(ctranslate2.Device.cpu)
    return np.asarray(batch)


def _storage(array: NDArray[Any]) -> Any:
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array))
