"""The rules for names and numbers in a job's files, checked as they are read: somebody may have changed a file, or it
came with a job from elsewhere. No name leads out of the folder that it is put behind, and no number is too large for
what it goes into."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

_PART = r"(?!\.{1,2}(?:/|\Z))[^/\0]+"  # a part of a path: no `.`, no `..`

FileName = Annotated[str, Meta(pattern=rf"\A{_PART}\Z")]
PathBelow = Annotated[str, Meta(pattern=rf"\A{_PART}(?:/{_PART})*\Z")]  # a folder
PlainPath = Annotated[str, Meta(pattern=rf"\A/?{_PART}(?:/{_PART})*\Z")]  # a path without detours
AnyPath = Annotated[str, Meta(pattern=r"\A[^\0]+\Z")]  # a path of the user's own
Hex = Annotated[str, Meta(pattern=r"\A[0-9a-f]*\Z", max_length=128)]  # a digest, or nothing
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Size = Annotated[int, Meta(ge=0, le=2**63 - 1)]  # size of a file, in bytes
Time = Annotated[int, Meta(ge=-(2**53), le=2**53)]  # in ms
Nanoseconds = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]  # since 1970
