"""The stages of a job, and for each of them the artifacts that it reads and writes and the settings that count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sutradhar.pipeline.jobs.envfile import to_text
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Stage

FILE_NAMES = {  # kinds that do not lie in `<kind>.json`
    "sound": "audio.wav",
    "translations": "transcripts.json",
    "recognised": "done.json",
}


@dataclass(frozen=True)
class Step:
    """A stage in its place in the list of one job."""

    stage: Stage
    reads: Mapping[str, str]  # by kind, the path below the job's `stages/` folder
    writes: Mapping[str, str]  # likewise
    settings: Mapping[str, str]  # those that change the result, as text
    values: Mapping[str, Any]  # all that the stage is given: `settings`, and those that change only speed or memory

    @property
    def name(self) -> str:
        return self.stage.name


def steps_of(workflows: Mapping[str, Sequence[Stage]], settings: Settings) -> list[Step]:
    """Return the stages that the job has, each with the artifacts that were made last before it.
    Raises LookupError for a kind that no stage before it writes."""
    latest: dict[str, str] = {}
    steps = []
    for stage in workflows[settings.workflow]:
        if stage.wanted(settings):
            step = _step(stage, latest, settings)
            latest |= step.writes
            steps.append(step)
    return steps


def _step(stage: Stage, latest: Mapping[str, str], settings: Settings) -> Step:
    unused = stage.unused(settings)
    reads = [kind for kind in stage.reads if kind not in unused]
    for kind in reads:
        if kind not in latest:
            raise LookupError(f"stage {stage.name} reads {kind}, which no stage before it writes")
    return Step(
        stage,
        reads={kind: latest[kind] for kind in reads},
        writes={kind: f"{stage.name}/{_file_name(kind)}" for kind in stage.writes if kind not in unused},
        settings={key: to_text(getattr(settings, key)) for key in stage.settings if key not in unused},
        values={key: getattr(settings, key) for key in (*stage.settings, *stage.tuning) if key not in unused},
    )


def _file_name(kind: str) -> str:
    return FILE_NAMES.get(kind, f"{kind}.json")
