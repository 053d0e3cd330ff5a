"""The command `prepare-job.sh`: it looks at a film or a folder of recordings, and writes every setting into a job."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from sutradhar.pipeline.commands import as_path
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.leftovers import sweep_workspace
from sutradhar.pipeline.prepare import choosing, options
from sutradhar.pipeline.processes.ending import end_with, exit_code_of, print_result, signals_held, when_interrupted
from sutradhar.pipeline.workspace import Workspace, check_job_id

if TYPE_CHECKING:
    from sutradhar.pipeline.console import Console
    from sutradhar.pipeline.jobs.job import Job
    from sutradhar.pipeline.jobs.settings import Settings
    from sutradhar.pipeline.media import MediaInfo

GLOSSARY = "glossary.tsv"  # the job's own copy
# The settings that decide what a job of a folder holds.
WHICH_RECORDINGS = ("SOURCE_LANGUAGE", "CORPUS_GLOB", "CORPUS_MIN_BYTES")
ONE_FILE = (
    """one file a job: for film in *.mkv; do ./prepare-job.sh "$film" ...; done, and then ./run-pipeline.sh --all;"""
    " many recordings are one job: give their folder, or --from-list FILE"
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = options.make_parser()
    arguments, more = parser.parse_known_args(argv)
    from sutradhar.pipeline.console import Console

    console = Console(sys.stderr)
    if more and all(Path(text).exists() for text in more):
        console.error(f"{len(more) + 1} files were given, but it is {ONE_FILE}")
        return UsageError.exit_code
    if more:
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if missing := _missing(arguments):
        parser.error(f"missing: {', '.join(missing)}")
    workspace = Workspace.find()
    os.umask(0o077)  # recordings are private: folders 0700, files 0600
    code = exit_code_of(lambda: _prepare(arguments, workspace, console), "nothing was prepared", console.error)
    if code or not arguments.run:
        return code
    from sutradhar.pipeline.running import run

    return run.run(run.make_parser().parse_args(["-j", arguments.job_id]), console, workspace)


def _prepare(arguments: argparse.Namespace, workspace: Workspace, console: Console) -> None:
    workspace.require_writable()
    sweep_workspace(workspace)
    job = prepare(arguments, workspace, console)
    print_result(job.id)
    arguments.job_id = job.id
    if not arguments.run:
        console.info(f"Settings: {job.env_path}")
        console.info(f"Next: ./run-pipeline.sh -j {job.id}")


def _missing(arguments: argparse.Namespace) -> list[str]:
    """Name all that no job can do without at once, where argparse would name one after another."""
    needed = {
        "-s/--source-language": arguments.source_language,
        "--transcribe or --translate": arguments.workflow,
        "a film, a recording or a folder of recordings": arguments.media is not None or arguments.from_list is not None,
    }
    return [name for name, given in needed.items() if not given]


def prepare(arguments: argparse.Namespace, workspace: Workspace, console: Console) -> Job:
    """Check everything that can be checked in a moment, then write the job. Raises UsageError."""
    from sutradhar.pipeline import media
    from sutradhar.pipeline.jobs import envfile
    from sutradhar.pipeline.machine import hardware
    from sutradhar.pipeline.media.watch import check_still, stamp

    changes = envfile.parse_assignments(arguments.changes)
    is_corpus = _read(arguments, changes)
    options = choosing.options(is_corpus=is_corpus)
    choices = choosing.Choices()
    choices.take("WORKFLOW", arguments.workflow)
    choosing.languages(arguments, choices, console)
    if is_corpus:
        choosing.corpus(arguments, choices)
        _look_for_recordings(arguments, workspace, console)
    else:
        info, before = media.probe(arguments.media), stamp(arguments.media)
        _check_film(arguments)
        choosing.media(arguments, info, choices, console)
    machine = hardware.this_machine(workspace.hardware_cache, console)
    choosing.recogniser(arguments, machine, workspace.models, choices, console)
    choosing.detector(workspace.models, choices)
    if arguments.workflow == "translate":
        choosing.translator(arguments, changes, machine, workspace, choices, console)
    for key, value in changes.items():
        if key not in options or not value:
            choices.values[key] = value
        choices.reasons[key] = "given with --set"
    if arguments.glossary:
        choices.take("GLOSSARY", GLOSSARY, f"a copy of {arguments.glossary.name}")
    settings = envfile.build(choices.values, "prepare-job.sh")
    duration_ms = 0 if is_corpus else _clip_ms(settings, info)
    if not is_corpus:
        _check_whole(arguments.media, info, settings, console)
    _check_stages(settings, workspace, arguments.glossary, console)
    for line in [] if is_corpus else _foreseen(arguments.media, settings):
        console.warn(line)
        console.foretold.add(line)
    if is_corpus:
        _name_other_job(arguments.media, settings, workspace, console)
    else:
        check_still(arguments.media, before)
    return _write(arguments, workspace, settings, choices, duration_ms)


def _read(arguments: argparse.Namespace, changes: dict[str, str]) -> bool:
    """Check the command line, and put paths and names in place in both; return whether it is about a folder. Raises
    UsageError."""
    from sutradhar.pipeline.prepare import translation
    from sutradhar.pipeline.wording import is_utf8

    if arguments.job_id:
        check_job_id(arguments.job_id)
    for name in ("media", "from_list", "glossary"):
        given = getattr(arguments, name)
        setattr(arguments, name, as_path(given) if given else None)
    is_corpus = arguments.from_list is not None or arguments.media.is_dir()
    _check_values(arguments, changes, is_corpus=is_corpus)
    _take_as_options(changes, choosing.options(is_corpus=is_corpus), arguments)
    if arguments.translation_engine:
        translation.check_name(arguments.translation_engine)
    _resolve_folders(changes)
    if is_corpus:
        _check_corpus(arguments)
    if not is_utf8(str(arguments.media)):
        raise UsageError(f"{os.fsencode(arguments.media)!r}: the name is not UTF-8; rename the file")
    return is_corpus


def _resolve_folders(changes: dict[str, str]) -> None:
    """Make paths of translators' models absolute: the job is run from anywhere."""
    from sutradhar.pipeline.models import library
    from sutradhar.stages.film.translate.registry import TRANSLATORS

    for key in (about.models.model for about in TRANSLATORS.values() if about.models):
        if library.is_folder(changes.get(key, "")):
            changes[key] = str(Path(changes[key]).expanduser().resolve())


def _check_corpus(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options that do not go with a folder of recordings."""
    if arguments.workflow != "transcribe":
        raise UsageError(
            "Recordings of a folder are transcribed, not translated: use --transcribe. "
            f"To translate films, give {ONE_FILE}"
        )
    for option, given in (
        ("--start", arguments.start),
        ("--end", arguments.end),
        ("--audio-track", arguments.audio_track),
    ):
        if given:
            raise UsageError(f"{option} is for one film; a folder of recordings is worked on whole")
    if arguments.from_list:
        if arguments.media:
            raise UsageError(f"Give a folder or --from-list, not both ({arguments.media})")
        if not arguments.from_list.is_file():
            raise UsageError(f"--from-list {arguments.from_list}: there is no such file")
        arguments.media = arguments.from_list


def _look_for_recordings(arguments: argparse.Namespace, workspace: Workspace, console: Console) -> None:
    """Say how many recordings there are. Raises UsageError where there is none: the first run would say so too, but
    later."""
    from sutradhar.pipeline.media import recordings
    from sutradhar.pipeline.wording import counted, size

    source = Path(os.path.abspath(arguments.media))  # noqa: PTH100 - without `..`, but not through symbolic links
    found = recordings.find(source, arguments.glob, workspace.folders)
    left_out = found.other_names + (found.unseen and f"; {found.unseen}") + (found.unread and f"; {found.unread}")
    if not found.paths:
        which = f"no file that --glob {arguments.glob!r} chooses" if arguments.glob else "no recordings"
        remedy = (
            "write the path of a recording into each line of it"
            if arguments.from_list
            else "give another folder or --glob"
        )
        raise UsageError(f"{arguments.media} holds {which}{left_out}; {remedy}")
    there = list(recordings.sizes(found))
    if not there:
        raise UsageError(
            f"Of the {counted(len(found.paths), 'file')} that {arguments.media} names none is there; look at its paths"
        )
    gone = len(found.paths) - len(there)
    lost = f"; {gone:,} of them cannot be found" if gone else ""
    console.info(f"Recordings: {counted(len(found.paths), 'file')}, {size(sum(there))}{lost}{left_out}")


def _name_other_job(media: Path, settings: Settings, workspace: Workspace, console: Console) -> None:
    """Name another job of the same recordings, the newest that was begun: whoever types the same command again mostly
    means to go on with it."""
    from sutradhar.pipeline.jobs.job import all_jobs

    source = os.path.abspath(media)  # noqa: PTH100 - as _write keeps it
    same: list[Job] = []
    for job in all_jobs(workspace):
        with contextlib.suppress(UsageError):
            if job.request.media == source and all(
                getattr(job.settings(), key) == getattr(settings, key) for key in WHICH_RECORDINGS
            ):
                same.append(job)
    begun = [job for job in same if any(job.artifacts.glob("*/stage.json"))]
    for other in (begun or same)[-1:]:
        console.warn(
            f"This is a new job. {other.id} is of the same recordings: ./run-pipeline.sh -j {other.id} goes on with it"
        )


def _check_film(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options that go with a folder of recordings alone."""
    for name in choosing.CORPUS_OPTIONS.values():
        if getattr(arguments, name):
            raise UsageError(
                f"--{name.replace('_', '-')} is for a folder of recordings; {arguments.media.name} is one file"
            )


def _check_values(arguments: argparse.Namespace, changes: dict[str, str], *, is_corpus: bool) -> None:
    """Raise UsageError that names the option, which the check of all settings would not, and for settings of the
    other kind of job."""
    from sutradhar.pipeline.jobs import envfile

    for key, name in choosing.CORPUS_OPTIONS.items():
        if value := getattr(arguments, name):
            envfile.build({key: value}, f"--{name.replace('_', '-')}")
    for name, keys in choosing.FOR_BOTH.items():
        if (other := keys[not is_corpus]) in changes:
            kinds = ("films", "folders of recordings") if is_corpus else ("folders of recordings", "films")
            raise UsageError(f"{other} is for {kinds[0]}; of {kinds[1]} it is {keys[is_corpus]}, or --{name}")


def _take_as_options(changes: dict[str, str], options: dict[str, str], arguments: argparse.Namespace) -> None:
    """Count what --set says of a setting that has an option as that option. Raises UsageError where both are given
    and differ."""
    from sutradhar.pipeline.jobs.envfile import to_text

    for key in changes.keys() & options.keys():
        given = getattr(arguments, options[key])
        if given and to_text(given) != changes[key]:
            raise UsageError(
                f"--set {key}={changes[key]} contradicts the option that says {key}={to_text(given)}; give one of them"
            )
        setattr(arguments, options[key], changes[key])


def _clip_ms(settings: Settings, info: MediaInfo) -> int:
    """Return the length of the part to work on. Raises UsageError where there is no such part."""
    from sutradhar.pipeline import timecode

    if not info.duration_ms:
        raise UsageError("The file holds no sound: its audio is 0 s long; give another file")
    start = timecode.parse_ms(settings.MEDIA_START_TIME or "0")
    if start >= info.duration_ms:
        raise UsageError(
            f"--start {timecode.format_ms(start)} is past the end: "
            f"the file lasts until {timecode.format_ms(info.duration_ms)}"
        )
    end = (
        min(timecode.parse_ms(settings.MEDIA_END_TIME), info.duration_ms)
        if settings.MEDIA_END_TIME
        else info.duration_ms
    )
    if start >= end:
        raise UsageError(f"--start {timecode.format_ms(start)} is not before --end {timecode.format_ms(end)}")
    return end - start


def _check_whole(film: Path, info: MediaInfo, settings: Settings, console: Console) -> None:
    """Raise UsageError where too much of the film is missing, as demux would, unless the user accepted that."""
    from sutradhar.pipeline import media

    if not info.fault:
        return
    line = f"{media.shown(film)} {info.fault}"
    if not settings.ALLOW_TRUNCATED:
        raise UsageError(f"{line}. {media.REMEDY}")
    console.warn(line)
    console.foretold.add(line)


def _check_stages(settings: Settings, workspace: Workspace, glossary: Path | None, console: Console) -> None:
    """Ask every stage whether it can work with these settings and files on this machine, and has or can have its
    models. Raises UsageError."""
    from sutradhar.pipeline.jobs.workflow import steps_of
    from sutradhar.pipeline.machine import hardware
    from sutradhar.pipeline.models import integrity, library
    from sutradhar.stages import WORKFLOWS

    for stage in (step.stage for step in steps_of(WORKFLOWS, settings)):
        stage.check(settings)
        if glossary and stage.files(settings):
            stage.check_file(glossary)
        for need in stage.models(settings):
            library.check(need.name, need.form, models_dir=workspace.models, offline=settings.OFFLINE)
            if model := library.find(need.name, need.form, models_dir=workspace.models):
                integrity.check_content(model, workspace, say=console.info)
            library.secure_starter(need.name, need.form, models_dir=workspace.models, say=console.info)
        for engine in stage.engines(settings):
            place = engine.backend, engine.device, workspace.hardware_cache, console
            hardware.check(*place, engine.setting, engine.everywhere)


def _foreseen(film: Path, settings: Settings) -> list[str]:
    """List what the stages will not be able to do with this film. Raises UsageError where the settings ask for it."""
    from sutradhar.pipeline.jobs.workflow import steps_of
    from sutradhar.stages import WORKFLOWS

    return [line for step in steps_of(WORKFLOWS, settings) for line in step.stage.foresee(film, settings)]


def _write(
    arguments: argparse.Namespace, workspace: Workspace, settings: Settings, choices: choosing.Choices, duration_ms: int
) -> Job:
    from sutradhar.pipeline import media
    from sutradhar.pipeline.jobs import envfile
    from sutradhar.pipeline.jobs.job import Job, Request
    from sutradhar.pipeline.wording import escaped

    path = Path(os.path.abspath(arguments.media))  # noqa: PTH100 - without `..`, but not through symbolic links
    record = None if path.is_dir() else media.identity(path)
    files = [(GLOSSARY, arguments.glossary.read_bytes())] if arguments.glossary else []
    for job_id in [arguments.job_id] if arguments.job_id else _free_ids(path.name if path.is_dir() else path.stem):
        about = (
            f"Settings of job {job_id}. "
            "Edit and save; the next run uses them, and repeats only what depends on what changed."
        )
        header = f"{about}\nMedia: {escaped(path.name)}"
        request = Request(
            job_id=job_id,
            media=str(path),
            media_record=record,
            duration_ms=duration_ms,
            created_at=datetime.now(timezone.utc).isoformat(timespec="microseconds"),
        )
        try:
            env_text = envfile.render(
                settings, header, choices.reasons, without=_idle_keys(settings) - choices.reasons.keys()
            )
            with signals_held():
                job = Job.create(workspace, request, env_text, files)
                when_interrupted(f"Interrupted; job {job_id} is prepared: ./run-pipeline.sh -j {job_id}")
                return job
        except FileExistsError:
            if arguments.job_id:
                raise UsageError(
                    f"Job {job_id} exists already; run it with ./run-pipeline.sh -j {job_id} or choose another --job-id"
                ) from None
    raise UsageError("No free job id is left for today; remove old jobs from jobs/")


def _idle_keys(settings: Settings) -> set[str]:
    """Return the settings of jobs of the other kind alone: of films, or of folders."""
    from sutradhar.stages import WORKFLOWS

    used: dict[bool, set[str]] = {True: set(), False: set()}
    for workflow, stages in WORKFLOWS.items():
        used[workflow == "corpus"] |= {key for stage in stages for key in (*stage.settings, *stage.tuning)}
    is_corpus = settings.WORKFLOW == "corpus"
    return used[not is_corpus] - used[is_corpus] - {"CUDA_VISIBLE_DEVICES", "TITLE"}  # the runner's, and the job's name


def _free_ids(title: str) -> list[str]:
    from sutradhar.pipeline.jobs.job import slug_of

    slug = slug_of(title) or "job"
    return [f"{datetime.now():%Y%m%d}-{slug}-{number}" for number in range(1, 10_000)]


if __name__ == "__main__":
    end_with(main)
