from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sutradhar.pipeline.names import Count, FileName, Hex, PathBelow, PlainPath, Size


def fits(kind: Any, value: object) -> bool:
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value), type=kind) == value)
    except msgspec.ValidationError:
        return False


@pytest.mark.parametrize(
    ("name", "file", "below", "plain"),
    [
        ("film.en.srt", True, True, True),
        ("…", True, True, True),
        ("a\nb ..c", True, True, True),
        ("asr/transcript.json", False, True, True),
        ("/calls/a.wav", False, False, True),
        ("", False, False, False),
        (".", False, False, False),
        ("..", False, False, False),
        ("../a", False, False, False),
        ("a/..", False, False, False),
        ("a/../b", False, False, False),
        ("a//b", False, False, False),
        ("a/", False, False, False),
        ("/", False, False, False),
        ("/a/../../b", False, False, False),
        ("a\0b", False, False, False),
        ("..\n", True, True, True),
    ],
)
def test_names_of_files_and_paths(name: str, file: bool, below: bool, plain: bool) -> None:
    assert (fits(FileName, name), fits(PathBelow, name), fits(PlainPath, name)) == (file, below, plain)


def test_digests_and_numbers() -> None:
    assert [fits(Hex, text) for text in ("", "ab01", "AB", "0x", "../a", "ab\n", "a" * 129)] == [
        True,
        True,
        False,
        False,
        False,
        False,
        False,
    ]
    assert [fits(Count, number) for number in (0, 2**31 - 1, 2**31, -1)] == [True, True, False, False]
    assert [fits(Size, number) for number in (2**63 - 1, 2**63, -1)] == [True, False, False]
