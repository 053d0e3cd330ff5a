"""The way from text to tokens and back: SentencePiece cuts the pieces, the checkpoint's dictionaries number them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from sutradhar.pipeline.errors import UsageError

START, PADDING, END, UNKNOWN = "<s>", "<pad>", "</s>", "<unk>"
BLANK = "▁"  # SentencePiece's sign for the space before a word
PLACES = (".", "vocab", "../vocab")  # of the SentencePiece models, from the folder of the weights


class IndicTokenizer:
    def __init__(self, folder: Path) -> None:
        """Load the models. Raises UsageError where a file is missing or damaged."""
        from sentencepiece import SentencePieceProcessor

        paths = [_find(folder, name) for name in ("model.SRC", "model.TGT")]
        try:
            self._source, self._target = (SentencePieceProcessor(model_file=str(path)) for path in paths)
        except (OSError, RuntimeError):
            raise UsageError(f"{paths[0].parent}: model.SRC or model.TGT is damaged; get the model again") from None

    def split(self, tagged: str) -> list[str]:
        """Split the output of `processor.prepare`: the two language tags, which are tokens themselves, and the pieces
        of the sentence."""
        source, target, sentence = tagged.split(" ", 2)
        return [source, target, *self._source.encode(sentence, out_type=str)]

    def split_target(self, sentence: str) -> list[str]:
        return list(self._target.encode(sentence, out_type=str))

    def join(self, pieces: Sequence[str]) -> str:
        return "".join(pieces).replace(BLANK, " ").strip()


class Dictionary:
    """The numbers of one side's tokens."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Read `dict.SRC.json` or `dict.TGT.json`, of so many tokens. Raises UsageError."""
        try:
            self._numbers: dict[str, int] = json.loads(path.read_bytes())
            self.tokens = sorted(self._numbers, key=self._numbers.__getitem__)
            self.start, self.padding, self.end, self.unknown = (
                self._numbers[token] for token in (START, PADDING, END, UNKNOWN)
            )
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            raise UsageError(f"{path} is missing or damaged; get the model again") from None
        if size is not None and sorted(self._numbers.values()) != list(range(size)):
            raise UsageError(f"{path} does not number {size} tokens, as config.json says; get the model again")

    def numbers(self, pieces: Sequence[str]) -> list[int]:
        return [self._numbers.get(piece, self.unknown) for piece in pieces]


def _find(folder: Path, name: str) -> Path:
    for place in PLACES:
        if (folder / place / name).is_file():
            return folder / place / name
    raise UsageError(f"{folder} has no {name}; get the model again")
