from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.jobs.stage import Outcome
from sutradhar.stages.film import align
from sutradhar.stages.film.align import find_model
from sutradhar.stages.film.align.models import MODELS, TORCH_FILES
from sutradhar.stages.transcript import Audio, Music, Segment, Transcript, Word, load, save
from tests.conftest import ROOT
from tests.stages.run_stage import StageRun

SAMPLE = ROOT / "samples" / "dialogue.mp4"
START = 5000  # where the sample begins on the film's clock
ALPHABET = "|abcdefghijklmnopqrstuvwxyz'"


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights, as `save_pretrained` writes it."""
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2CTCTokenizer,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForCTC,
        Wav2Vec2Processor,
    )

    folder = tmp_path_factory.mktemp("models") / "align-en"
    folder.mkdir()
    vocabulary = {character: number for number, character in enumerate(["<pad>", "<s>", "</s>", "<unk>", *ALPHABET])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    tokenizer = Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    Wav2Vec2Processor(Wav2Vec2FeatureExtractor(), tokenizer).save_pretrained(folder)
    torch.manual_seed(1)
    config = Wav2Vec2Config(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8, 8, 8, 8, 8, 8),
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    Wav2Vec2ForCTC(config).save_pretrained(folder, safe_serialization=True)
    return folder


def segment(number: int, *words: tuple[str, int, int]) -> Segment:
    timed = tuple(Word(text, START + start, START + end, 0.9) for text, start, end in words)
    text = "".join(word.text for word in timed).strip()
    return Segment(number, timed[0].start_ms, timed[-1].end_ms, text, timed, "en", 1.0, -0.2, 0.0, 1.2, 0.0)


SEGMENTS = (
    segment(0, (" Good", 700, 900), (" morning,", 900, 1300), (" Daniel.", 1300, 1900)),
    segment(
        1,
        (" It", 3900, 4000),
        (" is", 4000, 4100),
        (" 7", 4300, 4600),
        (" well", 4700, 5000),
        ("-known", 5000, 5300),
        (" films.", 5300, 5900),
    ),
    segment(2, (" 1996", 8600, 9100)),
)


def run(
    sound: Path, tmp_path: Path, models: Path, music: tuple[Music, ...] = (), **settings: object
) -> tuple[Outcome, Transcript]:
    stage = StageRun(align.STAGE, SAMPLE, tmp_path, **settings)
    for name in ("demux", "asr"):
        (stage.artifacts / name).mkdir()
    (stage.artifacts / "demux" / "audio.wav").symlink_to(sound)
    save(stage.artifacts / "demux" / "audio.json", Audio(START, 27_520, 16_000, 0, ""))
    save(stage.artifacts / "asr" / "transcript.json", Transcript("en", START, 27_520, SEGMENTS, music=music))
    stage.context = replace(stage.context, models=models)
    outcome = stage.run()
    return outcome, load(stage.scratch / "align" / "transcript.json", Transcript)


@pytest.fixture
def no_downloads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    import nltk

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("NLTK was asked to download")

    monkeypatch.setattr(nltk, "download", refuse)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.usefixtures("no_downloads")
def test_aligns_with_the_model_of_the_language(
    sound: Path, tmp_path: Path, wav2vec2: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome, transcript = run(sound, tmp_path, wav2vec2.parent, ALIGNMENT_MODEL="auto")
    assert (
        outcome.summary == "Alignment completed: 3 segments, 2 of 10 words with times on the edges of the sound alone"
    )
    assert outcome.engine == {"backend": "whisperx", "device": "cpu", "model": "align-en"}
    assert [[word.text for word in one.words] for one in transcript.segments] == [
        [word.text for word in one.words] for one in SEGMENTS
    ]
    assert [one.text for one in transcript.segments] == [one.text for one in SEGMENTS]
    words = [word for one in transcript.segments for word in one.words]
    assert all(word.end_ms - word.start_ms >= 20 for word in words)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(words))
    for one, given in zip(transcript.segments, SEGMENTS, strict=True):
        assert given.start_ms - 600 <= one.start_ms == one.words[0].start_ms  # of margin, and to the sound
        assert one.words[-1].end_ms == one.end_ms <= given.end_ms + 650
    assert words[:3] != list(SEGMENTS[0].words)
    output = capfd.readouterr()
    assert "1996" not in output.out + output.err  # WhisperX warns with the text


def test_a_number_stays_between_its_neighbours(sound: Path, tmp_path: Path, wav2vec2: Path) -> None:
    _, transcript = run(sound, tmp_path, wav2vec2.parent, ALIGNMENT_MODEL="align-en")
    before, number, after = transcript.segments[1].words[1:4]
    assert number.text == " 7"
    assert before.end_ms <= number.start_ms < number.end_ms <= after.start_ms


@pytest.mark.parametrize("wanted", ["auto", "edges"])
def test_without_a_model_words_are_on_the_edges_of_the_sound(
    wanted: str, sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda name, file: None)
    outcome, transcript = run(sound, tmp_path, tmp_path, ALIGNMENT_MODEL=wanted, WHISPER_MODEL="base")
    alone, given = transcript.segments[1].words[2], SEGMENTS[1].words[2]  # no quiet beside it: only the bias goes
    assert (alone.start_ms, alone.end_ms) == (given.start_ms + 45, given.end_ms + 45)
    first = transcript.segments[0].words[0]
    assert first.start_ms - START == pytest.approx(680, abs=30)
    assert outcome.summary == "Alignment completed: 3 segments with word times on the edges of the sound"
    assert outcome.degraded == ()


def test_none_keeps_the_recognisers_times(sound: Path, tmp_path: Path) -> None:
    outcome, transcript = run(sound, tmp_path, tmp_path, ALIGNMENT_MODEL="none")
    assert transcript.segments == SEGMENTS
    assert outcome.summary == "Alignment completed: 3 segments with the recogniser's word times"
    assert outcome.degraded == ()


# --- Which model


def test_a_folder_that_is_no_such_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "align-hi"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "pytorch_model.bin").write_text("")
    with pytest.raises(UsageError, match=r"align-hi is no wav2vec2 model for alignment: it has no model\.safetensors"):
        find_model("auto", "hi", tmp_path)
    with pytest.raises(UsageError, match="ALIGNMENT_MODEL=nowhere: there is no such folder"):
        find_model("nowhere", "hi", tmp_path)


def test_a_model_that_cannot_be_loaded_is_told_in_a_line(sound: Path, tmp_path: Path, wav2vec2: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in wav2vec2.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    (broken / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="broken cannot be loaded"):
        run(sound, tmp_path, tmp_path, ALIGNMENT_MODEL=str(broken))


def test_the_models_are_those_of_the_whisperx_that_is_installed() -> None:
    import torchaudio.pipelines
    from whisperx.alignment import DEFAULT_ALIGN_MODELS_HF, DEFAULT_ALIGN_MODELS_TORCH

    assert MODELS == DEFAULT_ALIGN_MODELS_TORCH | DEFAULT_ALIGN_MODELS_HF
    assert TORCH_FILES == {
        name: getattr(torchaudio.pipelines, name)._path for name in DEFAULT_ALIGN_MODELS_TORCH.values()
    }


def test_a_model_in_a_cache_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert find_model("auto", "en", tmp_path / "models") is None
    weights = tmp_path / "hub" / "checkpoints" / "wav2vec2_fairseq_base_ls960_asr_ls960.pth"
    weights.parent.mkdir(parents=True)
    weights.touch()
    assert find_model("auto", "en", tmp_path / "models") == "WAV2VEC2_ASR_BASE_960H"


def test_nothing_heavy_is_imported_where_there_is_nothing_to_align() -> None:
    heavy = "{'torch', 'transformers', 'whisperx.alignment', 'numpy'}"
    code = f"import sys; from sutradhar.stages.film.align import find_model; from pathlib import Path; find_model('auto', 'sw', Path()); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(("aligned", "texts"), [("none", ["Good morning, Daniel.", "1996"]), ("edges", ["1996"])])
def test_lyrics_are_told_by_the_times_that_stay(aligned: str, texts: list[str], sound: Path, tmp_path: Path) -> None:
    music = (Music(START, START + 1415), Music(START + 3800, START + 6000))
    outcome, transcript = run(sound, tmp_path, tmp_path, music, ALIGNMENT_MODEL=aligned, MUSIC="drop")
    # Of the 1200 ms of the first, 715 lie in music; on the edges, where it begins earlier, more than 60 %.
    assert [one.text for one in transcript.segments] == texts
    assert " of lyrics left out (MUSIC=drop), at 00:00:0" in outcome.summary
