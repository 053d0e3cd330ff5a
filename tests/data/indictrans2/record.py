"""Records what AI4Bharat's own code computes, so that the tests of our engines need neither it nor an old transformers.

    python tests/data/indictrans2/record.py --code CODE random
    python tests/data/indictrans2/record.py --code CODE encoding --tokenizer REAL --text TEXT
    python tests/data/indictrans2/record.py --code CODE toy

Needs Python 3.11 with transformers 4.53.2 (from 4.54 on its cached generation breaks), torch, safetensors, sentencepiece
and indictranstoolkit 1.1.1. CODE holds modeling_indictrans.py and configuration_indictrans.py (AI4Bharat/IndicTrans2,
huggingface_interface) and tokenization_indictrans.py (the hub's).

random    writes `untied` (as the 1B models: output of its own, no LayerNorm over the embeddings) and `tied` (as the
          distilled ones; the file names the shared matrix lm_head.weight only): random checkpoints of fixed seeds in
          float32, and a reference.json for each: the settings of `generate`, and for every sentence its tagged `text`,
          `source` ids, a forced `target` with the `log_probs` of its tokens, and the outputs `greedy`, `beam` and
          `beam_early` (early_stopping: as fairseq and CTranslate2, a search is over when as many outputs as beams have
          ended), without the start token, with </s> where they end. One sentence a batch; float64 finds the same outputs.
encoding  writes encoding.json: ids that the tokenizer gives with the real files of REAL (dict.*.json, model.*) to rows of
          tatoeba_anki_attributed.jsonl and flores200_devtest.jsonl in TEXT. `source`: Hindi after IndicProcessor, with
          placeholders numbered from the left; `target`: English as labels are, split by IndicProcessor; `target_raw`:
          the same English as it stands, where unsplit punctuation is <unk>. Row ids and token ids only.
toy       prints how many pairs of the phrasebook AI4Bharat's code translates exactly with `toy`, beam 5.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import re
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import transformers
from IndicTransToolkit.processor import IndicProcessor
from make_toy import EOS, HERE, PAD, SOURCE, TARGET, Side, config, number_pieces, phrasebook, train_pieces
from safetensors.torch import load_file, save_file
from torch import Tensor

SEEDS = {"untied": 2, "tied": 2}
SOURCE_PIECES, TARGET_PIECES, LEFT_OUT = 220, 180, 12
WIDTH, FFN, HEADS, LAYERS = 32, 64, 4, 2
SENTENCES = 40
SEARCH = {"max_length": 40, "min_length": 0}
SEARCHES = {
    "greedy": {"num_beams": 1},
    "beam": {"num_beams": 5, "length_penalty": 1.0, "early_stopping": False},  # what `generate` takes unless told
    "beam_early": {"num_beams": 5, "length_penalty": 1.0, "early_stopping": True},
}


def load_code(folder: Path, module: str) -> Any:
    """A module of AI4Bharat's folder, whose files import each other as siblings."""
    package = types.ModuleType("ai4bharat")
    package.__path__ = [str(folder)]
    sys.modules.setdefault("ai4bharat", package)
    return importlib.import_module(f"ai4bharat.{module}")


def load_model(code: Path, checkpoint: Path) -> Any:
    """Their model with a checkpoint's weights in float32. Their `from_pretrained` leaves what a tied file does not name random."""
    theirs = load_code(code, "modeling_indictrans").IndicTransForConditionalGeneration
    shape = load_code(code, "configuration_indictrans").IndicTransConfig(
        **json.loads((checkpoint / "config.json").read_text())
    )
    model = type(theirs.__name__, (theirs, transformers.GenerationMixin), {})(shape)
    model.generation_config = transformers.GenerationConfig.from_model_config(shape)
    missing, unexpected = model.load_state_dict(load_file(checkpoint / "model.safetensors"), strict=False)
    assert not unexpected, unexpected
    assert set(missing) <= (
        {"model.decoder.embed_tokens.weight"} if shape.share_decoder_input_output_embed else set()
    ), missing
    return model.float().eval()


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


def number_placeholders(tagged: str) -> str:
    """Placeholders numbered from the left: IndicProcessor numbers them in the order of a set of strings, new in each process."""
    order = {old: f"ID{number}" for number, old in enumerate(dict.fromkeys(re.findall(r"ID\d+", tagged)), 1)}
    return re.sub(r"ID\d+", lambda match: order[match[0]], tagged)


def preprocess(sentences: list[str]) -> list[str]:
    tagged = IndicProcessor(inference=True).preprocess_batch(sentences, src_lang=SOURCE, tgt_lang=TARGET)
    return [number_placeholders(text) for text in tagged]


def write_rows(rows: Iterable[str]) -> str:
    return ",\n".join(rows) + "\n"


# --- random checkpoints -----------------------------------------------------------------------------------------------


def random_weights(shape: dict[str, Any], template: dict[str, Tensor], seed: int) -> dict[str, Tensor]:
    """Normal weights, wide enough that log-probs are far from flat. <s>, <pad> and <unk> are made improbable, as training
    makes them: engines forbid them, `generate` does not.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(name: str, tensor: Tensor) -> Tensor:
        noise = torch.randn(tensor.shape, generator=generator)
        if "norm" in name:  # small embeddings let the layers decide, or every output would repeat its first token
            return (0.2 * noise + name.endswith("weight")) * (0.3 if "layernorm_embedding" in name else 1.0)
        if name.endswith("bias"):
            return 0.1 * noise
        return noise * (0.45 if "embed_tokens" in name or "lm_head" in name else 2.0 / tensor.shape[1] ** 0.5)

    weights = {name: draw(name, template[name]) for name in sorted(template)}
    if shape["share_decoder_input_output_embed"]:
        del weights["model.decoder.embed_tokens.weight"]
    weights["model.decoder.layer_norm.bias"][0] = 2.0
    improbable = torch.zeros(shape["decoder_embed_dim"])
    improbable[0] = -5.0
    for index in (0, 1, 3):
        weights["lm_head.weight"][index] = improbable
    weights["lm_head.weight"][EOS, 0] = 2.5  # some outputs end, some reach max_length
    return weights


def write_checkpoint(folder: Path, code: Path, texts: list[tuple[str, str]], tied: bool) -> None:
    folder.mkdir(exist_ok=True)
    source_model = train_pieces((tagged.split(" ", 2)[2] for tagged, _ in texts), SOURCE_PIECES)
    target_model = train_pieces((english for _, english in texts), TARGET_PIECES)
    source = Side(source_model, number_pieces(source_model, (TARGET, SOURCE), LEFT_OUT))
    target = Side(target_model, number_pieces(target_model, without=LEFT_OUT))
    source.write(folder, "SRC")
    target.write(folder, "TGT")
    shape = config(source, target, width=WIDTH, ffn=FFN, heads=HEADS, layers=LAYERS, tied=tied)
    (folder / "config.json").write_text(json.dumps(shape, indent=2) + "\n")
    theirs = load_code(code, "configuration_indictrans").IndicTransConfig(**shape)
    template = load_code(code, "modeling_indictrans").IndicTransForConditionalGeneration(theirs).state_dict()
    save_file(random_weights(shape, template, SEEDS[folder.name]), folder / "model.safetensors", {"format": "pt"})


def search(model: Any, source: Tensor, **settings: Any) -> list[int]:
    output = model.generate(source, attention_mask=torch.ones_like(source), use_cache=True, do_sample=False, **settings)
    return [index for index in output[0, 1:].tolist() if index != PAD]


def searches(model: Any, source: Tensor) -> dict[str, list[int]]:
    return {name: search(model, source, **SEARCH | settings) for name, settings in SEARCHES.items()}


def forced_log_probs(model: Any, source: Tensor, target: list[int]) -> list[float]:
    prefix = torch.tensor([[EOS, *target[:-1]]])
    logits = model(input_ids=source, attention_mask=torch.ones_like(source), decoder_input_ids=prefix).logits
    return logits[0].log_softmax(-1).gather(1, torch.tensor(target)[:, None])[:, 0].tolist()


@torch.inference_mode()
def record_checkpoint(folder: Path, code: Path, texts: list[str]) -> None:
    model, double = load_model(code, folder), load_model(code, folder).double()
    tokenizer = load_tokenizer(code, folder)
    order = random.Random(SEEDS[folder.name])
    rows = []
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        source = torch.tensor([ids])
        target = [order.randrange(4, model.config.decoder_vocab_size) for _ in range(order.randrange(4, 20))] + [EOS]
        log_probs = [round(value, 7) for value in forced_log_probs(model, source, target)]
        found = searches(model, source)
        if found != searches(double, source):
            raise SystemExit(f"{folder.name}: float64 finds other outputs; choose another seed")
        row = {"text": text, "source": ids, "target": target, "log_probs": log_probs} | found
        rows.append(json.dumps(row, ensure_ascii=False))
    head = json.dumps(
        {
            "transformers": transformers.__version__,
            "generate": {name: SEARCH | settings for name, settings in SEARCHES.items()},
        }
    )
    (folder / "reference.json").write_text(f'{head[:-1]}, "sentences": [\n{write_rows(rows)}]}}\n', encoding="utf-8")


def record_random(arguments: argparse.Namespace) -> None:
    pairs = phrasebook()
    tagged = preprocess([hindi for hindi, _ in pairs])
    texts = [(text, english) for text, (_, english) in zip(tagged, pairs, strict=True)]
    for name in SEEDS:
        write_checkpoint(HERE / name, arguments.code, texts, tied=name == "tied")
        record_checkpoint(HERE / name, arguments.code, tagged[:: len(tagged) // SENTENCES][:SENTENCES])


# --- encoding, toy ----------------------------------------------------------------------------------------------------


def spread(text: Path, name: str, count: int) -> list[dict[str, str]]:
    """`count` rows of a file, evenly from all of it."""
    rows = [json.loads(line) for line in (text / name).read_text(encoding="utf-8").splitlines()]
    return rows[:: len(rows) // count][:count]


def record_encoding(arguments: argparse.Namespace) -> None:
    tokenizer = load_tokenizer(arguments.code, arguments.tokenizer)
    tatoeba, flores = "tatoeba_anki_attributed.jsonl", "flores200_devtest.jsonl"
    source_rows = spread(arguments.text, tatoeba, 150) + spread(arguments.text, flores, 100)
    target_rows = spread(arguments.text, tatoeba, 60) + spread(arguments.text, flores, 40)
    english = [row["en"] for row in target_rows]
    labels = IndicProcessor(inference=False).preprocess_batch(english, src_lang=TARGET, tgt_lang=SOURCE, is_target=True)
    sides = {
        "source": zip(source_rows, tokenizer(preprocess([row["hi"] for row in source_rows]))["input_ids"], strict=True),
        "target": zip(target_rows, tokenizer(text_target=labels)["input_ids"], strict=True),
        "target_raw": zip(target_rows, tokenizer(text_target=english)["input_ids"], strict=True),
    }
    written = [
        f'"{side}": {{\n' + write_rows(f'"{row["id"]}": {ids}' for row, ids in rows) + "}"
        for side, rows in sides.items()
    ]
    (HERE / "encoding.json").write_text("{" + ", ".join(written) + "}\n")


@torch.inference_mode()
def check_toy(arguments: argparse.Namespace) -> None:
    model, tokenizer = load_model(arguments.code, HERE / "toy"), load_tokenizer(arguments.code, HERE / "toy")
    processor = IndicProcessor(inference=True)
    tagged = processor.preprocess_batch([hindi for hindi, _ in phrasebook()], src_lang=SOURCE, tgt_lang=TARGET)
    found = [search(model, torch.tensor([tokenizer(text)["input_ids"]]), num_beams=5, max_length=64) for text in tagged]
    outputs = processor.postprocess_batch(tokenizer.batch_decode(found, skip_special_tokens=True), lang=TARGET)
    exact = sum(output == english for output, (_, english) in zip(outputs, phrasebook(), strict=True))
    print(f"{exact} of {len(outputs)} pairs exactly")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--code", type=Path, required=True, metavar="CODE")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("random").set_defaults(run=record_random)
    encoding = commands.add_parser("encoding")
    encoding.add_argument("--tokenizer", type=Path, required=True, metavar="REAL")
    encoding.add_argument("--text", type=Path, required=True, metavar="TEXT")
    encoding.set_defaults(run=record_encoding)
    commands.add_parser("toy").set_defaults(run=check_toy)
    arguments = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    arguments.run(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
