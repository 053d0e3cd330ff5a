"""Whispers as transformers saves them: one of random weights with tiny's geometry, and base rebuilt from the starter model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from tests.conftest import ROOT

BASE = ROOT / "models" / "base"
TINY = {
    "d_model": 384,
    "encoder_layers": 4,
    "decoder_layers": 4,
    "encoder_attention_heads": 6,
    "decoder_attention_heads": 6,
}
START, END, VOCABULARY = 50258, 50257, 51865


def save_tiny(folder: Path) -> Path:
    """Its texts are gibberish, and every weight counts."""
    sizes = {"encoder_ffn_dim": 1536, "decoder_ffn_dim": 1536}
    model = WhisperForConditionalGeneration(_config(**TINY, **sizes)).eval()
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if name != "model.encoder.embed_positions.weight":
            torch.nn.init.normal_(weight, 1.0 if "norm.weight" in name else 0.0, 0.05)
    return _save(model, folder)


def save_base(folder: Path) -> Path:
    """Of the starter's weights, by the reader for another engine."""
    from sutradhar.stages.recognisers.mlx.conversion import ct2, huggingface

    variables = ct2.Variables(BASE / "model.bin")
    weights = ct2._weights(variables, ct2._dimensions(variables))
    sizes = {
        "d_model": 512,
        "encoder_ffn_dim": 2048,
        "decoder_ffn_dim": 2048,
        "encoder_attention_heads": 8,
        "decoder_attention_heads": 8,
    }
    model = WhisperForConditionalGeneration(_config(**sizes, encoder_layers=6, decoder_layers=6)).eval()
    names = [name for name in model.state_dict() if name != "proj_out.weight"]
    state = {
        name: torch.from_numpy(np.ascontiguousarray(weights[huggingface._rename(name)], np.float32)) for name in names
    }
    model.load_state_dict(state, strict=False)
    return _save(model, folder)


def _config(**sizes: int) -> WhisperConfig:
    special = {"pad_token_id": END, "bos_token_id": END, "eos_token_id": END, "decoder_start_token_id": START}
    return WhisperConfig(vocab_size=VOCABULARY, **sizes, **special, suppress_tokens=None, begin_suppress_tokens=None)


def _save(model: WhisperForConditionalGeneration, folder: Path) -> Path:
    starter = json.loads((BASE / "config.json").read_text())
    settings = model.generation_config
    settings.suppress_tokens, settings.begin_suppress_tokens = starter["suppress_ids"], starter["suppress_ids_begin"]
    layers, heads = model.config.decoder_layers, model.config.decoder_attention_heads
    settings.alignment_heads = [head for head in starter["alignment_heads"] if head[0] < layers and head[1] < heads]
    model.save_pretrained(folder)
    shutil.copy(BASE / "tokenizer.json", folder)
    return folder
