"""Read OpenAI's form of Whisper: a `.pt` file of dimensions and weights. No code in it is run."""

from __future__ import annotations

import base64
import gzip
import pickle
from functools import partial
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_whisper.whisper import ModelDimensions
from numpy.typing import NDArray

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.recognisers.conversion.decoded import Decoded, text_tokens
from sutradhar.stages.recognisers.mlx.conversion.original import Original, from_torch_layout
from sutradhar.stages.recognisers.mlx.loading import Heads, dimensions

# The heads that follow the speech, by the name of the published file: `_ALIGNMENT_HEADS` in whisper/__init__.py of
# openai/whisper (MIT). A compressed mask (layers, heads).
HEADS = {
    "tiny.en": "ABzY8J1N>@0{>%R00Bk>$p{7v037`oCl~+#00",
    "tiny": "ABzY8bu8Lr0{>%RKn9Fp%m@SkK7Kt=7ytkO",
    "base.en": "ABzY8;40c<0{>%RzzG;p*o+Vo09|#PsxSZm00",
    "base": "ABzY8KQ!870{>%RzyTQH3`Q^yNP!>##QT-<FaQ7m",
    "small.en": "ABzY8>?_)10{>%RpeA61k&I|OI3I$65C{;;pbCHh0B{qLQ;+}v00",
    "small": "ABzY8DmU6=0{>%Rpa?J`kvJ6qF(V^F86#Xh7JUGMK}P<N0000",
    "medium.en": "ABzY8usPae0{>%R7<zz_OvQ{)4kMa0BMw6u5rT}kRKX;$NfYBv00*Hl@qhsU00",
    "medium": "ABzY8B0Jh+0{>%R7}kK1fFL7w6%<-Pf*t^=N)Qr&0RR9",
    "large-v1": "ABzY8r9j$a0{>%R7#4sLmoOs{s)o3~84-RPdcFk!JR<kSfC2yj",
    "large-v2": "ABzY8zd+h!0{>%R7=D0pU<_bnWW*tkYAhobTNnu$jnkEkXqp)j;w1Tzk)UH3X%SZd&fFZ2fC2yj",
    "large-v3": "ABzY8gWO1E0{>%R7(9S+Kn!D~%ngiGaR?*L!iJG9p-nab0JQ=-{D1-g00",
    "large-v3-turbo": "ABzY8j^C+e0{>%RARaKHP%t(lGR*)0g!tONPyhe`",
}


def read(path: Path) -> Original:
    """Read a file. Raises UsageError."""
    stored = _load(path)
    dims = dimensions(stored["dims"])
    weights = {_rename(name): mx.array(tensor.numpy()) for name, tensor in stored["model_state_dict"].items()}
    return from_torch_layout(weights, dims, _heads(path, dims), partial(decode, path))


def _load(path: Path) -> dict[str, Any]:
    import torch

    try:
        stored = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        raise UsageError("it is damaged, or holds more than weights") from None
    if not isinstance(stored, dict) or not {"dims", "model_state_dict"} <= stored.keys():
        raise UsageError("it holds no Whisper model of OpenAI's")
    return stored


def _rename(name: str) -> str:
    return name.replace(".mlp.0.", ".mlp1.").replace(".mlp.2.", ".mlp2.")


def _heads(path: Path, dims: ModelDimensions) -> Heads | None:
    if path.stem not in HEADS:
        return None
    mask = np.frombuffer(gzip.decompress(base64.b85decode(HEADS[path.stem])), dtype=bool)
    if mask.size != dims.n_text_layer * dims.n_text_head:
        return None  # another model with that name
    return np.argwhere(mask.reshape(dims.n_text_layer, dims.n_text_head)).astype(np.int32)


def decode(path: Path, mel: NDArray[np.float32]) -> Decoded:
    """Decode with PyTorch and OpenAI's own modules, in float32 on the CPU."""
    import torch
    from mlx_whisper import torch_whisper

    stored = _load(path)
    dims = torch_whisper.ModelDimensions(**stored["dims"])
    model = torch_whisper.Whisper(dims)
    model.load_state_dict(stored["model_state_dict"])
    model.eval().float()
    model.encoder.positional_embedding = model.encoder.positional_embedding[: mel.shape[2] // 2]
    tokens = text_tokens(dims.n_vocab)
    with torch.inference_mode():
        encoded = model.embed_audio(torch.from_numpy(mel))
        logits = model.logits(torch.tensor([tokens]), encoded)
    return Decoded(encoded[0].numpy(), tokens, logits[0].numpy())
