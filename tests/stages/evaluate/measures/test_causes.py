from __future__ import annotations

from tests.stages.evaluate.support import compared, cues, spoken, timed, values


def test_what_has_nothing_on_the_screen_was_not_heard_and_the_rest_misheard() -> None:
    reference = timed((0, 2000, "red green blue brown"), (5000, 6000, "pink gold"))
    found = values("causes", compared(reference, cues((0, 2000, "red green brown"))))
    assert (found["deletions_unheard"], found["deletions_misheard"]) == (2, 1)


def test_words_between_two_that_were_heard_lie_between_these() -> None:
    """The utterance's span holds a pause, so its share of it would not say that the cue had ended."""
    reference = timed((0, 10_000, "red green blue"))
    heard = cues((0, 1000, "red"), (9000, 10_000, "blue"))
    found = values("causes", compared(reference, heard))
    assert (found["deletions_unheard"], found["deletions_misheard"]) == (1, 0)


def test_insertions_are_in_speech_or_outside() -> None:
    reference = timed((0, 1000, "red green"))
    heard = cues((0, 1000, "red more green"), (5000, 6000, "thank you"))
    found = values("causes", compared(reference, heard))
    assert (found["insertions_outside"], found["insertions_inside"]) == (2, 1)


def test_the_words_own_times_are_taken_where_they_are_known() -> None:
    reference = spoken((0, 300, "red"), (8000, 8300, "green"))
    found = values("causes", compared(reference, cues((0, 4000, "red"))))
    assert (found["deletions_unheard"], found["deletions_misheard"]) == (1, 0)
    found = values("causes", compared(reference, cues((0, 9000, "red"))))
    assert (found["deletions_unheard"], found["deletions_misheard"]) == (0, 1)
