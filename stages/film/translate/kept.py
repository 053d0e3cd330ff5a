"""A translator that keeps its translations, batch by batch, so that an interrupted film goes on with the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple

from sutradhar.pipeline.jobs.pieces import Pieces
from sutradhar.stages.film.translate.translator import BatchTranslator, BeamSearch, Translation

SCHEMA = 1  # of the kept translations: another one whenever translations mean something else


class KeptTranslator:
    """A `Translator` by way of a `BatchTranslator`, which is loaded when there is something to translate, and not
    before."""

    def __init__(
        self, load: Callable[[], BatchTranslator], pieces: Pieces, tell_known: Callable[[int, int], None]
    ) -> None:
        """Take the loader. `tell_known` is told at each call how many of its sentences earlier runs have translated,
        and of how many."""
        self._load, self._pieces, self._tell_known = load, pieces, tell_known
        self._loaded: BatchTranslator | None = None

    def translate(
        self,
        sentences: Sequence[str],
        source: str,
        target: str,
        search: BeamSearch,
        report: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[list[Translation]]:
        """Translate as `Translator` says. Raises OSError where the disk is full."""
        keys = [" ".join(map(str, (source, target, *astuple(search), sentence))) for sentence in sentences]
        known = {
            number: found
            for number, key in enumerate(keys)
            if (found := self._pieces.get(key, list[Translation])) is not None
        }
        self._tell_known(len(known), len(sentences))
        if len(known) == len(sentences):
            report(len(known), len(known))
            return [known[number] for number in range(len(known))]

        def keep(batch: Mapping[int, list[Translation]]) -> None:
            self._pieces.keep({keys[number]: found for number, found in batch.items()})

        self._loaded = self._loaded or self._load()
        return self._loaded.translate(sentences, source, target, search, report, known, keep)
