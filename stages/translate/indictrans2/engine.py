"""Sentences to translations: IndicProcessor and SentencePiece around a generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from pipeline.models import ResolvedModel
from pipeline.settings import Settings
from stages.translate.indictrans2 import processor
from stages.translate.indictrans2.generator import Generator
from stages.translate.indictrans2.languages import TAGS
from stages.translate.indictrans2.tokenizer import Tokenizer
from stages.translate.translator import LONGEST, Search, Translation

SENTENCES_AT_ONCE = 512  # between two reports of progress; a generator makes its batches of them
MOST_PIECES = LONGEST - 2  # of a sentence with its tags; its end comes to them


def open_engine(settings: Settings, model: ResolvedModel) -> IndicTrans2:
    """Raises UsageError where the model's files are damaged, or the device does not compute so."""
    device, compute_type = settings.INDICTRANS2_DEVICE, settings.INDICTRANS2_COMPUTE_TYPE
    generator: Generator
    if device == "mps":
        from stages.translate.indictrans2.mlx import MlxTranslator

        generator = MlxTranslator(model.path, device, compute_type)
    else:
        from stages.translate.indictrans2.ct2 import CTranslate2

        generator = CTranslate2(model.path, device, compute_type)
    return IndicTrans2(generator, Tokenizer(model.path))


class IndicTrans2:
    """One checkpoint, and so one direction: from English, into English, or between the languages of India."""

    def __init__(self, generator: Generator, tokenizer: Tokenizer) -> None:
        self._generator, self._tokenizer = generator, tokenizer

    def translate(
        self, sentences: Sequence[str], source: str, target: str, search: Search, report: Callable[[int, int], None] = lambda done, total: None
    ) -> list[list[Translation]]:
        """The translations of each sentence, the best first; none of a blank one, nor of one that is too long for the model."""
        tagged, kept = processor.prepare(sentences, TAGS[source], TAGS[target])
        pieces = [self._tokenizer.split(text) for text in tagged]
        fitting = [number for number, sentence in enumerate(sentences) if sentence.strip() and len(pieces[number]) <= MOST_PIECES]
        order = sorted(fitting, key=lambda number: -len(pieces[number]))
        found: list[list[Translation]] = [[] for _ in sentences]
        waiting = iter(order)
        done = 0
        while some := list(islice(waiting, SENTENCES_AT_ONCE)):
            generated = self._generator.generate([pieces[number] for number in some], search)
            texts = [self._tokenizer.join(one.pieces) for hypotheses in generated for one in hypotheses]
            owners = [number for number, hypotheses in zip(some, generated, strict=True) for _ in hypotheses]
            finished = processor.finish(texts, [kept[number] for number in owners], TAGS[target])
            scores = [one.score for hypotheses in generated for one in hypotheses]
            for number, text, score in zip(owners, finished, scores, strict=True):
                found[number].append(Translation(text, score))
            done += len(some)
            report(done, len(order))
        return found
