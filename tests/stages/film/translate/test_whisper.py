from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from sutradhar.stages.film import translate
from sutradhar.stages.transcript import MISSING, Segment, Transcript, Translations, Word, load, save
from tests.stages.film.translate.support import spoken
from tests.stages.run_stage import StageRun

HINDI = spoken(" मुझे घर जाना है। | तुम कहाँ हो?")


def english(*texts: str) -> Transcript:
    segments = [
        Segment(
            number,
            1000 * number,
            1000 * number + 900,
            text,
            (Word(f" {text}", 1000 * number, 1000 * number + 900, 0.9),),
            "hi",
            1.0,
            -0.2,
            0.0,
            1.2,
            0.0,
        )
        for number, text in enumerate(texts)
    ]
    return Transcript("en", 0, 10_000, tuple(segments))


SEVERAL = ("मुझे पानी चाहिए।", "कल बहुत बारिश होगी।", "तुम्हारा भाई आ गया।")


def run(tmp_path: Path, source: Transcript, translation: Transcript) -> tuple[tuple[str, ...], tuple[Transcript, ...]]:
    stage_run = StageRun(translate.STAGE, Path("film.mkv"), tmp_path, WORKFLOW="translate", TARGET_LANGUAGES="en")
    for name, transcript in (("align/transcript.json", source), ("asr/translation.json", translation)):
        (stage_run.artifacts / name).parent.mkdir()
        save(stage_run.artifacts / name, transcript)
    outcome = stage_run.run()
    return outcome.degraded, load(stage_run.scratch / "translate" / "transcripts.json", Translations).transcripts


def test_what_is_no_translation_is_marked_in_its_place(tmp_path: Path) -> None:
    degraded, (found,) = run(tmp_path, HINDI, english("I have to go home.", "तुम कहाँ हो", "Mujhe ghar jana hai"))
    assert (found.language, found.note) == ("en", "translated by Whisper")
    assert [(segment.id, segment.text) for segment in found.segments] == [
        (0, "I have to go home."),
        (1, MISSING),
        (2, MISSING),
    ]
    assert found.segments[1].note == "not translated: no English, or a copy of the source"
    assert [(word.text, word.start_ms, word.end_ms) for word in found.segments[1].words] == [(MISSING, 1000, 1900)]
    assert degraded == ("2 of 3 segments were no translation; the subtitles show […] there",)


def test_one_text_for_several_different_sentences_is_none(tmp_path: Path) -> None:
    said = Transcript(
        "hi",
        0,
        10_000,
        tuple(
            replace(one, text=text, language="hi")
            for one, text in zip(english("a", "b", "c").segments, SEVERAL, strict=True)
        ),
    )
    _, (found,) = run(tmp_path, said, english(*["I'm going to the airport."] * 3))
    assert [(segment.text, segment.note) for segment in found.segments] == [
        (MISSING, "not translated: same for several")
    ] * 3


def test_english_speech_needs_none(tmp_path: Path) -> None:
    degraded, found = run(tmp_path, english("Hello."), english("Hello."))
    assert (degraded, found) == (("No translation: the speech is in en already",), ())
