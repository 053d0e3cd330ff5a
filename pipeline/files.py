"""Files that are whole or absent, also after a crash or a power cut."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import TypeVar

import msgspec

from sutradhar.pipeline.wording import escaped_json, size

BLOCK = 1 << 20  # bytes hashed at a time
UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # what foreign file systems say to fsync
UNREADABLE = (
    OSError,
    msgspec.MsgspecError,
    UnicodeDecodeError,
    RecursionError,
)  # the errors that reading and decoding a file may raise


T = TypeVar("T")


def read_file(path: Path, most: int = -1) -> bytes:
    """Return the content of a file, or the first `most` bytes of it. Raises OSError, also for a pipe, whose reading
    may never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        return file.read(most)


def read_known(path: Path, kind: type[T]) -> T | None:
    """Return the content of a file; None where there is no such file, or it is damaged, or holds something else."""
    try:
        return msgspec.json.decode(read_file(path), type=kind)
    except UNREADABLE:
        return None


def json_document(value: object) -> bytes:
    """Return a file of JSON for people and programs: indented, escaped as by `escaped_json`, with a line break at
    the end."""
    return escaped_json(msgspec.json.format(msgspec.json.encode(value), indent=1)) + b"\n"


class FileRecord(msgspec.Struct, frozen=True):
    """The state of a file when it was last looked at in full."""

    size: int  # bytes
    mtime_ns: int
    sha256: str

    def looks_same(self, path: Path) -> bool:
        """Return whether size and modification time are as recorded: the fast path that spares reading the file."""
        try:
            status = path.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns)


def record(path: Path) -> FileRecord:
    """Read the whole file. Raises OSError."""
    digest = hashlib.sha256()
    with _naming(path), path.open("rb") as file:
        status = os.fstat(file.fileno())
        while block := file.read(BLOCK):
            digest.update(block)
    return FileRecord(status.st_size, status.st_mtime_ns, digest.hexdigest())


def links_in(folder: Path) -> Iterator[Path]:
    """Yield the symbolic links below a folder, however deep. Scratch folders of runs that were killed are left out:
    libraries make links in them, which are removed with them."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                yield Path(entry)
            elif entry.is_dir() and not entry.name.startswith(".tmp-"):
                yield from links_in(Path(entry))


def why_not_synced(descriptor: int) -> str:
    """Say why the file system of an open file cannot be made to write to the disk for good; "" where it can. The
    run says it once; whoever syncs goes on."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        return str(error.strerror) if error.errno in UNSUPPORTED else ""
    return ""


def room(path: Path) -> str:
    """Say what the disk of a path, which need not exist, has left: "1.2 GB free", or that it takes no more files."""
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    free = f"{size(shutil.disk_usage(there).free)} free"
    return f"no more files can be made there, since its inodes are used up ({free})" if takes_no_file(there) else free


def takes_no_file(folder: Path) -> bool:
    """Return whether no file can be made, however much is free. Some file systems count no inodes, and say that
    they have none."""
    disk = os.statvfs(folder)
    return disk.f_files > 0 and disk.f_favail == 0


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's cache; F_FULLFSYNC empties it too.
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Put the wanted path into an OSError raised inside: the system names no file where one is open already, and the
    temporary one where it is renamed."""
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def sync_file(path: Path) -> None:
    with _naming(path), path.open("rb") as file:
        _sync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with _naming(folder):
            _sync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file as `write_whole` does, durable when this returns. Raises OSError."""
    write_whole(path, data, sync=True)
    sync_folder(path.parent)


def write_whole(path: Path, data: bytes, *, sync: bool) -> None:
    """Write a small file that is there whole or not at all, also when several processes or machines write it. With
    `sync` it is whole also after a power cut, if it is there then. Raises OSError."""
    # Not named by process numbers: machines of a cluster have processes of the same number.
    temporary = path.with_name(f".tmp-{token_hex(3)}-{path.name}")
    try:
        with _naming(path):
            with temporary.open("wb") as file:
                file.write(data)
                if sync:
                    file.flush()
                    _sync(file.fileno())
            temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def open_like(parent: Path, folder: Path) -> None:
    """Give a new folder and all in it the readers of the folder that it goes into: models are no secrets. Raises
    OSError."""
    others = parent.stat().st_mode & 0o055
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o700 | others if path.is_dir() else 0o600 | others & 0o044)
