"""The way from sentences to translations: IndicProcessor and SentencePiece around a generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.film.translate.indictrans2 import processor
from sutradhar.stages.film.translate.indictrans2.generator import Generator
from sutradhar.stages.film.translate.indictrans2.languages import TAGS
from sutradhar.stages.film.translate.indictrans2.tokenizer import IndicTokenizer
from sutradhar.stages.film.translate.translator import LONGEST, BeamSearch, Translation

SENTENCES_AT_ONCE = 512  # the most in a batch, after which progress is reported
MAX_PIECES = LONGEST - 2  # of a sentence with its tags; its end comes to them


def open_engine(settings: Settings, model: ResolvedModel) -> IndicTrans2:
    """Open the engine. Raises UsageError where the model's files are damaged, or the device does not compute so."""
    device, compute_type = settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE
    generator: Generator
    if device == "mps":
        from sutradhar.stages.film.translate.indictrans2.mlx import MlxTranslator

        generator = MlxTranslator(model.path, device, compute_type)
    else:
        from sutradhar.stages.film.translate.indictrans2.ct2 import CTranslate2

        generator = CTranslate2(model.path, device, compute_type)
    return IndicTrans2(generator, IndicTokenizer(model.path))


class IndicTrans2:
    """One checkpoint, and so one direction: from English, into English, or between the languages of India."""

    def __init__(self, generator: Generator, tokenizer: IndicTokenizer) -> None:
        self._generator, self._tokenizer = generator, tokenizer

    def translate(
        self,
        sentences: Sequence[str],
        source: str,
        target: str,
        search: BeamSearch,
        report: Callable[[int, int], None] = lambda done, total: None,
        known: Mapping[int, list[Translation]] = MappingProxyType({}),
        keep: Callable[[Mapping[int, list[Translation]]], None] = lambda batch: None,
    ) -> list[list[Translation]]:
        """Translate as `BatchTranslator` says."""
        tagged, kept = processor.prepare(sentences, TAGS[source], TAGS[target])
        pieces = [self._tokenizer.split(text) for text in tagged]
        fitting = [
            number
            for number, sentence in enumerate(sentences)
            if sentence.strip() and len(pieces[number]) <= MAX_PIECES
        ]
        order = sorted(fitting, key=lambda number: -len(pieces[number]))
        found: list[list[Translation]] = [[] for _ in sentences]
        done = 0
        for batch in _batches(order, pieces, self._generator.tokens_at_once):
            if any(number not in known for number in batch):
                translated = self._translate(
                    [pieces[number] for number in batch], [kept[number] for number in batch], TAGS[target], search
                )
                keep(dict(zip(batch, translated, strict=True)))
            else:
                translated = [known[number] for number in batch]
            for number, hypotheses in zip(batch, translated, strict=True):
                found[number] = hypotheses
            done += len(batch)
            report(done, len(order))
        return found

    def _translate(
        self, batch: Sequence[Sequence[str]], kept: Sequence[Sequence[str]], tag: str, search: BeamSearch
    ) -> list[list[Translation]]:
        generated = self._generator.generate(batch, search)
        texts = [self._tokenizer.join(one.pieces) for hypotheses in generated for one in hypotheses]
        finished = iter(
            processor.finish(
                texts, [own for own, hypotheses in zip(kept, generated, strict=True) for _ in hypotheses], tag
            )
        )
        return [[Translation(next(finished), one.score) for one in hypotheses] for hypotheses in generated]


def _batches(order: Sequence[int], pieces: Sequence[Sequence[str]], tokens_at_once: int) -> Iterator[list[int]]:
    """Yield sentences in an order that has the longest first, as many together as a generator takes at once."""
    begin = 0
    while begin < len(order):
        longest = len(pieces[order[begin]]) + 1  # with its end
        size = max(1, min(SENTENCES_AT_ONCE, tokens_at_once // longest))
        yield list(order[begin : begin + size])
        begin += size
