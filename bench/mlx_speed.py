"""Speed of the MLX decoder beside mlx-whisper, CTranslate2 and PyTorch, with random weights on one GPU.

    python -m bench.mlx_speed --geometry large-v3 --batch 1 16 48 --runs 4

Every engine encodes B windows of 30 s and decodes 100 tokens of each, greedily, in half precision; engines take
turns. Also: how long 64 windows take of which one goes on to the token limit (--refill), and memory over 500
windows (--memory). Weights of large models need not be there; engines that are not installed are left out. Results
go to bench/results/mlx_speed.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_whisper.decoding import DecodingOptions, DecodingTask
from mlx_whisper.whisper import ModelDimensions, Whisper

from sutradhar.stages.recognisers.mlx import selftest
from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.memory import ENCODED_AT_ONCE
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.slots import Slots, Task, Text
from sutradhar.stages.recognisers.mlx.tokens import make_tokenizer, vocabulary_of

RESULTS = Path(__file__).parent / "results" / "mlx_speed.json"
CACHE_BYTES = 20 << 30  # of MLX, so that the other engines have room
TOKENS = 100
EOT = 50_257
GEOMETRIES = {
    "large-v3": ModelDimensions(128, 1500, 1280, 20, 32, 51_866, 448, 1280, 20, 32),
    "turbo": ModelDimensions(128, 1500, 1280, 20, 32, 51_866, 448, 1280, 20, 4),
    "base": ModelDimensions(80, 1500, 512, 8, 6, 51_865, 448, 512, 8, 6),
}
Run = Callable[[Any], None]  # of log-mel windows (B, 3000, mels), float32


def decode(slots: Slots, tasks: Sequence[tuple[int, Task]]) -> Iterator[tuple[int, Text]]:
    """Yield the texts of all tasks, as they are done, while the slots are kept full."""
    waiting = deque(tasks)
    while waiting or slots.busy:
        if waiting and slots.room:
            slots.admit([waiting.popleft() for _ in range(min(slots.room, len(waiting)))])
        yield from slots.advance()


class Ours:
    def __init__(self, model: Whisper) -> None:
        self.network = Network(model, mx.float16)
        vocabulary = vocabulary_of(self.network)
        began = time.perf_counter()
        selftest.check(self.network, vocabulary)
        self.selftest_seconds = time.perf_counter() - began
        self._vocabulary = replace(vocabulary, suppressed=(*vocabulary.suppressed, EOT))
        tokenizer = make_tokenizer(self.network, "transcribe", "en")
        self._prompt = (*tokenizer.sot_sequence, tokenizer.no_timestamps)
        self._slots: Slots | None = None

    def __call__(self, mel: Any) -> None:
        self.decode(self.encode(mel), [TOKENS] * len(mel), len(mel))

    def encode(self, mel: Any) -> list[mx.array]:
        parts = [
            self.network.encode(mx.array(mel[first : first + ENCODED_AT_ONCE]))
            for first in range(0, len(mel), ENCODED_AT_ONCE)
        ]
        return [part[row] for part in parts for row in range(part.shape[0])]

    def decode(self, features: Sequence[mx.array], limits: Sequence[int], slots: int) -> None:
        if self._slots is None or self._slots.count != slots:
            self._slots = Slots(self.network, self._vocabulary, Search(), slots, 256)
        tasks = [
            (number, Task(features[number % len(features)], self._prompt, limit=limit))
            for number, limit in enumerate(limits)
        ]
        for number, text in decode(self._slots, tasks):
            assert len(text.tokens) == limits[number]


def mlx_whisper_engine(model: Whisper) -> Run:
    options = DecodingOptions(
        language="en", without_timestamps=True, sample_len=TOKENS, suppress_tokens=[-1, EOT], fp16=True
    )

    def run(mel: Any) -> None:
        found = DecodingTask(model, options).run(mx.array(mel))
        assert all(len(text.tokens) == TOKENS for text in found)

    return run


def hugging_face_model(dims: ModelDimensions) -> Any:
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=dims.n_vocab,
        num_mel_bins=dims.n_mels,
        d_model=dims.n_text_state,
        encoder_layers=dims.n_audio_layer,
        decoder_layers=dims.n_text_layer,
        encoder_attention_heads=dims.n_audio_head,
        decoder_attention_heads=dims.n_text_head,
        encoder_ffn_dim=4 * dims.n_audio_state,
        decoder_ffn_dim=4 * dims.n_text_state,
        attn_implementation="sdpa",
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with torch.device(device):
        return WhisperForConditionalGeneration(config).eval().to(torch.float16 if device == "cuda" else torch.float32)


def pytorch_engine(model: Any, prompt: Sequence[int]) -> Run:
    import torch
    from transformers import GenerationMixin

    model.generation_config.eos_token_id = None
    model.generation_config.suppress_tokens = model.generation_config.begin_suppress_tokens = (
        model.generation_config.forced_decoder_ids
    ) = None

    @torch.inference_mode()
    def run(mel: Any) -> None:
        features = torch.from_numpy(mel).to(model.device, model.dtype).transpose(1, 2).contiguous()
        start = torch.tensor([list(prompt)] * len(mel), device=model.device)
        found = GenerationMixin.generate(
            model,
            inputs=features,
            decoder_input_ids=start,
            max_new_tokens=TOKENS,
            min_new_tokens=TOKENS,
            do_sample=False,
        )
        assert found.shape[1] >= TOKENS
        if model.device.type == "cuda":
            torch.cuda.synchronize()

    return run


def ctranslate2_engine(model: Any, dims: ModelDimensions, prompt: Sequence[int], folder: Path) -> Run:
    import ctranslate2
    from ctranslate2.converters import transformers as converters

    spec = converters._MODEL_LOADERS["WhisperConfig"].get_model_spec(model.to("cpu").float())
    spec.register_vocabulary(_vocabulary(dims.n_vocab))
    spec.validate()
    device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    spec.optimize(quantization="float16" if device == "cuda" else "float32")
    folder.mkdir()
    spec.save(str(folder))
    whisper = ctranslate2.models.Whisper(
        str(folder), device=device, compute_type="float16" if device == "cuda" else "float32"
    )

    def run(mel: Any) -> None:
        features = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel.transpose(0, 2, 1)))
        start = [list(prompt)] * len(mel)
        found = whisper.generate(
            features, start, beam_size=1, max_length=2 * TOKENS, suppress_tokens=[EOT], suppress_blank=False
        )
        lengths = {len(text.sequences_ids[0]) for text in found}
        assert lengths == {TOKENS}, lengths

    return run


def _vocabulary(size: int) -> list[str]:
    """Return names that CTranslate2 looks for, at their places."""
    names = [f"t{number}" for number in range(size)]
    languages = size - 51_765 - 1
    names[EOT], names[EOT + 1], names[EOT + 2] = "<|endoftext|>", "<|startoftranscript|>", "<|en|>"
    for offset, name in enumerate(("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")):
        names[EOT + 2 + languages + offset] = f"<|{name}|>"
    names[EOT + 8 + languages] = "<|0.00|>"
    return names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geometry", nargs="+", default=list(GEOMETRIES), choices=list(GEOMETRIES))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 4, 16, 48])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--refill", action="store_true")
    parser.add_argument("--alone", action="store_true", help="only our own decoder")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    mx.set_cache_limit(CACHE_BYTES)
    results: dict[str, Any] = {
        "device": mx.device_info().get("device_name", str(mx.default_device())),
        "mlx": mx.__version__,
        "tokens": TOKENS,
    }
    for name in options.geometry:
        results[name] = measure(name, options)
        options.out.write_text(json.dumps(results, indent=1) + "\n")


def measure(name: str, options: argparse.Namespace) -> dict[str, Any]:
    dims = GEOMETRIES[name]
    mx.random.seed(0)
    model = Whisper(dims, mx.float16)
    model.set_dtype(mx.float16)
    model.decoder.positional_embedding = model.decoder.positional_embedding.astype(mx.float16)
    mx.eval(model.parameters())
    ours = Ours(model)
    found: dict[str, Any] = {"selftest_seconds": round(ours.selftest_seconds, 2)}
    with tempfile.TemporaryDirectory() as folder:
        engines = {"ours": ours} if options.alone else {"ours": ours, **_others(model, dims, ours, Path(folder))}
        for batch in options.batch:
            found[f"B={batch}"] = _side_by_side(engines, batch, dims.n_mels, options.runs)
            print(name, f"B={batch}", found[f"B={batch}"], flush=True)
    if options.refill:
        found["refill"] = _refill(ours, dims.n_mels, options.runs)
        print(name, "refill", found["refill"], flush=True)
    return found


def _others(model: Whisper, dims: ModelDimensions, ours: Ours, folder: Path) -> dict[str, Run]:
    engines: dict[str, Run] = {"mlx-whisper": mlx_whisper_engine(model)}
    if find_spec("transformers") and find_spec("torch"):
        engines["pytorch"] = pytorch_engine(hugging_face_model(dims), ours._prompt)
        if find_spec("ctranslate2"):
            engines["ctranslate2"] = ctranslate2_engine(hugging_face_model(dims), dims, ours._prompt, folder / "ct2")
    return engines


def _side_by_side(engines: dict[str, Run], batch: int, mels: int, runs: int) -> dict[str, float]:
    """Return the audio seconds per second of each, medians of runs in turns."""
    mel = np.random.default_rng(0).normal(size=(batch, 3000, mels)).astype(np.float32)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(runs + 2):  # the first two warm up
        for name, run in engines.items():
            began = time.perf_counter()
            run(mel)
            if number >= 2:
                seconds[name].append(time.perf_counter() - began)
    return {name: round(30 * batch / statistics.median(values), 1) for name, values in seconds.items()}


def _refill(ours: Ours, mels: int, runs: int, slots: int = 16) -> dict[str, float]:
    """Return the seconds of 64 windows, of 64 of which one runs to the limit, and of that one alone."""
    mel = np.random.default_rng(0).normal(size=(slots, 3000, mels)).astype(np.float32)
    features = ours.encode(mel)
    mx.eval(features)
    kinds = {"ordinary": [TOKENS] * 64, "one_long": [TOKENS] * 10 + [224] + [TOKENS] * 53, "long_alone": [224]}
    seconds: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(runs + 1):
        for name, limits in kinds.items():
            began = time.perf_counter()
            ours.decode(features, limits, slots)
            if number:
                seconds[name].append(time.perf_counter() - began)
    found = {name: round(statistics.median(values), 3) for name, values in seconds.items()}
    return {**found, "limit": round(1.15 * found["ordinary"] + found["long_alone"], 3)}


if __name__ == "__main__":
    main()
