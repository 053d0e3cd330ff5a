"""Decide which texts are believed.

Whisper writes something for any sound: "Thank you.", "you" or a loop where nobody speaks. Its own rule drops a text
whose scores are bad both; "you" on silence has a log-probability of -0.5 and 0.94 for no speech. So a text from
doubtful sound has to be good by each score. docs/sound.md lists the bounds.
"""

from __future__ import annotations

from sutradhar.stages.recognisers.whisper.fallback import Attempt

# In sound where somebody speaks: no text of 278 windows of English speech was below -0.91
FLOOR = -1.2
FEW_WORDS, FEW_NO_SPEECH = 2, 0.8
# In doubtful sound. Of 278 windows of English speech three are below -0.7; of 30 of read Hindi, of which base knows
# little, three are below -0.95. Other languages were not measured, and take the looser bound.
LOGPROB, OTHER_LOGPROB = {"en": -0.7}, -0.95
NO_SPEECH, COMPRESSION = 0.6, 2.4
ALONE_NO_SPEECH = 0.3  # of a single word that a second look finds
VARIED_FROM, VARIED = 4, 0.5  # from so many words on, the share of them that differ


def stands(attempt: Attempt, accepted: float) -> bool:
    """Tell whether the text stands where somebody speaks. `accepted` is the log-probability that a person takes."""
    few = len(attempt.text.split()) <= FEW_WORDS
    return attempt.avg_logprob >= min(FLOOR, accepted) and not (few and attempt.no_speech_prob > FEW_NO_SPEECH)


def is_believed(attempt: Attempt, language: str) -> bool:
    """Tell whether the text stands where it is doubtful if somebody speaks."""
    words = attempt.text.split()
    return (
        attempt.avg_logprob >= LOGPROB.get(language, OTHER_LOGPROB)
        and attempt.no_speech_prob <= NO_SPEECH
        and attempt.compression_ratio <= COMPRESSION
        and (len(words) < VARIED_FROM or len({word.casefold() for word in words}) >= VARIED * len(words))
    )


def is_found(attempt: Attempt, language: str) -> bool:
    """Tell whether the text of a second look stands."""
    alone = len(attempt.text.split()) == 1
    return is_believed(attempt, language) and not (alone and attempt.no_speech_prob > ALONE_NO_SPEECH)
