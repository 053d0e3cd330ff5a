"""IndicTrans2 on MLX: Apple GPUs, and MLX's builds for NVIDIA GPUs and CPUs.

Batched beam search after CTranslate2's (src/decoding.cc), so that a beam size means the same on both. The beams of a
sentence are queries of one row: they look up the source together, and their common past too, where a mask says which
beam follows which. So nothing of the past is moved when beams are chosen. Shapes: N sentences, L beams of each, S
tokens of the source, T tokens so far, D width, H heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.nn import gelu

from sutradhar.stages.film.translate.indictrans2.beams import Beams, repeated
from sutradhar.stages.film.translate.indictrans2.checkpoint import (
    OUTPUT,
    TARGET_EMBEDDING,
    Array,
    Shape,
    positional_table,
    read_shape,
    read_weights,
)
from sutradhar.stages.film.translate.indictrans2.generator import LONGEST, NEVER, BeamSearch, Hypothesis
from sutradhar.stages.film.translate.indictrans2.tokenizer import Dictionary
from sutradhar.stages.mlx.top_k import largest

TOKENS_AT_ONCE = {"cpu": 1_024, "gpu": 8_192}  # of the sources of a batch, padding included
DTYPES = {"float16": mx.float16, "bfloat16": mx.bfloat16, "float32": mx.float32}
ROOM = 16  # columns by which the memory of the past grows
KeysValues = tuple[mx.array, mx.array]


class TranslationNetwork:
    """The checkpoint's layers, by the hub's names."""

    def __init__(self, shape: Shape, weights: Mapping[str, Array], dtype: mx.Dtype) -> None:
        self.shape, self.dtype = shape, dtype
        self._head = shape.width // shape.heads
        self._positions = mx.array(positional_table(2 * LONGEST, shape.width)).astype(dtype)
        self._weights = {name: mx.array(array).astype(dtype) for name, array in weights.items()}
        for layer in self._layers():
            self._fuse(f"{layer}.self_attn", "qkv")
            if f"{layer}.encoder_attn.q_proj.weight" in self._weights:
                self._fuse(f"{layer}.encoder_attn", "kv")
        mx.eval(self._weights)

    def _layers(self) -> Iterator[str]:
        for side, count in (("encoder", self.shape.encoder_layers), ("decoder", self.shape.decoder_layers)):
            for number in range(count):
                yield f"model.{side}.layers.{number}"

    def _fuse(self, attention: str, parts: str) -> None:
        """Fuse several products into one."""
        for kind in ("weight", "bias"):
            some = [self._weights.pop(f"{attention}.{part}_proj.{kind}") for part in parts]
            self._weights[f"{attention}.{parts}.{kind}"] = mx.concatenate(some)

    def encode(self, tokens: mx.array, mask: mx.array) -> list[KeysValues]:
        """Encode tokens (N, S), `mask` (N, 1, 1, S) marking the padding, as keys and values (N, H, S, D / H) that the
        decoder's layers look up."""
        x = self._embed("encoder", tokens, self._positions[: tokens.shape[1]])
        for number in range(self.shape.encoder_layers):
            layer = f"model.encoder.layers.{number}"
            queries, keys, values = (
                self._heads(part) for part in mx.split(self._after_norm(x, layer, "self_attn", "qkv"), 3, axis=-1)
            )
            x = x + self._out(self._attend(queries, keys, values, mask), f"{layer}.self_attn")
            x = self._widen(x, layer)
        x = self._norm(x, "model.encoder.layer_norm")
        return [
            self._of_source(x, f"model.decoder.layers.{number}.encoder_attn.kv")
            for number in range(self.shape.decoder_layers)
        ]

    def _of_source(self, x: mx.array, name: str) -> KeysValues:
        keys, values = (mx.contiguous(self._heads(part)) for part in mx.split(self._linear(x, name), 2, axis=-1))
        return keys, values

    def step(
        self,
        tokens: mx.array,
        position: int,
        past: Sequence[KeysValues],
        ancestors: mx.array,
        source: Sequence[KeysValues],
        mask: mx.array,
    ) -> tuple[mx.array, list[KeysValues]]:
        """Take one token of each beam (N, L). Returns float32 scores (N, L, V), and the past (N, H, room, L, D / H)
        with its keys and values in column `position`. `ancestors` (N, 1, L, T * L) says in which columns of which beams
        the past of a beam lies."""
        x = self._embed("decoder", tokens, self._positions[position])
        grown = []
        for number, (own, of_source) in enumerate(zip(past, source, strict=True)):
            layer = f"model.decoder.layers.{number}"
            queries, *new = (
                self._heads(part) for part in mx.split(self._after_norm(x, layer, "self_attn", "qkv"), 3, axis=-1)
            )
            keys, values = (_put(old, fresh, position) for old, fresh in zip(own, new, strict=True))
            grown.append((keys, values))
            x = x + self._out(
                self._attend(queries, _until(keys, position), _until(values, position), ancestors), f"{layer}.self_attn"
            )
            queries = self._heads(self._after_norm(x, layer, "encoder_attn", "q_proj"))
            x = x + self._out(self._attend(queries, *of_source, mask), f"{layer}.encoder_attn")
            x = self._widen(x, layer)
        return self.scores(x), grown

    def read(self, tokens: mx.array, source: Sequence[KeysValues], mask: mx.array) -> mx.array:
        """Return scores (N, T, V) of all that could follow each token of whole translations (N, T)."""
        x = self._embed("decoder", tokens, self._positions[: tokens.shape[1]])
        for number, of_source in enumerate(source):
            layer = f"model.decoder.layers.{number}"
            queries, keys, values = (
                self._heads(part) for part in mx.split(self._after_norm(x, layer, "self_attn", "qkv"), 3, axis=-1)
            )
            x = x + self._out(self._attend(queries, keys, values, "causal"), f"{layer}.self_attn")
            queries = self._heads(self._after_norm(x, layer, "encoder_attn", "q_proj"))
            x = x + self._out(self._attend(queries, *of_source, mask), f"{layer}.encoder_attn")
            x = self._widen(x, layer)
        return self.scores(x)

    def scores(self, x: mx.array) -> mx.array:
        x = self._norm(x, "model.decoder.layer_norm")
        return (x @ self._weights[TARGET_EMBEDDING if self.shape.tied else OUTPUT].T).astype(mx.float32)

    def empty_past(self, count: int, beams: int) -> list[KeysValues]:
        shape = (count, self.shape.heads, ROOM, beams, self._head)
        return [(mx.zeros(shape, self.dtype), mx.zeros(shape, self.dtype)) for _ in range(self.shape.decoder_layers)]

    def _embed(self, side: str, tokens: mx.array, positions: mx.array) -> mx.array:
        x = self._weights[f"model.{side}.embed_tokens.weight"][tokens] * self.shape.width**0.5 + positions
        return self._norm(x, f"model.{side}.layernorm_embedding") if self.shape.embedding_norm else x

    def _after_norm(self, x: mx.array, layer: str, attention: str, part: str) -> mx.array:
        return self._linear(self._norm(x, f"{layer}.{attention}_layer_norm"), f"{layer}.{attention}.{part}")

    def _heads(self, x: mx.array) -> mx.array:
        """Reshape (N, S, D) to (N, H, S, D / H)."""
        return x.reshape(*x.shape[:2], self.shape.heads, self._head).swapaxes(1, 2)

    def _attend(self, queries: mx.array, keys: mx.array, values: mx.array, mask: mx.array | str | None) -> mx.array:
        attend = attention if mx.cuda.is_available() else mx.fast.scaled_dot_product_attention
        mixed = attend(queries, keys, values, scale=self._head**-0.5, mask=mask)
        return mixed.swapaxes(1, 2).reshape(queries.shape[0], queries.shape[2], -1)

    def _out(self, x: mx.array, attention: str) -> mx.array:
        return self._linear(x, f"{attention}.out_proj")

    def _widen(self, x: mx.array, layer: str) -> mx.array:
        wide = self._linear(self._norm(x, f"{layer}.final_layer_norm"), f"{layer}.fc1")
        return x + self._linear(gelu(wide), f"{layer}.fc2")

    def _linear(self, x: mx.array, name: str) -> mx.array:
        return mx.addmm(self._weights[f"{name}.bias"], x, self._weights[f"{name}.weight"].T)

    def _norm(self, x: mx.array, name: str) -> mx.array:
        return mx.fast.layer_norm(x, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], 1e-5)


def attention(
    queries: mx.array, keys: mx.array, values: mx.array, *, scale: float, mask: mx.array | str | None
) -> mx.array:
    """Compute the result of mx.fast.scaled_dot_product_attention. On CUDA that goes to cuDNN, which plans for tens of
    milliseconds whenever a shape is new, and here most are."""
    scores = (queries * scale) @ keys.swapaxes(-1, -2)
    if isinstance(mask, str):
        mask = mx.tri(*scores.shape[-2:], dtype=mx.bool_)
    if mask is not None:
        scores = mx.where(mask, scores, mx.finfo(scores.dtype).min)
    return mx.softmax(scores, axis=-1, precise=True) @ values


def _put(old: mx.array, new: mx.array, column: int) -> mx.array:
    """Return `old` (N, H, room, L, D / H) with `new` (N, H, L, D / H) in a column, made longer where there is no
    room."""
    if column >= old.shape[2]:
        old = mx.concatenate([old, mx.zeros((*old.shape[:2], ROOM, *old.shape[3:]), old.dtype)], axis=2)
    return mx.slice_update(old, new[:, :, None], mx.array([column]), axes=[2])


def _until(past: mx.array, column: int) -> mx.array:
    """Reshape (N, H, room, L, D / H) to (N, H, T * L, D / H)."""
    return past[:, :, : column + 1].reshape(*past.shape[:2], -1, past.shape[-1])


@dataclass(frozen=True)
class _Batch:
    """Sentences of about one length."""

    places: list[int]  # of the sentences among all
    tokens: mx.array  # (N, S), filled up behind
    mask: mx.array  # (N, 1, 1, S)


class MlxTranslator:
    """An implementation of `generator.Generator`."""

    def __init__(self, checkpoint: Path, device: str, compute_type: str) -> None:
        """Load the checkpoint. `device` is cpu, cuda or mps. Raises UsageError where the checkpoint is damaged."""
        mx.set_default_device(mx.Device(mx.cpu if device == "cpu" else mx.gpu))
        shape = read_shape(checkpoint)
        self._source = Dictionary(checkpoint / "dict.SRC.json", shape.source_vocabulary)
        self._target = Dictionary(checkpoint / "dict.TGT.json", shape.target_vocabulary)
        self._network = TranslationNetwork(shape, read_weights(checkpoint, shape), DTYPES[compute_type])
        self.tokens_at_once = TOKENS_AT_ONCE["cpu" if device == "cpu" else "gpu"]
        numbers = self._target.numbers(NEVER)
        self._never = mx.array([*numbers, self._target.unknown])

    def generate(self, sentences: Sequence[Sequence[str]], search: BeamSearch) -> list[list[Hypothesis]]:
        found: list[list[Hypothesis]] = [[] for _ in sentences]
        for batch in self._batches(sentences):
            for place, ended in zip(batch.places, self._search(batch, search), strict=True):
                found[place] = [
                    Hypothesis(tuple(self._target.tokens[number] for number in text), score) for score, text in ended
                ]
        return found

    def score(self, sentences: Sequence[Sequence[str]], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        found: list[list[float]] = [[] for _ in sentences]
        for batch in self._batches(sentences):
            texts = [[*self._target.numbers(translations[place]), self._target.end] for place in batch.places]
            read = mx.array(_filled([[self._target.end, *text[:-1]] for text in texts], self._target.padding))
            scores = self._network.read(read, self._network.encode(batch.tokens, batch.mask), batch.mask)
            chosen = mx.take_along_axis(scores, mx.array(_filled(texts, 0))[:, :, None], axis=-1)[
                ..., 0
            ] - mx.logsumexp(scores, axis=-1)
            for place, text, log_probs in zip(batch.places, texts, chosen.tolist(), strict=True):
                found[place] = log_probs[: len(text)]
        return found

    def _batches(self, sentences: Sequence[Sequence[str]]) -> Iterator[_Batch]:
        """Yield batches, the longest first, so that one too big for memory is known at once."""
        numbered = [[*self._source.numbers(pieces), self._source.end] for pieces in sentences]
        order = sorted(range(len(sentences)), key=lambda place: -len(numbered[place]))
        while order:
            count = max(1, self.tokens_at_once // len(numbered[order[0]]))
            places, order = order[:count], order[count:]
            tokens = _filled([numbered[place] for place in places], self._source.padding)
            yield _Batch(places, mx.array(tokens), mx.array(tokens != self._source.padding)[:, None, None])

    def _search(self, batch: _Batch, search: BeamSearch) -> list[list[tuple[float, list[int]]]]:
        """Return scores and tokens of the translations of each sentence."""
        beams = Beams(len(batch.places), search, self._target.end)
        source, mask = self._network.encode(batch.tokens, batch.mask), batch.mask
        past = self._network.empty_past(len(batch.places), search.beams)
        tokens = np.full((len(batch.places), search.beams), self._target.end)
        for position in range(search.limit):
            scores, past = self._network.step(
                mx.array(tokens), position, past, mx.array(beams.ancestors()), source, mask
            )
            likely, numbers = self._likely(scores, beams, search)
            tokens = beams.advance(np.array(likely), np.array(numbers))
            if beams.done.all():
                break
            if 4 * beams.done.sum() >= len(beams.done):  # the others go on without them
                rows = np.flatnonzero(~beams.done)
                beams.keep(rows)
                tokens, kept = tokens[rows], mx.array(rows)
                mask = mask[kept]
                source, past = ([(keys[kept], values[kept]) for keys, values in layers] for layers in (source, past))
        return beams.found

    def _likely(self, scores: mx.array, beams: Beams, search: BeamSearch) -> tuple[mx.array, mx.array]:
        """Return log-probs and numbers of the likeliest L + 1 tokens after each beam (N, L, L + 1), in order."""
        count, size = scores.shape[:2], scores.shape[-1]
        scores = scores.reshape(-1, size)
        scores[:, self._never] = -mx.inf
        if search.unrepeated:
            rows, tokens = repeated(beams.texts.reshape(len(scores), -1), search.unrepeated)
            if rows:
                scores[mx.array(rows), mx.array(tokens)] = -mx.inf
        values, numbers = largest(scores, search.beams + 1)
        values = values - mx.logsumexp(scores, axis=-1, keepdims=True)
        mx.eval(values, numbers)
        return values.reshape(*count, -1), numbers.reshape(*count, -1)


def _filled(rows: Sequence[Sequence[int]], padding: int) -> Array:
    filled = np.full((len(rows), max(map(len, rows))), padding, np.int32)
    for number, row in enumerate(rows):
        filled[number, : len(row)] = row
    return filled
