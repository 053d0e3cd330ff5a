"""chrF++ (Popović 2017), and BLEU for a translation, by sacrebleu: of lines where both sides have as many, else of the
reference's utterances, among which the system's words are divided by the fewest edits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sutradhar.stages.evaluate import for_suber
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, Measure, lacks_text


def lacks(comparison: Comparison, _: Conditions) -> str:
    reason = lacks_text(comparison)
    return reason or ("" if comparison.said else "the reference has no words")


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    pairs = [pair for comparison in comparisons for pair in _pairs(comparison, conditions.language) if pair[0]]
    said, heard = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    yield Figure("chrf", "chrF++", CHRF(word_order=2).corpus_score(heard, [said]).score)
    if conditions.is_translation:
        yield Figure("bleu", "BLEU", BLEU(trg_lang=conditions.language).corpus_score(heard, [said]).score)


def _pairs(comparison: Comparison, language: str) -> Iterator[tuple[str, str]]:
    """Yield what is said, and what was heard of it."""
    said, heard = comparison.reference, comparison.hypothesis
    if len(said.utterances) == len(heard.utterances) and not heard.is_timed:
        yield from ((one.text, other.text) for one, other in zip(said.utterances, heard.utterances, strict=True))
        return
    if len(said.utterances) == 1:
        yield said.utterances[0].text, " ".join(one.text for one in heard.utterances)
        return
    from suber.hyp_to_ref_alignment import levenshtein_align_hypothesis_to_reference

    segments = (for_suber.segments_of(side) for side in (heard, said))
    divided = levenshtein_align_hypothesis_to_reference(*segments, language)
    for one, other in zip(said.utterances, divided, strict=True):
        yield one.text, " ".join(word.string for word in other.word_list)


MEASURE = Measure("chrF", lacks, measure)
