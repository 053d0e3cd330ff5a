"""Why files have no transcript, so that reasons alike can be counted together."""

from __future__ import annotations

import re
from collections.abc import Iterable

NUMBER = re.compile(r"(?<!\w)(?<!\w-)\d+(?:[.,:]\d+)*(?!\w)")  # not those of words: mp3, UTF-8


def without_name(reason: str, paths: Iterable[str]) -> str:
    """A reason that begins with a file's name, as messages on a file do, without it. `paths`: those that it may speak of, since it
    is the same for all copies of a recording."""
    for path in paths:
        name = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in path.rpartition("/")[2])
        for beginning in (f"{name}: ", f"{name} "):
            if name and reason.startswith(beginning):
                return reason[len(beginning) :]
    return reason


def kind(reason: str) -> str:
    """With "…" for numbers: "decoded … s, but the container says … s". 0 stays: "0 bytes" says more than "… bytes"."""
    return NUMBER.sub(lambda number: "0" if number[0] == "0" else "…", reason)
