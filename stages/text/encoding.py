"""The bytes of a text file, for the players and programs that read it."""

from __future__ import annotations

import codecs


def encoded(text: str, *, bom: bool, newline: str) -> bytes:
    """Encode as UTF-8, with a byte-order mark where `bom` asks for it, and lines that end as `newline` ("lf", "crlf")
    says."""
    lines = text.replace("\n", "\r\n") if newline == "crlf" else text
    return codecs.BOM_UTF8 * bom + lines.encode()
