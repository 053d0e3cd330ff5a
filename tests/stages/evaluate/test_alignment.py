from __future__ import annotations

import pytest

from sutradhar.stages.evaluate.version import Version
from tests.stages.evaluate.support import compared, text

LETTERS = {"hit": ".", "substitution": "S", "deletion": "D", "insertion": "I"}


def steps(reference: Version, system: Version) -> str:
    """A letter a step, small where it is free."""
    edits = compared(reference, system).edits
    return "".join(LETTERS[edit.kind].lower() if edit.is_free else LETTERS[edit.kind] for edit in edits)


@pytest.mark.parametrize(
    ("said", "heard", "found"),
    [
        ("the cat sat", "the cat sat", "..."),
        ("the cat sat", "the bat", ".SD"),
        ("the cat", "the black cat", ".I."),
        ("", "the cat", "II"),
        ("the cat", "", "DD"),
        ("", "", ""),
    ],
)
def test_the_fewest_steps_are_found(said: str, heard: str, found: str) -> None:
    assert steps(text(said), text(heard)) in (found, found.replace("SD", "DS"))


@pytest.mark.parametrize(
    ("said", "heard", "found"),
    [
        ("hello (big bad) world", "hello world", ".dd."),
        ("hello (big bad) world", "hello big bad world", "...."),
        ("hello (big bad) world", "hello big sad world", "..s."),
        ("hello (big) world", "hello big fat world", "..i."),
        ("hello (big bad) world", "hello world again one", ".dd.II"),  # not big for world, which would be fewer steps
        ("a (b c) d e", "a b c x e", "...S."),
        ("hello [ignore] world", "hello all that they say world", ".siii."),
        ("hello [ignore] world", "hello world", ".d."),
    ],
)
def test_optional_words_may_be_heard_or_not(said: str, heard: str, found: str) -> None:
    assert steps(text(said), text(heard)) == found


def test_optional_words_that_are_heard_are_no_words_of_the_reference() -> None:
    comparison = compared(text("hello (big) world"), text("hello big world"))
    assert [edit.is_free for edit in comparison.edits] == [False, True, False]
    assert len(comparison.counted) == 2
