"""A decoder to compare with: one text at a time, read anew for every token, by OpenAI's rules in plain Python."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.slots import Task
from tests.stages.recognisers.mlx.tiny import SMALL

Candidate = tuple[float, tuple[int, ...]]  # sum of log-probs, and tokens


def decode(network: Network, task: Task, search: Search) -> tuple[list[int], float, bool]:
    """Tokens, the sum of their log-probs and that of the end of text, and whether there was such an end."""
    alive: list[Candidate] = [(0.0, ())]
    finished: list[Candidate] = []
    for length in range(1, task.limit + 1):
        candidates = sorted(
            (score + value, (*text, token)) for score, text in alive for token, value in _following(network, task, text)
        )
        likeliest = candidates[: -2 * search.beams - 1 : -1]
        finished += [
            (score, text) for score, text in likeliest[: search.beams] if text[-1] == SMALL.eot or length == task.limit
        ]
        if len(finished) >= search.enough:
            break
        alive = [(score, text) for score, text in likeliest if text[-1] != SMALL.eot][: search.beams]
    score, text = max(finished, key=lambda one: one[0] / max(1, len(_without_end(one[1]))) ** search.length_penalty)
    return _without_end(text), score, text[-1] == SMALL.eot


def _without_end(text: tuple[int, ...]) -> list[int]:
    return [token for token in text if token != SMALL.eot]


def _following(network: Network, task: Task, text: tuple[int, ...]) -> list[tuple[int, float]]:
    """Tokens that may follow, and their log-probs."""
    logits = np.array(network.read_plainly(mx.array([[*task.prompt, *text]]), task.features[None]))[0, -1].astype(
        np.float64
    )
    logits[list(SMALL.suppressed)] = -np.inf
    if not text:
        logits[list(SMALL.blank)] = -np.inf
    if SMALL.no_timestamps not in task.prompt:
        _apply_timestamp_rules(logits, text)
    logits -= np.logaddexp.reduce(logits)
    return [(token, value) for token, value in enumerate(logits.tolist()) if value > -np.inf]


def _apply_timestamp_rules(logits: np.ndarray, text: tuple[int, ...]) -> None:
    """openai/whisper decoding.py: ApplyTimestampRules."""
    times = [token for token in text if token >= SMALL.timestamp_begin]
    last_was_time = bool(text) and text[-1] in times
    penultimate_was_time = len(text) < 2 or text[-2] in times
    logits[SMALL.no_timestamps] = -np.inf
    if last_was_time and penultimate_was_time:
        logits[SMALL.timestamp_begin :] = -np.inf
    elif last_was_time:
        logits[: SMALL.eot] = -np.inf
    if times:
        earliest = times[-1] if last_was_time and not penultimate_was_time else times[-1] + 1
        logits[SMALL.timestamp_begin : earliest] = -np.inf
    if not text:
        logits[: SMALL.timestamp_begin] = -np.inf
        logits[SMALL.timestamp_begin + 51 :] = -np.inf  # a second
    if np.logaddexp.reduce(logits[SMALL.timestamp_begin :]) > logits[: SMALL.timestamp_begin].max():
        logits[: SMALL.timestamp_begin] = -np.inf
