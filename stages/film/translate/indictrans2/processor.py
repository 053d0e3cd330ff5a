"""The work of AI4Bharat's IndicProcessor before and after the model: punctuation, digits, normalisation, one script
for all of India's.

Its placeholders are switched off (see `placeholders`). They go through a queue inside it, which its second half
empties even so, and waits for when it is empty: each call here has a separate processor, whose queue holds as many
empty maps as there are sentences.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from sutradhar.stages.film.translate.indictrans2 import placeholders

PACKAGE = "IndicTransToolkit"


def prepare(sentences: Sequence[str], source: str, target: str) -> tuple[list[str], list[list[str]]]:
    """Return sentences as the tokenizer takes them, tags (`hin_Deva`) in front, and the texts that their placeholders
    stand for."""
    taken_out = [placeholders.take_out(placeholders.ascii_digits(sentence)) for sentence in sentences]
    prepared = _processor_class()(inference=False).preprocess_batch(
        [text for text, _ in taken_out], src_lang=source, tgt_lang=target
    )
    return prepared, [kept for _, kept in taken_out]


def finish(translations: Sequence[str], kept: Sequence[Sequence[str]], target: str) -> list[str]:
    """Return the model's text as people write it, placeholders put back."""
    processor = _processor_class()(inference=True)
    processor.preprocess_batch(["x"] * len(translations), src_lang="eng_Latn", tgt_lang="eng_Latn")
    whole = [placeholders.put_back(text, texts) for text, texts in zip(translations, kept, strict=True)]
    finished: list[str] = processor.postprocess_batch(whole, lang=target)
    return finished


@lru_cache
def _processor_class() -> Any:
    """Return the class alone: importing the package would load transformers, with which it does not always go."""
    package = importlib.util.find_spec(PACKAGE)
    places = [Path(place) for place in package.submodule_search_locations or ()] if package else []
    path = next((path for place in places for path in sorted(place.glob("processor.*.so"))), None)
    if path is None:
        raise ImportError(f"{PACKAGE} has no compiled processor")
    name = f"{PACKAGE}.processor"
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module.IndicProcessor
