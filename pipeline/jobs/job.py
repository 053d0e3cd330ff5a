"""A job on disk: its folder, what was asked, and who is running it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from sutradhar.pipeline.errors import Interrupted, JobBusy, UsageError
from sutradhar.pipeline.files import (
    UNREADABLE,
    FileRecord,
    json_document,
    links_in,
    read_file,
    why_not_synced,
    write_atomic,
)
from sutradhar.pipeline.jobs import envfile, leftovers
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.names import AnyPath, Time
from sutradhar.pipeline.progress import Progress
from sutradhar.pipeline.wording import escaped
from sutradhar.pipeline.workspace import JOB_ID, VERSION, Workspace, check_job_id

SCHEMA = 1
NO_LOCKS = (
    errno.ENOLCK,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EINVAL,
)  # some network file systems say so
NOTES = ("running.json", "stopped.json", "failure.txt", "media.json")  # files that runs keep in the job's folder
FAILURE_BYTES = 2000  # the most that is kept for a message
NOTE_BYTES = 65_536  # no note of a run is that long
LOOKS = 5  # attempts at a lock that somebody else holds: whoever asks for the standing holds it for a moment
LOOK_EVERY = 0.02  # seconds


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """`job.json`: what was asked for, and the media file as it was then."""

    schema: int = SCHEMA
    job_id: str
    media: AnyPath  # absolute
    media_record: FileRecord | None  # sha256 of its head, middle and tail; None for a folder
    duration_ms: Time  # length of the part to work on; 0 for a folder
    created_at: str
    tool_version: str = VERSION


class Running(msgspec.Struct, frozen=True):
    """`running.json`: who runs the job and how far it is, for `--status` in another shell, while the job is locked."""

    pid: Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)] = 0
    host: Annotated[str, msgspec.Meta(max_length=255)] = ""
    stage: str = ""
    progress: Progress = Progress(0.0, 0.0)
    seconds: float = 0.0  # since the stage began


@dataclass(frozen=True)
class Job:
    workspace: Workspace
    request: Request

    @classmethod
    def open(cls, workspace: Workspace, job_id: str) -> Job:
        """Open a job. Raises UsageError where there is no such job, or what lies there is not a job."""
        folder = workspace.jobs / check_job_id(job_id)
        if folder.is_symlink():
            raise UsageError(f"{folder} is a symbolic link; a job is a folder of its own")
        try:
            request = msgspec.json.decode(read_file(folder / "job.json"), type=Request)
        except FileNotFoundError:
            raise UsageError(
                f"No job {job_id} in {workspace.jobs}; ./run-pipeline.sh --list shows what there is"
            ) from None
        except UNREADABLE as error:
            raise UsageError(
                f"{folder / 'job.json'} cannot be read ({error}); mend it, or prepare the job again"
            ) from None
        if request.job_id != job_id or request.schema != SCHEMA:
            raise UsageError(f"{folder / 'job.json'} belongs to another job or version; prepare the job again")
        return cls(workspace, request)

    @classmethod
    def create(
        cls, workspace: Workspace, request: Request, env_text: str, files: Sequence[tuple[str, bytes]] = ()
    ) -> Job:
        """Make the folder whole, with the user's own `files`, or not at all. Raises FileExistsError where the id is
        taken."""
        workspace.jobs.mkdir(parents=True, exist_ok=True)
        leftovers.sweep_jobs(workspace.jobs)
        with leftovers.making_a_job(workspace.jobs):
            return cls._create(workspace, request, env_text, files)

    @classmethod
    def _create(cls, workspace: Workspace, request: Request, env_text: str, files: Sequence[tuple[str, bytes]]) -> Job:
        job = cls(workspace, request)
        temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=workspace.jobs))
        try:
            (temporary / "stages").mkdir()
            (temporary / "logs").mkdir()
            write_atomic(temporary / job.env_path.name, env_text.encode())
            for name, content in files:
                write_atomic(temporary / name, content)
            write_atomic(temporary / "job.json", json_document(request))
            if job.folder.exists():
                raise FileExistsError(job.id)
            temporary.rename(job.folder)
        except OSError as error:
            if job.folder.exists():
                raise FileExistsError(job.id) from error
            raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return job

    @property
    def id(self) -> str:
        return self.request.job_id

    @property
    def folder(self) -> Path:
        return self.workspace.jobs / self.id

    @property
    def env_path(self) -> Path:
        return self.folder / f".{self.id}.env"

    @property
    def media(self) -> Path:
        return Path(self.request.media)

    @property
    def artifacts(self) -> Path:
        return self.folder / "stages"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def deliverables(self) -> Path:
        return self.workspace.out / self.id

    def marker_path(self, stage: str) -> Path:
        return self.artifacts / stage / "stage.json"

    def pieces_path(self, stage: str, fingerprint: str) -> Path:
        """Return the path where a stage keeps what it has done of a run with this fingerprint; other files of the stage
        lie beside it."""
        return self.folder / "pieces" / stage / f"{fingerprint}.jsonl"

    def settings(self) -> Settings:
        return envfile.load(self.env_path)

    def changed_settings(self, changes: Mapping[str, str]) -> tuple[str, Settings]:
        """Return the text of the job's file with new values, and its settings, for `write_settings` once they are
        known to go together. Raises UsageError."""
        reason = f"with --set on {datetime.now():%Y-%m-%d}"
        text = envfile.change(read_file(self.env_path).decode("utf-8-sig"), changes, reason)
        return text, envfile.build(envfile.parse(text.encode(), self.env_path.name), self.env_path.name)

    def write_settings(self, text: str) -> None:
        write_atomic(self.env_path, text.encode())

    def _refuse_links(self) -> None:
        """Raise UsageError where something of the job's own is a symbolic link, however deep: what is written or
        removed there would be elsewhere. The user's files may be links."""
        theirs = {self.env_path.name}
        with contextlib.suppress(UsageError):
            theirs.update(self.settings().user_files)
        own = (path for path in links_in(self.folder) if path.parent != self.folder or path.name not in theirs)
        trees = (path for path in self.deliverables.glob("*") if path.is_dir())
        for path in (*own, self.deliverables, *trees, *self.deliverables.glob("*/.written")):
            if path.is_symlink() and not path.is_char_device():  # a log may go to /dev/null
                raise UsageError(
                    f"{path} is a symbolic link, and a job's folders are its own: put what it leads to in its place"
                )

    def _refuse_folders(self) -> None:
        """Raise UsageError where a folder stands where a run would write a file, maybe hours later. An empty one in
        place of a marker is removed."""
        notes = (self.folder / name for name in NOTES)
        markers = (path for path in self.artifacts.glob("*/stage.json") if next(path.glob("*"), None))
        for path in (*notes, *markers):
            if path.is_dir():
                raise UsageError(
                    f"{path} is a folder, where a file of the job's own is to be: remove it, or move it elsewhere"
                )

    @contextlib.contextmanager
    def lock(self, *, shared: bool = False) -> Iterator[list[str]]:
        """Hold the job, alone or with others that share it, and give what is amiss with the file system, a line
        each. The lock dies with this process and is not inherited. Raises JobBusy, and UsageError where a folder of
        the job leads elsewhere or cannot be locked."""
        path = self.folder / ".lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        amiss = []
        try:
            try:
                _lock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
            except BlockingIOError:
                owner = self._word("running.json")
                who = f"process {owner.pid} on {owner.host}" if owner.pid else "another process"
                raise JobBusy(
                    f"Job {self.id} is being run by {who}; wait for it, or follow it with --status {self.id}"
                ) from None
            except OSError as error:
                amiss.append(_unlocked(path, error))
            if why := why_not_synced(descriptor):
                amiss.append(
                    f"{self.folder} is on a file system that cannot be made to write at once ({why}): "
                    "a power cut may cost what was done"
                )
            self._refuse_links()
            self._refuse_folders()
            yield amiss
        finally:
            os.close(descriptor)

    @property
    def is_locked(self) -> bool:
        """Return whether the job is being run, on this machine or on another that shares the folder: a lock goes
        with its holder, a note would stay."""
        with contextlib.suppress(OSError):  # a job that was never run has no lock
            descriptor = os.open(self.folder / ".lock", os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            finally:
                os.close(descriptor)
        return False

    def note_failure(self, message: str) -> None:
        """Keep why the last run failed, for `--status`; an empty message forgets it. Best effort, as the log has it
        too. The file is filled up with spaces and written over in place, so that a message finds room on a full
        disk too."""
        path = self.folder / "failure.txt"
        with contextlib.suppress(OSError), path.open("r+b" if path.exists() else "wb") as file:
            file.write(escaped(message).encode().ljust(FAILURE_BYTES))
            file.truncate()

    def note_interruption(self) -> None:
        """Keep that the last run was interrupted, in the same place."""
        self.note_failure(Interrupted.message)

    @property
    def was_interrupted(self) -> bool:
        return self.failure() == Interrupted.message

    def note_success(self) -> None:
        """Forget why an earlier run failed: no room need be kept for that any more."""
        self.note_running(None)
        with contextlib.suppress(OSError):
            (self.folder / "failure.txt").unlink(missing_ok=True)

    def failure(self) -> str:
        try:
            return read_file(self.folder / "failure.txt").decode(errors="replace").strip()
        except OSError:
            return ""

    def note_running(self, running: Running | None) -> None:
        """Publish how far the run is. Best effort: never a reason to stop a run."""
        path = self.folder / "running.json"
        with contextlib.suppress(OSError):
            if running is None:
                path.unlink(missing_ok=True)
                return
            temporary = path.with_name(".tmp-running.json")
            temporary.write_bytes(msgspec.json.encode(running))
            temporary.replace(path)

    def note_stopped(self) -> None:
        """Keep the last word of a run that ends before its stage has. A rename, as the disk may be full."""
        with contextlib.suppress(OSError):
            (self.folder / "running.json").replace(self.folder / "stopped.json")

    def note_completed(self, stage: str) -> None:
        """Forget where an earlier run of the stage stopped: it has ended well."""
        self.note_running(Running(os.getpid(), socket.gethostname()))
        if self._word("stopped.json").stage == stage:
            with contextlib.suppress(OSError):
                (self.folder / "stopped.json").unlink()

    def running(self) -> Running | None:
        """Return the last word of the process that runs the job; None where nobody does."""
        return self._word("running.json") if self.is_locked else None

    def stopped(self, stage: str = "") -> Running | None:
        """Return how far this stage, or else any, was when a run of it ended early: the run said so, or was killed and
        left its note. None where no such run is known."""
        words = [] if self.is_locked else [self._word("running.json")]
        return next(
            (word for word in (*words, self._word("stopped.json")) if word.stage and stage in ("", word.stage)), None
        )

    def _word(self, name: str) -> Running:
        try:
            return msgspec.json.decode(read_file(self.folder / name, NOTE_BYTES), type=Running)
        except UNREADABLE:
            return Running()


def _lock(descriptor: int, kind: int) -> None:
    """Lock a file. Raises BlockingIOError where somebody else holds it for longer than a moment, other OSErrors
    where there are no locks."""
    for look in range(LOOKS):
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if look == LOOKS - 1:
                raise
            time.sleep(LOOK_EVERY)


def _unlocked(path: Path, error: OSError) -> str:
    """Return a line for the user who accepts a job without lock. Raises UsageError where nobody did, and the error
    itself where it is another."""
    if error.errno not in NO_LOCKS:
        raise error
    danger = "two runs of this job at a time would mix their files, and --status cannot tell whether it runs"
    if os.environ.get("SUTRADHAR_NO_LOCK") == "1":
        return f"{path} is not locked ({error.strerror}), as SUTRADHAR_NO_LOCK=1 accepts: {danger}"
    raise UsageError(
        f"{path} cannot be locked ({error.strerror}): "
        "put jobs/ on a file system that has locks (SUTRADHAR_HOME says where),"
        f" or accept it with SUTRADHAR_NO_LOCK=1: {danger}"
    ) from None


def slug_of(title: str) -> str:
    """Return a title as ids have it: `do-bigha-zamin`; "" where nothing of it can be written in a to z and 0 to 9."""
    from anyascii import anyascii

    return re.sub(r"[^a-z0-9]+", "-", anyascii(title).lower()).strip("-")[:40].strip("-")


def find_job(workspace: Workspace, name: str) -> Job:
    """Return a job by its id; by its title, or all of its id but the date; or by a part of the id that no other has.
    Raises UsageError."""
    part = name if JOB_ID.fullmatch(name) else slug_of(name) or check_job_id(name)
    if (workspace.jobs / part).is_dir():
        return Job.open(workspace, part)
    jobs, title = all_jobs(workspace), re.escape(part)
    undated, titled = (
        [job for job in jobs if re.fullmatch(pattern, job.id)]
        for pattern in (rf"\d{{8}}-{title}", rf"\d{{8}}-{title}-\d+")
    )
    alike = undated or titled or [job for job in jobs if part in job.id]
    if len(alike) == 1:
        return alike[0]
    if alike:
        raise UsageError(f"{name} may be any of {', '.join(job.id for job in alike)}; give more of the id")
    raise UsageError(f"No job {name[:80]} in {workspace.jobs}; ./run-pipeline.sh --list shows what there is")


def all_jobs(workspace: Workspace) -> list[Job]:
    """Return every readable job, oldest first."""
    jobs = []
    for path in workspace.jobs.glob("*/job.json"):
        with contextlib.suppress(UsageError):
            jobs.append(Job.open(workspace, path.parent.name))
    return sorted(jobs, key=lambda job: (job.request.created_at, job.id))


def closed_jobs(workspace: Workspace) -> int:
    """Count the jobs that this user may not enter."""
    with contextlib.suppress(OSError):
        return sum(path.is_dir() and not os.access(path, os.R_OK | os.X_OK) for path in workspace.jobs.iterdir())
    return 0
