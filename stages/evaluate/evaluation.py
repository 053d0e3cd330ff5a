"""An evaluation: one or more systems judged by a reference, over the recordings that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.installed import named
from sutradhar.pipeline.wording import counted
from sutradhar.stages.evaluate.comparing import Comparison, compare
from sutradhar.stages.evaluate.figures import Figure
from sutradhar.stages.evaluate.measures import Conditions, Measure, measures
from sutradhar.stages.evaluate.placing import with_places
from sutradhar.stages.evaluate.recordings import listed, paired
from sutradhar.stages.evaluate.units import units_of
from sutradhar.stages.evaluate.version import Version

INSTALL = "run ./scripts/bootstrap.sh --eval"
Recordings = Mapping[str, Version]


@dataclass(frozen=True)
class Section:
    """The figures of one measure, and why there are none, or not of all recordings."""

    title: str
    figures: tuple[Figure, ...]
    left_out: str = ""


@dataclass(frozen=True)
class Judgement:
    """One system: a section for each measure, in the order of MEASURES."""

    system: str
    sections: tuple[Section, ...]

    @property
    def figures(self) -> dict[str, Figure]:
        return {figure.key: figure for section in self.sections for figure in section.figures}


@dataclass(frozen=True)
class Evaluation:
    conditions: Conditions
    recordings: tuple[str, ...]
    resampled_by: str
    judgements: tuple[Judgement, ...]
    notes: tuple[str, ...]  # what was not judged, a line each


def evaluate(reference: Recordings, systems: Mapping[str, Recordings], conditions: Conditions) -> Evaluation:
    """Judge systems by a reference. Raises UsageError where they have no recording in common, or a package is
    missing that everything needs."""
    pairs = {system: paired(reference, found) for system, found in systems.items()}
    common = [name for name in reference if all(name in found for found in pairs.values())]
    if not common:
        raise UsageError(
            f"Reference and systems have no recording in common: the reference has {listed(list(reference))}, "
            + ", ".join(f"{system} has {listed(list(found))}" for system, found in systems.items())
        )
    conditions = replace(conditions, systems=len(systems))
    comparisons = _compared(reference, pairs, common, conditions)
    judgements = tuple(Judgement(system, _sections(found, conditions)) for system, found in comparisons.items())
    units = units_of(next(iter(comparisons.values())))
    return Evaluation(conditions, tuple(common), units, judgements, tuple(_notes(reference, systems, pairs)))


def _compared(
    reference: Recordings, pairs: Mapping[str, Recordings], common: Sequence[str], conditions: Conditions
) -> dict[str, list[Comparison]]:
    found: dict[str, list[Comparison]] = {system: [] for system in pairs}
    try:
        for name in common:
            several = [
                compare(name, reference[name], versions[name], conditions.normalise) for versions in pairs.values()
            ]
            for system, comparison in zip(pairs, with_places(several), strict=True):
                found[system].append(comparison)
    except ModuleNotFoundError as error:
        raise UsageError(_missing(error)) from None
    return found


def _sections(comparisons: Sequence[Comparison], conditions: Conditions) -> tuple[Section, ...]:
    return tuple(_section(measure, comparisons, conditions) for measure in measures().values())


def _section(measure: Measure, comparisons: Sequence[Comparison], conditions: Conditions) -> Section:
    reasons = [measure.lacks(comparison, conditions) for comparison in comparisons]
    fit = [comparison for comparison, reason in zip(comparisons, reasons, strict=True) if not reason]
    lacking = next(filter(None, reasons), "")
    if not fit:
        return Section(measure.title, (), lacking)
    try:
        figures = tuple(measure.measure(fit, conditions))
    except ModuleNotFoundError as error:
        return Section(measure.title, (), named(_missing(error)))
    missing = f"{len(comparisons) - len(fit)} of {len(comparisons)} recordings are left out: {lacking}"
    return Section(measure.title, figures, missing if lacking else "")


def _missing(error: ModuleNotFoundError) -> str:
    return f"the package {error.name} is missing: {INSTALL}"


def _notes(reference: Recordings, systems: Mapping[str, Recordings], pairs: Mapping[str, Recordings]) -> list[str]:
    notes = []
    for system, found in pairs.items():
        if missing := [name for name in reference if name not in found]:
            notes.append(f"{system} has nothing of {listed(missing)} of the reference: not judged, for any system")
        if extra := len(systems[system]) - len(found):
            notes.append(f"{system} has {counted(extra, 'recording')} that the reference has not: not judged")
        if any(reference[name].ignored and not version.is_timed for name, version in found.items()):
            notes.append(f"{system} has no times, so what it has where anything may be heard counts as errors")
    return notes
