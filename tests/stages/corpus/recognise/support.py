"""What most of these tests need: a task, a set-up, a segment, a corpus on the disk."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from sutradhar.pipeline.jobs.settings import Settings, declared_settings
from sutradhar.pipeline.jobs.stage import ModelNeed, StageContext
from sutradhar.pipeline.jobs.workflow import Step
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.progress import Progress
from sutradhar.stages.corpus import manifest, recognise, results
from sutradhar.stages.corpus.manifest import Recording
from sutradhar.stages.corpus.recognise.messages import Setup, Task
from sutradhar.stages.corpus.results import Result, Store
from sutradhar.stages.transcript import Segment, Word
from tests.stages.run_stage import step_of


def task(name: str, duration_ms: int = 1000, attempts: int = 0) -> Task:
    return Task(id=sha(name), paths=(name,), duration_ms=duration_ms, attempts=attempts)


def sha(name: str) -> str:
    """As long as a real one, and readable."""
    return name.encode().hex().ljust(64, "0")


def recognise_step(**settings: object) -> Step:
    return step_of(recognise.STAGE, Settings(**{"WORKFLOW": "corpus", **settings}))  # type: ignore[arg-type]


def setup(tmp_path: Path, folder: Path | None = None, models: Path | None = None, **settings: object) -> Setup:
    Store(tmp_path / "results", {}).create()
    return Setup(
        values=dict(recognise_step(**{"SOURCE_LANGUAGE": "en", "WHISPER_BEAM_SIZE": 1, **settings}).values),
        folder=folder or tmp_path,
        results=tmp_path / "results",
        made_with={},
        tree=tmp_path / "tree",
        model=ResolvedModel((models or tmp_path) / "base", "base", "", "ct2"),
        spool=tmp_path,
    )


def segment(text: str, start_ms: int = 0, speaker: str = "", language: str = "en") -> Segment:
    """Words of 200 ms each."""
    pieces = [word if number == 0 else f" {word}" for number, word in enumerate(text.split())]
    words = tuple(
        Word(piece, start_ms + 200 * number, start_ms + 200 * number + 200, 0.9) for number, piece in enumerate(pieces)
    )
    return Segment(0, start_ms, words[-1].end_ms, text, words, language, 1.0, -0.25, 0.01, 1.2, 0.0, speaker=speaker)


def result(name: str, *segments: Segment, status: str = "done", reason: str = "", attempts: int = 1) -> Result:
    return Result(
        id=sha(name),
        status=status,
        reason=reason,
        attempts=attempts,
        duration_ms=5000,
        language="en",
        segments=segments,
    )  # type: ignore[arg-type]


@dataclass
class Folder:
    """A job on a folder of recordings, as scan leaves it."""

    path: Path
    rows: Sequence[Recording]
    told: list[Progress] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("job/stages", "job/scratch", "out/.tmp"):
            (self.path / name).mkdir(parents=True)
        manifest.rewrite(self.manifest, self.rows)

    @property
    def manifest(self) -> Path:
        return self.path / "job" / manifest.FILE

    @property
    def tree(self) -> Path:
        return self.path / "out" / recognise.TREE

    def context(self, **settings: object) -> StageContext:
        step = recognise_step(**settings)
        return StageContext(
            stage=step.stage,
            settings=declared_settings(step.name, step.values),
            media=self.path,
            reads=step.reads,
            writes=step.writes,
            artifacts=self.path / "job" / "stages",
            scratch=self.path / "job" / "scratch",
            deliverables=self.path / "out" / ".tmp",
            models=self.path,
            resolved={ModelNeed("base", "ct2"): ResolvedModel(self.path / "base", "base", "", "ct2")},
            pieces=self.path / "pieces",
            log=logging.getLogger("test"),
            report=self.told.append,
        )

    def store(self, made_with: Mapping[str, str] | None = None, *, mix: bool = False) -> Store:
        store = Store(self.path / "job" / results.FOLDER, made_with or {"WHISPER_MODEL": "base"}, mix=mix)
        store.create()
        return store

    def statuses(self) -> dict[str, str]:
        return {row.path: row.status for row in manifest.read(self.manifest).values()}


def row(path: str, duration_ms: int = 1000, of: str = "", **values: object) -> Recording:
    """`of`: the recording that it is a copy of."""
    recording = Recording(path=path, id=sha(of or path), bytes=100, mtime_ns=1, duration_ms=duration_ms)
    return replace(recording, **values)
