"""The stage with a recogniser that says what it is told to."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from sutradhar.pipeline.jobs.stage import Outcome, StageContext
from sutradhar.stages.film import rescue
from sutradhar.stages.recognisers import declared
from sutradhar.stages.recognisers.contract import AudioWindow, CannotTranslate, Recognition
from sutradhar.stages.transcript import MISSING, Audio, Segment, Span, Transcript, Translations, Word, load, save
from tests.stages.run_stage import StageRun

START = 90_000  # where the sound begins on the film's clock
SAID = ("मुझे घर जाना है।", "ट्रेन आएगी।", "मैं थक गया हूँ।")


def segment(number: int, text: str, language: str, note: str = "") -> Segment:
    start = START + 2000 * number
    return Segment(
        number,
        start,
        start + 1500,
        text,
        (Word(f" {text}", start, start + 1500, 0.9),),
        language,
        1.0,
        -0.2,
        0.0,
        1.0,
        0.0,
        note,
    )


def missing(number: int, language: str = "en") -> Segment:
    return segment(number, MISSING, language, "not translated: loop")


def transcript(*segments: Segment, language: str = "en") -> Transcript:
    return Transcript(language, START, 10_000, segments, "translated by IndicTrans2")


SOURCE = transcript(*(segment(number, text, "hi") for number, text in enumerate(SAID)), language="hi")
HOME, TIRED = segment(0, "I have to go home.", "en"), segment(2, "I am tired.", "en")


class FakeWhisper:
    """Says of each window the words, with their times, that stand in a table by its start."""

    engine: Mapping[str, str] = {"model": "base"}
    packages = ("faster-whisper",)
    degraded: tuple[str, ...] = ()

    def __init__(self, table: Mapping[int, tuple[tuple[Word, ...], ...]]) -> None:
        self._table = table
        self.windows: list[AudioWindow] = []

    def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
        self.windows = list(windows)
        for window in reversed(self.windows):  # in any order
            heard = Recognition(window.id, "", "hi", 1.0, (), confidence=0.7)
            phrases = self._table.get(window.offset_ms)
            yield (
                replace(heard, translation=replace(heard, language="en", phrases=phrases))
                if phrases is not None
                else heard
            )


def words(start_ms: int, text: str) -> tuple[Word, ...]:
    """500 ms each."""
    return tuple(
        Word(f" {word}", start_ms + 500 * number, start_ms + 500 * (number + 1), 0.9)
        for number, word in enumerate(text.split())
    )


BY_INDICTRANS2 = {"WORKFLOW": "translate", "TRANSLATION_ENGINE": "indictrans2"}
Rescue = Callable[..., tuple[Outcome, tuple[Transcript, ...], StageRun]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rescue:
    def run_stage(
        opened: Callable[[StageContext, bool], object], *translations: Transcript, source: Transcript = SOURCE
    ) -> tuple[Outcome, tuple[Transcript, ...], StageRun]:
        monkeypatch.setattr(declared, "open_for", opened)
        stage = StageRun(rescue.STAGE, Path("film.mkv"), tmp_path, SOURCE_LANGUAGE="hi", **BY_INDICTRANS2)
        for name in ("demux", "align", "translate"):
            (stage.artifacts / name).mkdir(exist_ok=True)
        with wave.open(str(stage.artifacts / "demux" / "audio.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(10 * 32_000))
        save(stage.artifacts / "demux" / "audio.json", Audio(START, 10_000, 16_000, 0, ""))
        save(stage.artifacts / "align" / "transcript.json", source)
        save(stage.artifacts / "translate" / "transcripts.json", Translations(translations))
        return stage.run(), load(stage.scratch / "rescue" / "transcripts.json", Translations).transcripts, stage

    return run_stage


def never(ctx: StageContext, translate: bool) -> object:
    raise AssertionError("Whisper was loaded")


def says(whisper: FakeWhisper) -> Callable[[StageContext, bool], object]:
    return lambda ctx, translate: whisper if translate else never(ctx, translate)


@pytest.mark.parametrize(
    "translations",
    [(), (transcript(HOME, TIRED),), (transcript(missing(0, "ta"), language="ta"),)],
    ids=["none", "all there", "only in another language"],
)
def test_nothing_to_rescue_loads_nothing(translations: tuple[Transcript, ...], run: Rescue) -> None:
    outcome, after, _ = run(never, *translations)
    assert after == translations
    assert outcome == Outcome(
        "Nothing for Whisper to translate: it translates into English alone, where nothing is missing",
        seconds_of_media=0.0,
    )


def test_what_is_missing_is_replaced_in_its_own_time_and_numbered_anew(run: Rescue) -> None:
    begin = START + 2000
    whisper = FakeWhisper({begin: (words(begin - 300, "The train."), words(begin + 700, "It will come."))})
    outcome, (english,), stage = run(says(whisper), transcript(HOME, missing(1), TIRED))
    assert [(one.id, one.start_ms, one.end_ms, one.text, one.note) for one in english.segments] == [
        (0, START, START + 1500, "I have to go home.", ""),
        (1, begin, begin + 700, "The train.", "by Whisper"),
        (2, begin + 700, begin + 1500, "It will come.", "by Whisper"),
        (3, START + 4000, START + 5500, "I am tired.", ""),
    ]
    assert all(
        begin <= word.start_ms <= word.end_ms <= begin + 1500 for one in english.segments[1:3] for word in one.words
    )
    assert english.note == "translated by IndicTrans2"
    assert outcome == Outcome(
        summary="Whisper translated 1 of 1 sentence that IndicTrans2 could not",
        engine={"model": "base"},
        packages=("faster-whisper",),
        degraded=("1 of 1 missing sentence translated by Whisper",),
        seconds_of_media=1.5,
    )
    assert stage.progress == [(0, 1.5), (1.5, 1.5)]


def test_only_the_sound_of_what_is_missing_is_heard(run: Rescue) -> None:
    whisper = FakeWhisper({})
    _, _, stage = run(says(whisper), transcript(HOME, missing(1), missing(2)))
    assert [(one.id, one.offset_ms, len(one.audio), one.speech, one.language) for one in whisper.windows] == [
        (0, START + 2000, 24_000, (Span(START + 2000, START + 3500),), "hi"),
        (1, START + 4000, 24_000, (Span(START + 4000, START + 5500),), "hi"),
    ]
    assert stage.progress == [(0, 3.0), (1.5, 3.0), (3.0, 3.0)]


@pytest.mark.parametrize("heard", [SAID[1], "मैं घर जा रहा हूँ।"], ids=["the source", "another text in its script"])
def test_what_is_no_translation_is_refused(heard: str, run: Rescue) -> None:
    before = transcript(HOME, missing(1), TIRED)
    outcome, (english,), _ = run(says(FakeWhisper({START + 2000: (words(START + 2000, heard),)})), before)
    assert english == before
    assert outcome.degraded == ("0 of 1 missing sentence translated by Whisper",)


def test_a_copy_of_the_source_in_latin_letters_is_refused(run: Rescue) -> None:
    roman = "mujhe kal ghar jana hai"
    source = transcript(segment(0, roman, "hi"), language="hi")
    _, (english,), _ = run(says(FakeWhisper({START: (words(START, roman),)})), transcript(missing(0)), source=source)
    assert english.segments[0].text == MISSING


def test_what_whisper_cannot_give_either_stays_missing(run: Rescue) -> None:
    whisper = FakeWhisper({START + 2000: (words(START + 2000, "A train comes."),), START + 4000: ()})
    outcome, (english,), _ = run(says(whisper), transcript(missing(0), missing(1), missing(2)))
    assert [(one.id, one.text, one.note) for one in english.segments] == [
        (0, MISSING, "not translated: loop"),
        (1, "A train comes.", "by Whisper"),
        (2, MISSING, "not translated: loop"),
    ]
    assert outcome.summary == "Whisper translated 1 of 3 sentences that IndicTrans2 could not"
    assert outcome.degraded == ("1 of 3 missing sentences translated by Whisper",)


def test_only_the_english_transcript_is_touched(run: Rescue) -> None:
    tamil = transcript(missing(0, "ta"), missing(1, "ta"), language="ta")
    _, (first, english), _ = run(
        says(FakeWhisper({START: (words(START, "I must go home."),)})), tamil, transcript(missing(0), TIRED)
    )
    assert first == tamil
    assert [one.text for one in english.segments] == ["I must go home.", "I am tired."]


def test_a_model_that_cannot_translate_loses_nothing_else(run: Rescue) -> None:
    def refused(ctx: StageContext, translate: bool) -> object:
        raise CannotTranslate("large-v3-turbo")

    before = transcript(HOME, missing(1), TIRED)
    outcome, (english,), _ = run(refused, before)
    assert english == before
    assert outcome.engine == {}
    assert outcome.degraded == (
        "WHISPER_MODEL=large-v3-turbo was not trained to translate: use large-v3, medium, small or base, or the workflow transcribe",
        "0 of 1 missing sentence translated by Whisper",
    )


def test_one_text_for_several_different_sentences_rescues_none(run: Rescue) -> None:
    whisper = FakeWhisper(
        {START + 2000 * number: (words(START + 2000 * number, "Thank you for watching this."),) for number in range(3)}
    )
    outcome, (english,), _ = run(says(whisper), transcript(missing(0), missing(1), missing(2)))
    assert [one.text for one in english.segments] == [MISSING] * 3
    assert outcome.summary == "Whisper translated 0 of 3 sentences that IndicTrans2 could not"


class StoppedEarly(Exception):
    pass


class InterruptedWhisper(FakeWhisper):
    """Is interrupted once it has said `after`, and notes what it was asked for."""

    def __init__(self, whisper: FakeWhisper, after: int) -> None:
        super().__init__(whisper._table)
        self._after = after
        self.asked: list[int] = []

    def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
        unknown = [window for window in windows if not window.known]
        self.asked = [window.id for window in unknown]
        for number, recognition in enumerate(super().recognise(unknown)):
            if number == self._after:
                raise StoppedEarly
            yield recognition


def test_interrupted_it_goes_on_with_the_sentences_that_are_missing_and_comes_to_the_same_to_the_byte(
    run: Rescue,
) -> None:
    texts = ("I must go home.", "A train comes.", "I am so tired.")
    whisper = FakeWhisper(
        {START + 2000 * number: (words(START + 2000 * number, text),) for number, text in enumerate(texts)}
    )
    lacking = transcript(missing(0), missing(1), missing(2))
    undisturbed, _, stage = run(says(whisper), lacking)
    whole = (stage.scratch / "rescue" / "transcripts.json").read_bytes()
    stage.context.pieces.unlink()
    with pytest.raises(StoppedEarly):
        run(says(InterruptedWhisper(whisper, after=1)), lacking)
    rest = InterruptedWhisper(whisper, after=3)
    outcome, _, stage = run(says(rest), lacking)
    assert rest.asked == [0, 1]
    assert (stage.scratch / "rescue" / "transcripts.json").read_bytes() == whole
    assert outcome == undisturbed
    assert [stage.told[0].kept, stage.told[-1].kept] == ["1 of 3 windows", "3 of 3 windows"]
