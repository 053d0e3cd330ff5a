"""What becomes of a window, with an engine whose answers are written down."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.stages.recognisers.contract import AudioWindow, LanguageGuess, Recognition
from sutradhar.stages.recognisers.whisper import lockstep
from sutradhar.stages.recognisers.whisper.decoding import Decoder
from sutradhar.stages.recognisers.whisper.requests import (
    Align,
    Alignment,
    Decoded,
    DetectLanguage,
    Encode,
    Generate,
    Heard,
)
from sutradhar.stages.transcript import Likely, Span

EOT, SOT_PREV, NO_TIMESTAMPS, TIMESTAMP_BEGIN = 500, 501, 502, 1000
OFFSET = 60_000
FRAMES_A_TOKEN = 5  # 100 ms


class Letters:
    """A tokenizer whose tokens are letters."""

    eot, sot_prev, no_timestamps, timestamp_begin = EOT, SOT_PREV, NO_TIMESTAMPS, TIMESTAMP_BEGIN

    def __init__(self, task: str, language: str) -> None:
        self.sot_sequence = (
            510,
            {"en": 520, "de": 521, "hi": 522}[language],
            {"transcribe": 530, "translate": 531}[task],
        )

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, tokens: Sequence[int]) -> str:
        return "".join(chr(token) for token in tokens if token < EOT)

    def split_to_word_tokens(self, tokens: Sequence[int]) -> tuple[list[str], list[list[int]]]:
        words = [f" {word}" for word in self.decode(tokens).split()]
        return [*words, "<|endoftext|>"], [*map(self.encode, words), [EOT]]


class Engine:
    """Gives its answers in the order in which they are written down; all but texts and languages are made up."""

    def __init__(self, texts: Iterable[Decoded], heard: dict[str, float] | None = None, aligned: bool = True) -> None:
        self._texts, self._heard, self._aligned = deque(texts), heard, aligned
        self.asked: list[Any] = []

    def answer(self, asked: Sequence[Any]) -> list[Any]:
        self.asked += asked
        return [self._answer(request) for request in asked]

    def _answer(self, request: Any) -> Any:
        if isinstance(request, Encode):
            return f"sound of {len(request.audio) // 16} ms"
        if isinstance(request, DetectLanguage):
            return self._heard
        if isinstance(request, Generate):
            return self._texts.popleft()
        if not self._aligned:
            return Alignment((), ())
        return Alignment(
            [(token, token * FRAMES_A_TOKEN) for token in range(len(request.text) + 1)], [0.9] * len(request.text)
        )

    def of(self, kind: type) -> list[Any]:
        return [request for request in self.asked if isinstance(request, kind)]

    @property
    def temperatures(self) -> list[float]:
        return [request.temperature for request in self.of(Generate)]


def said(text: str, avg_logprob: float = -0.3, no_speech_prob: float = 0.1) -> Decoded:
    return Decoded([ord(letter) for letter in text], avg_logprob, no_speech_prob)


def timed(*parts: str | int) -> Decoded:
    """Text between times in ms."""
    tokens = [
        [TIMESTAMP_BEGIN + part // 20] if isinstance(part, int) else [ord(letter) for letter in part] for part in parts
    ]
    return Decoded([token for some in tokens for token in some], -0.3, 0.1)


def make_window(spoken_ms: int = 1500, **changes: Any) -> AudioWindow:
    """A minute into a film, 3 s or as long as somebody speaks."""
    audio = np.arange(16 * max(spoken_ms, 3000), dtype=np.float32)
    return replace(AudioWindow(7, OFFSET, audio, (Span(OFFSET, OFFSET + spoken_ms),), "en"), **changes)


def recognise(
    engine: Engine, window: AudioWindow | None = None, translate: bool = False, times: bool = True, **settings: object
) -> Recognition:
    decoder = Decoder(Letters, msgspec.convert(settings, Settings), translate=translate, times=times)
    (recognition,) = lockstep.run([decoder.recognise(window or make_window())], engine.answer)
    return recognition


def words_of(recognition: Recognition) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for phrase in recognition.phrases for word in phrase]


LOOP = said(" so" * 30, -0.2)  # longer than could be said, and it compresses well
UNLIKELY, LESS_UNLIKELY = said(" maybe this", -1.15), said(" or that", -1.1)


def test_a_good_text_is_taken_at_once() -> None:
    engine = Engine([said(" Good morning.", -0.25)])
    recognition = recognise(engine)
    assert [type(request) for request in engine.asked] == [Encode, Generate, Align]
    assert engine.temperatures == [0.0]
    assert (recognition.window, recognition.text, recognition.whisper.tokens) == (
        7,
        "Good morning.",
        tuple(map(ord, " Good morning.")),
    )
    assert (recognition.whisper.avg_logprob, recognition.whisper.no_speech_prob, recognition.whisper.temperature) == (
        -0.25,
        0.1,
        0.0,
    )
    assert (recognition.language, recognition.language_probability, recognition.translation) == ("en", 1.0, None)
    assert words_of(recognition) == [(" Good", 60_000, 60_500), (" morning.", 60_500, 61_400)]


# --- Further temperatures


@pytest.mark.parametrize("failure", [UNLIKELY, LOOP], ids=["unlikely", "loop"])
def test_further_temperatures_are_tried_until_a_text_is_accepted(failure: Decoded) -> None:
    engine = Engine([failure, failure, said(" Good."), said(" Not asked for.")])
    recognition = recognise(engine)
    assert engine.temperatures == [0.0, 0.2, 0.4]
    assert (recognition.text, recognition.whisper.temperature) == ("Good.", 0.4)
    assert {request.encoded for request in engine.of(Generate)} == {"sound of 3000 ms"}
    assert len({request.prompt for request in engine.of(Generate)}) == 1
    assert [len(request.text) for request in engine.of(Align)] == [6]  # only the text that is taken


def test_when_all_fail_the_likeliest_is_taken() -> None:
    engine = Engine([UNLIKELY, LESS_UNLIKELY, UNLIKELY])
    recognition = recognise(engine, WHISPER_TEMPERATURE="0.0,0.5,1.0")
    assert engine.temperatures == [0.0, 0.5, 1.0]
    assert (recognition.text, recognition.whisper.avg_logprob, recognition.whisper.temperature) == (
        "or that",
        -1.1,
        0.5,
    )


def test_a_loop_is_taken_only_where_there_is_nothing_else() -> None:
    assert recognise(Engine([LOOP, UNLIKELY, LOOP]), WHISPER_TEMPERATURE="0,0.5,1").text == "maybe this"
    assert (
        recognise(Engine([LOOP, replace(LOOP, avg_logprob=-0.1)]), WHISPER_TEMPERATURE="0,0.5").whisper.temperature
        == 0.5
    )


def test_the_thresholds_are_the_settings() -> None:
    engine = Engine([UNLIKELY])
    assert recognise(engine, WHISPER_LOGPROB_THRESHOLD=-1.15).text == "maybe this"
    assert engine.temperatures == [0.0]


# --- Silence


def test_a_silent_window_has_no_text() -> None:
    engine = Engine([said(" Thank you.", -1.2, 0.7)])
    recognition = recognise(engine)
    assert engine.temperatures == [0.0]
    assert (recognition.text, recognition.whisper.tokens, recognition.phrases) == ("", (), ())
    assert (recognition.whisper.avg_logprob, recognition.whisper.no_speech_prob) == (-1.2, 0.7)


def test_likely_text_is_speech_whatever_the_model_says_of_silence() -> None:
    assert recognise(Engine([said(" So I thank you.", -0.9, 0.99)])).text == "So I thank you."


@pytest.mark.parametrize(
    ("texts", "settings"),
    [([said(" I don't know what to do.", -1.21)], {}), ([said(" Thank you.", -0.5, 0.81)], {})],
    ids=["too unlikely", "few words for silence"],
)
def test_a_text_that_no_speech_has_is_dropped_and_told(texts: list[Decoded], settings: dict[str, object]) -> None:
    recognition = recognise(Engine(texts), WHISPER_TEMPERATURE="0", **settings)
    assert (recognition.text, recognition.phrases) == ("", ())
    assert recognition.dropped == (Span(OFFSET, OFFSET + 3000),)


def test_a_person_may_take_less_likely_texts() -> None:
    engine = Engine([said(" I don't know.", -1.5)])
    assert recognise(engine, WHISPER_LOGPROB_THRESHOLD=-1.6).text == "I don't know."


# --- Doubtful sound


@pytest.mark.parametrize(
    ("text", "believed"),
    [
        (said(" Do you live here?", -0.7, 0.6), True),
        (said(" Do you live here?", -0.71, 0.1), False),
        (said(" Do you live here?", -0.1, 0.61), False),
        (said(" Beep. Beep. beep. Beep.", -0.1, 0.1), False),
        (said(" No, no, no.", -0.1, 0.1), True),
        (said(" so" * 30, -0.1, 0.1), False),
    ],
    ids=["good", "unlikely", "silence", "one word", "short", "loop"],
)
def test_doubtful_sound_is_decoded_once_and_believed_by_every_score(text: Decoded, believed: bool) -> None:
    engine = Engine([text])
    recognition = recognise(engine, make_window(sure=False))
    whole = (Span(OFFSET, OFFSET + 3000),)
    assert engine.temperatures == [0.0]
    assert bool(recognition.text) == believed
    assert (recognition.doubtful, recognition.dropped) == ((whole, ()) if believed else ((), whole))


@pytest.mark.parametrize(("language", "believed"), [("en", False), ("hi", True), ("de", True)])
def test_the_bound_is_that_of_the_language(language: str, believed: bool) -> None:
    engine = Engine([said(" Kya haal hai?", -0.94)])
    assert bool(recognise(engine, make_window(sure=False, language=language)).text) == believed


def test_what_is_not_believed_is_not_translated() -> None:
    engine = Engine([said(" Guten Morgen.", -0.1, 0.7)])
    recognition = recognise(engine, make_window(sure=False, language="de"), translate=True)
    assert (recognition.translation.text, recognition.translation.language) == ("", "en")
    assert engine.temperatures == [0.0]


def test_a_window_may_turn_out_to_be_silent_at_a_further_temperature() -> None:
    engine = Engine([LOOP, said(" Thank you.", -1.2, 0.7)])
    assert (recognise(engine).text, engine.temperatures) == ("", [0.0, 0.2])


def test_an_empty_text_is_no_fault() -> None:
    recognition = recognise(Engine([Decoded([], -0.1, 0.1)]))
    assert (recognition.text, recognition.phrases) == ("", ())


# --- Language


def test_the_language_is_heard_where_none_is_given() -> None:
    engine = Engine([said(" Guten Morgen.")], heard={"en": 0.1, "de": 0.7, "hi": 0.2})
    recognition = recognise(engine, make_window(language=None))
    assert [type(request) for request in engine.asked] == [Encode, DetectLanguage, Generate, Align]
    assert engine.of(DetectLanguage)[0].encoded == "sound of 3000 ms"
    assert engine.of(Generate)[0].prompt == (510, 521, 530, NO_TIMESTAMPS)
    assert engine.of(Align)[0].tokenizer.sot_sequence == (510, 521, 530)
    assert (recognition.language, recognition.language_probability) == ("de", 0.7)


def test_languages_alone_and_the_encoder_output_can_be_had_and_used_later() -> None:
    decoder, window = Decoder(Letters, Settings(), translate=False), make_window()
    engine = Engine([said(" Good.")], heard={"en": 0.9, "de": 0.1})
    (heard,) = lockstep.run([decoder.hear(window)], engine.answer)
    assert heard == LanguageGuess({"en": 0.9, "de": 0.1}, Heard("sound of 3000 ms"))
    lockstep.run([decoder.recognise(replace(window, prepared=Heard("what was kept")))], engine.answer)
    assert [type(request) for request in engine.asked] == [Encode, DetectLanguage, Generate, Align]
    assert {request.encoded for request in engine.asked[2:]} == {"what was kept"}


# --- Prompts


def prompt_of(prompt: str) -> tuple[int, ...]:
    engine = Engine([said(" Good.")])
    recognise(engine, make_window(prompt=prompt))
    (request,) = engine.of(Generate)
    assert isinstance(request.prompt, tuple)
    return request.prompt


def test_a_prompt_is_text_from_before() -> None:
    start = (510, 520, 530, NO_TIMESTAMPS)
    assert prompt_of("") == prompt_of(" \n") == start
    assert prompt_of(" Ravi\n") == (SOT_PREV, *map(ord, " Ravi"), *start)


def test_of_a_long_prompt_the_end_is_taken() -> None:
    prompt = prompt_of("a" * 300 + "b" * 200)
    assert prompt == (SOT_PREV, *map(ord, "a" * 23 + "b" * 200), 510, 520, 530, NO_TIMESTAMPS)


# --- The prompt as text

NAMES = "Names: Sanjay, Geet, Dahisar"


def test_a_prompt_that_comes_back_is_no_text() -> None:
    engine = Engine([said(" Sanjay, Geet, Dahisar"), said(" Thank you.", -1.2, 0.7)])
    recognition = recognise(engine, make_window(prompt=NAMES))
    assert [request.prompt[0] for request in engine.of(Generate)] == [SOT_PREV, 510]
    assert (recognition.text, recognition.phrases, recognition.lost_its_prompt) == ("", (), True)


def test_what_is_heard_without_the_prompt_takes_its_place() -> None:
    recognition = recognise(Engine([said(" Names: Sanjay, Geet"), said(" Good morning.")]), make_window(prompt=NAMES))
    assert (recognition.text, recognition.lost_its_prompt) == ("Good morning.", True)


def test_names_that_are_heard_without_the_prompt_too_keep_its_spelling() -> None:
    recognition = recognise(Engine([said(" Sanjay, Geet!"), said(" Sunjay, Geeth!")]), make_window(prompt=NAMES))
    assert (recognition.text, recognition.lost_its_prompt) == ("Sanjay, Geet!", False)


def test_a_sentence_with_a_name_of_the_prompt_stays() -> None:
    engine = Engine([said(" Sanjay is here.")])
    assert recognise(engine, make_window(prompt=NAMES)).text == "Sanjay is here."
    assert len(engine.of(Generate)) == 1


def test_a_prompt_that_comes_back_as_a_translation_is_none() -> None:
    engine = Engine([said(" Guten Morgen."), timed(0, " Names: Sanjay, Geet", 1000), timed(0, " Good morning.", 1000)])
    recognition = recognise(engine, make_window(language="de", prompt=NAMES), translate=True)
    assert recognition.translation
    assert (recognition.translation.text, recognition.lost_its_prompt) == ("Good morning.", True)


# --- Words


def test_a_window_too_short_to_align_shares_its_time_among_its_words() -> None:
    recognition = recognise(
        Engine([said(" Oh no", -0.1)], aligned=False),
        make_window(audio=np.zeros(3200, np.float32), speech=(Span(60_000, 60_200),)),
    )
    assert words_of(recognition) == [("Oh", 60_000, 60_080), (" no", 60_080, 60_200)]


def test_without_times_nothing_is_aligned_and_the_words_share_the_speech() -> None:
    engine = Engine([said(" Oh no")])
    assert words_of(recognise(engine, make_window(3000), times=False)) == [
        ("Oh", 60_000, 61_200),
        (" no", 61_200, 63_000),
    ]
    assert [type(request) for request in engine.asked] == [Encode, Generate]


def skipped(texts: Iterable[Decoded], **changes: object) -> tuple[Engine, Recognition]:
    """Of a window of 10 s, likely speech from 1 s on, in which the first text accounts for less than 2."""
    engine = Engine([said(" Where is it?"), *texts])
    likely = (Likely(OFFSET + 1000, OFFSET + 9000, 0.5),)
    return engine, recognise(engine, make_window(10_000, **{"likely": likely, **changes}))


def test_speech_that_was_skipped_is_decoded_by_itself_without_the_prompt() -> None:
    engine, recognition = skipped([said(" In the house.", -0.5), said("")], prompt="Daniel")
    assert [type(request) for request in engine.asked] == [Encode, Generate, Align] * 2 + [Encode, Generate]
    assert (engine.asked[3].audio[0], len(engine.asked[3].audio)) == (1250 * 16, 7950 * 16)
    assert (engine.asked[4].encoded, engine.asked[4].temperature) == ("sound of 7950 ms", 0.0)
    assert engine.asked[4].prompt == (510, 520, 530, NO_TIMESTAMPS)
    assert recognition.text == "Where is it? In the house."
    assert words_of(recognition)[3] == (" In", 61_300, 61_550)
    assert recognition.whisper.avg_logprob == pytest.approx((-0.3 * 14 + -0.5 * 15) / 29)
    assert recognition.doubtful == (Span(61_250, 69_200),)


def test_where_a_look_leaves_much_open_the_edges_are_left_out_and_the_longer_text_stays() -> None:
    engine, recognition = skipped([said(" All right."), said(" In the old house.")])
    assert engine.asked[7].encoded == "sound of 6750 ms"
    assert (recognition.text, words_of(recognition)[3]) == ("Where is it? In the old house.", (" In", 61_850, 62_150))


@pytest.mark.parametrize(
    "again",
    [said(" In the house.", -1.1), said(" In the house.", -0.3, 0.7), said(" Yeah.", -0.1, 0.31)],
    ids=["unlikely", "silence", "a word alone"],
)
def test_what_is_not_to_be_believed_fills_no_gap(again: Decoded) -> None:
    engine, recognition = skipped([again, again])
    assert engine.temperatures == [0.0, 0.0, 0.0]
    assert (recognition.text, recognition.whisper.avg_logprob) == ("Where is it?", -0.3)
    assert (recognition.doubtful, recognition.dropped) == ((), (Span(61_250, 69_200),))
    assert recognition.again_ms == 7950 + 6750


def test_a_second_look_that_finds_nothing_drops_nothing() -> None:
    _, recognition = skipped([said(""), said("")])
    assert (recognition.text, recognition.dropped) == ("Where is it?", ())


def test_doubtful_sound_is_not_looked_at_twice() -> None:
    engine, _ = skipped([], sure=False)
    assert engine.temperatures == [0.0]


def test_in_a_text_that_failed_no_gap_is_looked_for() -> None:
    engine = Engine([UNLIKELY])
    likely = (Likely(OFFSET + 3000, OFFSET + 9000, 0.5),)
    recognise(engine, make_window(10_000, likely=likely), WHISPER_TEMPERATURE="0")
    assert [type(request) for request in engine.asked] == [Encode, Generate, Align]


@pytest.mark.parametrize("failed", [said(" Oh no.", -1.5), said(" Oh no.", -1.1, 0.7)], ids=["dropped", "silence"])
def test_where_a_text_failed_altogether_likely_speech_is_looked_at(failed: Decoded) -> None:
    engine = Engine([failed, said(" In the house."), said("")])
    likely = (Likely(OFFSET + 3000, OFFSET + 9000, 0.5),)
    recognition = recognise(engine, make_window(10_000, likely=likely), WHISPER_TEMPERATURE="0")
    assert (recognition.text, recognition.doubtful) == ("In the house.", (Span(62_800, 69_200),))


# --- Translation


def test_a_translation_is_decoded_from_the_same_encoder_output() -> None:
    engine = Engine([said(" Guten Morgen."), timed(0, " Good", 1000, 1000, " morning.", 2000)])
    recognition = recognise(engine, make_window(2000, language="de", prompt="Ravi"), translate=True)
    assert [type(request) for request in engine.asked] == [Encode, Generate, Align, Generate]
    first, second = engine.of(Generate)
    assert first.encoded == second.encoded
    assert first.prompt == (SOT_PREV, *map(ord, " Ravi"), 510, 521, 530, NO_TIMESTAMPS)
    assert second.prompt == (SOT_PREV, *map(ord, " Ravi"), 510, 521, 531)  # times are asked for
    assert (recognition.language, recognition.text) == ("de", "Guten Morgen.")
    translation = recognition.translation
    assert translation
    assert (translation.window, translation.language, translation.text) == (7, "en", "Good morning.")
    assert words_of(translation) == [(" Good", 60_000, 61_000), (" morning.", 61_000, 62_000)]


def test_a_translation_that_fails_is_tried_again() -> None:
    engine = Engine(
        [said(" Guten Morgen."), replace(timed(0, " Good", 1000), avg_logprob=-1.5), timed(0, " Good morning.", 1000)]
    )
    recognition = recognise(engine, make_window(language="de"), translate=True)
    assert engine.temperatures == [0.0, 0.0, 0.2]
    assert recognition.whisper.temperature == 0.0
    assert recognition.translation
    assert (recognition.translation.text, recognition.translation.whisper.temperature) == ("Good morning.", 0.2)


def test_english_is_not_translated() -> None:
    engine = Engine([said(" Good morning.")])
    assert recognise(engine, translate=True).translation is None
    assert len(engine.of(Generate)) == 1


def test_what_is_heard_as_english_is_not_translated() -> None:
    engine = Engine([said(" Good morning.")], heard={"en": 0.6, "de": 0.4})
    assert recognise(engine, make_window(language=None), translate=True).translation is None


# --- Together


def test_windows_that_fail_and_others_go_through_together() -> None:
    texts = {0.0: deque([said(" One."), UNLIKELY, said(" Three.")]), 0.2: deque([said(" Two.")])}
    together: list[int] = []

    def answer(asked: Sequence[Any]) -> list[Any]:
        if not isinstance(asked[0], Generate):
            return Engine([]).answer(asked)
        together.append(len(asked))
        return [texts[request.temperature].popleft() for request in asked]

    decoder = Decoder(Letters, Settings(), translate=False)
    recognitions = lockstep.run([decoder.recognise(make_window(id=number)) for number in range(3)], answer)
    assert [
        (recognition.window, recognition.text, recognition.whisper.temperature) for recognition in recognitions
    ] == [
        (0, "One.", 0.0),
        (1, "Two.", 0.2),
        (2, "Three.", 0.0),
    ]
    assert together == [3, 1]
