"""The rules of a profile that the cues break, with no need of a reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sutradhar.stages.cues.check import check
from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.evaluate.comparing import Comparison
from sutradhar.stages.evaluate.figures import Addend, Figure, ratio
from sutradhar.stages.evaluate.measures import Conditions, Measure
from sutradhar.stages.transcript import Span


def lacks(comparison: Comparison, _: Conditions) -> str:
    return "" if comparison.hypothesis.cues else "it has no cues"


def measure(comparisons: Sequence[Comparison], conditions: Conditions) -> Iterator[Figure]:
    rules = rules_for(conditions.profile, conditions.language, conditions.fps)
    parts, broken = list[Addend](), Counter[str]()
    for comparison in comparisons:
        cues = comparison.hypothesis.cues
        found = check(cues, rules, Span(0, max(cue.end_ms for cue in cues)))
        hard = {violation.cue for violation in found if violation.hard}
        parts.append(Addend(len(hard), len(cues)))
        broken.update(violation.rule for violation in found)
    yield Figure("cues", "cues", sum(part.below for part in parts), digits=0)
    yield ratio("cues_broken", f"cues that break {conditions.profile}'s rules", parts)
    for rule in sorted(broken):
        yield Figure(f"broken_{rule.replace('-', '_')}", f"cues that break {rule}", broken[rule], digits=0)


MEASURE = Measure("compliance", lacks, measure)
