from __future__ import annotations

import zlib

import pytest

from sutradhar.stages.recognisers.whisper.fallback import Attempt, Thresholds, compression_ratio

THRESHOLDS = Thresholds(logprob=-1.0, compression_ratio=2.4, no_speech=0.6)
LOOP = "and then " * 40


def attempt(
    text: str = "Good morning.",
    logprob: float = -0.3,
    no_speech: float = 0.1,
    temperature: float = 0.0,
    seconds: float = 30,
) -> Attempt:
    return Attempt((), text, logprob, no_speech, temperature, seconds)


def test_likely_text_that_does_not_repeat_itself_is_accepted() -> None:
    assert THRESHOLDS.accept(attempt())


def test_a_loop_is_not_accepted() -> None:
    assert not THRESHOLDS.accept(attempt(LOOP))


def test_a_text_that_nobody_could_say_in_the_time_is_not_accepted() -> None:
    text = "युज्ज लवाता वूज युज्ज लवाता वूजज लगिभा वूज"
    assert compression_ratio(text) < 2
    assert THRESHOLDS.accept(attempt(text, seconds=1.1))
    assert not THRESHOLDS.accept(attempt(text, seconds=1.0))


def test_unlikely_text_is_not_accepted() -> None:
    assert not THRESHOLDS.accept(attempt(logprob=-1.01))
    assert not THRESHOLDS.accept(attempt(logprob=float("nan")))


def test_unlikely_text_where_nobody_speaks_is_silence_and_settles_the_window() -> None:
    silence = attempt(logprob=-1.2, no_speech=0.7)
    assert THRESHOLDS.silent(silence)
    assert THRESHOLDS.accept(silence)


def test_a_high_no_speech_probability_alone_is_no_silence() -> None:
    assert not THRESHOLDS.silent(attempt(no_speech=0.9))


def test_text_that_fills_a_gap_must_be_speech_too() -> None:
    assert THRESHOLDS.trust(attempt())
    assert not THRESHOLDS.trust(attempt(no_speech=0.9))


def test_the_accepted_attempt_is_the_last() -> None:
    attempts = [attempt(logprob=-1.5), attempt(logprob=-0.9, temperature=0.2)]
    assert THRESHOLDS.best(attempts).temperature == 0.2


def test_when_all_fail_the_likeliest_without_a_loop_is_taken() -> None:
    attempts = [
        attempt(LOOP, -0.1),
        attempt(logprob=-1.5, temperature=0.2),
        attempt(logprob=-1.4, temperature=0.4),
        attempt(logprob=-1.6, temperature=0.6),
    ]
    assert THRESHOLDS.best(attempts).temperature == 0.4


def test_when_all_loop_the_likeliest_is_taken() -> None:
    assert THRESHOLDS.best([attempt(LOOP, -0.5), attempt(LOOP, -0.4, temperature=0.2)]).temperature == 0.2


def test_the_ratio_of_ascii_text_is_whispers() -> None:
    text = "Good morning, Daniel. Have you watched the new film yet?"
    assert compression_ratio(text) == len(text) / len(zlib.compress(text.encode()))
    assert compression_ratio("") == 0


HINDI = (
    "उन्होंने कहा कि अब हमारे पास चार महीने उम्र वाले चूहे हैं जिन्हें मधुमेह नहीं है जो पहले रोगी थे। "
    "डॉक्टर ने बताया कि यह खोज अभी अपने शुरुआती दौर में है और इसे मनुष्यों पर आज़माने में समय लगेगा। "
    "गाँव के लोग हर साल बरसात के बाद नदी के किनारे मेला लगाते हैं, जहाँ दूर-दूर से व्यापारी आते हैं। "
    "बच्चे झूले झूलते हैं और औरतें चूड़ियाँ खरीदती हैं।"
)


def test_plain_hindi_does_not_count_as_a_loop_and_a_loop_does() -> None:
    assert len(HINDI.encode()) / len(zlib.compress(HINDI.encode())) > 2.4  # what it would be by bytes
    assert compression_ratio(HINDI) == pytest.approx(1.5, abs=0.15)
    assert compression_ratio("मैं जा रहा हूँ। " * 12) > 2.4
