"""Decodes many windows at once, each in a slot of its own that takes the next window as soon as its text is done.

All slots take one step at a time, every one at its own place: with a prompt, temperature, rules and length of its own. So
one window that loops to the token limit holds up nobody. Shapes: B slots, L beams of a slot (or samples), S columns of the
past, V tokens of the vocabulary.

The past is a ring. In each step all slots write their new keys and values into the same column, and a slot sees the columns
of its last tokens: nothing is moved or cleared when a slot is taken over. Beams are not moved either: `ancestors` says in
which beam's past a column of a beam lies, and all beams of a slot look at all of its pasts through a mask.

The device runs ahead of Python by a few steps: what has ended is looked up every `STEPS_BETWEEN_LOOKS` steps, one copy for all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import mlx.core as mx
import numpy as np

from stages.asr.mlx.network import Network
from stages.asr.mlx.rules import Rules, Timestamps, Vocabulary

STEPS_BETWEEN_LOOKS = 4
SEED = 1
CHUNK = 128  # tokens of the vocabulary whose maximum is looked at before they are


@dataclass(frozen=True)
class Task:
    """A text to decode."""

    features: mx.array  # of the window, (1500, D)
    prompt: tuple[int, ...]  # fed token by token; holds the start of text, and text before it
    temperature: float = 0.0  # 0: the likeliest text, else `beams` samples
    sample: int = 0  # number of the first sample, so that further ones are other texts
    limit: int = 224  # tokens of the text


@dataclass(frozen=True)
class Text:
    tokens: list[int]
    sum_logprob: float
    no_speech_prob: float
    ended: bool  # by the end of text, not by the limit


@dataclass(frozen=True)
class Search:
    beams: int = 1
    patience: float = 1.0
    length_penalty: float = 1.0

    @property
    def enough(self) -> int:
        """How many finished texts end a search, as in CTranslate2."""
        return max(1, round(self.beams * self.patience))


class State(NamedTuple):
    """Of every slot, on the device."""

    token: mx.array  # (B, L), fed next
    position: mx.array  # (B,), of that token
    generated: mx.array  # (B,), tokens of the text so far; negative while the prompt is fed
    prompt: mx.array  # (B, S)
    prompt_length: mx.array  # (B,)
    start: mx.array  # (B,): `generated` when the start of text has been fed
    timed: mx.array  # (B,), whether timestamp rules hold
    temperature: mx.array  # (B,)
    sample: mx.array  # (B,)
    limit: mx.array  # (B,)
    score: mx.array  # (B, L), sum of log-probs; -inf for a beam that is none
    timestamps: Timestamps
    ancestors: mx.array  # (B, L, S), int8
    no_speech: mx.array  # (B,)
    finished: mx.array  # (B,), how many texts
    best: mx.array  # (B, 5): normalised score, sum of log-probs, number of the last step, its beam, its token
    done: mx.array  # (B,)


class Phase(NamedTuple):
    """Which parts of a step are needed now; each combination is compiled once."""

    starting: bool  # some slot is still fed its prompt, or chooses its first token
    timed: bool
    sampling: bool


@dataclass
class _Tenant:
    key: Any
    task: Task
    since: int  # step in which its first token was fed
    fed: int = 0


@dataclass
class _History:
    """Tokens and parents (B, L) of each step, on this side."""

    first: int = 0
    steps: deque[tuple[Any, Any]] = field(default_factory=deque)

    def forget(self, before: int) -> None:
        while self.steps and self.first < before:
            self.steps.popleft()
            self.first += 1

    def text(self, slot: int, begin: int, end: int, beam: int) -> list[int]:
        """The tokens of steps `begin` to before `end` that lead to a beam of the last."""
        tokens: list[int] = []
        for step in range(end - 1, begin - 1, -1):
            chosen, parents = self.steps[step - self.first]
            tokens.append(int(chosen[slot, beam]))
            beam = int(parents[slot, beam])
        return tokens[::-1]


class Slots:
    """`admit` tasks while there is `room`, `advance`, and take what `advance` gives back."""

    def __init__(self, network: Network, vocabulary: Vocabulary, search: Search, slots: int, columns: int) -> None:
        self.count, self.columns = slots, columns
        self._network, self._vocabulary, self._search, self._rules = network, vocabulary, search, Rules(vocabulary)
        self._tenants: list[_Tenant | None] = [None] * slots
        self._sounds: list[mx.array | None] = [None] * slots  # whose keys and values each slot holds
        self._state = self._empty_state()
        self._past = network.empty_past(slots, search.beams, columns)
        self._cross = network.empty_cross(slots)
        self._step = 0
        self._unread: deque[tuple[State, mx.array]] = deque()
        self._history = _History()
        self._choose = {phase: mx.compile(partial(self._next, phase)) for phase in _phases()}
        self._look = mx.compile(self._mask)
        self._forward = mx.compile(network.step)

    @property
    def room(self) -> int:
        return self._tenants.count(None)

    @property
    def busy(self) -> bool:
        return self.room < self.count

    # --- Windows in

    def admit(self, tasks: Sequence[tuple[Any, Task]]) -> None:
        """Give each task a slot, the one that still holds its sound where there is such. A prompt and its text fit into the columns."""
        slots = self._choose_slots([task for _, task in tasks])
        for slot, (key, task) in zip(slots, tasks, strict=True):
            self._tenants[slot] = _Tenant(key, task, self._step)
        fresh = [(slot, task.features) for slot, (_, task) in zip(slots, tasks, strict=True) if self._sounds[slot] is not task.features]
        if fresh:
            self._cross = self._network.replace_cross(self._cross, [slot for slot, _ in fresh], mx.stack([sound for _, sound in fresh]))
            for slot, sound in fresh:
                self._sounds[slot] = sound
        self._state = self._fill(slots, [task for _, task in tasks])
        mx.async_eval(self._state, self._cross)

    def _choose_slots(self, tasks: Sequence[Task]) -> list[int]:
        free = [slot for slot, tenant in enumerate(self._tenants) if tenant is None]
        chosen: dict[int, int] = {}
        for number, task in enumerate(tasks):
            if (own := next((slot for slot in free if self._sounds[slot] is task.features), None)) is not None:
                free.remove(own)
                chosen[number] = own
        return [chosen[number] if number in chosen else free.pop(0) for number in range(len(tasks))]

    def tasks(self) -> list[tuple[Any, Task]]:
        """Those whose texts are not done."""
        return [(tenant.key, tenant.task) for tenant in self._tenants if tenant]

    def _empty_state(self) -> State:
        rows, beams = self.count, self._search.beams
        zeros, flags = mx.zeros((rows,), mx.int32), mx.zeros((rows,), mx.bool_)
        return State(
            token=mx.zeros((rows, beams), mx.int32),
            position=zeros,
            generated=zeros,
            prompt=mx.zeros((rows, self.columns), mx.int32),
            prompt_length=zeros,
            start=zeros,
            timed=flags,
            temperature=mx.zeros((rows,)),
            sample=zeros,
            limit=zeros,
            score=mx.zeros((rows, beams)),
            timestamps=Timestamps.none(rows, beams),
            ancestors=mx.zeros((rows, beams, self.columns), mx.int8),
            no_speech=mx.zeros((rows,)),
            finished=zeros,
            best=mx.zeros((rows, 5)),
            done=mx.ones((rows,), mx.bool_),
        )

    def _fill(self, slots: Sequence[int], tasks: Sequence[Task]) -> State:
        """The state with new tasks in some slots."""
        rows, beams = len(tasks), self._search.beams
        prompts = np.zeros((rows, self.columns), np.int32)
        score = np.zeros((rows, beams), np.float32)
        for row, task in enumerate(tasks):
            prompts[row, : len(task.prompt)] = task.prompt
            if task.temperature == 0:
                score[row, 1:] = -np.inf  # the beams are alike until the first choice
        lengths = [len(task.prompt) for task in tasks]
        starts = [task.prompt.index(self._vocabulary.sot) + 1 - len(task.prompt) for task in tasks]
        new = State(
            token=mx.array(np.repeat(prompts[:, :1], beams, axis=1)),
            position=mx.zeros((rows,), mx.int32),
            generated=mx.array([1 - length for length in lengths]),
            prompt=mx.array(prompts),
            prompt_length=mx.array(lengths),
            start=mx.array(starts),
            timed=mx.array([self._timed(task) for task in tasks]),
            temperature=mx.array([task.temperature for task in tasks], mx.float32),
            sample=mx.array([task.sample for task in tasks]),
            limit=mx.array([task.limit for task in tasks]),
            score=mx.array(score),
            timestamps=Timestamps.none(rows, beams),
            ancestors=mx.zeros((rows, beams, self.columns), mx.int8),
            no_speech=mx.zeros((rows,)),
            finished=mx.zeros((rows,), mx.int32),
            best=mx.array([[-np.inf, 0, 0, 0, 0]] * rows, mx.float32),
            done=mx.zeros((rows,), mx.bool_),
        )
        where = mx.array(slots)
        filled: State = _map(partial(_replace, where), self._state, new)
        return filled

    def _timed(self, task: Task) -> bool:
        return self._vocabulary.no_timestamps not in task.prompt

    def trial(self, task: Task) -> Any:
        """Logits (steps, B, V) of the same prompt in all slots, which are empty still: for the self-test."""
        self.admit([(slot, task) for slot in range(self.count)])
        logits = []
        for token in task.prompt:
            column = mx.array([self._step % self.columns])
            _, mask = self._look(self._state.ancestors, self._state.position + self._step, column)
            tokens = mx.full((self.count, self._search.beams), token)
            found, self._past = self._forward(tokens, mx.full(tokens.shape, self._step), column, mask, self._past, self._cross)
            mx.eval(found)
            logits.append(np.array(found[:, 0]))
            self._step += 1
        return np.stack(logits)

    # --- Texts out

    def advance(self) -> list[tuple[Any, Text]]:
        """A few steps of all slots. Returns the texts that are known to be done, and frees their slots."""
        for _ in range(STEPS_BETWEEN_LOOKS):
            self._advance_one()
        return self._collect()

    def _advance_one(self) -> None:
        state, column = self._state, mx.array([self._step % self.columns])
        ancestors, mask = self._look(state.ancestors, state.position, column)
        positions = mx.broadcast_to(state.position[:, None], state.token.shape)
        logits, self._past = self._forward(state.token, positions, column, mask, self._past, self._cross)
        state, parents = self._choose[self._phase()](state._replace(ancestors=ancestors), logits)
        self._unread.append((state, parents))
        self._state = state
        mx.async_eval(state, self._past)
        self._step += 1
        for tenant in self._tenants:
            if tenant:
                tenant.fed += 1

    def _phase(self) -> Phase:
        tenants = [tenant for tenant in self._tenants if tenant]
        return Phase(
            starting=any(tenant.fed < len(tenant.task.prompt) for tenant in tenants),
            timed=any(self._timed(tenant.task) for tenant in tenants),
            sampling=any(tenant.task.temperature > 0 for tenant in tenants),
        )

    def _collect(self) -> list[tuple[Any, Text]]:
        """Look at all steps but the last, which the device works on meanwhile."""
        states, parents = zip(*(self._unread.popleft() for _ in range(len(self._unread) - 1)), strict=True)
        tokens, origins = np.array(mx.stack([state.token for state in states])), np.array(mx.stack(parents))
        self._history.steps.extend(zip(tokens, origins, strict=True))
        seen, looked_at = states[-1], self._step - 1
        done = np.array(seen.done)
        ended = [(slot, tenant) for slot, tenant in enumerate(self._tenants) if tenant and tenant.since < looked_at and done[slot]]
        if not ended:
            return []
        best, no_speech = np.array(seen.best), np.array(seen.no_speech)
        texts = [(tenant.key, self._text(slot, tenant, best[slot], float(no_speech[slot]))) for slot, tenant in ended]
        for slot, _ in ended:
            self._tenants[slot] = None
        self._history.forget(min((tenant.since for tenant in self._tenants if tenant), default=looked_at))
        return texts

    def _text(self, slot: int, tenant: _Tenant, best: Any, no_speech: float) -> Text:
        _, sum_logprob, last, beam, token = best.tolist()
        begin = tenant.since + len(tenant.task.prompt) - 1
        tokens = self._history.text(slot, begin, begin + int(last), int(beam))
        ended = int(token) == self._vocabulary.eot
        return Text(tokens if ended else [*tokens, int(token)], sum_logprob, no_speech, ended)

    # --- One step, on the device

    def _mask(self, ancestors: mx.array, position: mx.array, column: mx.array) -> tuple[mx.array, mx.array]:
        """Ancestors with the new column, and which keys each beam sees (B, L, L * S)."""
        rows, beams, columns = ancestors.shape
        age = (column - mx.arange(columns)) % columns
        seen = age[None] <= position[:, None]
        if beams == 1:
            return ancestors, seen[:, None]
        numbers = mx.arange(beams, dtype=mx.int8)
        ancestors = mx.where(age == 0, numbers[None, :, None], ancestors)
        own = ancestors[:, :, None] == numbers[None, None, :, None]
        return ancestors, (own & seen[:, None, None]).reshape(rows, beams, beams * columns)

    def _next(self, phase: Phase, state: State, logits: mx.array) -> tuple[State, mx.array]:
        """Choose the tokens that follow, from the logits (B, L, V) of those just fed."""
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
        token, parent = token.astype(mx.int32), parent.astype(mx.int32)  # a GPU cannot scatter the int64 that comes of mixed types
        if phase.starting:
            fed = mx.take_along_axis(state.prompt, mx.maximum(state.generated + state.prompt_length, 0)[:, None] % self.columns, axis=1)
            feeding = (state.generated < 0)[:, None]
            token = mx.where(feeding, fed, token)
            parent = mx.where(feeding, mx.arange(self._search.beams)[None], parent)
            score = mx.where(feeding, state.score, score)
        timestamps = Timestamps(*(_of_parent(values, parent) for values in state.timestamps)).after(token, self._vocabulary)
        if phase.starting:
            timestamps = _map(partial(_keep, feeding), state.timestamps, timestamps)
        state = state._replace(
            token=token,
            position=mx.minimum(state.position + 1, self.columns - 1),
            generated=state.generated + 1,
            score=score,
            timestamps=timestamps,
            ancestors=state.ancestors if self._search.beams == 1 else mx.take_along_axis(state.ancestors, parent[:, :, None], axis=1),
            no_speech=no_speech,
        )
        return state, parent

    def _extend(self, phase: Phase, state: State, logits: mx.array) -> tuple[mx.array, mx.array, mx.array, State]:
        """Tokens, parents and scores (B, L) of the new beams, and the state with the texts that end here."""
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
        """The likeliest `beams` continuations, which may end, and those that go on: (scores, tokens, parents), each (B, L).

        This is CTranslate2's search (src/decoding.cc): of twice as many candidates, those among the first `beams` that end
        are texts, and the next that do not end take their places."""
        rows, beams, _ = logits.shape
        values, tokens = _top(logits.reshape(rows * beams, -1), beams + 1)
        scores = (state.score[:, :, None] + values.reshape(rows, beams, -1) - total[:, :, None]).reshape(rows, -1)
        tokens = tokens.reshape(rows, -1)
        order = mx.argsort(-scores, axis=-1)[:, : 2 * beams]
        scores, tokens = mx.take_along_axis(scores, order, axis=-1), mx.take_along_axis(tokens, order, axis=-1)
        candidates = (scores, tokens, order // (beams + 1))
        going_on = mx.argsort(mx.where(tokens == self._vocabulary.eot, 2 * beams, mx.arange(2 * beams)), axis=-1)[:, :beams]
        ends = tuple(values[:, :beams] for values in candidates)
        return ends, tuple(mx.take_along_axis(values, going_on, axis=-1) for values in candidates)

    def _sample(self, state: State, logits: mx.array) -> mx.array:
        """A token for each beam (B, L) by the Gumbel-max trick. The noise depends on sample and place alone, so that a text does
        not depend on what else is decoded."""
        rows, beams, size = logits.shape
        sample = state.sample[:, None] + mx.arange(beams)[None]
        keys = mx.stack([mx.broadcast_to(state.generated[:, None], sample.shape), sample * 256 + SEED], axis=-1).astype(mx.uint32)
        noise = mx.vmap(lambda key: mx.random.gumbel((size,), key=key))(keys.reshape(rows * beams, 2)).reshape(logits.shape)
        return mx.argmax(logits / mx.maximum(state.temperature, 1e-6)[:, None, None] + noise, axis=-1)

    def _finish(self, state: State, score: mx.array, token: mx.array, parent: mx.array) -> State:
        """Take note of texts that end with these tokens, of which the best by length-normalised score is kept."""
        generated = state.generated[:, None]
        ends = token == self._vocabulary.eot
        last = (generated + 1 >= state.limit[:, None]) | (state.position[:, None] + 2 >= self._network.dims.n_text_ctx)
        ready = (ends | last) & (generated >= 0) & (score > -mx.inf) & ~state.done[:, None]
        length = mx.maximum(mx.where(ends, generated, generated + 1), 1).astype(mx.float32)
        normalised = mx.where(ready, score / length**self._search.length_penalty, -mx.inf)
        index = mx.argmax(normalised, axis=-1, keepdims=True)
        found = [normalised, score, mx.broadcast_to(generated, score.shape), parent, token]
        candidate = mx.concatenate([mx.take_along_axis(values.astype(mx.float32), index, axis=-1) for values in found], axis=-1)
        best = mx.where(candidate[:, :1] > state.best[:, :1], candidate, state.best)
        finished = state.finished + ready.sum(axis=-1)
        enough = mx.where(state.temperature > 0, self._search.beams, self._search.enough)
        over = (finished >= enough) | (last[:, 0] & (state.generated >= 0))
        return state._replace(best=best, finished=finished, done=state.done | over)


def _phases() -> list[Phase]:
    flags = (False, True)
    return [Phase(starting, timed, sampling) for starting in flags for timed in flags for sampling in flags]


def _top(values: mx.array, count: int) -> tuple[mx.array, mx.array]:
    """The largest of each row (R, V), in order, and where they are. They lie in the chunks whose maxima are largest: only these are sorted."""
    rows, size = values.shape
    chunks = -(-size // CHUNK)
    padded = mx.pad(values, ((0, 0), (0, chunks * CHUNK - size)), constant_values=-mx.inf).reshape(rows, chunks, CHUNK)
    likely = mx.argsort(-padded.max(axis=-1), axis=-1)[:, :count]
    candidates = mx.take_along_axis(padded, likely[:, :, None], axis=1).reshape(rows, -1)
    order = mx.argsort(-candidates, axis=-1)[:, :count]
    places = mx.take_along_axis(likely, order // CHUNK, axis=-1) * CHUNK + order % CHUNK
    return mx.take_along_axis(candidates, order, axis=-1), places


def _of_parent(values: mx.array, parent: mx.array) -> mx.array:
    return mx.take_along_axis(values, parent, axis=1)


def _replace(where: mx.array, old: mx.array, new: mx.array) -> mx.array:
    changed = mx.array(old)
    changed[where] = new.astype(old.dtype)
    return changed


def _keep(keep: mx.array, old: mx.array, new: mx.array) -> mx.array:
    return mx.where(keep, old, new)


def _map(function: Any, old: Any, new: Any) -> Any:
    """The same named tuple, made of `function` of both for each array."""
    return type(old)(*(_map(function, a, b) if isinstance(a, tuple) else function(a, b) for a, b in zip(old, new, strict=True)))
