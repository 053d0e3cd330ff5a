"""Bytes that a file of JSON may hold when it is damaged."""

from __future__ import annotations

DEEP = b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"


def damaged(text_field: str) -> dict[str, bytes]:
    """By the name of the damage. `text_field` is the name of a field of the file that holds text."""
    return {
        "empty": b"",
        "nul": bytes(99),
        "torn": b'{"schema": 1',
        "no UTF-8": b'{"%s": "\xff"}' % text_field.encode(),
        "deep": DEEP,
    }
