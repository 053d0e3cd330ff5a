"""The places of recordings' files: in folders like those of the recordings, a file for each format.

`calls/a.wav` becomes `transcripts/calls/a.wav.txt`, so that no two recordings ever meet in one file.
"""

from __future__ import annotations

import hashlib

TREE = "transcripts"  # under out/<job-id>/
MAX_BYTES = 255  # limit of a name on the usual file systems


def file_of(path: str, form: str) -> str:
    """Return the path within the tree. A name that would be too long is cut, and ends in a sign that no other has."""
    folder, slash, base = path.lstrip("/").rpartition("/")
    if len(f".tmp-1234567-{base}.{form}".encode()) > MAX_BYTES:
        base = (
            base.encode()[:200].decode(errors="ignore")
            + "~"
            + hashlib.sha256(path.encode(errors="surrogateescape")).hexdigest()[:8]
        )
    return f"{folder}{slash}{base}.{form}"
