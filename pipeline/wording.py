"""Small words for messages."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """1 window, 2 windows"""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
