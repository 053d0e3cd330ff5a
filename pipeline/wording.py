"""Small words for messages."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """1 window, 2,000 windows"""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(count: int) -> str:
    """Of bytes, as disks and downloads are counted: 0.9 MB, 134 MB, 3.1 GB"""
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 1e7 else f"{count / 1e6:.1f} MB"
