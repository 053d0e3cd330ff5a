"""Small words for messages, and functions that make text from outside fit to stand in them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

# Characters that would steer a terminal, turn or break the line, not be seen at all, or look otherwise with each
# font, and bytes outside UTF-8, which Python keeps as lone surrogates. Joiners (U+200C, U+200D) and variation
# selectors are parts of letters and of emoji.
_CONTROLS = r"\x00-\x1f"
_BEYOND = (
    r"\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufeff\uffa0\ufff0-\uffff"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U0010ffff"
)
_UNFIT = re.compile(f"[{_CONTROLS}{_BEYOND}]")
_UNFIT_IN_JSON = re.compile(f"[{_BEYOND}]")  # JSON has its controls escaped already, and line breaks between values


def escaped(text: str) -> str:
    """Return text from outside, fit to be shown in one line: with `\\x1b`, `\
    `, `\\u202e` for unfit characters."""
    return _UNFIT.sub(_escape, text)


def without_controls(text: str) -> str:
    """Return the text with a space for each control, for readers who would show it as it is."""
    return " ".join(_UNFIT.sub(" ", text).split())


def _escape(match: re.Match[str]) -> str:
    byte = ord(match[0]) - 0xDC00  # as surrogateescape keeps it
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else match[0].encode("unicode_escape").decode()


def is_utf8(text: str) -> bool:
    """Return whether the text is UTF-8: Python keeps other bytes as lone surrogates, as in names of files and
    arguments."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def shortened(text: str, most: int = 160) -> str:
    """Return the beginning and the end of text that would fill a screen, such as a path of 4,000 characters."""
    return text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"


def escaped_json(data: bytes) -> bytes:
    """Return JSON that says the same, fit to be shown: a line of it is one line to every program, also to those
    that end lines at U+2028."""
    return _UNFIT_IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], data.decode()).encode()


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 window, 2,000 windows."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return the end of a message about an unknown name: the one that it is closest to; empty where none is close."""
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def size(count: int) -> str:
    """Return a number of bytes as disks and downloads are counted: 0.9 MB, 134 MB, 3.1 GB."""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"
