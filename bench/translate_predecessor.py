"""Translate sentences the predecessor's way: AI4Bharat's code, one sentence a batch, beam 4, float32, cached, on
the CPU.

    PYTHON bench/translate_predecessor.py FILE --code CODE --tokenizer DIR [--geometry 200m] [--tokens N]

FILE has a Hindi sentence a line. PYTHON is a Python 3.11 with transformers 4.53.2, torch, sentencepiece and
indictranstoolkit 1.1.1; CODE holds modeling_, configuration_ and tokenization_indictrans.py; DIR holds dict.*.json
and model.* of an indic-en model. The weights are random, of the published sizes, so only the time means anything;
--tokens makes every translation N tokens long, otherwise each ends at </s> or after 128. It prints one line of
JSON; the seconds are those of translating, without loading.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
import types
from pathlib import Path
from typing import Any

import torch
import transformers
from IndicTransToolkit.processor import IndicProcessor

SOURCE, TARGET = "hin_Deva", "eng_Latn"
BEAMS, LONGEST = 4, 128

# config.json of ai4bharat/indictrans2-indic-en-*: what differs between the sizes, and what they share.
GEOMETRIES = {
    "200m": {"embed_dim": 512, "ffn_dim": 2048, "attention_heads": 8, "tied": True},
    "1b": {"embed_dim": 1024, "ffn_dim": 8192, "attention_heads": 16, "tied": False},
}
SHARED = {"layers": 18, "normalize_before": True}
VOCABULARIES = {"encoder_vocab_size": 122_706, "decoder_vocab_size": 32_296, "vocab_size": 32_296}


def load_code(folder: Path, module: str) -> Any:
    """Load a module of AI4Bharat's folder, whose files import each other as siblings."""
    package = types.ModuleType("ai4bharat")
    package.__path__ = [str(folder)]
    sys.modules.setdefault("ai4bharat", package)
    return importlib.import_module(f"ai4bharat.{module}")


def random_model(code: Path, geometry: str) -> Any:
    sizes = SHARED | GEOMETRIES[geometry]
    tied = sizes.pop("tied")
    shape = load_code(code, "configuration_indictrans").IndicTransConfig(
        **{f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in sizes.items()},
        **VOCABULARIES,
        activation_function="gelu",
        layernorm_embedding=tied,
        share_decoder_input_output_embed=tied,
        max_source_positions=256,
        max_target_positions=256,
    )
    theirs = load_code(code, "modeling_indictrans").IndicTransForConditionalGeneration
    torch.manual_seed(0)
    model = type(theirs.__name__, (theirs, transformers.GenerationMixin), {})(shape)
    model.generation_config = transformers.GenerationConfig.from_model_config(shape)
    return model.eval()


def load_tokenizer(code: Path, folder: Path) -> Any:
    files = {
        "src_vocab_fp": "dict.SRC.json",
        "tgt_vocab_fp": "dict.TGT.json",
        "src_spm_fp": "model.SRC",
        "tgt_spm_fp": "model.TGT",
    }
    return load_code(code, "tokenization_indictrans").IndicTransTokenizer(
        **{name: str(folder / file) for name, file in files.items()}
    )


@torch.inference_mode()
def translate(model: Any, tokenizer: Any, processor: IndicProcessor, sentence: str, tokens: int | None) -> int:
    """Translate a sentence; return how many tokens that took."""
    inputs = tokenizer(processor.preprocess_batch([sentence], src_lang=SOURCE, tgt_lang=TARGET), return_tensors="pt")
    length = {"max_new_tokens": LONGEST} if tokens is None else {"min_new_tokens": tokens, "max_new_tokens": tokens}
    output = model.generate(**inputs, num_beams=BEAMS, use_cache=True, **length)
    text = tokenizer.batch_decode(output, skip_special_tokens=True)
    processor.postprocess_batch(text, lang=TARGET)
    return output.shape[1] - 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--code", type=Path, required=True, metavar="CODE")
    parser.add_argument("--tokenizer", type=Path, required=True, metavar="DIR")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), default="200m")
    parser.add_argument("--tokens", type=int, metavar="N")
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    sentences = arguments.file.read_text(encoding="utf-8").splitlines()
    tokenizer, model = (
        load_tokenizer(arguments.code, arguments.tokenizer),
        random_model(arguments.code, arguments.geometry),
    )
    processor = IndicProcessor(inference=True)

    start = time.perf_counter()
    produced = sum(translate(model, tokenizer, processor, sentence, arguments.tokens) for sentence in sentences)
    seconds = time.perf_counter() - start
    figures = {
        "sentences": len(sentences),
        "tokens": produced,
        "seconds": round(seconds, 3),
        "sentences_per_second": round(len(sentences) / seconds, 3),
    }
    print(json.dumps({"geometry": arguments.geometry, "beams": BEAMS, "threads": torch.get_num_threads()} | figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
