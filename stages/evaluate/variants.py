"""Spellings of a person's own that count as the same word: a file with a line a word, its spellings parted by tabs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import read_file
from sutradhar.stages.evaluate.normalise import Normaliser


def read_variants(path: Path, normalise: Normaliser) -> Mapping[str, str]:
    """Return for each spelling but the first of its line the first, all normalised. Raises UsageError, and OSError."""
    found: dict[str, str] = {}
    for count, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("#"):
            continue
        first, *others = (normalise(spelling) for spelling in line.split("\t"))
        if not others or not first:
            raise UsageError(f"{path}: line {count} has no tab between two spellings")
        found.update({other: first for other in others if other and other != first})
    return found


def _lines(path: Path) -> list[str]:
    try:
        return read_file(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{path}: is not text in UTF-8") from None


def with_variants(normalise: Normaliser, variants: Mapping[str, str]) -> Normaliser:
    """Return the normaliser that also writes every variant as the first spelling of its line."""
    if not variants:
        return normalise
    longest_first = sorted(variants, key=len, reverse=True)
    found = re.compile(rf"(?<!\S)(?:{'|'.join(map(re.escape, longest_first))})(?!\S)")
    return lambda text: found.sub(lambda match: variants[match[0]], normalise(text))
