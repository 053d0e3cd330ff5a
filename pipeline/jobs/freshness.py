"""Find out whether what a stage has made is still what it would make now."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import FileRecord
from sutradhar.pipeline.jobs import markers
from sutradhar.pipeline.jobs.envfile import to_text
from sutradhar.pipeline.jobs.job import Job
from sutradhar.pipeline.jobs.job_models import JobModels
from sutradhar.pipeline.jobs.markers import MEDIA, Marker, name_of_model_file
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.jobs.stage import Stage
from sutradhar.pipeline.jobs.workflow import Step
from sutradhar.pipeline.media.watch import read_whole_file


def staleness(
    job: Job,
    step: Step,
    marker: Marker,
    settings: Settings,
    models: JobModels,
    media_record: FileRecord | None,
    *,
    verify: bool = False,
) -> str:
    """Say why a stage that has a marker is not done all the same; "" where it is done."""
    stage = step.stage
    if stage.reads_media and (whole := read_whole_file(job.folder)) and marker.started_at < whole.since:
        return f"the {MEDIA} file changed"
    artifacts = {name: job.artifacts / name for name in (*step.writes.values(), *marker.outputs)}
    reason = markers.why_stale(
        marker,
        settings=_known_to(marker, step.settings),
        inputs={name: job.artifacts / name for name in step.reads.values()},
        looked_at=outside_records(job, stage, settings, models)
        | ({MEDIA: media_record} if stage.reads_media and media_record else {}),
        outputs=artifacts | {name: job.deliverables / name for name in marker.deliverables},
        verify=verify,
    )
    return reason or ("it was asked for again, and interrupted" if _begun_since(job, stage, marker) else "")


def _known_to(marker: Marker, values: Mapping[str, str]) -> dict[str, str]:
    """Leave out the settings that came after the marker was written, as long as they are at their defaults: a new
    version is no reason to do hours of work again."""
    usual = Settings()
    return {
        key: value
        for key, value in values.items()
        if key in marker.settings or value != to_text(getattr(usual, key, None))
    }


def _begun_since(job: Job, stage: Stage, marker: Marker) -> bool:
    """Return whether another run of the same has begun since, and left pieces that it did not complete."""
    pieces = job.pieces_path(stage.name, markers.fingerprint(marker.inputs, marker.settings))
    with contextlib.suppress(OSError):
        return pieces.stat().st_mtime_ns > job.marker_path(stage.name).stat().st_mtime_ns
    return False


def outside_records(job: Job, stage: Stage, settings: Settings, models: JobModels) -> dict[str, FileRecord]:
    """Return the files of the models that a stage loads, and the user's in the job's folder, as they are now: size,
    date, and sha256 of head, middle and tail."""
    records: dict[str, FileRecord] = {}
    for need in stage.models(settings):
        if found := models.find(need):
            files = sorted(path for path in found.path.iterdir() if path.is_file())
            records |= {name_of_model_file(need.name, path.name): media.identity(path) for path in files}
    return records | {name: _user_record(job, name) for name in stage.files(settings)}


def _user_record(job: Job, name: str) -> FileRecord:
    try:
        return media.identity(job.folder / name)
    except OSError as error:
        raise UsageError(
            f"Cannot read {name} in jobs/{job.id}: {error.strerror}; "
            "put it back, or set the setting that names it to nothing"
        ) from None
