from __future__ import annotations

import pytest

from sutradhar.stages.evaluate.version import Turn, Version
from sutradhar.stages.transcript import Span
from tests.stages.evaluate.support import compared, timed, values

pytest.importorskip("pyannote.metrics")


def both(anna: Version, ben: Version) -> Version:
    return Version(anna.utterances + ben.utterances)


REFERENCE = both(
    timed((0, 10_000, "red green"), speaker="anna"),
    timed((10_000, 20_000, "blue brown"), speaker="ben"),
)


def test_names_of_speakers_do_not_matter() -> None:
    heard = both(timed((0, 10_000, "red green"), speaker="2"), timed((10_000, 20_000, "blue brown"), speaker="1"))
    assert values("speakers", compared(REFERENCE, heard)) == {"der_0": 0.0, "der_250": 0.0, "cpwer": 0.0}


def test_time_of_the_wrong_speaker_is_an_error() -> None:
    heard = both(timed((0, 12_000, "red green blue"), speaker="2"), timed((12_000, 20_000, "brown"), speaker="1"))
    found = values("speakers", compared(REFERENCE, heard))
    assert (found["der_0"], found["cpwer"]) == (10.0, 50.0)  # 2 of 20 s; "blue" too much here, and missing there
    assert found["der_250"] == 9.2  # 1.75 of 19 s: a quarter of a second on each side of four edges is left out


def test_speakers_that_are_not_there_are_words_too_many() -> None:
    heard = both(timed((0, 20_000, "red green blue brown"), speaker="1"), timed((0, 100, "pink"), speaker="2"))
    assert (
        values("speakers", compared(REFERENCE, heard))["cpwer"] == 100.0
    )  # 2 of one speaker too many, 2 of the other missing


def test_turns_alone_are_enough_for_who_speaks_when() -> None:
    turns = Version((), turns=(Turn(Span(0, 10_000), "a"), Turn(Span(10_000, 15_000), "b")), has_text=False)
    assert values("speakers", compared(REFERENCE, turns)) == {"der_0": 25.0, "der_250": 25.0}  # 5 of 20 s, 4.75 of 19 s


def test_what_may_be_heard_or_not_is_charged_to_nobody() -> None:
    reference = both(timed((0, 10_000, "red (or so) green"), speaker="anna"), timed((10_000, 20_000, "[ignore]")))
    heard = both(timed((0, 10_000, "red or so green"), speaker="2"), timed((10_000, 20_000, "blue brown"), speaker="1"))
    assert values("speakers", compared(reference, heard)) == {"der_0": 0.0, "der_250": 0.0}
