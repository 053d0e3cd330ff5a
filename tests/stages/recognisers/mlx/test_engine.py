"""The recogniser on MLX's CPU build: with the starter model once, since that takes long, else with small ones."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.pipeline import media
from sutradhar.pipeline.errors import SutradharError, UsageError
from sutradhar.pipeline.jobs.settings import Settings
from sutradhar.pipeline.models.form import ResolvedModel
from sutradhar.stages.recognisers.contract import AudioWindow, Recogniser
from sutradhar.stages.recognisers.mlx import convert, engine, memory, selftest, stream
from sutradhar.stages.recognisers.mlx.conversion import writing
from sutradhar.stages.recognisers.mlx.engine import MlxWhisper
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.slots import NotANumber, Slots
from sutradhar.stages.recognisers.opening import open_recogniser
from sutradhar.stages.transcript import Span
from tests.conftest import ROOT
from tests.recogniser_contract import RecogniserContract
from tests.stages.recognisers.mlx.tiny import FRAMES, make_whisper, multilingual

BASE, SAMPLE = ROOT / "models" / "base", ROOT / "samples" / "dialogue.mp4"
ON_CPU: dict[str, Any] = {
    "WHISPER_BACKEND": "mlx",
    "WHISPERX_DEVICE": "cpu",
    "WHISPER_COMPUTE_TYPE": "float32",
    "SOURCE_LANGUAGE": "en",
}


def open_mlx(path: Path = Path("nowhere"), translate: bool = False, **settings: object) -> MlxWhisper:
    model = ResolvedModel(path, "base", "abc", "mlx")
    recogniser = open_recogniser(
        msgspec.convert(ON_CPU | settings, Settings), model, translate=translate, log=logging.getLogger("test")
    )
    assert isinstance(recogniser, MlxWhisper)
    return recogniser


@pytest.mark.skipif(not BASE.is_dir(), reason="needs models/base")
def test_hears_what_is_said_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing.write(tmp_path, convert.read(BASE)[1], writing.NumberFormat("float32"))
    monkeypatch.setattr(
        selftest, "check", lambda *_: None
    )  # has tests of its own, and takes as long as half of this one
    sound = np.concatenate(list(media.decode(SAMPLE))).astype(np.float32) / 32768
    first = json.loads((ROOT / "samples" / "dialogue.json").read_text())["utterances"][0]
    begin, end = first["start_ms"] - 150, first["end_ms"] + 150
    window = AudioWindow(
        3, 60_000 + begin, sound[begin * 16 : end * 16], (Span(60_000 + begin, 60_000 + end),), "en"
    )  # a minute into a film
    recogniser = open_mlx(tmp_path, WHISPER_BEAM_SIZE=1)
    (recognition,) = recogniser.recognise([window])
    assert "Have you watched the new film" in recognition.text
    assert (recognition.window, recognition.language, recognition.whisper.temperature) == (3, "en", 0.0)
    assert recognition.whisper.avg_logprob > -0.6
    assert recognition.whisper.no_speech_prob < 0.5
    words = [word for phrase in recognition.phrases for word in phrase]
    assert all(window.offset_ms <= word.start_ms < word.end_ms <= window.end_ms for word in words)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(words))
    assert words[0].start_ms == pytest.approx(window.offset_ms + 150, abs=200)
    assert words[-1].end_ms == pytest.approx(window.end_ms - 150, abs=450)
    assert recogniser.engine == {
        "backend": "mlx",
        "device": "cpu",
        "model": "base",
        "model_revision": "abc",
        "compute_type": "float32",
    }
    assert recogniser.degraded == []


# --- With small models


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Network:
    """Is loaded whatever is asked for; it hears the first 1.2 s of a window, and writes up to eight tokens."""
    network = multilingual()[1]
    monkeypatch.setattr(stream, "MAX_TEXT", 8)
    monkeypatch.setattr(engine, "load_network", lambda path, compute_type: network)
    spectrograms = MlxWhisper._spectrograms
    monkeypatch.setattr(MlxWhisper, "_spectrograms", lambda self, asked: spectrograms(self, asked)[:, : 2 * FRAMES])
    return network


def tone(number: int, language: str | None = "en") -> AudioWindow:
    audio = np.sin(np.arange(16_000) * (0.05 + 0.3 * number)).astype(np.float32)
    return AudioWindow(number, 0, audio, (Span(0, 1000),), language)


QUICK: dict[str, Any] = {"WHISPER_BEAM_SIZE": 1, "WHISPER_TEMPERATURE": "0", "WHISPER_NO_SPEECH_THRESHOLD": 1.0}


@pytest.mark.usefixtures("tiny")
class TestContract(RecogniserContract):
    def open(self, **settings: object) -> Recogniser:
        return open_mlx(**(QUICK | settings))


def test_what_was_encoded_to_hear_the_language_is_not_encoded_again(
    tiny: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser, encoded, encode = open_mlx(SOURCE_LANGUAGE="auto", **QUICK), list[int](), tiny.encode
    monkeypatch.setattr(tiny, "encode", lambda mel: encoded.append(mel.shape[0]) or encode(mel))
    windows = [tone(number, None) for number in range(3)]
    heard = recogniser.detect_languages(windows[::2])
    assert [len(one.languages) for one in heard] == [99, 99]
    assert sum(encoded) == 2
    at_hand = [
        replace(windows[0], prepared=heard[0].prepared),
        windows[1],
        replace(windows[2], prepared=heard[1].prepared),
    ]
    found = {recognition.window: recognition for recognition in recogniser.recognise(at_hand)}
    assert sum(encoded) == 3
    for window, languages in zip(windows[::2], [one.languages for one in heard], strict=True):
        likeliest = max(languages, key=lambda name: languages[name])
        assert (found[window.id].language, found[window.id].language_probability) == (
            likeliest,
            pytest.approx(languages[likeliest]),
        )


def test_what_is_known_is_left_out_and_the_rest_comes_to_the_same(tiny: Network) -> None:
    """But for the last digits of its scores, which depend on the step in which a window takes a slot."""
    recogniser = open_mlx(BATCH_SIZE=2, **QUICK)
    whole = {one.window: one for one in recogniser.recognise([tone(number) for number in range(5)])}
    rest = {
        one.window: one
        for one in recogniser.recognise([replace(tone(number), known=number in (0, 2)) for number in range(5)])
    }
    assert sorted(rest) == [1, 3, 4]
    for number, one in rest.items():
        assert (one.whisper.tokens, one.phrases, one.whisper.temperature) == (
            whole[number].whisper.tokens,
            whole[number].phrases,
            whole[number].whisper.temperature,
        )
        assert one.whisper.avg_logprob == pytest.approx(whole[number].whisper.avg_logprob, abs=1e-5)


def test_an_english_model_hears_english_only() -> None:
    network = Network(make_whisper(51_864, frames=1500), mx.float32)
    recogniser = MlxWhisper(
        network, ResolvedModel(Path(), "base.en", "", "mlx"), Settings(), False, logging.getLogger("test")
    )
    assert [one.languages for one in recogniser.detect_languages([tone(0, None)] * 2)] == [{"en": 1.0}] * 2


def test_decodes_as_many_windows_as_fit_and_says_how_many(
    tiny: Network, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(memory, "free_bytes", lambda device: 10**12)
    open_mlx(BATCH_SIZE="auto", **QUICK)
    assert caplog.messages == ["BATCH_SIZE=auto: up to 8 windows at once", "Checking that MLX computes rightly"]


def test_says_that_memory_made_do_for_fewer(tiny: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser, advance = open_mlx(BATCH_SIZE=4, **QUICK), Slots.advance

    def with_little_memory(slots: Slots) -> Any:
        if slots.count > 2:
            raise RuntimeError("[malloc] Unable to allocate 1234 bytes.")
        return advance(slots)

    monkeypatch.setattr(Slots, "advance", with_little_memory)
    assert len(list(recogniser.recognise([tone(number) for number in range(4)]))) == 4
    assert recogniser.degraded == ["Out of memory: decoded 2 windows at once instead of BATCH_SIZE=4"]


# --- What cannot be done is said


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (
            RuntimeError("out of memory"),
            r"Out of memory with base in float32, one window at a time: choose a smaller model",
        ),
        (NotANumber(), r"base does not compute in float32 \(scores that are no numbers\)"),
    ],
)
def test_a_machine_that_is_too_small_is_told_so(
    fault: Exception, message: str, tiny: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = open_mlx(BATCH_SIZE=1, **QUICK)

    def fails(slots: Slots) -> Any:
        raise fault

    monkeypatch.setattr(Slots, "advance", fails)
    with pytest.raises(SutradharError, match=message):
        list(recogniser.recognise([tone(0)]))


def test_an_mlx_that_computes_wrongly_is_not_used(tiny: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise selftest.BrokenBuild("the fused decoder is 12.0% off the plain computation")

    monkeypatch.setattr(selftest, "check", broken)
    with pytest.raises(
        SutradharError, match=r"MLX [\d.]+ is broken here: the fused decoder is 12.0% off .* WHISPER_BACKEND=whisperx"
    ):
        open_mlx(**QUICK)


@pytest.mark.parametrize("compute_type", ["int8", "int8_float16"])
def test_int8_is_refused_and_what_to_take_instead_is_said(compute_type: str) -> None:
    with pytest.raises(
        UsageError,
        match=f"WHISPER_COMPUTE_TYPE={compute_type} does not go with WHISPER_BACKEND=mlx; float16, .* the model base-q8",
    ):
        open_mlx(WHISPER_COMPUTE_TYPE=compute_type)


@pytest.mark.parametrize(("device", "build"), [("mps", "metal"), ("cuda", "cuda")])
def test_a_device_that_is_not_there_is_refused(device: str, build: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getattr(mx, build), "is_available", lambda: False)
    with pytest.raises(
        UsageError,
        match=f"WHISPERX_DEVICE={device}, but this MLX cannot use it: set WHISPERX_DEVICE=cpu.*, or run ./install-mlx.sh",
    ):
        open_mlx(WHISPERX_DEVICE=device)


TURBO, ENGLISH = (51_866, 4), (51_864, 32)  # tokens, and layers of the decoder


@pytest.mark.parametrize(
    ("size", "language", "translate", "message"),
    [
        (TURBO, "hi", True, "WHISPER_MODEL=base was not trained to translate"),
        (ENGLISH, "en", True, "WHISPER_MODEL=base was not trained to translate"),
        (ENGLISH, "hi", False, "WHISPER_MODEL=base does not know SOURCE_LANGUAGE=hi"),
        ((51_865, 32), "yue", False, "WHISPER_MODEL=base does not know SOURCE_LANGUAGE=yue"),
    ],
)
def test_what_a_model_cannot_do_is_refused(
    size: tuple[int, int], language: str, translate: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dims = SimpleNamespace(n_vocab=size[0], n_text_layer=size[1], n_audio_layer=32)
    monkeypatch.setattr(engine, "load_network", lambda path, compute_type: SimpleNamespace(dims=dims))
    with pytest.raises(UsageError, match=message):
        open_mlx(SOURCE_LANGUAGE=language, translate=translate)
