"""Choose the token that follows each text, and note the texts that end: one step of the decoder after its network.

`State` is what is known of each text, kept on the device for all slots at once. `Chooser` is written in MLX's
operations; on an NVIDIA GPU the two kernels of `cuda_choice` do the same. Shapes: B slots, L beams of a slot (or
samples), S columns of the past, V tokens of the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from sutradhar.stages.mlx.top_k import largest
from sutradhar.stages.recognisers.mlx import cuda, cuda_choice
from sutradhar.stages.recognisers.mlx.rules import MAX_INITIAL_TIMESTAMP, LogitFilters, Timestamps, Vocabulary

SEED = 1


@dataclass(frozen=True)
class Search:
    beams: int = 1
    patience: float = 1.0
    length_penalty: float = 1.0

    @property
    def enough(self) -> int:
        """Return the number of finished texts that ends a search, as in CTranslate2."""
        return max(1, round(self.beams * self.patience))


class State(NamedTuple):
    """The state of every slot, on the device."""

    token: mx.array  # (B, L), the token to feed next
    position: mx.array  # (B,), its position
    generated: mx.array  # (B,), tokens of the text so far; negative while the prompt is fed
    prompt: mx.array  # (B, S)
    prompt_length: mx.array  # (B,)
    start: mx.array  # (B,): `generated` when the start of text has been fed
    timed: mx.array  # (B,), true where timestamp rules hold
    temperature: mx.array  # (B,)
    sample: mx.array  # (B,)
    limit: mx.array  # (B,)
    score: mx.array  # (B, L), sum of log-probs; -inf for an unused beam
    timestamps: Timestamps
    ancestors: mx.array  # (B, L, S), int8
    no_speech: mx.array  # (B,)
    finished: mx.array  # (B,), number of finished texts
    text: mx.array  # (B, L, S), the tokens so far
    best: (
        mx.array
    )  # (B, 4), the best finished text: normalised score, sum of log-probs, tokens, 1 if it ended by the end of text
    best_text: mx.array  # (B, S)
    done: mx.array  # (B,)

    @classmethod
    def empty(cls, rows: int, beams: int, columns: int) -> State:
        """Return the state of idle slots."""
        zeros, flags = mx.zeros((rows,), mx.int32), mx.zeros((rows,), mx.bool_)
        return cls(
            token=mx.zeros((rows, beams), mx.int32),
            position=zeros,
            generated=zeros,
            prompt=mx.zeros((rows, columns), mx.int32),
            prompt_length=zeros,
            start=zeros,
            timed=flags,
            temperature=mx.zeros((rows,)),
            sample=zeros,
            limit=zeros,
            score=mx.zeros((rows, beams)),
            timestamps=Timestamps.none(rows, beams),
            ancestors=mx.zeros((rows, beams, columns), mx.int8),
            no_speech=mx.zeros((rows,)),
            finished=zeros,
            text=mx.zeros((rows, beams, columns), mx.int32),
            best=mx.array([[-np.inf, 0, 0, 0]] * rows, mx.float32),
            best_text=mx.zeros((rows, columns), mx.int32),
            done=mx.ones((rows,), mx.bool_),
        )

    def where(self, taken: mx.array, new: State) -> State:
        """Take `new` in the slots where `taken` (B,) is true, this state elsewhere."""
        merged: State = _map(
            lambda old, value: mx.where(taken.reshape(-1, *[1] * (old.ndim - 1)), value, old), self, new
        )
        return merged


class Phase(NamedTuple):
    """The parts of a step that are needed now; each combination is compiled once."""

    starting: bool  # some slot is still fed its prompt, or chooses its first token
    timed: bool
    sampling: bool

    @classmethod
    def all(cls) -> list[Phase]:
        return [cls(*flags) for flags in product((False, True), repeat=3)]


class Chooser:
    """The rules of a step: `choose(phase, state, logits)` gives the next state, from the logits (B, L, V) of the
    tokens just fed."""

    def __init__(self, vocabulary: Vocabulary, search: Search, columns: int, context: int) -> None:
        """Prepare for a vocabulary. `context` is the number of positions that the model knows."""
        self._vocabulary, self._search, self._columns, self._context = vocabulary, search, columns, context
        self._rules, self._places = LogitFilters(vocabulary), mx.arange(columns)
        self._tokens = {
            "EOT": vocabulary.eot,
            "TIME": vocabulary.timestamp_begin,
            "NO_SPEECH": vocabulary.no_speech,
            "NO_TIMESTAMPS": vocabulary.no_timestamps,
            "MAX_INITIAL": MAX_INITIAL_TIMESTAMP,
            "SEED": SEED,
        }
        self._forbidden = _forbidden(vocabulary)
        self._length_penalty = mx.array([search.length_penalty], mx.float32)

    def choose(self, phase: Phase, state: State, logits: mx.array) -> State:
        return self._by_kernels(state, logits) if cuda.available() else self._next(phase, state, logits)

    def _by_kernels(self, state: State, logits: mx.array) -> State:
        likely, numbers, total, no_speech = cuda_choice.rank(logits, self._forbidden, state, self._tokens)
        extended = cuda_choice.extend(
            likely, numbers, total, state, self._length_penalty, self._search.enough, self._context, self._tokens
        )
        changed = dict(zip(cuda_choice.EXTENDED, extended, strict=True))
        timestamps = Timestamps(*(changed.pop(name) for name in Timestamps._fields))
        return state._replace(**changed, timestamps=timestamps, no_speech=no_speech)

    def _next(self, phase: Phase, state: State, logits: mx.array) -> State:
        first = state.generated == 0
        no_speech = state.no_speech
        if phase.starting:
            raw = logits[:, 0]
            probability = mx.exp(raw[:, self._vocabulary.no_speech] - mx.logsumexp(raw, axis=-1))
            no_speech = mx.where(state.generated == state.start, probability, no_speech)
        logits = self._rules.suppress(logits)
        if phase.starting:
            logits = self._rules.suppress_blank(logits, first)
        if phase.timed:
            timed = self._rules.time(logits, first, state.timestamps)
            logits = mx.where(state.timed[:, None, None], timed, logits)
        token, parent, score, state = self._extend(phase, state, logits)
        token, parent = token.astype(mx.int32), parent.astype(mx.int32)
        if phase.starting:
            fed = mx.take_along_axis(
                state.prompt, mx.maximum(state.generated + state.prompt_length, 0)[:, None] % self._columns, axis=1
            )
            feeding = (state.generated < 0)[:, None]
            token = mx.where(feeding, fed, token)
            parent = mx.where(feeding, mx.arange(self._search.beams)[None], parent)
            score = mx.where(feeding, state.score, score)
        timestamps = Timestamps(*(_of_parent(values, parent) for values in state.timestamps)).after(
            token, self._vocabulary
        )
        if phase.starting:
            timestamps = _map(partial(_keep, feeding), state.timestamps, timestamps)
        return state._replace(
            token=token,
            position=mx.minimum(state.position + 1, self._columns - 1),
            generated=state.generated + 1,
            score=score,
            timestamps=timestamps,
            ancestors=self._of_parents(state.ancestors, parent),
            text=mx.where(
                self._places == state.generated[:, None, None], token[..., None], self._of_parents(state.text, parent)
            ),
            no_speech=no_speech,
        )

    def _of_parents(self, values: mx.array, parent: mx.array) -> mx.array:
        """Take values (B, L, S) from the parents of the new beams."""
        return values if self._search.beams == 1 else mx.take_along_axis(values, parent[:, :, None], axis=1)

    def _extend(self, phase: Phase, state: State, logits: mx.array) -> tuple[mx.array, mx.array, mx.array, State]:
        """Return tokens, parents and scores (B, L) of the new beams, and the state with the texts that end here."""
        beams = self._search.beams
        total = mx.logsumexp(logits, axis=-1)
        identity = mx.broadcast_to(mx.arange(beams)[None], state.score.shape)
        if beams == 1:
            token, parent = mx.argmax(logits, axis=-1), identity
            score = state.score + mx.take_along_axis(logits, token[..., None], axis=-1)[..., 0] - total
            ends, following = (score, token, parent), (score, token, parent)
        else:
            ends, following = self._search_beams(state, logits, total)
        if phase.sampling:
            token = self._sample(state, logits)
            score = state.score + mx.take_along_axis(logits, token[..., None], axis=-1)[..., 0] - total
            drawn = (score, token, identity)
            sampling = (state.temperature > 0)[:, None]
            ends = tuple(mx.where(sampling, new, old) for new, old in zip(drawn, ends, strict=True))
            dead = (mx.where(token == self._vocabulary.eot, -mx.inf, score), token, identity)
            following = tuple(mx.where(sampling, new, old) for new, old in zip(dead, following, strict=True))
        score, token, parent = following
        return token, parent, score, self._finish(state, *ends)

    def _search_beams(self, state: State, logits: mx.array, total: mx.array) -> tuple[Any, Any]:
        """Find the likeliest `beams` continuations, which may end, and those that go on: (scores, tokens,
        parents), each (B, L).

        This is CTranslate2's search (src/decoding.cc): of twice as many candidates, those among the first `beams`
        that end are texts, and the next that do not end take their places."""
        rows, beams, _ = logits.shape
        values, tokens = largest(logits.reshape(rows * beams, -1), beams + 1)
        scores = (state.score[:, :, None] + values.reshape(rows, beams, -1) - total[:, :, None]).reshape(rows, -1)
        tokens = tokens.reshape(rows, -1)
        order = mx.argsort(-scores, axis=-1)[:, : 2 * beams]
        scores, tokens = mx.take_along_axis(scores, order, axis=-1), mx.take_along_axis(tokens, order, axis=-1)
        candidates = (scores, tokens, order // (beams + 1))
        going_on = mx.argsort(mx.where(tokens == self._vocabulary.eot, 2 * beams, mx.arange(2 * beams)), axis=-1)[
            :, :beams
        ]
        ends = tuple(values[:, :beams] for values in candidates)
        return ends, tuple(mx.take_along_axis(values, going_on, axis=-1) for values in candidates)

    def _sample(self, state: State, logits: mx.array) -> mx.array:
        """Draw a token for each beam (B, L), by the Gumbel-max trick."""
        return mx.argmax(logits / mx.maximum(state.temperature, 1e-6)[:, None, None] + self._noise(state), axis=-1)

    def _noise(self, state: State) -> mx.array:
        """Return Gumbel noise (B, L, V) that depends on temperature, sample and place alone, so that a text does
        not depend on the other texts of the batch."""
        beams, size = self._search.beams, self._vocabulary.size
        sample = state.sample[:, None] + mx.arange(beams)[None]
        warmth = mx.broadcast_to(mx.round(state.temperature * 100).astype(mx.int32)[:, None], sample.shape) + SEED
        keys = mx.stack(
            [mx.broadcast_to(state.generated[:, None], sample.shape), sample * 1024 + warmth], axis=-1
        ).astype(mx.uint32)
        return mx.vmap(lambda key: mx.random.gumbel((size,), key=key))(keys.reshape(-1, 2)).reshape(*sample.shape, size)

    def _finish(self, state: State, score: mx.array, token: mx.array, parent: mx.array) -> State:
        """Note the texts that end with these tokens, and keep the best by length-normalised score."""
        generated = state.generated[:, None]
        ends = token == self._vocabulary.eot
        last = (generated + 1 >= state.limit[:, None]) | (state.position[:, None] + 2 >= self._context)
        ready = (ends | last) & (generated >= 0) & (score > -mx.inf) & ~state.done[:, None]
        length = mx.where(ends, generated, generated + 1)
        normalised = mx.where(
            ready, score / mx.maximum(length, 1).astype(mx.float32) ** self._search.length_penalty, -mx.inf
        )
        index = mx.argmax(normalised, axis=-1, keepdims=True)
        found = [
            mx.take_along_axis(values.astype(mx.float32), index, axis=-1)
            for values in (normalised, score, length, ends)
        ]
        better = found[0] > state.best[:, :1]
        whole = mx.take_along_axis(state.text, mx.take_along_axis(parent, index, axis=-1)[..., None], axis=1)[:, 0]
        whole = mx.where(self._places == generated, mx.take_along_axis(token, index, axis=-1), whole)
        finished = state.finished + ready.sum(axis=-1)
        enough = mx.where(state.temperature > 0, self._search.beams, self._search.enough)
        over = (finished >= enough) | (last[:, 0] & (state.generated >= 0))
        return state._replace(
            best=mx.where(better, mx.concatenate(found, axis=-1), state.best),
            best_text=mx.where(better, whole, state.best_text),
            finished=finished,
            done=state.done | over,
        )


def _forbidden(vocabulary: Vocabulary) -> mx.array:
    """Return two bits for each token: never, and never first."""
    bits = np.zeros(vocabulary.size, np.uint8)
    bits[list(vocabulary.blank)] |= 2
    bits[list(vocabulary.suppressed)] |= 1
    return mx.array(bits)


def _of_parent(values: mx.array, parent: mx.array) -> mx.array:
    return mx.take_along_axis(values, parent, axis=1)


def _keep(keep: mx.array, old: mx.array, new: mx.array) -> mx.array:
    return mx.where(keep, old, new)


def _map(function: Any, old: Any, new: Any) -> Any:
    """Apply a function to each pair of arrays of two named tuples, and return the same kind of tuple."""
    return type(old)(
        *(_map(function, a, b) if isinstance(a, tuple) else function(a, b) for a, b in zip(old, new, strict=True))
    )
