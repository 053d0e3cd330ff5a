"""Decode many windows at once, each in a slot that takes the next window as soon as its text is done.

All slots take one step at a time, every one at its own place: with its own prompt, temperature, rules and length.
So one window that loops to the token limit holds up nobody. Shapes: B slots, L beams of a slot (or samples), S
columns of the past, V tokens of the vocabulary.

The past is a ring. In each step all slots write their new keys and values into the same column, and a slot sees
the columns of its last tokens: nothing is moved or cleared when a slot is taken over. Beams are not moved either:
`ancestors` says in which beam's past a column of a beam lies, and all beams of a slot look at all of its pasts
through a mask.

The device is ahead of Python by `STEPS_AT_ONCE` steps: nothing waits for what is looked up, which is one flag a
slot and the texts that are done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import mlx.core as mx
import numpy as np

from sutradhar.stages.recognisers.mlx import cuda, cuda_choice
from sutradhar.stages.recognisers.mlx.choice import Chooser, Phase, Search, State
from sutradhar.stages.recognisers.mlx.network import KeysValues, Network
from sutradhar.stages.recognisers.mlx.rules import Vocabulary

STEPS_AT_ONCE = 2  # steps that Python hands to the device; meanwhile Python looks at the results of those before


class NotANumber(ArithmeticError):
    """The error of a text whose scores are all NaN: the number format is too narrow for the model."""


@dataclass(frozen=True)
class Task:
    """A text to decode."""

    features: mx.array  # the features of the window, (1500, D)
    prompt: tuple[int, ...]  # fed token by token; holds the start of text, and text before it
    temperature: float = 0.0  # 0: the likeliest text, else `beams` samples
    sample: int = 0  # number of the first sample, so that further ones are other texts
    limit: int = 224  # tokens of the text
    samples: int = 1_000  # to draw at most; there is one for each beam


@dataclass(frozen=True)
class Text:
    tokens: list[int]
    sum_logprob: float
    no_speech_prob: float
    ended: bool  # true: by the end of text, not by the limit


@dataclass
class _Tenant:
    key: Any
    task: Task
    since: int  # the step in which its first token was fed


class Slots:
    """Slots for tasks: `admit` tasks while there is `room`, `advance`, and take what `advance` gives back."""

    def __init__(self, network: Network, vocabulary: Vocabulary, search: Search, slots: int, columns: int) -> None:
        self.count, self.columns = slots, columns
        self._network, self._vocabulary, self._search = network, vocabulary, search
        chooser = Chooser(vocabulary, search, columns, network.dims.n_text_ctx)
        self._tenants: list[_Tenant | None] = [None] * slots
        self._sounds: list[mx.array | None] = [None] * slots  # the sound whose keys and values each slot holds
        self._state = State.empty(slots, search.beams, columns)
        self._past = network.empty_past(slots, search.beams, columns)
        self._cross = network.empty_cross(slots)
        self._step = 0
        self._steps_by = {phase: cuda.replayed(partial(_steps, network, chooser, phase)) for phase in Phase.all()}

    @property
    def room(self) -> int:
        return self._tenants.count(None)

    @property
    def busy(self) -> bool:
        return self.room < self.count

    # --- Windows in

    def admit(self, tasks: Sequence[tuple[Any, Task]]) -> None:
        """Give each task a slot, the one that still holds its sound where there is such a slot. A prompt and its
        text fit into the columns."""
        slots = self._choose_slots([task for _, task in tasks])
        fresh = [
            (slot, task.features)
            for slot, (_, task) in zip(slots, tasks, strict=True)
            if self._sounds[slot] is not task.features
        ]
        if fresh:
            self._network.replace_cross(
                self._cross, [slot for slot, _ in fresh], mx.stack([sound for _, sound in fresh])
            )
            for slot, sound in fresh:
                self._sounds[slot] = sound
        self._state = self._fill(slots, [task for _, task in tasks])
        mx.async_eval(self._state, self._cross)
        for slot, (key, task) in zip(slots, tasks, strict=True):  # last: they do not live here if memory has run out
            self._tenants[slot] = _Tenant(key, task, self._step)

    def _choose_slots(self, tasks: Sequence[Task]) -> list[int]:
        free = [slot for slot, tenant in enumerate(self._tenants) if tenant is None]
        chosen: dict[int, int] = {}
        for number, task in enumerate(tasks):
            if (own := next((slot for slot in free if self._sounds[slot] is task.features), None)) is not None:
                free.remove(own)
                chosen[number] = own
        return [chosen[number] if number in chosen else free.pop(0) for number in range(len(tasks))]

    def tasks(self) -> list[tuple[Any, Task]]:
        """Return the tasks whose texts are not done."""
        return [(tenant.key, tenant.task) for tenant in self._tenants if tenant]

    def _fill(self, slots: Sequence[int], tasks: Sequence[Task]) -> State:
        """Return the state with new tasks in some slots."""
        rows, beams = self.count, self._search.beams
        taken = np.zeros(rows, np.bool_)
        prompt, score = np.zeros((rows, self.columns), np.int32), np.zeros((rows, beams), np.float32)
        prompt_length, start, sample, limit, finished = (np.zeros(rows, np.int32) for _ in range(5))
        timed, temperature = np.zeros(rows, np.bool_), np.zeros(rows, np.float32)
        for slot, task in zip(slots, tasks, strict=True):
            taken[slot] = True
            prompt[slot, : len(task.prompt)] = task.prompt
            prompt_length[slot] = len(task.prompt)
            start[slot] = task.prompt.index(self._vocabulary.sot) + 1 - len(task.prompt)
            timed[slot], temperature[slot], sample[slot], limit[slot] = (
                self._timed(task),
                task.temperature,
                task.sample,
                task.limit,
            )
            if task.temperature == 0:
                score[slot, 1:] = -np.inf  # the beams are alike until the first choice
            else:
                score[slot, task.samples :] = -np.inf
                finished[slot] = max(0, beams - task.samples)
        new = State.empty(rows, beams, self.columns)._replace(
            token=mx.array(np.repeat(prompt[:, :1], beams, axis=1)),
            generated=mx.array(1 - prompt_length),
            prompt=mx.array(prompt),
            prompt_length=mx.array(prompt_length),
            start=mx.array(start),
            timed=mx.array(timed),
            temperature=mx.array(temperature),
            sample=mx.array(sample),
            limit=mx.array(limit),
            score=mx.array(score),
            finished=mx.array(finished),
            done=mx.zeros((rows,), mx.bool_),
        )
        return self._state.where(mx.array(taken), new)

    def _timed(self, task: Task) -> bool:
        return self._vocabulary.no_timestamps not in task.prompt

    def trial(self, task: Task) -> Any:
        """Return the logits (steps, B * L, V) of the same prompt in all beams of all slots, which are empty still:
        for the self-test."""
        self.admit([(slot, task) for slot in range(self.count)])
        logits = []
        for token in task.prompt:
            column = mx.array([self._step % self.columns])
            _, mask = look(self._state.ancestors, self._state.position + self._step, column)
            tokens = mx.full((self.count, self._search.beams), token)
            found, self._past = self._network.step(
                tokens, mx.full(tokens.shape, self._step), column, mask, self._past, self._cross
            )
            mx.eval(found)
            logits.append(np.array(found.reshape(-1, found.shape[-1])))
            self._step += 1
        return np.stack(logits)

    # --- Texts out

    def advance(self) -> list[tuple[Any, Text]]:
        """Run a few steps of all slots. Returns the texts that were done before, and frees their slots."""
        columns = mx.array([(self._step + ahead) % self.columns for ahead in range(STEPS_AT_ONCE)])
        before, before_step = self._state, self._step
        self._state, self._past = self._steps_by[self._phase()](before, columns, self._past, self._cross)
        mx.async_eval(self._state, self._past)
        self._step += STEPS_AT_ONCE
        return self._collect(before, before_step)

    def _phase(self) -> Phase:
        if cuda.available():
            return Phase(True, True, True)  # the kernels do not care
        tenants = [tenant for tenant in self._tenants if tenant]
        return Phase(
            starting=any(self._step - tenant.since < len(tenant.task.prompt) for tenant in tenants),
            timed=any(self._timed(tenant.task) for tenant in tenants),
            sampling=any(tenant.task.temperature > 0 for tenant in tenants),
        )

    def _collect(self, state: State, step: int) -> list[tuple[Any, Text]]:
        """Return the texts that a step finished, while the device works on the next."""
        done = np.array(state.done)
        ended = [
            (slot, tenant) for slot, tenant in enumerate(self._tenants) if tenant and tenant.since < step and done[slot]
        ]
        if not ended:
            return []
        best, tokens, no_speech = np.array(state.best), np.array(state.best_text), np.array(state.no_speech)
        for slot, _ in ended:
            self._tenants[slot] = None
        return [(tenant.key, _text(best[slot], tokens[slot], no_speech[slot])) for slot, tenant in ended]


def _steps(
    network: Network,
    chooser: Chooser,
    phase: Phase,
    state: State,
    columns: mx.array,
    past: Sequence[KeysValues],
    cross: Sequence[KeysValues],
) -> tuple[State, Sequence[KeysValues]]:
    """Run the steps. A method of `Slots` would hold the slots, and their memory when they are given up."""
    for number in range(STEPS_AT_ONCE):
        column = columns[number : number + 1]
        ancestors, mask = look(state.ancestors, state.position, column)
        positions = mx.broadcast_to(state.position[:, None], state.token.shape)
        logits, past = network.step(state.token, positions, column, mask, past, cross)
        state = chooser.choose(phase, state._replace(ancestors=ancestors), logits)
    return state, past


def _text(best: Any, tokens: Any, no_speech: Any) -> Text:
    normalised, sum_logprob, length, ended = best.tolist()
    if normalised == -np.inf:
        raise NotANumber
    return Text(tokens[: int(length)].tolist(), sum_logprob, float(no_speech), ended > 0)


def look(ancestors: mx.array, position: mx.array, column: mx.array) -> tuple[mx.array, mx.array]:
    """Return the ancestors with the new column, and which keys each beam sees (B, L, L * S)."""
    if cuda.available():
        return cuda_choice.look(ancestors, position, column)
    rows, beams, columns = ancestors.shape
    age = (column - mx.arange(columns)) % columns
    seen = age[None] <= position[:, None]
    if beams == 1:
        return ancestors, seen[:, None]
    numbers = mx.arange(beams, dtype=mx.int8)
    ancestors = mx.where(age == 0, numbers[None, :, None], ancestors)
    own = ancestors[:, :, None] == numbers[None, None, :, None]
    return ancestors, (own & seen[:, None, None]).reshape(rows, beams, beams * columns)
