"""Reasons why files have no transcript, and notes on files, in a form in which like ones can be counted together."""

from __future__ import annotations

import re

NUMBER = re.compile(r"(?<!\w)(?<!\w-)\d+(?:[.,:]\d+)*(?!\w)")  # but for digits in words: mp3, UTF-8


def kind(reason: str) -> str:
    """Return a reason with "…" for numbers: "decoded … s, but the container says … s". 0 stays: "0 bytes" says more."""
    return NUMBER.sub(lambda number: "0" if number[0] == "0" else "…", reason)
