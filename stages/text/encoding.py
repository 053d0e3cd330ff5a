"""The bytes of a file of text, for the players and programs that it is meant for."""

from __future__ import annotations

import codecs


def encoded(text: str, *, bom: bool, newline: str) -> bytes:
    """UTF-8, with a byte-order mark where that is asked for, and lines that end as `newline` ("lf", "crlf") says."""
    lines = text.replace("\n", "\r\n") if newline == "crlf" else text
    return codecs.BOM_UTF8 * bom + lines.encode()
