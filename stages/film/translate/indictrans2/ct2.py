"""IndicTrans2 on CTranslate2, for CPUs and NVIDIA GPUs; and the conversion of a checkpoint into its form."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.ctranslate.nvidia import preload_libraries
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
from sutradhar.stages.film.translate.indictrans2.tokenizer import END, START, UNKNOWN, Dictionary, IndicTokenizer

POSITIONS = 2 * LONGEST  # rows of the positional table, which is computed: room for the end and the tags
TOKENS_AT_ONCE = {
    "cpu": 1_024,
    "cuda": 16_384,
}  # of a batch, padding included; on a CPU more take memory and are no faster


class CTranslate2:
    """An implementation of `generator.Generator`."""

    def __init__(self, folder: Path, device: str, compute_type: str, threads: int = 0) -> None:
        """Load the model. `threads` of a CPU, 0 for CTranslate2's own choice. Raises UsageError where the device does
        not compute so, or a file is damaged."""
        import ctranslate2

        if device == "cuda":
            preload_libraries()
        try:
            self._translator = ctranslate2.Translator(
                str(folder), device=device, compute_type=compute_type, intra_threads=threads
            )
        except ValueError:
            supported = ", ".join(sorted(ctranslate2.get_supported_compute_types(device)))
            raise UsageError(
                f"INDICTRANS2_COMPUTE_TYPE={compute_type} does not go with {device} here; {supported} do"
            ) from None
        except RuntimeError as error:
            raise UsageError(
                f"{folder} cannot be loaded ({error}); get the model again, or set INDICTRANS2_DEVICE=cpu"
            ) from None
        self.tokens_at_once = TOKENS_AT_ONCE[device]

    def generate(self, sentences: Sequence[Sequence[str]], search: BeamSearch) -> list[list[Hypothesis]]:
        found = self._translator.translate_batch(
            [list(pieces) for pieces in sentences],
            max_batch_size=self.tokens_at_once,
            batch_type="tokens",
            beam_size=search.beams,
            num_hypotheses=search.hypotheses,
            patience=search.patience,
            length_penalty=search.length_penalty,
            no_repeat_ngram_size=search.unrepeated,
            suppress_sequences=[[token] for token in NEVER],
            disable_unk=True,
            max_input_length=0,
            max_decoding_length=search.limit,
            min_decoding_length=0,
            return_scores=True,
        )
        return [
            [Hypothesis(tuple(pieces), score) for pieces, score in zip(one.hypotheses, one.scores, strict=True)]
            for one in found
        ]

    def score(self, sentences: Sequence[Sequence[str]], translations: Sequence[Sequence[str]]) -> list[list[float]]:
        found = self._translator.score_batch(
            [list(pieces) for pieces in sentences],
            [list(pieces) for pieces in translations],
            max_batch_size=self.tokens_at_once,
            batch_type="tokens",
            max_input_length=0,
        )
        return [list(one.log_probs) for one in found]


# --- Conversion


def convert(checkpoint: Path, folder: Path, quantization: str) -> None:
    """Write CTranslate2's form of a checkpoint into `folder`, which exists and is empty. Raises UsageError where the
    checkpoint is damaged."""
    shape = read_shape(checkpoint)
    IndicTokenizer(checkpoint)
    source = Dictionary(checkpoint / "dict.SRC.json", shape.source_vocabulary)
    target = Dictionary(checkpoint / "dict.TGT.json", shape.target_vocabulary)
    specification = specify(shape, read_weights(checkpoint, shape))
    specification.register_source_vocabulary(source.tokens)
    specification.register_target_vocabulary(target.tokens)
    config = specification.config
    config.bos_token, config.eos_token, config.unk_token, config.decoder_start_token = START, END, UNKNOWN, END
    config.add_source_bos, config.add_source_eos = False, True
    specification.validate()
    specification.optimize(quantization=quantization)
    specification.save(str(folder))
    for name in ("model.SRC", "model.TGT"):
        shutil.copyfile(checkpoint / name, folder / name)


def specify(shape: Shape, weights: Mapping[str, Array]) -> Any:
    """Return the model as CTranslate2 describes one."""
    from ctranslate2.specs import Activation, TransformerSpec

    specification = TransformerSpec.from_config(
        (shape.encoder_layers, shape.decoder_layers),
        shape.heads,
        pre_norm=True,
        activation=Activation.GELU,
        layernorm_embedding=shape.embedding_norm,
    )
    table = positional_table(POSITIONS, shape.width)
    for side, part in (("encoder", specification.encoder), ("decoder", specification.decoder)):
        name = f"model.{side}"
        embeddings = part.embeddings[0] if side == "encoder" else part.embeddings
        embeddings.weight = weights[f"{name}.embed_tokens.weight"]
        part.scale_embeddings = shape.width**0.5
        part.position_encodings.encodings = table
        _norm(part.layer_norm, weights, f"{name}.layer_norm")
        if shape.embedding_norm:
            _norm(part.layernorm_embedding, weights, f"{name}.layernorm_embedding")
        for number, layer in enumerate(part.layer):
            _layer(layer, weights, f"{name}.layers.{number}")
    specification.decoder.projection.weight = weights[TARGET_EMBEDDING if shape.tied else OUTPUT]
    return specification


def _layer(layer: Any, weights: Mapping[str, Array], name: str) -> None:
    _norm(layer.self_attention.layer_norm, weights, f"{name}.self_attn_layer_norm")
    _linear(layer.self_attention.linear[0], weights, *(f"{name}.self_attn.{part}_proj" for part in "qkv"))
    _linear(layer.self_attention.linear[1], weights, f"{name}.self_attn.out_proj")
    if f"{name}.encoder_attn.q_proj.weight" in weights:
        _norm(layer.attention.layer_norm, weights, f"{name}.encoder_attn_layer_norm")
        _linear(layer.attention.linear[0], weights, f"{name}.encoder_attn.q_proj")
        _linear(layer.attention.linear[1], weights, f"{name}.encoder_attn.k_proj", f"{name}.encoder_attn.v_proj")
        _linear(layer.attention.linear[2], weights, f"{name}.encoder_attn.out_proj")
    _norm(layer.ffn.layer_norm, weights, f"{name}.final_layer_norm")
    _linear(layer.ffn.linear_0, weights, f"{name}.fc1")
    _linear(layer.ffn.linear_1, weights, f"{name}.fc2")


def _linear(into: Any, weights: Mapping[str, Array], *names: str) -> None:
    import numpy as np

    into.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    into.bias = np.concatenate([weights[f"{name}.bias"] for name in names])


def _norm(into: Any, weights: Mapping[str, Array], name: str) -> None:
    into.gamma, into.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
