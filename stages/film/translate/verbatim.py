"""Find what a translation must repeat letter for letter: e-mail addresses, URLs, tags, numbers with separators."""

from __future__ import annotations

import re

_PATH_END = r"""[^\s<>"'.,;:!?)\]।]"""
EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
URL = (
    rf"""(?:https?://|ftp://|www\.)[^\s<>"']*{_PATH_END}|"""
    rf"""\b(?:[a-z0-9-]+\.)+(?:com|org|net|in|co|io|gov|edu|info)\b(?:/[^\s<>"']*{_PATH_END})?"""
)
TAG = r"(?<!\w)[#@][^\s#@<>.,!?;:।]+"
NUMBER = r"[₹$€£~]?\d+(?:[-/.,:'+]\d+)+(?:\s?%)?"  # times, dates, decimals, thousands, ranges
VERBATIM = re.compile(f"(?P<email>{EMAIL})|(?P<url>{URL})|(?P<tag>{TAG})|(?P<number>{NUMBER})", re.IGNORECASE)


def verbatim(sentence: str) -> list[str]:
    """Return such texts of a sentence in their order."""
    return [match.group() for match in VERBATIM.finditer(sentence)]
