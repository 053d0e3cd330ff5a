"""Trains the toy: an IndicTrans2-shaped checkpoint of half a megabyte that translates `phrasebook.tsv` and little else.

    python tests/data/indictrans2/make_toy.py [FOLDER]

Needs torch, safetensors, sentencepiece and indictranstoolkit 1.1.1 (whose import needs transformers below 5). It writes
FOLDER, `toy` beside this file unless given, in the layout of the checkpoints on the hub: config.json, dict.SRC.json,
dict.TGT.json, model.SRC, model.TGT, model.safetensors (float16). The shape is that of indictrans2-indic-en-dist-200M, only
smaller: pre-norm, GELU, sinusoidal positions, LayerNorm over the embeddings, output tied to the decoder's embedding. One
thread and fixed seeds: the same versions on the same machine write the same bytes. It prints how many pairs come back
exactly, greedily, through IndicProcessor on both sides.
"""

from __future__ import annotations

import io
import json
import math
import random
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from IndicTransToolkit.processor import IndicProcessor
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

HERE = Path(__file__).parent
SOURCE, TARGET = "hin_Deva", "eng_Latn"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
PAD, EOS, UNK = 1, 2, 3
PIECES = 400
WIDTH, FFN, HEADS, LAYERS, POSITIONS = 64, 128, 4, 2, 256
EPOCHS, BATCH, PEAK_RATE, WARM_UP = 160, 64, 4e-3, 100

# What becomes a placeholder: with IndicProcessor, and with a masker that takes amounts and short times too. Its numbering
# follows a set of strings, which is new in each process, so that either order must do.
MASKED = (r"\S+@\S+\w|\d+[-/:]\d+(?:[-/]\d+)?|\d+,\d+,\d+", r"\S+@\S+\w|₹[\d,]+|\d+(?:[-/:,]\d+)+")

# What a sentence may end in instead: recognisers write the danda, an ASCII full stop or nothing.
ENDINGS = {"।": ("।", "", "."), "?": ("?", ""), "!": ("!", "", "।"), "": ("", "।", ".")}


# --- text -------------------------------------------------------------------------------------------------------------


def phrasebook() -> list[tuple[str, str]]:
    """(Hindi, English), in the order of the file."""
    lines = (HERE / "phrasebook.tsv").read_text(encoding="utf-8").splitlines()
    return [(hindi, english) for hindi, english in (line.split("\t") for line in lines)]


def spellings(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The pairs with every final punctuation they may have; what the phrasebook itself says goes before what follows from it."""
    known = dict(pairs)
    for hindi, english in pairs:
        end = hindi[-1] if hindi[-1] in ENDINGS else ""
        for other in ENDINGS[end]:
            known.setdefault(hindi.removesuffix(end) + other, english)
    yield from known.items()


def training_texts(hindi: str, english: str) -> Iterator[tuple[str, str]]:
    """Model input and output of a pair as IndicProcessor writes them, for every way in which its numbers may be masked."""
    for pattern in MASKED:
        masked = list(dict.fromkeys(re.findall(pattern, hindi)))
        for order in (masked, masked[::-1]):
            placeholders = {text: f"<ID{number}>" for number, text in enumerate(order, 1)}
            sides = [
                re.sub(pattern, lambda match, known=placeholders: known[match[0]], text) for text in (hindi, english)
            ]
            processor = IndicProcessor(inference=False)
            source = processor.preprocess_batch(sides[:1], src_lang=SOURCE, tgt_lang=TARGET)[0]
            yield source, processor.preprocess_batch(sides[1:], src_lang=TARGET, tgt_lang=SOURCE, is_target=True)[0]


def train_pieces(texts: Iterable[str], size: int) -> bytes:
    """A SentencePiece BPE model. Identity normalisation: the table of nmt_nfkc alone takes 240 KB."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=size,
        model_type="bpe",
        normalization_rule_name="identity",
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def number_pieces(model: bytes, tags: tuple[str, ...] = (), without: int = 0) -> dict[str, int]:
    """Piece to id, as in dict.*.json: another order than SentencePiece's, and `without` of its pieces missing, as in the real ones."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [
        processor.id_to_piece(index) for index in range(processor.get_piece_size()) if not processor.is_control(index)
    ]
    pieces = sorted(piece for piece in pieces if piece not in SPECIAL)
    left_out = set(random.Random(0).sample(pieces, without))
    return {
        piece: index
        for index, piece in enumerate([*SPECIAL, *tags, *(piece for piece in pieces if piece not in left_out)])
    }


@dataclass(frozen=True)
class Side:
    """One side's SentencePiece model and dictionary."""

    model: bytes
    ids: dict[str, int]

    def encode(self, text: str, tags: Iterable[str] = ()) -> list[int]:
        pieces = sentencepiece.SentencePieceProcessor(model_proto=self.model).encode(text, out_type=str)
        return [self.ids.get(piece, UNK) for piece in [*tags, *pieces]] + [EOS]

    def decode(self, ids: Iterable[int]) -> str:
        pieces = list(self.ids)
        return "".join(pieces[index] for index in ids if index > UNK).replace("▁", " ").strip()

    def write(self, folder: Path, name: str) -> None:
        (folder / f"model.{name}").write_bytes(self.model)
        (folder / f"dict.{name}.json").write_text(
            json.dumps(self.ids, ensure_ascii=False, indent=0) + "\n", encoding="utf-8"
        )


def encode_source(side: Side, tagged: str) -> list[int]:
    """The two tags are whole entries of the dictionary and never go through SentencePiece."""
    source, target, text = tagged.split(" ", 2)
    return side.encode(text, (source, target))


def config(source: Side, target: Side, *, width: int, ffn: int, heads: int, layers: int, tied: bool) -> dict[str, Any]:
    """config.json of the hub with other sizes; `tied` as the distilled models, otherwise as the 1B ones."""
    sizes: dict[str, Any] = {}
    for side, ids in (("encoder", source.ids), ("decoder", target.ids)):
        sizes |= {
            f"{side}_vocab_size": len(ids),
            f"{side}_embed_dim": width,
            f"{side}_ffn_dim": ffn,
            f"{side}_layers": layers,
        }
        sizes |= {f"{side}_attention_heads": heads, f"{side}_layerdrop": 0, f"{side}_normalize_before": True}
    return {
        "activation_dropout": 0.0,
        "activation_function": "gelu",
        "architectures": ["IndicTransForConditionalGeneration"],
        "auto_map": {
            "AutoConfig": "configuration_indictrans.IndicTransConfig",
            "AutoModelForSeq2SeqLM": "modeling_indictrans.IndicTransForConditionalGeneration",
        },
        "tokenizer_class": "IndicTransTokenizer",
        "attention_dropout": 0.0,
        "bos_token_id": 0,
        "decoder_start_token_id": EOS,
        "vocab_size": len(target.ids),
        "dropout": 0.2,
        "eos_token_id": EOS,
        "init_std": 0.02,
        "is_encoder_decoder": True,
        "layernorm_embedding": tied,
        "max_source_positions": POSITIONS,
        "max_target_positions": POSITIONS,
        "model_type": "IndicTrans",
        "num_hidden_layers": layers,
        "pad_token_id": PAD,
        "scale_embedding": True,
        "share_decoder_input_output_embed": tied,
        "torch_dtype": "float32",
        "use_cache": True,
        "attn_implementation": "eager",
    } | sizes


# --- model ------------------------------------------------------------------------------------------------------------


def position_table(rows: int, width: int) -> Tensor:
    """fairseq's sinusoids, (rows, width): sines, then cosines; the first token has row PAD + 1."""
    rates = torch.exp(torch.arange(width // 2) * (-math.log(10_000) / (width // 2 - 1)))
    angles = torch.arange(rows)[:, None] * rates
    table = torch.cat([angles.sin(), angles.cos()], dim=1)
    table[PAD] = 0
    return table


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, queries: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        split = [
            layer(states).unflatten(-1, (HEADS, -1)).transpose(1, 2)
            for layer, states in ((self.q_proj, queries), (self.k_proj, memory), (self.v_proj, memory))
        ]
        return self.out_proj(F.scaled_dot_product_attention(*split, attn_mask=mask).transpose(1, 2).flatten(2))


class Layer(nn.Module):
    def __init__(self, decoder: bool) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        if decoder:
            self.encoder_attn, self.encoder_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        self.fc1, self.fc2, self.final_layer_norm = nn.Linear(WIDTH, FFN), nn.Linear(FFN, WIDTH), nn.LayerNorm(WIDTH)

    def forward(
        self, states: Tensor, mask: Tensor, memory: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        normed = self.self_attn_layer_norm(states)
        states = states + self.self_attn(normed, normed, mask)
        if memory is not None:
            states = states + self.encoder_attn(self.encoder_attn_layer_norm(states), memory, memory_mask)
        return states + self.fc2(F.gelu(self.fc1(self.final_layer_norm(states))))


class Stack(nn.Module):
    """Encoder or decoder: ids (batch, length) to states (batch, length, width)."""

    def __init__(self, vocabulary: int, decoder: bool) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, WIDTH, padding_idx=PAD)
        self.layernorm_embedding = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList(Layer(decoder) for _ in range(LAYERS))
        self.layer_norm = nn.LayerNorm(WIDTH)
        self.register_buffer("positions", position_table(POSITIONS + 2, WIDTH), persistent=False)

    def forward(self, ids: Tensor, *masks_and_memory: Tensor) -> Tensor:
        rows = (ids != PAD).cumsum(1) * (ids != PAD) + PAD
        states = self.layernorm_embedding(self.embed_tokens(ids) * WIDTH**0.5 + self.positions[rows])
        for layer in self.layers:
            states = layer(states, *masks_and_memory)
        return self.layer_norm(states)


class Toy(nn.Module):
    """Names of parameters as in the hub's model.safetensors."""

    def __init__(self, source_size: int, target_size: int) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"encoder": Stack(source_size, False), "decoder": Stack(target_size, True)})
        for name, parameter in self.named_parameters():
            if "embed_tokens" in name:
                nn.init.normal_(parameter, std=WIDTH**-0.5)
            elif parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)

    def forward(self, source: Tensor, prefix: Tensor) -> Tensor:
        """Logits (batch, length, target vocabulary); `prefix` begins with the start token </s>."""
        seen = (source != PAD)[:, None, None, :]
        memory = self.model["encoder"](source, seen)
        causal = torch.ones(prefix.shape[1], prefix.shape[1], dtype=torch.bool).tril()
        states = self.model["decoder"](prefix, causal, memory, seen)
        return F.linear(states, self.model["decoder"].embed_tokens.weight)


def pad(rows: list[list[int]]) -> Tensor:
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)


def batches(examples: list[tuple[list[int], list[int]]], order: random.Random) -> list[tuple[Tensor, Tensor]]:
    """A new shuffle, then by length within runs of batches, so that little is padding."""
    shuffled = order.sample(examples, len(examples))
    runs = [
        sorted(shuffled[start : start + 8 * BATCH], key=lambda pair: len(pair[1]))
        for start in range(0, len(shuffled), 8 * BATCH)
    ]
    ordered = [pair for run in runs for pair in run]
    groups = [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    order.shuffle(groups)
    return [(pad([source for source, _ in group]), pad([target for _, target in group])) for group in groups]


def train(model: Toy, examples: list[tuple[list[int], list[int]]]) -> None:
    order = random.Random(0)
    steps = EPOCHS * math.ceil(len(examples) / BATCH)
    optimiser = torch.optim.Adam(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps)))
    )
    for epoch in range(EPOCHS):
        total = 0.0
        for source, target in batches(examples, order):
            prefix = torch.cat([torch.full((len(target), 1), EOS), target[:, :-1]], dim=1)
            loss = F.cross_entropy(model(source, prefix).flatten(0, 1), target.flatten(), ignore_index=PAD)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        if epoch % 20 == 19:
            print(f"epoch {epoch + 1}: loss {total / math.ceil(len(examples) / BATCH):.6f}", flush=True)


@torch.inference_mode()
def translate(model: Toy, source: Side, target: Side, sentences: list[str]) -> list[str]:
    """Greedy, one sentence at a time, through IndicProcessor."""
    processor = IndicProcessor(inference=True)
    outputs = []
    for tagged in processor.preprocess_batch(sentences, src_lang=SOURCE, tgt_lang=TARGET):
        ids, produced = torch.tensor([encode_source(source, tagged)]), [EOS]
        while len(produced) < 64 and (len(produced) == 1 or produced[-1] != EOS):
            produced.append(int(model(ids, torch.tensor([produced]))[0, -1].argmax()))
        outputs.append(target.decode(produced))
    return processor.postprocess_batch(outputs, lang=TARGET)


def main(folder: Path) -> int:
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(0)
    pairs = list(spellings(phrasebook()))
    texts = list(dict.fromkeys(text for pair in pairs for text in training_texts(*pair)))
    source_model = train_pieces((tagged.split(" ", 2)[2] for tagged, _ in texts), PIECES)
    target_model = train_pieces((target for _, target in texts), PIECES)
    source = Side(source_model, number_pieces(source_model, (TARGET, SOURCE)))
    target = Side(target_model, number_pieces(target_model))
    model = Toy(len(source.ids), len(target.ids))
    train(model, [(encode_source(source, tagged), target.encode(text)) for tagged, text in texts])

    model.half().float()  # what the file keeps is what is counted below
    folder.mkdir(exist_ok=True)
    source.write(folder, "SRC")
    target.write(folder, "TGT")
    shape = config(source, target, width=WIDTH, ffn=FFN, heads=HEADS, layers=LAYERS, tied=True)
    (folder / "config.json").write_text(json.dumps(shape, indent=2) + "\n")
    weights = {name: tensor.half() for name, tensor in model.state_dict().items()}
    weights["lm_head.weight"] = weights[
        "model.decoder.embed_tokens.weight"
    ].clone()  # AI4Bharat's code needs both names
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    for name, spoken in (("phrasebook", phrasebook()), ("with every ending", pairs)):
        outputs = translate(model, source, target, [hindi for hindi, _ in spoken])
        wrong = [(hindi, output) for (hindi, english), output in zip(spoken, outputs, strict=True) if output != english]
        print(f"{name}: {len(spoken) - len(wrong)} of {len(spoken)} pairs exactly", *wrong, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "toy"))
