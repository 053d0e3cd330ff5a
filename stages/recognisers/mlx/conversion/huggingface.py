"""Read Hugging Face's form of Whisper: `config.json` and `model.safetensors`, in one file or in several with an
index."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import mlx.core as mx

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models.content import read_json
from sutradhar.stages.recognisers.conversion.decoded import by_transformers
from sutradhar.stages.recognisers.mlx.conversion.original import Original, from_torch_layout
from sutradhar.stages.recognisers.mlx.loading import as_heads, dimensions, load_arrays

DIMENSIONS = {
    "n_mels": "num_mel_bins",
    "n_audio_ctx": "max_source_positions",
    "n_audio_state": "d_model",
    "n_audio_head": "encoder_attention_heads",
    "n_audio_layer": "encoder_layers",
    "n_text_ctx": "max_target_positions",
    "n_text_state": "d_model",
    "n_text_head": "decoder_attention_heads",
    "n_text_layer": "decoder_layers",
}
NAMES = (  # transformers' name, mlx-whisper's; in this order
    (r"^model\.", ""),
    (r"embed_positions\.weight$", "positional_embedding"),
    (r"embed_tokens", "token_embedding"),
    (r"\.layers\.", ".blocks."),
    (r"^encoder\.layer_norm", "encoder.ln_post"),
    (r"^decoder\.layer_norm", "decoder.ln"),
    (r"self_attn", "attn"),
    (r"encoder_attn", "cross_attn"),
    (r"attn_layer_norm", "attn_ln"),
    (r"final_layer_norm", "mlp_ln"),
    (r"q_proj", "query"),
    (r"k_proj", "key"),
    (r"v_proj", "value"),
    (r"out_proj", "out"),
    (r"fc([12])", r"mlp\1"),
)
OUTPUT, EMBEDDING = "proj_out.weight", "decoder.token_embedding.weight"


def read(folder: Path) -> Original:
    """Read a folder. Raises UsageError."""
    config = read_json(folder / "config.json")
    if config.get("model_type") != "whisper":
        raise UsageError(f"config.json calls it {config.get('model_type')!r}, not 'whisper'")
    if config.get("activation_function", "gelu") != "gelu" or config.get("scale_embedding"):
        raise UsageError("its layers are not Whisper's")
    weights = {_rename(name): array for name, array in _tensors(folder).items()}
    if EMBEDDING not in weights:
        raise UsageError(f"it has no {EMBEDDING}")
    output = weights.pop(OUTPUT, None)
    if output is not None and not mx.array_equal(output, weights[EMBEDDING]):
        raise UsageError("its output layer is not its embedding, as in Whisper")
    dims = dimensions(
        {ours: config.get(theirs) for ours, theirs in DIMENSIONS.items()} | {"n_vocab": weights[EMBEDDING].shape[0]}
    )
    heads = (
        read_json(folder / "generation_config.json").get("alignment_heads")
        if (folder / "generation_config.json").is_file()
        else None
    )
    return from_torch_layout(weights, dims, as_heads(heads, dims), partial(by_transformers, folder))


def _tensors(folder: Path) -> dict[str, mx.array]:
    files = ["model.safetensors"]
    if not (folder / files[0]).is_file():
        files = sorted(set(read_json(folder / "model.safetensors.index.json").get("weight_map", {}).values()))
    tensors: dict[str, mx.array] = {}
    for name in files:
        if Path(name).name != name or not (folder / name).is_file():
            raise UsageError(f"{name} is missing")
        tensors |= load_arrays(folder / name)
    return tensors


def _rename(name: str) -> str:
    for theirs, ours in NAMES:
        name = re.sub(theirs, ours, name)
    return name
