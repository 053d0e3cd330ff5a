"""Feed the decoder: answer the requests of many windows, gathered in batches, while the slots are kept full.

Windows are `requests.Steps`. So many are begun that there is always one to take over a slot; their requests wait
in a queue a kind, until there is a batch of them. They wait no longer where the source of windows has nothing yet,
and the requests of urgent windows go first and wait for no batch. Results come as they are done.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice, takewhile
from typing import Any

import mlx.core as mx
import numpy as np

from sutradhar.stages.recognisers.contract import IDLE_SECONDS, Waiting
from sutradhar.stages.recognisers.mlx import cuda, selftest
from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.memory import ALIGNED_AT_ONCE, ALIGNED_TOKENS, ENCODED_AT_ONCE, WAITING
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.rules import Vocabulary
from sutradhar.stages.recognisers.mlx.slots import Slots, Task, Text
from sutradhar.stages.recognisers.mlx.words import Aligner, padded
from sutradhar.stages.recognisers.whisper.requests import (
    BEST_OF,
    HOP,
    MAX_LENGTH,
    MAX_TEXT,
    Align,
    Alignment,
    Decoded,
    DetectLanguage,
    Encode,
    Generate,
    Request,
    Result,
    Steps,
    Urgent,
)

COLUMNS = 64  # the past is a multiple of this


class OutOfMemory(MemoryError):
    """The error where not even one window fits."""


@dataclass(eq=False)
class _Asked:
    """A text that a window waits for; samples of it may be in several slots."""

    window: Steps[Any]
    missing: int
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True)
class _Queues:
    encode: deque[tuple[Steps[Any], Encode]] = field(default_factory=deque)
    hear: deque[tuple[Steps[Any], DetectLanguage]] = field(default_factory=deque)
    generate: deque[tuple[_Asked, Task]] = field(default_factory=deque)
    align: deque[tuple[Steps[Any], Align]] = field(default_factory=deque)


class Stream:
    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        languages: Mapping[str, int],
        spectrograms: Callable[[Sequence[Encode]], Any],
        search: Search,
        slots: int,
        notice: Callable[[int], None] = lambda slots: None,
    ) -> None:
        """Take the language tokens `languages`; `spectrograms`, which makes (windows, 3000, mels) of requests; and
        `notice`, which is told the number of slots when memory makes do for no more."""
        self._network, self._vocabulary, self._languages, self._spectrograms = (
            network,
            vocabulary,
            languages,
            spectrograms,
        )
        self._search, self._limit, self._notice = search, slots, notice
        self._aligner = Aligner(network)
        self._slots: Slots | None = None
        self._queues = _Queues()
        self._results: deque[Any] = deque()
        self._alive = 0
        self._urgent = set[Steps[Any]]()
        self._source_waits = False

    def check(self) -> None:
        """Check the decoder. Raises selftest.BrokenBuild, and OutOfMemory."""
        while True:
            try:
                # On CUDA the kernels differ with the number of rows; elsewhere a few show as much.
                rows = self._limit if cuda.available() else min(self._limit, selftest.ROWS)
                return selftest.check(self._network, self._vocabulary, self._search, rows)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink()

    def run(self, windows: Iterable[Steps[Result] | Urgent | Waiting]) -> Iterator[Result]:
        """Run windows to their results. Raises OutOfMemory."""
        if self._alive:
            raise RuntimeError("the decoder is at work on other windows")
        try:
            yield from self._run(iter(windows))
        finally:  # also where nobody wants the rest
            if self._alive:
                self._queues, self._slots, self._alive = _Queues(), None, 0
            self._urgent.clear()
            self._results.clear()

    def _run(self, source: Iterator[Steps[Result] | Urgent | Waiting]) -> Iterator[Result]:
        while True:
            self._begin(source)
            if not self._alive:
                if not self._source_waits:
                    return
                time.sleep(IDLE_SECONDS)
                continue
            try:
                self._work()
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._shrink()
            while self._results:
                yield self._results.popleft()

    def _begin(self, source: Iterator[Steps[Result] | Urgent | Waiting]) -> None:
        """Begin windows until there are enough, the source has none, or one is urgent."""
        self._source_waits = False
        for window in islice(source, max(0, WAITING * self._limit - self._alive)):
            if isinstance(window, Waiting):
                self._source_waits = True
                return
            self._alive += 1
            if isinstance(window, Urgent):
                self._urgent.add(window.steps)
                self._send(window.steps, None)
                return
            self._send(window, None)

    def _send(self, window: Steps[Any], answer: Any) -> None:
        """Give a window its answer, and queue its next request."""
        try:
            request: Request = window.send(answer)
        except StopIteration as end:
            self._alive -= 1
            self._urgent.discard(window)
            self._results.append(end.value)
            return
        if isinstance(request, Encode):
            self._put(self._queues.encode, window, [(window, request)])
        elif isinstance(request, DetectLanguage):
            self._put(self._queues.hear, window, [(window, request)])
        elif isinstance(request, Align):
            self._put(self._queues.align, window, [(window, request)])
        else:
            self._ask(window, request)

    def _put(self, queue: deque[Any], window: Steps[Any], asked: Sequence[Any]) -> None:
        """Put requests at the end; those of an urgent window behind those of the other urgent ones."""
        if window in self._urgent:
            _insert(queue, self._count_urgent(queue), asked)
        else:
            queue.extend(asked)

    def _count_urgent(self, queue: deque[Any]) -> int:
        """Count the requests of urgent windows, which stand first."""
        return sum(1 for _ in takewhile(lambda asked: _window_of(asked) in self._urgent, queue)) if self._urgent else 0

    def _ask(self, window: Steps[Any], request: Generate) -> None:
        """Queue a text; a further temperature goes to the front, behind urgent ones: the window's slot still holds
        its sound."""
        samples = range(0, BEST_OF, self._search.beams) if request.temperature > 0 else range(1)
        asked = _Asked(window, len(samples))
        limit = min(MAX_TEXT, MAX_LENGTH - len(request.prompt))
        tasks = [
            (asked, Task(request.encoded, request.prompt, request.temperature, sample, limit, BEST_OF - sample))
            for sample in samples
        ]
        if request.temperature > 0:
            _insert(self._queues.generate, self._count_urgent(self._queues.generate), tasks)
        else:
            self._put(self._queues.generate, window, tasks)

    # --- Work

    def _work(self) -> None:
        """Run one round of all work that is due."""
        queues = self._queues
        decoding = bool(queues.generate) or self._busy
        short = len(queues.generate) < max(1, self._limit // 2)
        enough = short and len(queues.encode) >= min(self._limit, ENCODED_AT_ONCE) // 2
        if queues.encode and (not decoding or enough or self._hurries(queues.encode)):
            self._encode()
        if queues.hear:
            self._hear()
        if queues.generate:
            self._admit()
        if self._slots and self._busy:
            for asked, text in self._slots.advance():
                self._take(asked, text)
        alone = not (queues.encode or queues.hear or queues.generate or self._busy)
        if alone or len(queues.align) >= min(self._limit, ALIGNED_AT_ONCE) or self._hurries(queues.align):
            self._align()

    def _hurries(self, queue: deque[Any]) -> bool:
        """Tell whether a batch is not waited for: nobody knows when the source goes on, or somebody waits for the
        answer."""
        return self._source_waits or self._count_urgent(queue) > 0

    def _batch(self, queue: deque[Any], most: int) -> list[Any]:
        """Return the next requests to work on: urgent ones have no mates that would make them take longer."""
        return _first(queue, min(most, self._count_urgent(queue) or most))

    @property
    def _busy(self) -> bool:
        return self._slots is not None and self._slots.busy

    def _encode(self) -> None:
        some = self._batch(self._queues.encode, min(self._limit, ENCODED_AT_ONCE))
        features = self._network.encode(mx.array(self._spectrograms([request for _, request in some])))
        mx.eval(features)
        _drop(self._queues.encode, len(some))
        for row, (window, _) in enumerate(some):
            self._send(window, features[row])

    def _hear(self) -> None:
        some = _first(self._queues.hear, min(self._limit, ENCODED_AT_ONCE))
        if not self._languages:  # a model of English alone
            _drop(self._queues.hear, len(some))
            for window, _ in some:
                self._send(window, {"en": 1.0})
            return
        tokens = mx.array([[self._vocabulary.sot]] * len(some))
        logits = self._network.logits(
            self._network.read(tokens, mx.stack([request.encoded for _, request in some]))[0]
        )[:, 0]
        heard = np.array(mx.softmax(logits[:, mx.array(list(self._languages.values()))], axis=-1))
        _drop(self._queues.hear, len(some))
        for (window, _), probabilities in zip(some, heard.tolist(), strict=True):
            self._send(window, dict(zip(self._languages, probabilities, strict=True)))

    def _admit(self) -> None:
        """Fill slots. Slots that are all empty are made anew where more of them, or longer ones, are of use; those
        at work only for requests that do not wait, and their texts begin anew."""
        count, longest = min(self._limit, self._alive), max(_length(task) for _, task in self._queues.generate)
        slots = self._slots
        if slots is None or self._unfit(slots, count, longest):
            slots = self._slots = self._renewed(count, longest)
        fitting = takewhile(lambda waiting: _length(waiting[1]) <= slots.columns, self._queues.generate)
        some = list(islice(fitting, slots.room))
        if some:
            slots.admit(some)
            _drop(self._queues.generate, len(some))

    def _unfit(self, slots: Slots, count: int, longest: int) -> bool:
        if not slots.busy:
            return slots.count < count or slots.columns < longest
        queue = self._queues.generate
        too_short = self._count_urgent(queue) > 0 and slots.columns < _length(queue[0][1])
        return too_short or (self._hurries(queue) and not slots.room and slots.count < count)

    def _renewed(self, count: int, longest: int) -> Slots:
        queue = self._queues.generate
        if self._slots:
            _insert(queue, self._count_urgent(queue), self._slots.tasks())
            self._slots = None  # frees its memory
        return Slots(self._network, self._vocabulary, self._search, count, -(-longest // COLUMNS) * COLUMNS)

    def _take(self, asked: _Asked, text: Text) -> None:
        asked.texts.append(text)
        asked.missing -= 1
        if not asked.missing:
            best = max(
                asked.texts, key=lambda text: text.sum_logprob / max(1, len(text.tokens)) ** self._search.length_penalty
            )
            self._send(
                asked.window, Decoded(best.tokens, best.sum_logprob / (len(best.tokens) + 1), best.no_speech_prob)
            )

    def _align(self) -> None:
        some = _fitting(self._batch(self._queues.align, min(self._limit, ALIGNED_AT_ONCE)))
        frames = [min(self._network.frames, -(-request.samples // HOP) // 2) for _, request in some]
        found = [Alignment((), ())] * len(some)
        if possible := [number for number, count in enumerate(frames) if count]:
            asked = [some[number][1] for number in possible]
            alignments = self._aligner.align(
                mx.stack([request.encoded for request in asked]),
                [[*request.tokenizer.sot_sequence, request.tokenizer.no_timestamps] for request in asked],
                [request.text for request in asked],
                self._vocabulary.eot,
                [frames[number] for number in possible],
            )
            for number, alignment in zip(possible, alignments, strict=True):
                found[number] = alignment
        _drop(self._queues.align, len(some))
        for (window, _), alignment in zip(some, found, strict=True):
            self._send(window, alignment)

    def _shrink(self) -> None:
        """Make half as many slots as there were; their texts begin anew, and come to the same."""
        if self._limit == 1:
            raise OutOfMemory
        used = self._limit
        if self._slots:
            self._queues.generate.extendleft(reversed(self._slots.tasks()))
            used = min(used, max(2, self._slots.count))
        self._slots = None
        mx.clear_cache()
        self._limit = used // 2
        self._notice(self._limit)


def _window_of(asked: Any) -> Steps[Any]:
    first = asked[0]
    window: Steps[Any] = first.window if isinstance(first, _Asked) else first
    return window


def _insert(queue: deque[Any], place: int, items: Sequence[Any]) -> None:
    queue.rotate(-place)
    queue.extendleft(reversed(items))
    queue.rotate(place)


def _length(task: Task) -> int:
    return len(task.prompt) + task.limit


def _fitting(asked: list[tuple[Steps[Any], Align]]) -> list[tuple[Steps[Any], Align]]:
    """Return the first of them whose texts, as long as the longest each, have no more than `ALIGNED_TOKENS`; at
    least one."""
    longest = accumulate((len(request.tokenizer.sot_sequence) + 1 + len(request.text) + 1 for _, request in asked), max)
    count = sum(number * padded(length) <= ALIGNED_TOKENS for number, length in enumerate(longest, 1))
    return asked[: max(1, count)]


def _first(queue: deque[Any], count: int) -> list[Any]:
    return list(islice(queue, count))


def _drop(queue: deque[Any], count: int) -> None:
    """Drop the first, only when their work is done: work that runs out of memory is tried again."""
    for _ in range(count):
        queue.popleft()


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether memory ran out: MLX has no separate type for it."""
    message = str(error).lower()
    return any(
        sign in message
        for sign in ("out of memory", "unable to allocate", "insufficient memory", "attempting to allocate")
    )
