"""The declaration of a stage, and the context that it is handed.

A stage is a function from artifacts and settings to artifacts. It knows neither its place in a workflow nor
markers, locks, logs or folders: the runner does. To add one, write `stages/film/<name>.py` with one `STAGE =
Stage(...)` and put its name into a list in `stages/__init__.py`. Settings of its own it declares in a struct,
`own_settings`; the job's `.env`, `--set` and docs/settings.md then have them. It is given the settings in
`settings` and `tuning` and the models in `models`, which the runner has found or fetched, and no others.

An artifact has a kind, such as "transcript". A stage that reads a kind is handed the artifact of it that was made last
before the stage in the list; so a stage that reads and writes transcripts takes effect on all that come after it. The
file lies below the job's `stages/` folder, in the folder of the stage that wrote it: `align/transcript.json`.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sutradhar.pipeline.errors import StageFailed
from sutradhar.pipeline.files import room, takes_no_file
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.pipeline.progress import REAL_TIME, Progress
from sutradhar.pipeline.wording import size as in_words

MAX_STEM = 220  # bytes


@dataclass(frozen=True)
class Outcome:
    """The report of a run that succeeded, for the completion marker and the summary."""

    summary: str  # one line for the log, without transcript text: "Transcription completed: 150 segments"
    # What was really used: backend, device, model, model_revision, compute_type.
    engine: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()  # distributions whose versions belong in the marker: ("numpy",)
    degraded: tuple[str, ...] = ()  # one line for the user for each designed fallback that was taken
    seconds_of_media: float | None = None  # how much media the stage worked through, for its real-time factor
    failures: str = ""  # set where some of many files failed: one line for the user, and the run ends with 1


@dataclass(frozen=True)
class Standing:
    """The progress of a stage, whoever works on it."""

    text: str
    is_new: bool  # whether something was added since the stage was last done


@dataclass(frozen=True)
class StageContext:
    """One run of one stage."""

    stage: Stage
    settings: Settings
    media: Path
    reads: Mapping[str, str]  # by kind, the path of each artifact below `artifacts`
    writes: Mapping[str, str]  # likewise below `scratch`
    artifacts: Path  # the job's `stages/` folder
    scratch: Path  # empty, private to this run, removed after it
    deliverables: Path  # where files for the user are written until the runner publishes them
    models: Path  # the folder that models are looked for in
    resolved: Mapping[ModelNeed, ResolvedModel]  # the models that the stage needs
    # A file of what earlier runs of the same inputs and settings have done already: see `pipeline/jobs/pieces.py`.
    pieces: Path
    log: logging.Logger
    report: Callable[[Progress], None] = lambda progress: None
    verify: bool = False  # whether to read every file in full, whatever its size and date say

    @property
    def stem(self) -> str:
        """Return the beginning of the names of deliverables: the film's own name, shortened where a file system
        (255 bytes) would refuse them."""
        return self.media.stem.encode()[:MAX_STEM].decode(errors="ignore")

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """Return the folders of all jobs, of their results, and of models: no recordings of the user are in there."""
        return self.artifacts.parent.parent, self.deliverables.parent.parent, self.models

    def read(self, kind: str) -> Path:
        """Return the file of a kind of artifact that the stage has declared in `reads`."""
        if kind not in self.reads:
            raise LookupError(f"stage {self.stage.name} does not declare that it reads {kind}")
        return self.artifacts / self.reads[kind]

    def write(self, kind: str) -> Path:
        """Return the path to write a kind of artifact to that the stage has declared in `writes`."""
        if kind not in self.writes:
            raise LookupError(f"stage {self.stage.name} does not declare that it writes {kind}")
        path = self.scratch / self.writes[kind]
        path.parent.mkdir(exist_ok=True)
        return path

    def model(self, need: ModelNeed) -> ResolvedModel:
        """Return a model that the stage has declared in `models`."""
        if need not in self.resolved:
            raise LookupError(f"stage {self.stage.name} does not declare that it loads {need.name} ({need.form})")
        return self.resolved[need]

    def keep(self, name: str) -> Path:
        """Return a file or folder in the job's folder that the stage has declared in `keeps`, as earlier runs left
        it."""
        if name not in self.stage.keeps:
            raise LookupError(f"stage {self.stage.name} does not declare that it keeps {name}")
        return self.artifacts.parent / name

    def tree(self, name: str) -> Path:
        """Return a folder under `out/<job-id>/` that the stage has declared in `trees`, as earlier runs left it."""
        if name not in self.stage.trees:
            raise LookupError(f"stage {self.stage.name} does not declare that it fills {name}")
        return self.deliverables.parent / name

    def job_file(self, name: str) -> Path:
        """Return a file of the user's in the job's folder, which the stage has declared in `files`."""
        if name not in self.stage.files(self.settings):
            raise LookupError(f"stage {self.stage.name} does not declare that it reads {name}")
        return self.artifacts.parent / name

    def deliver(self, name: str) -> Path:
        """Return where to write a file for the user, such as `film.en.srt`; it appears under `out/<job-id>/`."""
        return self.deliverables / name

    def check_room(self, path: Path, size: int) -> None:
        """Refuse to begin a file of about `size` bytes that `path` has no room for. Raises StageFailed."""
        disk = shutil.disk_usage(path.parent)
        if disk.total and disk.free < size:  # some network file systems say 0 of 0
            needed = f"{path.name} needs about {in_words(size)}, {in_words(disk.free)} are free"
            raise StageFailed(f"No space left on device: {needed}; make room and run the same command again")
        if takes_no_file(path.parent):
            raise StageFailed(
                f"No space left on device for {path.name}: {room(path.parent)}; "
                "remove files and run the same command again"
            )

    def progress(
        self,
        done: float,
        total: float,
        *,
        already: float = 0.0,
        unit: str = REAL_TIME,
        note: str = "",
        now: str = "",
        left: float | None = None,
        kept: str = "",
    ) -> None:
        """Tell how far the work is, in seconds of media or else in `unit`; `already` were done before this run.
        `left`: seconds to go, where they are not in proportion. `kept`: what the next run would find if this one
        ended here."""
        self.report(Progress(done, total, already, unit, note, now, left, kept))


@dataclass(frozen=True)
class ModelNeed:
    """A model that a stage will load."""

    name: str  # a size, a hub id or a folder
    form: str  # a key of `models.folder.FORMS`: which files it must hold


@dataclass(frozen=True)
class EngineNeed:
    """A recogniser that a stage will load, or a translator on the same library, and where it is to run."""

    backend: str  # a key of `engines.ENGINES`
    device: str  # cpu, cuda or mps
    setting: str = "WHISPERX_DEVICE"  # the setting that names the device
    # Of a translator, the settings that work on every machine; what a recogniser can do here the machine itself knows.
    everywhere: str = ""


@dataclass(frozen=True)
class Stage:
    name: str
    run: Callable[[StageContext], Outcome]
    reads: tuple[str, ...] = ()  # kinds of artifacts
    writes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()  # the settings that change the result: a change makes the stage run again
    tuning: tuple[str, ...] = ()  # the settings that change only speed or memory
    # The settings that this stage adds, described as in `pipeline/jobs/settings.py`.
    own_settings: type[msgspec.Struct] | None = None
    wanted: Callable[[Settings], bool] = lambda settings: True  # whether a job has this stage at all
    unused: Callable[[Settings], tuple[str, ...]] = lambda settings: ()  # kinds and settings without effect in a job
    reads_media: bool = False  # the user's own file is an input too
    # Names in the job's folder: written piece by piece, each whole, and there for the next run.
    keeps: tuple[str, ...] = ()
    trees: tuple[str, ...] = ()  # folders under out/<job-id>/ that are filled in the same way
    sets_pace: bool = False  # whether the speed of a run is told by what this stage works through
    in_pieces: bool = False  # whether it keeps finished pieces in `StageContext.pieces` until it is complete
    always: bool = False  # whether every run asks it, since it looks for what is new
    check: Callable[[Settings], None] = lambda settings: None  # raises UsageError for settings that it cannot work with
    # Checks that the film allows the settings; raises UsageError.
    foresee: Callable[[Path, Settings], tuple[str, ...]] = lambda media, settings: ()
    models: Callable[[Settings], tuple[ModelNeed, ...]] = lambda settings: ()  # models to have before the run starts
    # Names of the user's files in the job's folder: inputs too.
    files: Callable[[Settings], tuple[str, ...]] = lambda settings: ()
    check_file: Callable[[Path], object] = lambda path: None  # raises UsageError for one that it cannot read
    # Tells how far it is by what it keeps in the job's folder, whoever did it.
    standing: Callable[[Path, Settings], Standing | None] = lambda folder, settings: None
    # Engines that this machine must be able to run.
    engines: Callable[[Settings], tuple[EngineNeed, ...]] = lambda settings: ()
