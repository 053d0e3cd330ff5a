"""WhisperX's recogniser, one layer below its wrapper.

WhisperX decodes with faster-whisper's model on CTranslate2. Its own wrapper (whisperx/asr.py) drops tokens and
no-speech probabilities, knows one temperature only, and takes 8 s and 1.1 GB to import (PyTorch, transformers,
pyannote). So this calls the same engine with the same options: whole windows, a prompt without timestamps, the
same search. On the same windows the text is WhisperX's, and the first is decoded within a second. This adds, all
from one encoder pass: further temperatures for windows that fail, the language, word times, and a translation.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import ctranslate2

from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.machine import sizing
from sutradhar.pipeline.machine.hardware import recommend
from sutradhar.pipeline.machine.probe import probe, usable_cores
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.ctranslate.nvidia import is_out_of_memory, preload_libraries
from sutradhar.stages.recognisers.contract import (
    IDLE_SECONDS,
    AudioWindow,
    CannotTranslate,
    LanguageGuess,
    Recognition,
    UnknownLanguage,
    Waiting,
)
from sutradhar.stages.recognisers.whisper import lockstep
from sutradhar.stages.recognisers.whisper.decoding import Decoder
from sutradhar.stages.recognisers.whisper.requests import (
    Align,
    DetectLanguage,
    Encode,
    Generate,
    Request,
    Result,
    Steps,
)
from sutradhar.stages.recognisers.whisper.spectrogram import preparation
from sutradhar.stages.recognisers.whisperx.about import ABOUT
from sutradhar.stages.recognisers.whisperx.ctranslate import Sampler, Whisper
from sutradhar.stages.recognisers.whisperx.groups import Crew, Group, batches, free_groups

# Threads of the processor, for what CTranslate2 leaves to it, as it chooses by itself: more would stand in the way
# of other workers.
GPU_THREADS = 4

# Seconds of work that a kill may cost of each worker, where windows do not depend on their mates. One by one, they
# take 18 % longer than four together, two by two 5 % (base, int8, two cores), so a fast model gets more at once.
IN_HAND = 30.0


def open_engine(
    settings: Settings, model: ResolvedModel, translate: bool, times: bool, log: logging.Logger
) -> WhisperX:
    """Open the engine. Raises UsageError where the device, its number formats or the model will not do."""
    device, degraded = settings.WHISPERX_DEVICE, []
    if device == "mps":
        for warning in ABOUT.fallback_warnings[device]:
            log.warning(warning)
        device, degraded = "cpu", ["Recognition ran on the CPU: WhisperX cannot use MPS; set WHISPER_BACKEND=mlx"]
    if device == "cuda":
        preload_libraries()
        if not ctranslate2.get_cuda_device_count():
            raise UsageError(
                "WHISPERX_DEVICE=cuda, but no NVIDIA GPU can be used here:"
                " look at nvidia-smi, or set WHISPERX_DEVICE=cpu"
            )
    compute_type, supported = settings.WHISPER_COMPUTE_TYPE, ctranslate2.get_supported_compute_types(device)
    if compute_type not in supported:
        raise UsageError(
            f"WHISPER_COMPUTE_TYPE={compute_type} does not go with {device} here; {', '.join(sorted(supported))} do"
        )
    cores = usable_cores()
    batch_size = settings.BATCH_SIZE if settings.BATCH_SIZE != "auto" else _fitting_batch(model.name, device)
    workers = min(cores, batch_size) if device == "cpu" else 1
    threads = max(1, cores // workers) if device == "cpu" else min(cores, GPU_THREADS)
    whisper = _loaded(model, device, compute_type, workers, threads)
    if settings.SOURCE_LANGUAGE != "auto" and not whisper.knows(languages.parse(settings.SOURCE_LANGUAGE)):
        raise UnknownLanguage(model.name, settings.SOURCE_LANGUAGE)
    if translate and (whisper.cut_decoder or not whisper.multilingual):
        raise CannotTranslate(model.name)
    return WhisperX(whisper, model, settings, batch_size, translate, log, degraded, times)


def _loaded(model: ResolvedModel, device: str, compute_type: str, workers: int, threads: int) -> Whisper:
    """Load the model. Raises UsageError where it is damaged in a way that shows only now."""
    try:
        return Whisper(model.path, device, compute_type, workers, threads)
    except (IndexError, RuntimeError, ValueError) as error:
        if isinstance(error, RuntimeError) and is_out_of_memory(error):
            raise
        raise UsageError(
            f"{model.path} cannot be loaded ({error}): get the model again, or choose another WHISPER_MODEL"
        ) from None


def _fitting_batch(model: str, device: str) -> int:
    machine = recommend(probe())
    memory_gb = machine.gpu_memory_gb if device == "cuda" else machine.memory.limit_gb or machine.memory.total_gb
    return sizing.batch_size(ABOUT.sizes, model, device, memory_gb or 0.0)[0]


def _fitting_first(model: str) -> int:
    """Return how many windows a worker on a CPU does in `IN_HAND` seconds, before any is done; 0 for a model whose
    costs are not known."""
    costs = ABOUT.sizes.cpu_seconds.get(model)
    return max(1, int(IN_HAND / sum(costs))) if costs else 0


class WhisperX:
    """The recogniser, a `contract.Recogniser`. Results come as they are done."""

    packages = ABOUT.packages

    def __init__(
        self,
        whisper: Whisper,
        model: ResolvedModel,
        settings: Settings,
        batch_size: int,
        translate: bool,
        log: logging.Logger,
        degraded: list[str],
        times: bool = True,
    ) -> None:
        self.degraded = degraded
        self.engine = {
            "backend": "whisperx",
            "device": whisper.device,
            "model": model.name,
            "model_revision": model.revision,
            "compute_type": whisper.compute_type,
            "threads": f"{whisper.workers}x{whisper.threads}",
        }
        self.preparation = preparation(whisper.mels)
        self._whisper, self._settings = whisper, settings
        self._decoder = Decoder(whisper.tokenizer, settings, translate=translate, times=times)
        self._batch_size = self._group_limit = batch_size
        known = _fitting_first(model.name) if whisper.apart else batch_size
        self._fitting = known or 1  # windows of a group
        self._timed = known > 0  # true where the time of a window is known

    # --- Windows in, recognitions out

    def knows(self, language: str) -> bool:
        return self._whisper.knows(language)

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[LanguageGuess]:
        with ThreadPoolExecutor(self._whisper.workers) as pool:
            heard = list(pool.map(lambda window: self._run([self._decoder.hear(window)])[0], windows))
        # A GPU is faster to encode them again, in batches.
        return heard if self._whisper.device == "cpu" else [replace(one, prepared=None) for one in heard]

    def recognise(self, windows: Iterable[AudioWindow | Waiting]) -> Iterator[Recognition]:
        """Keep every worker busy, and the next group ready: none while one is as small as can be, for want of a
        time."""
        crew = Crew(self._whisper.workers + (self._whisper.device == "cuda"), self._recognise_group)
        try:
            for group in self._groups(windows):
                if isinstance(group, Waiting):
                    yield from crew.next_told(IDLE_SECONDS)
                    continue
                crew.begin(group)
                while crew.busy >= self._whisper.workers + self._timed:
                    yield from crew.next_told()
            while crew.in_hand:
                yield from crew.next_told()
        finally:
            crew.dismiss()

    def _groups(self, windows: Iterable[AudioWindow | Waiting]) -> Iterator[Group | Waiting]:
        if self._whisper.apart:
            return free_groups(windows, self._batch_size, self._whisper.workers, lambda: self._fitting)
        return batches(windows, self._batch_size, self._whisper.workers)

    # --- One group

    def _recognise_group(self, group: Group, tell: Callable[[Recognition], None]) -> None:
        """Recognise a group; halve the windows decoded at once when a GPU runs out of memory. Raises
        SutradharError when one window is too much."""
        waiting, began = dict(enumerate(group)), time.monotonic()

        def done(numbers: Sequence[int], number: int, recognition: Recognition) -> None:
            del waiting[numbers[number]]
            tell(recognition)

        while waiting:
            numbers = list(waiting)[: self._group_limit]
            try:
                self._run([self._decoder.recognise(waiting[number]) for number in numbers], partial(done, numbers))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._lower_limit(len(numbers))
        if self._whisper.apart:
            self._fitting = max(1, int(IN_HAND * len(group) / (time.monotonic() - began)))
            self._timed = True

    def _too_large(self) -> SutradharError:
        model, compute_type = self.engine["model"], self.engine["compute_type"]
        return SutradharError(
            f"Out of GPU memory with {model} in {compute_type}, one window at a time:"
            " choose a smaller model or int8_float16"
        )

    def _lower_limit(self, too_many: int) -> None:
        if too_many == 1:
            raise self._too_large() from None
        limit = too_many // 2
        if limit < self._group_limit:
            self._group_limit = limit
            self.degraded.append(
                f"Out of GPU memory: decoded {limit} windows at once instead of BATCH_SIZE={self._batch_size}"
            )

    def _draw_from_one(self) -> None:
        line = "Out of GPU memory for a second model: texts at higher temperatures may be others in another run"
        if line not in self.degraded:
            self.degraded.append(line)

    # --- What the windows ask for

    def _run(
        self, windows: Sequence[Steps[Result]], tell: Callable[[int, Result], None] = lambda number, result: None
    ) -> list[Result]:
        sampler = self._whisper.sampler(self._draw_from_one)
        try:
            return lockstep.run(windows, partial(self._answer, sampler), tell, self._whisper.singly)
        finally:
            sampler.rest()

    def _answer(self, sampler: Sampler, asked: Sequence[Any]) -> list[Any]:
        first: Request = asked[0]
        if isinstance(first, Generate) and first.sampled:
            return [sampler.generate(first, self._settings)]
        sampler.rest()
        if isinstance(first, Encode):
            return self._whisper.encode(asked)
        if isinstance(first, DetectLanguage):
            return self._whisper.hear([request.encoded for request in asked])
        if isinstance(first, Align):
            return _by(lambda request: tuple(request.tokenizer.sot_sequence), asked, self._whisper.align)
        return _by(lambda request: request.prompt, asked, lambda alike: self._whisper.generate(alike, self._settings))


def _by(
    key: Callable[[Any], Hashable], asked: Sequence[Any], answer: Callable[[Sequence[Any]], list[Any]]
) -> list[Any]:
    """Answer requests, of which only those alike can be computed together."""
    alike: dict[Hashable, list[int]] = {}
    for number, request in enumerate(asked):
        alike.setdefault(key(request), []).append(number)
    answers: dict[int, Any] = {}
    for numbers in alike.values():
        answers.update(zip(numbers, answer([asked[number] for number in numbers]), strict=True))
    return [answers[number] for number in range(len(asked))]
