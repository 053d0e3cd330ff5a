from __future__ import annotations

from sutradhar.stages.cues.rules import rules_for
from sutradhar.stages.cues.speakers import by_speaker, cues_of_speakers
from sutradhar.stages.transcript import Transcript
from tests.stages.corpus.recognise.support import segment


def test_cues_of_two_speakers_may_overlap_and_say_whose_they_are() -> None:
    spoken = (segment("Hello there.", 1000, "1"), segment("Who is this?", 1200, "2"), segment("It is me.", 3000, "1"))
    cues = cues_of_speakers(Transcript("en", 0, 5000, spoken), rules_for("netflix", "en", 24))
    assert [(cue.start_ms, cue.lines) for cue in cues] == [
        (1000, ("1: Hello there.",)),
        (1200, ("2: Who is this?",)),
        (3000, ("1: It is me.",)),
    ]


def test_one_speaker_has_no_label() -> None:
    transcript = Transcript("en", 0, 5000, (segment("Hello there.", 1000),))
    assert [cue.lines for cue in cues_of_speakers(transcript, rules_for("netflix", "en", 24))] == [("Hello there.",)]
    assert by_speaker(transcript) == [("", transcript)]
    assert by_speaker(Transcript("en", 0, 5000, ())) == [("", Transcript("en", 0, 5000, ()))]
