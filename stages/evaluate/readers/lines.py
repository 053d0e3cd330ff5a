"""Lines of fields of which one names the recording, as NIST's formats have them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sutradhar.stages.evaluate.version import Unreadable


def by_recording(text: str, stem: str, comment: str, field: int = 0) -> Mapping[str, list[str]]:
    """Return the lines of each recording in the order of the file; none, of the recording `stem`, for an empty one."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        fields = line.split()
        if not fields or line.startswith(comment):
            continue
        if len(fields) <= field:
            raise Unreadable(f"{line[:40]!r} has too few fields")
        found.setdefault(fields[field], []).append(line)
    return found or {stem: []}


def number(text: str) -> float:
    """Return a number that is finite. Raises Unreadable."""
    try:
        value = float(text)
    except ValueError:
        raise Unreadable(f"{text[:40]!r} stands where a time belongs") from None
    if not math.isfinite(value):
        raise Unreadable(f"{text[:40]!r} stands where a time belongs")
    return value
