"""The recogniser with the starter model on the sample."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.contract import AudioWindow, Recogniser, Recognition
from sutradhar.stages.recognisers.opening import open_recogniser
from sutradhar.stages.recognisers.whisper.requests import Decoded, Generate
from sutradhar.stages.recognisers.whisperx.engine import WhisperX, _fitting_first
from sutradhar.stages.transcript import Span
from tests.conftest import ROOT
from tests.recogniser_contract import RecogniserContract

BASE = ROOT / "models" / "base"
pytestmark = pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")

SAMPLE = ROOT / "samples" / "dialogue.mp4"
GREEDY: dict[str, Any] = {"WHISPER_BEAM_SIZE": 1, "SOURCE_LANGUAGE": "en"}
OUT_OF_MEMORY = "CUDA failed with error out of memory"
NOISE = np.random.default_rng(1).normal(0, 0.1, (3, 80_000)).astype(np.float32)  # where every draw is another text
UNSURE = [AudioWindow(number, 0, NOISE[number], (Span(0, 5000),), "en") for number in range(3)]
SAMPLED: dict[str, Any] = {
    "WHISPER_TEMPERATURE": "1.0,0.9,0.8",
    "WHISPER_LOGPROB_THRESHOLD": 0.0,
    "WHISPER_NO_SPEECH_THRESHOLD": 1.0,
}


def open_whisperx(translate: bool = False, times: bool = True, **settings: object) -> WhisperX:
    model = ResolvedModel(BASE, "base", "", "ct2")
    recogniser = open_recogniser(
        msgspec.convert(GREEDY | settings, Settings),
        model,
        translate=translate,
        times=times,
        log=logging.getLogger("test"),
    )
    assert isinstance(recogniser, WhisperX)
    return recogniser


def recognise(windows: Sequence[AudioWindow], translate: bool = False, **settings: object) -> list[Recognition]:
    found = {recognition.window: recognition for recognition in open_whisperx(translate, **settings).recognise(windows)}
    return [found[window.id] for window in windows]


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    return np.concatenate(list(media.decode(SAMPLE))).astype(np.float32) / 32768


@pytest.fixture(scope="module")
def windows(sound: NDArray[np.float32]) -> list[AudioWindow]:
    """One for each utterance, a minute into a film."""
    utterances = json.loads((ROOT / "samples" / "dialogue.json").read_text())["utterances"]
    bounds = [(utterance["start_ms"] - 150, utterance["end_ms"] + 150) for utterance in utterances[:5]]
    return [
        AudioWindow(number, 60_000 + begin, sound[begin * 16 : end * 16], (Span(60_000 + begin, 60_000 + end),), "en")
        for number, (begin, end) in enumerate(bounds)
    ]


@pytest.fixture(scope="module")
def recognised(windows: list[AudioWindow]) -> list[Recognition]:
    return recognise(windows)


class TestContract(RecogniserContract):
    def open(self, **settings: object) -> Recogniser:
        return open_whisperx(**settings)

    @pytest.fixture
    def windows(self, windows: list[AudioWindow]) -> list[AudioWindow]:
        return windows[:3]


def test_hears_what_is_said(recognised: list[Recognition]) -> None:
    assert [recognition.window for recognition in recognised] == [0, 1, 2, 3, 4]
    assert recognised[2].text == "How long will that take?"
    assert [word.text for word in recognised[2].phrases[0]] == [" How", " long", " will", " that", " take?"]
    assert "needs subtitles" in recognised[1].text
    for recognition in recognised:
        assert recognition.whisper.avg_logprob > -0.6
        assert recognition.whisper.no_speech_prob < 0.5
        assert (recognition.whisper.temperature, recognition.language, recognition.language_probability) == (
            0.0,
            "en",
            1.0,
        )
        assert recognition.whisper.tokens


def test_every_word_has_its_time_on_the_clock_of_the_film(
    recognised: list[Recognition], windows: list[AudioWindow]
) -> None:
    for recognition, window in zip(recognised, windows, strict=True):
        words = [word for phrase in recognition.phrases for word in phrase]
        assert all(window.offset_ms <= word.start_ms < word.end_ms <= window.end_ms for word in words)
        assert all(before.end_ms <= after.start_ms for before, after in pairwise(words))
        assert words[0].start_ms == pytest.approx(window.offset_ms + 150, abs=200)
        assert words[-1].end_ms == pytest.approx(window.end_ms - 150, abs=450)


def test_results_do_not_depend_on_the_batch(recognised: list[Recognition], windows: list[AudioWindow]) -> None:
    assert recognise(windows, BATCH_SIZE=1) == recognised
    assert recognise(windows[::-1], BATCH_SIZE=3)[::-1] == recognised


@pytest.mark.parametrize(("seconds", "sizes"), [(1e9, [3, 1, 1]), (0.0, [1] * 5)], ids=["fast", "slow"])
def test_a_slow_model_has_one_window_in_hand_and_comes_to_the_same(
    seconds: float,
    sizes: list[int],
    windows: list[AudioWindow],
    recognised: list[Recognition],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sutradhar.stages.recognisers.whisperx.engine.IN_HAND", seconds)
    monkeypatch.setattr("sutradhar.stages.recognisers.whisperx.engine.usable_cores", lambda: 2)
    asked, really = [], WhisperX._recognise_group
    monkeypatch.setattr(
        WhisperX,
        "_recognise_group",
        lambda engine, group, tell: asked.append(len(group)) or really(engine, group, tell),
    )
    assert recognise(windows, BATCH_SIZE=8) == recognised
    assert asked == sizes


def test_a_sampled_text_depends_on_its_window_alone() -> None:
    together = recognise(UNSURE, **SAMPLED)
    assert recognise(UNSURE[2:], **SAMPLED) == together[2:]
    assert recognise(UNSURE[::-1], BATCH_SIZE=2, **SAMPLED)[::-1] == together
    assert len({recognition.whisper.temperature for recognition in together}) > 1
    assert len({recognition.whisper.avg_logprob for recognition in together}) == 3


def test_a_window_of_which_a_sample_is_the_last_that_is_asked_for_leaves_the_turn_to_others() -> None:
    recogniser = open_whisperx(times=False, **SAMPLED)
    assert len(list(recogniser.recognise(UNSURE[:1]))) == 1
    assert not recogniser._whisper._sampling.locked()


@pytest.mark.parametrize("error", ["cuBLAS failed", OUT_OF_MEMORY])
def test_a_second_model_that_cannot_be_loaded_holds_up_nobody(error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser, unsure = open_whisperx(**SAMPLED), UNSURE[:1]

    def load() -> None:
        raise RuntimeError(error)

    monkeypatch.setattr(recogniser._whisper, "_load", load)
    if error == OUT_OF_MEMORY:
        assert {recognition.whisper.temperature for recognition in recogniser.recognise(unsure)} <= {0.8, 0.9, 1.0}
        assert recogniser.degraded == [
            "Out of GPU memory for a second model: texts at higher temperatures may be others in another run"
        ]
    else:
        with pytest.raises(RuntimeError, match=error):
            list(recogniser.recognise(unsure))
    assert not recogniser._whisper._sampling.locked()


def test_a_second_model_without_room_to_work_leaves_the_rest_to_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cramped:
        def generate(self, *arguments: Any, **options: Any) -> None:
            raise RuntimeError(OUT_OF_MEMORY)

    recogniser = open_whisperx(**SAMPLED)
    monkeypatch.setattr(recogniser._whisper, "_load", Cramped)
    assert {recognition.whisper.temperature for recognition in recogniser.recognise(UNSURE)} <= {0.8, 0.9, 1.0}
    assert recogniser.degraded == [
        "Out of GPU memory for a second model: texts at higher temperatures may be others in another run"
    ]
    assert not recogniser._whisper._sampling.locked()


def test_only_windows_that_fail_are_tried_at_further_temperatures(
    windows: list[AudioWindow], recognised: list[Recognition]
) -> None:
    scores = sorted(recognition.whisper.avg_logprob for recognition in recognised)
    between = (scores[0] + scores[1]) / 2
    tried = recognise(windows, WHISPER_LOGPROB_THRESHOLD=between, WHISPER_TEMPERATURE="0.0,0.6,0.8")
    worst = min(range(5), key=lambda index: recognised[index].whisper.avg_logprob)
    assert [recognition for recognition in tried if recognition.window != worst] == [
        one for one in recognised if one.window != worst
    ]
    assert tried[worst].whisper.avg_logprob >= recognised[worst].whisper.avg_logprob


def test_failing_where_nobody_speaks_is_silence(windows: list[AudioWindow]) -> None:
    (silent,) = recognise(windows[:1], WHISPER_LOGPROB_THRESHOLD=0.0, WHISPER_NO_SPEECH_THRESHOLD=0.0)
    assert (silent.text, silent.whisper.tokens, silent.phrases) == ("", (), ())


def test_the_prompt_steers_spelling(windows: list[AudioWindow]) -> None:
    (plain,) = recognise(windows[:1])
    (steered,) = recognise([replace(windows[0], prompt="DANIELLE GOOD MORNING DANIELLE HAVE YOU WATCHED")])
    assert steered.text != plain.text
    assert steered.text.isupper() or "Danielle" in steered.text


def test_hears_the_language(windows: list[AudioWindow], recognised: list[Recognition]) -> None:
    recogniser = open_whisperx(SOURCE_LANGUAGE="auto")
    heard = recogniser.detect_languages(windows[:2])
    assert [max(one.languages, key=one.languages.__getitem__) for one in heard] == ["en", "en"]
    assert sum(heard[0].languages.values()) == pytest.approx(1)
    asked = [
        replace(window, language=None, prepared=heard[0].prepared if window is windows[0] else None)
        for window in windows[:3]
    ]
    found = sorted(recogniser.recognise(asked), key=lambda recognition: recognition.window)
    assert [replace(recognition, language_probability=1.0) for recognition in found] == recognised[:3]
    assert 0.5 < found[0].language_probability == pytest.approx(heard[0].languages["en"])


def test_translates_from_the_same_encoder_output(windows: list[AudioWindow]) -> None:
    """English heard as German: a translation into English is what is there."""
    german = [replace(window, language="de") for window in windows[:2]]
    for window, recognition in zip(german, recognise(german, translate=True), strict=True):
        assert recognition.language == "de"
        assert recognition.translation
        assert recognition.translation.language == "en"
        words = [word for phrase in recognition.translation.phrases for word in phrase]
        assert len(words) >= 5
        assert all(window.offset_ms <= word.start_ms < word.end_ms <= window.end_ms for word in words)
    assert recognise(windows[:1], translate=True)[0].translation is None


def test_windows_of_several_languages_go_through_together(
    windows: list[AudioWindow], recognised: list[Recognition]
) -> None:
    mixed = [windows[0], replace(windows[1], language="de"), windows[2]]
    found = recognise(mixed)
    assert [recognition.language for recognition in found] == ["en", "de", "en"]
    assert [found[0], found[2]] == [recognised[0], recognised[2]]


def test_a_window_shorter_than_a_step_of_the_encoder_is_no_fault(sound: NDArray[np.float32]) -> None:
    tiny = AudioWindow(0, 1000, sound[16_000:16_160], (Span(1000, 1010),), "en")
    (recognition,) = recognise([tiny])
    assert all(1000 <= word.start_ms < word.end_ms <= 1010 for phrase in recognition.phrases for word in phrase)


# --- What the machine cannot do


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"WHISPER_COMPUTE_TYPE": "float16"}, "WHISPER_COMPUTE_TYPE=float16 does not go with cpu here; .*int8"),
        ({"SOURCE_LANGUAGE": "yue"}, "WHISPER_MODEL=base does not know SOURCE_LANGUAGE=yue"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_whisperx(**settings)


def test_without_an_nvidia_gpu_cuda_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctranslate2.get_cuda_device_count", lambda: 0)
    with pytest.raises(UsageError, match="WHISPERX_DEVICE=cuda, but no NVIDIA GPU can be used here"):
        open_whisperx(WHISPERX_DEVICE="cuda")


def test_mps_runs_on_the_cpu_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    recogniser = open_whisperx(WHISPERX_DEVICE="mps")
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("WARNING", "MPS device detected but MLX backend not configured"),
        ("WARNING", "Falling back to CPU (slower performance)"),
    ]
    assert recogniser.engine["device"] == "cpu"
    assert len(recogniser.degraded) == 1


@pytest.mark.parametrize("room", [3, 1])
def test_out_of_gpu_memory_halves_what_is_decoded_at_once(
    room: int, windows: list[AudioWindow], recognised: list[Recognition], monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = open_whisperx()
    generate = recogniser._whisper.generate

    def generate_with_little_memory(asked: Sequence[Generate], settings: Settings) -> list[Decoded]:
        if len(asked) > room:
            raise RuntimeError(OUT_OF_MEMORY)
        return generate(asked, settings)

    monkeypatch.setattr(recogniser._whisper, "generate", generate_with_little_memory)
    found: list[Recognition] = []
    recogniser._recognise_group([*windows, *windows[:1]], found.append)
    assert sorted(found, key=lambda recognition: recognition.window) == [recognised[0], *recognised]
    assert recogniser.degraded[-1] == f"Out of GPU memory: decoded {room} windows at once instead of BATCH_SIZE=8"


def test_one_window_that_does_not_fit_is_an_error(windows: list[AudioWindow], monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = open_whisperx()

    def no_memory(asked: Sequence[Generate], settings: Settings) -> list[Decoded]:
        raise RuntimeError(OUT_OF_MEMORY)

    monkeypatch.setattr(recogniser._whisper, "generate", no_memory)
    with pytest.raises(SutradharError, match="Out of GPU memory with base in int8"):
        list(recogniser.recognise(windows))


def test_other_faults_of_the_engine_come_through(windows: list[AudioWindow], monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = open_whisperx()

    def broken(asked: Sequence[Generate], settings: Settings) -> list[Decoded]:
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(recogniser._whisper, "generate", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        list(recogniser.recognise(windows))


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("tokenizer.json", b'"merges"', b'"morges"', "tokenizer.json: "),
        (
            "model.bin",
            b"decoder/layer_3/ffn/linear_0/weight",
            b"decoder/layer_3/ffn/linear_0/waight",
            "variable decoder/layer_3/ffn/linear_0/weight not found",
        ),
    ],
)
def test_a_model_that_shows_its_damage_when_it_is_loaded_is_refused_in_one_line(
    name: str, old: bytes, new: bytes, said: str, tmp_path: Path
) -> None:
    for path in BASE.iterdir():
        (tmp_path / path.name).symlink_to(path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(content.replace(old, new, 1))
    with pytest.raises(UsageError) as caught:
        open_recogniser(
            msgspec.convert(GREEDY, Settings),
            ResolvedModel(tmp_path, "mine", "", "ct2"),
            translate=False,
            log=logging.getLogger("test"),
        )
    assert str(caught.value).startswith(f"{tmp_path} cannot be loaded ({said}")
    assert str(caught.value).endswith("): get the model again, or choose another WHISPER_MODEL")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("model", "windows"), [("base", 12), ("medium", 1), ("large-v3", 1), ("/models/mine", 0)])
def test_the_first_group_is_as_large_as_a_worker_does_in_half_a_minute(model: str, windows: int) -> None:
    assert _fitting_first(model) == windows
