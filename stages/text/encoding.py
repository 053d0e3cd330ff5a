"""The bytes of a file of text, for the players and programs that it is meant for."""

from __future__ import annotations

import codecs

PLAIN = ("json",)  # forms that have no choice: RFC 8259 forbids the mark


def encoded(text: str, form: str, *, bom: bool, newline: str) -> bytes:
    """UTF-8, with a byte-order mark where that is asked for, and lines that end as `newline` ("lf", "crlf") says."""
    if form in PLAIN:
        return text.encode()
    lines = text.replace("\n", "\r\n") if newline == "crlf" else text
    return codecs.BOM_UTF8 * bom + lines.encode()
