"""The models that the stages of a job need."""

from __future__ import annotations

from collections.abc import Callable

from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import ModelNeed
from sutradhar.pipeline.models import library
from sutradhar.pipeline.models.form import ResolvedModel


class JobModels:
    """A finder that looks for each model once, whoever asks for it: what checks it, the marker that names its files,
    and the stage that loads it mean the same folder."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self._folder, self._offline = job.workspace.models, settings.OFFLINE
        self._found: dict[ModelNeed, ResolvedModel] = {}

    def find(self, need: ModelNeed) -> ResolvedModel | None:
        """Look on this machine only. Raises UsageError where a folder is named that is no such model."""
        known = self._found.get(need)
        if known and known.path.is_dir():  # in the hours of a run somebody may have taken it away
            return known
        found = library.find(need.name, need.form, models_dir=self._folder)
        if found:
            self._found[need] = found
        return found

    def resolve(self, need: ModelNeed, say: Callable[[str], None]) -> ResolvedModel:
        """Return the model, fetched if need be, of which `say` is told. Raises UsageError."""
        found = self.find(need) or library.resolve(
            need.name, need.form, models_dir=self._folder, offline=self._offline, say=say
        )
        self._found[need] = found
        return found
