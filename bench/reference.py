"""The content of a composed recording, piece by piece: written as JSON, and as STM for other scorers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Piece:
    """A stretch of a recording, in ms of it. A bed of music lies under the pieces that are spoken over it."""

    kind: str
    start_ms: int
    end_ms: int
    name: str  # of the file it comes from, or of the sound that was made
    level_db: float  # RMS of its loud parts, in dB of full scale
    text: str = ""  # what is said, "" where nobody speaks
    snr_db: float | None = None  # over the bed of music, where there is one
    optional: tuple[tuple[int, int], ...] = ()  # in it somebody says more than the text has


@dataclass(frozen=True)
class Reference:
    """A recording with its pieces, in the order in which they begin."""

    seed: int
    language: str
    duration_ms: int
    sha256: str  # of the samples
    pieces: tuple[Piece, ...]

    @property
    def spoken(self) -> tuple[Piece, ...]:
        return tuple(piece for piece in self.pieces if piece.text)

    @property
    def optional(self) -> Spans:
        return [span for piece in self.pieces for span in piece.optional]

    def save(self, path: Path) -> None:
        """Write `path`, and the same as STM beside it."""
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        lines = [_stm(piece.kind, (piece.start_ms, piece.end_ms), piece.text) for piece in self.spoken]
        lines += [_stm("optional", span, "IGNORE_TIME_SEGMENT_IN_SCORING") for span in self.optional]
        path.with_suffix(".stm").write_text("".join(lines), encoding="utf-8")


def _stm(kind: str, span: tuple[int, int], text: str) -> str:
    label = kind.replace(" ", "_")  # spaces part the fields
    return f"film 1 {label} {span[0] / 1000:.3f} {span[1] / 1000:.3f} <o,{label}> {text}\n"


def read_reference(path: Path) -> Reference:
    row = json.loads(path.read_text(encoding="utf-8"))
    pieces = [Piece(**{**piece, "optional": tuple(map(tuple, piece["optional"]))}) for piece in row.pop("pieces")]
    return Reference(**row, pieces=tuple(pieces))
