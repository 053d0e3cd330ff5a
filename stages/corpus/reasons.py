"""Why files have no transcript, or what is noted of them, so that reasons alike can be counted together."""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?<!\w)(?<!\w-)\d+(?:[.,:]\d+)*(?!\w)")  # not those of words: mp3, UTF-8


def kind(reason: str) -> str:
    """With "…" for numbers: "decoded … s, but the container says … s". 0 stays: "0 bytes" says more than "… bytes"."""
    return NUMBER.sub(lambda number: "0" if number[0] == "0" else "…", reason)
