"""Whisper's network on MLX: mlx-whisper's weights and modules, a forward of our own.

Other than mlx-whisper's it keeps keys and values head by head, computes those of the sound once a window, leaves
attention to fused kernels, and gives every row of a batch its own position. Shapes: N windows, B rows, L tokens or
beams of a row, D width of the model, H = D / 64 heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten
from mlx_whisper.whisper import Whisper

from sutradhar.stages.recognisers.mlx import cuda
from sutradhar.stages.recognisers.mlx.cuda import HEAD
from sutradhar.stages.recognisers.mlx.loading import load_whisper

PROJECTED_AT_ONCE = 8  # windows
KeysValues = tuple[mx.array, mx.array]
DTYPES = {"float16": mx.float16, "bfloat16": mx.bfloat16, "float32": mx.float32}


def load_network(folder: Path, compute_type: str) -> Network:
    """Load weights in mlx-whisper's form, plain or quantised; `compute_type` is a key of `DTYPES`."""
    dtype = DTYPES[compute_type]
    whisper = load_whisper(folder, dtype)
    whisper.set_dtype(dtype)
    if cuda.usable(dtype):
        _expand(whisper)
    return Network(whisper, dtype)


def _expand(whisper: Whisper) -> None:
    """Expand quantised weights to plain ones, for kernels that know only these: they have saved room on the disk
    then, not on the GPU."""
    plain = []
    for name, module in whisper.named_modules():
        if isinstance(module, nn.QuantizedLinear | nn.QuantizedEmbedding):
            weight = mx.dequantize(module.weight, module.scales, module.biases, module.group_size, module.bits)
            expanded = nn.Linear(1, 1, bias=False) if isinstance(module, nn.QuantizedLinear) else nn.Embedding(1, 1)
            expanded.weight = weight
            if "bias" in module:
                expanded.bias = module.bias
            plain.append((name, expanded))
    whisper.update_modules(tree_unflatten(plain))


class Network:
    def __init__(self, whisper: Whisper, dtype: mx.Dtype) -> None:
        self.dims, self.dtype = whisper.dims, dtype
        self.heads: int = whisper.dims.n_text_head
        self.frames: int = whisper.dims.n_audio_ctx
        self.project = cuda.compiled(self._project)
        self._kernels = cuda.usable(dtype)
        self._counters = cuda.make_counters()
        self.alignment_heads: list[tuple[int, int]] = [tuple(pair) for pair in whisper.alignment_heads.tolist()]
        self._encoder, self._decoder = whisper.encoder, whisper.decoder
        self._encoder_positions = whisper.encoder._positional_embedding.astype(dtype)
        self._encoder_layers = [_Layer(block, kernels=False) for block in whisper.encoder.blocks]
        self._layers = [_Layer(block, self._kernels) for block in whisper.decoder.blocks]

    # --- Sound

    def encode(self, mel: mx.array) -> mx.array:
        """Encode log-mel spectrograms (N, 3000, mels) to features (N, 1500, D).

        Layer by layer: MLX would otherwise run ahead and hold on to what all of them need."""
        encoder = self._encoder
        x = _gelu(encoder.conv1(mel.astype(self.dtype)))
        x = _gelu(encoder.conv2(x)) + self._encoder_positions
        for layer in self._encoder_layers:
            queries, keys, values = (
                _heads(part).swapaxes(1, 2) for part in mx.split(layer.qkv(x, norm=layer.norm), 3, axis=-1)
            )
            mixed = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=HEAD**-0.5)
            x = layer.out(mixed.swapaxes(1, 2).reshape(x.shape), x)
            x = layer.mlp(x)
            mx.eval(x)
        return encoder.ln_post(x)

    def _project(self, features: mx.array) -> list[KeysValues]:
        """Compute what each layer of the decoder looks up in the sound: keys and values (N, H, 1500, 64), from
        features (N, 1500, D)."""
        return [
            (
                mx.contiguous(_heads(block.cross_attn.key(features)).swapaxes(1, 2)),
                mx.contiguous(_heads(block.cross_attn.value(features)).swapaxes(1, 2)),
            )
            for block in self._decoder.blocks
        ]

    def empty_cross(self, rows: int) -> list[KeysValues]:
        shape = (rows, self.heads, self.frames, HEAD)
        return [(mx.zeros(shape, self.dtype), mx.zeros(shape, self.dtype)) for _ in self._layers]

    def replace_cross(self, cross: list[KeysValues], rows: Sequence[int], features: mx.array) -> None:
        """Put keys and values of other windows into some rows of `cross`, whose arrays nobody else may hold: they
        are written over.

        A few rows at a time, each after the last is done, so that the work on its way stays small beside what is
        kept."""
        for first in range(0, len(rows), PROJECTED_AT_ONCE):
            if first:
                mx.synchronize()
            some = rows[first : first + PROJECTED_AT_ONCE]
            new: list[KeysValues] = self.project(features[first : first + PROJECTED_AT_ONCE])
            if self._kernels:
                where = mx.array(some)
                mx.async_eval([cuda.place(*old, *fresh, where) for old, fresh in zip(cross, new, strict=True)])
                continue
            for layer, (keys, values) in enumerate(new):
                cross[layer] = (_put(cross[layer][0], keys, some), _put(cross[layer][1], values, some))
                mx.async_eval(cross[layer])

    # --- Text

    def empty_past(self, rows: int, beams: int, columns: int) -> list[KeysValues]:
        """Return for each layer keys and values (B, H, L, columns, 64) of tokens to come."""
        shape = (rows, self.heads, beams, columns, HEAD)
        return [(mx.zeros(shape, self.dtype), mx.zeros(shape, self.dtype)) for _ in self._layers]

    def step(
        self,
        tokens: mx.array,
        positions: mx.array,
        column: mx.array,
        mask: mx.array,
        past: Sequence[KeysValues],
        cross: Sequence[KeysValues],
    ) -> tuple[mx.array, list[KeysValues]]:
        """Feed one token of each beam: logits (B, L, vocabulary), and the new past.

        `tokens` and `positions` are (B, L). Keys and values go into `column` (1,) of `past`, of which beams see
        what `mask` (B, L, L * columns) says. The old past must not be used again.
        """
        x = self._embed(tokens, positions)
        updated = []
        for layer, own, of_sound in zip(self._layers, past, cross, strict=True):
            mixed, own = self._attend_past(layer.qkv(x, norm=layer.norm), own, column, mask)
            updated.append(own)
            x = layer.out(mixed, x)
            x = layer.cross_out(self._attend(layer.cross_query(x, norm=layer.cross_norm), of_sound), x)
            x = layer.mlp(x)
        return self.logits(x), updated

    def _embed(self, tokens: mx.array, positions: mx.array) -> mx.array:
        embedding, positional = self._decoder.token_embedding, self._decoder.positional_embedding
        if self._kernels and type(embedding) is nn.Embedding:
            return cuda.embed(tokens, positions, embedding.weight, positional)
        x: mx.array = embedding(tokens) + positional[positions]
        return x

    def read(
        self, tokens: mx.array, features: mx.array, heads: Sequence[Sequence[int]] = ()
    ) -> tuple[mx.array, list[mx.array]]:
        """Read whole texts (N, L) with their windows' features (N, 1500, D): the last layer's output (N, L, D),
        and of each layer's `heads` their scores of the sound, float32 (N, heads, L, 1500)."""
        x = self._decoder.token_embedding(tokens) + self._decoder.positional_embedding[: tokens.shape[1]]
        scores = []
        for number, (layer, (keys, values)) in enumerate(zip(self._layers, self._project(features), strict=True)):
            own = (_heads(part).swapaxes(1, 2) for part in mx.split(layer.qkv(x, norm=layer.norm), 3, axis=-1))
            mixed = mx.fast.scaled_dot_product_attention(*own, scale=HEAD**-0.5, mask="causal")
            x = layer.out(mixed.swapaxes(1, 2).reshape(x.shape), x)
            queries = _heads(layer.cross_query(x, norm=layer.cross_norm)).swapaxes(1, 2)
            if number < len(heads) and heads[number]:
                some = mx.array(heads[number])
                scores.append((queries[:, some] @ keys[:, some].swapaxes(2, 3)).astype(mx.float32) * HEAD**-0.5)
            mixed = mx.fast.scaled_dot_product_attention(queries, keys, values, scale=HEAD**-0.5)
            x = layer.cross_out(mixed.swapaxes(1, 2).reshape(x.shape), x)
            x = layer.mlp(x)
        return x, scores

    def encode_plainly(self, mel: mx.array) -> mx.array:
        """Encode like `encode`, with mlx-whisper's own forward."""
        features: mx.array = self._encoder(mel.astype(self.dtype))
        return features

    def read_plainly(self, tokens: mx.array, features: mx.array) -> mx.array:
        """Compute logits (N, L, V) with mlx-whisper's own forward: no fused attention, no kernels, no memory of
        the past."""
        return self._decoder(tokens, features)[0].astype(mx.float32)

    def logits(self, x: mx.array) -> mx.array:
        """Compute the scores of all tokens, float32, from the last layer's output (..., D)."""
        embedding = self._decoder.token_embedding
        x = self._decoder.ln(x)
        if self._kernels and type(embedding) is nn.Embedding and x.size // x.shape[-1] <= cuda.MAX_ROWS:
            return cuda.linear(x, embedding.weight, dtype=mx.float32)
        return embedding.as_linear(x).astype(mx.float32)

    def _attend(self, queries: mx.array, cross: KeysValues) -> mx.array:
        if self._kernels and cuda.attend_fits(queries):
            return cuda.attend(queries, *cross, self._counters)
        mixed = mx.fast.scaled_dot_product_attention(_heads(queries).swapaxes(1, 2), *cross, scale=HEAD**-0.5)
        return mixed.swapaxes(1, 2).reshape(queries.shape)

    def _attend_past(
        self, qkv: mx.array, past: KeysValues, column: mx.array, mask: mx.array
    ) -> tuple[mx.array, KeysValues]:
        if self._kernels and cuda.past_fits(qkv.shape[1], past[0].shape[3]):
            return cuda.attend_past(qkv, *past, column, mask), past
        queries, key, value = (_heads(part).swapaxes(1, 2) for part in mx.split(qkv, 3, axis=-1))
        keys = mx.slice_update(past[0], key[:, :, :, None], column, axes=[3])
        values = mx.slice_update(past[1], value[:, :, :, None], column, axes=[3])
        flat = (*keys.shape[:2], -1, HEAD)
        mixed = mx.fast.scaled_dot_product_attention(
            queries, keys.reshape(flat), values.reshape(flat), scale=HEAD**-0.5, mask=mask[:, None]
        )
        return mixed.swapaxes(1, 2).reshape(*qkv.shape[:2], -1), (keys, values)


class _Layer:
    """The matrix products and norms of one block of mlx-whisper."""

    def __init__(self, block: Any, kernels: bool) -> None:
        self.norm = block.attn_ln
        self.qkv = _Product((block.attn.query, block.attn.key, block.attn.value), kernels)
        self.out = _Product((block.attn.out,), kernels)
        if block.cross_attn:
            self.cross_norm = block.cross_attn_ln
            self.cross_query = _Product((block.cross_attn.query,), kernels)
            self.cross_out = _Product((block.cross_attn.out,), kernels)
        self._mlp_norm = block.mlp_ln
        self._widen, self._narrow = _Product((block.mlp1,), kernels), _Product((block.mlp2,), kernels)

    def mlp(self, x: mx.array) -> mx.array:
        return self._narrow(self._widen(x, norm=self._mlp_norm, gelu=True), x)


class _Product:
    """Linear modules side by side. Plain ones are one matrix product, which is faster; quantised ones stay apart."""

    def __init__(self, modules: Sequence[Any], kernels: bool) -> None:
        self._modules = modules
        self._plain = all(type(module) is nn.Linear for module in modules)
        self._kernels = kernels and self._plain
        if self._plain:
            self._weight = mx.concatenate([module.weight for module in modules])
            self._bias = mx.concatenate(
                [module.bias if "bias" in module else mx.zeros_like(module.weight[:, 0]) for module in modules]
            )
            mx.eval(self._weight, self._bias)
            if len(modules) > 1:  # the modules keep views, so that nothing is held twice
                bounds = np.cumsum([module.weight.shape[0] for module in modules])[:-1].tolist()
                for module, part in zip(modules, mx.split(self._weight, bounds), strict=True):
                    module.weight = part
                    mx.eval(part)

    def __call__(
        self, x: mx.array, residual: mx.array | None = None, *, norm: Any = None, gelu: bool = False
    ) -> mx.array:
        """Apply the modules to x; first `norm`, a LayerNorm."""
        rows = x.size // x.shape[-1]
        if self._kernels and norm and rows <= cuda.MAX_NORMED_ROWS:
            return cuda.linear(x, self._weight, self._bias, residual, norm=(norm.weight, norm.bias), gelu=gelu)
        if norm:
            x = norm(x)
        if self._kernels and rows <= cuda.MAX_ROWS:
            return cuda.linear(x, self._weight, self._bias, residual, gelu=gelu)
        if self._plain:
            y = mx.addmm(self._bias, x, self._weight.T)
        else:
            y = mx.concatenate([module(x) for module in self._modules], axis=-1)
        if gelu:
            y = _gelu(y)
        return y if residual is None else residual + y


def _put(into: mx.array, new: mx.array, rows: Sequence[int]) -> mx.array:
    """Write row by row, which MLX does in place where nobody else holds `into`, unlike all rows at once."""
    for number, row in enumerate(rows):
        into = mx.slice_update(into, new[number : number + 1], mx.array([row]), axes=[0])
    return into


def _heads(x: mx.array) -> mx.array:
    return x.reshape(*x.shape[:-1], -1, HEAD)


def _gelu(x: mx.array) -> mx.array:
    y: mx.array = cuda.gelu(x) if cuda.usable(x.dtype) else nn.gelu(x)
    return y
