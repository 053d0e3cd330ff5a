from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.stages.recognisers.contract import NOTHING_YET
from sutradhar.stages.recognisers.mlx import stream
from sutradhar.stages.recognisers.mlx.choice import Search
from sutradhar.stages.recognisers.mlx.network import Network
from sutradhar.stages.recognisers.mlx.slots import Slots, Task
from sutradhar.stages.recognisers.mlx.stream import OutOfMemory, Stream, is_out_of_memory
from sutradhar.stages.recognisers.mlx.words import Aligner
from sutradhar.stages.recognisers.whisper.requests import (
    HOP,
    Align,
    Alignment,
    Decoded,
    DetectLanguage,
    Encode,
    Generate,
    Steps,
    Urgent,
)
from tests.stages.recognisers.mlx.tiny import FRAMES, LANGUAGES, MELS, PLAIN, SMALL, TIMED, decode, small

TOKENIZER: Any = SimpleNamespace(sot_sequence=TIMED, no_timestamps=SMALL.no_timestamps)
FAILING = 2  # of seven windows: one whose samples are other texts than its likeliest
SEARCHES = pytest.mark.parametrize("search", [Search(), Search(3)], ids=["greedy", "beams"])


def mel(number: int) -> NDArray[np.float32]:
    """In place of a window's audio: these tests have no spectrogram."""
    return np.random.default_rng(number).normal(size=(2 * FRAMES, MELS)).astype(np.float32)


def make_stream(
    slots: int = 3, search: Search | None = None, notice: Callable[[int], None] = lambda slots: None
) -> Stream:
    return Stream(
        small(),
        SMALL,
        LANGUAGES,
        lambda asked: np.stack([request.audio for request in asked]),
        search or Search(),
        slots,
        notice,
    )


def transcribe(number: int, *temperatures: float, prompt: tuple[int, ...] = TIMED) -> Steps[list[Decoded]]:
    encoded = yield Encode(mel(number))
    texts = []
    for temperature in temperatures or (0.0,):
        texts.append((yield Generate(encoded, prompt, temperature)))
    return texts


def numbered(number: int, steps: Steps[Any]) -> Steps[tuple[int, Any]]:
    return number, (yield from steps)


def results(stream: Stream, windows: Sequence[Steps[Any]]) -> list[Any]:
    """In the order of the windows."""
    found = dict(stream.run(numbered(number, window) for number, window in enumerate(windows)))
    return [found[number] for number in range(len(windows))]


def assert_same(found: Sequence[Decoded], expected: Sequence[Decoded]) -> None:
    assert [decoded.tokens for decoded in found] == [decoded.tokens for decoded in expected]
    assert [decoded.avg_logprob for decoded in found] == pytest.approx(
        [decoded.avg_logprob for decoded in expected], abs=1e-4
    )
    assert [decoded.no_speech_prob for decoded in found] == pytest.approx(
        [decoded.no_speech_prob for decoded in expected], abs=1e-6
    )


# --- Windows through slots


@SEARCHES
def test_every_window_gets_the_text_of_its_own_sound(search: Search) -> None:
    texts = results(make_stream(search=search), [transcribe(number) for number in range(8)])
    features = small().encode(mx.array(np.stack([mel(number) for number in range(8)])))
    alone = decode([Task(one, TIMED, limit=61) for one in features], search=search)
    assert len({tuple(text.tokens) for text in alone}) >= 6
    expected = [Decoded(text.tokens, text.sum_logprob / (len(text.tokens) + 1), text.no_speech_prob) for text in alone]
    assert_same([decoded for (decoded,) in texts], expected)


@SEARCHES
def test_a_window_that_is_tried_again_changes_no_other(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """One window asks for a second text, at a higher temperature, which its slot decodes while others are at work in theirs."""
    restarts, moved = list[tuple[int, int, int]](), list[int]()
    admit, replace_cross = Slots.admit, small().replace_cross

    def noting(slots: Slots, tasks: Sequence[tuple[Any, Task]]) -> None:
        neighbours = len(slots.tasks())
        moved.clear()
        admit(slots, tasks)
        if any(task.temperature > 0 for _, task in tasks):
            restarts.append((neighbours, len(tasks), len(moved)))

    monkeypatch.setattr(Slots, "admit", noting)
    monkeypatch.setattr(
        small(),
        "replace_cross",
        lambda cross, rows, features: moved.extend(rows) or replace_cross(cross, rows, features),
    )

    def run(*temperatures: float) -> list[list[Decoded]]:
        return results(
            make_stream(search=search),
            [transcribe(number, *(temperatures if number == FAILING else ())) for number in range(7)],
        )

    without, with_one = run(0.0), run(0.0, 0.4)
    assert len(with_one[FAILING]) == 2
    assert with_one[FAILING][1].tokens != with_one[FAILING][0].tokens
    neighbours, begun, new_to_its_slot = restarts[0]
    assert neighbours > 0
    assert new_to_its_slot == begun - 1  # one sample took over the window's own slot
    assert_same([texts[0] for texts in with_one], [texts[0] for texts in without])
    assert_same(run(0.0, 0.4)[FAILING], with_one[FAILING])


def test_of_the_samples_of_a_text_the_likeliest_is_taken() -> None:
    ((found,),) = results(make_stream(), [transcribe(5, 1.0)])
    features = small().encode(mx.array(mel(5)[None]))[0]
    draws = decode([Task(features, TIMED, 1.0, sample, limit=61) for sample in range(5)])
    scores = [text.sum_logprob / len(text.tokens) for text in draws]
    assert len({tuple(text.tokens) for text in draws}) == 5
    assert found.tokens == draws[scores.index(max(scores))].tokens


def test_results_come_as_they_are_done_and_windows_are_taken_as_they_are_needed() -> None:
    taken = 0

    def windows() -> Iterator[Steps[list[Decoded]]]:
        nonlocal taken
        for number in range(20):
            taken += 1
            yield transcribe(number)

    texts = make_stream(slots=2).run(windows())
    next(texts)
    assert taken <= 8
    assert len(list(texts)) == 19


def test_no_windows_no_results() -> None:
    empty = make_stream()
    assert list(empty.run([])) == []
    assert len(list(empty.run([transcribe(0)]))) == 1


def test_a_window_that_asks_for_nothing_is_done() -> None:
    def silent() -> Steps[str]:
        return "nothing"
        yield

    assert results(make_stream(), [silent(), transcribe(0), silent()])[::2] == ["nothing", "nothing"]


def test_prompts_of_all_lengths_go_through_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short ones first: what comes later does not fit into their columns."""
    monkeypatch.setattr(stream, "MAX_TEXT", 16)
    prompts = [TIMED, PLAIN, (506, *range(20, 70), *TIMED), TIMED, (506, *range(20, 170), *PLAIN), PLAIN]
    together = results(
        make_stream(slots=2), [transcribe(number, prompt=prompt) for number, prompt in enumerate(prompts)]
    )
    for number, prompt in enumerate(prompts):
        assert_same(together[number], results(make_stream(), [transcribe(number, prompt=prompt)])[0])


def test_a_second_run_uses_all_slots_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the first had one window only."""
    twice, together = make_stream(), list[int]()
    results(twice, [transcribe(0)])
    advance = Slots.advance
    monkeypatch.setattr(Slots, "advance", lambda slots: together.append(len(slots.tasks())) or advance(slots))
    results(twice, [transcribe(number) for number in range(3)])
    assert max(together) == 3


# --- Sources that wait, and windows that somebody waits for


def test_what_is_in_hand_is_done_while_the_source_has_nothing_yet() -> None:
    found: list[tuple[int, Any]] = []

    def patient() -> Iterator[Any]:
        for number in range(3):
            yield NOTHING_YET
            yield numbered(number, everything(number))
            asked = 0
            while len(found) <= number:
                asked += 1
                assert asked < 1000, "it waits for a batch"
                yield NOTHING_YET

    for result in make_stream(8).run(patient()):
        found.append(result)
    assert [number for number, _ in found] == [0, 1, 2]
    for (_, (texts, *_)), (expected, *_) in zip(
        found, results(make_stream(4), [everything(number) for number in range(3)]), strict=True
    ):
        assert_same(texts, expected)


def test_words_are_timed_while_others_are_decoded_where_the_source_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    timed: list[bool] = []
    one = make_stream(8)
    monkeypatch.setattr(
        Aligner,
        "align",
        lambda _, features, starts, texts, *rest: timed.append(one._busy) or [Alignment((), ())] * len(texts),
    )

    def words() -> Steps[Any]:
        return (yield Align((yield Encode(mel(1))), TOKENIZER, (10,), 2 * FRAMES * HOP))

    def source() -> Iterator[Any]:
        yield transcribe(0)
        yield NOTHING_YET
        yield words()
        for _ in range(3):
            yield NOTHING_YET

    assert len(list(one.run(source()))) == 2
    assert timed == [True]


@pytest.mark.parametrize("slots", [1, 3])
def test_an_urgent_window_goes_first(slots: int) -> None:
    source: list[Any] = [numbered(number, transcribe(number)) for number in range(4)]
    source[2] = Urgent(source[2])
    found = list(make_stream(slots).run(source))
    assert found[0][0] == 2
    assert sorted(number for number, _ in found) == [0, 1, 2, 3]
    for number, texts in found:
        assert_same(texts, results(make_stream(), [transcribe(number)])[0])


def test_an_urgent_window_does_not_wait_for_a_slot_where_there_may_be_more(monkeypatch: pytest.MonkeyPatch) -> None:
    together: list[int] = []
    advance = Slots.advance
    monkeypatch.setattr(Slots, "advance", lambda slots: together.append(len(slots.tasks())) or advance(slots))

    def source() -> Iterator[Any]:
        yield numbered(0, transcribe(0))
        yield NOTHING_YET
        yield Urgent(numbered(1, transcribe(1)))

    found = dict(make_stream(3).run(source()))
    assert together[:2] == [1, 2]
    for number, texts in found.items():
        assert_same(texts, results(make_stream(), [transcribe(number)])[0])


# --- Languages and words


def test_languages_are_heard_from_the_encoder_output() -> None:
    def hear(number: int) -> Steps[dict[str, float]]:
        return (yield DetectLanguage((yield Encode(mel(number)))))

    heard = results(make_stream(), [hear(number) for number in range(4)])
    for number, probabilities in enumerate(heard):
        features = small().encode(mx.array(mel(number)[None]))
        logits = small().read_plainly(mx.array([[SMALL.sot]]), features)[0, 0, mx.array(list(LANGUAGES.values()))]
        assert probabilities == pytest.approx(dict(zip(LANGUAGES, mx.softmax(logits).tolist(), strict=True)), abs=1e-4)
    assert len({heard_in["hi"] for heard_in in heard}) == 4


def test_texts_are_aligned_with_the_sound_that_there_is() -> None:
    def align(number: int, samples: int) -> Steps[Alignment]:
        return (yield Align((yield Encode(mel(number))), TOKENIZER, (10, 20, 30), samples))

    whole = 2 * FRAMES * HOP
    found = results(make_stream(), [align(0, whole), align(1, whole // 2), align(2, HOP - 1), align(3, 20 * whole)])
    features = small().encode(mx.array(np.stack([mel(number) for number in range(4)])))
    expected = [
        Aligner(small()).align(features[number][None], [PLAIN], [(10, 20, 30)], SMALL.eot, [frames])[0]
        for number, frames in ((0, FRAMES), (1, FRAMES // 2), (3, FRAMES))
    ]
    assert [found[number].pairs for number in (0, 1, 3)] == [alignment.pairs for alignment in expected]
    assert found[2] == Alignment((), ())  # shorter than a step of the encoder


def test_long_texts_are_aligned_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together = []

    def align(_: Aligner, features: mx.array, starts: Any, texts: Any, eot: int, frames: Any) -> list[Alignment]:
        together.append([len(text) for text in texts])
        return [Alignment((), ())] * len(texts)

    def words(length: int) -> Steps[Alignment]:
        return (yield Align((yield Encode(mel(0))), TOKENIZER, (10,) * length, 2 * FRAMES * HOP))

    monkeypatch.setattr(Aligner, "align", align)
    results(make_stream(slots=8), [words(length) for length in (90, 20, 90, 90, 200, 200, 200, 90)])
    assert together == [[90, 20, 90, 90], [200, 200, 200], [90]]


# --- Memory


def failing_once(
    after: int, work: Callable[..., Any], message: str = "[metal::malloc] Attempting to allocate 20 bytes"
) -> Callable[..., Any]:
    """Works, but for one call that comes after so many."""
    calls = iter(range(1_000_000))

    def one_fails(*arguments: Any, **options: Any) -> Any:
        if next(calls) == after:
            raise RuntimeError(message)
        return work(*arguments, **options)

    return one_fails


def everything(number: int) -> Steps[tuple[list[Decoded], str, Alignment]]:
    """A window that asks for all that there is."""
    encoded = yield Encode(mel(number))
    heard = yield DetectLanguage(encoded)
    texts = []
    for temperature in (0.0, 0.6):
        texts.append((yield Generate(encoded, TIMED, temperature)))
    words = tuple(token for token in texts[0].tokens if token < SMALL.eot)
    return texts, max(heard, key=lambda name: heard[name]), (yield Align(encoded, TOKENIZER, words, 2 * FRAMES * HOP))


@pytest.fixture(scope="module")
def with_memory() -> list[Any]:
    return results(make_stream(4), [everything(number) for number in range(6)])


@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (Network, "_encode", 1),
        (Network, "read", 0),
        (Network, "replace_cross", 0),
        (Network, "replace_cross", 3),
        (Slots, "advance", 0),
        (Slots, "advance", 5),
        (Aligner, "align", 0),
    ],
)
def test_out_of_memory_halves_the_slots_and_loses_nothing(
    owner: type, name: str, after: int, with_memory: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    if name == "_encode":
        monkeypatch.setattr(small(), "encode", failing_once(after, small().encode))
    else:
        work = getattr(owner, name)
        failing = failing_once(after, work)
        monkeypatch.setattr(owner, name, lambda *arguments, **options: failing(*arguments, **options))
    found = results(make_stream(4, notice=told.append), [everything(number) for number in range(6)])
    assert told == [2]
    for (texts, language, alignment), (texts_before, language_before, alignment_before) in zip(
        found, with_memory, strict=True
    ):
        assert_same(texts, texts_before)
        assert (language, alignment.pairs) == (language_before, alignment_before.pairs)


def test_what_could_not_be_begun_is_not_begun_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the samples of a text each counts once."""
    begun: list[tuple[Any, int]] = []
    admit = Slots.admit

    def noting(slots: Slots, tasks: Sequence[tuple[Any, Task]]) -> None:
        admit(slots, tasks)
        begun.extend((asked, task.sample) for asked, task in tasks)

    monkeypatch.setattr(Slots, "admit", noting)
    monkeypatch.setattr(small(), "replace_cross", failing_once(0, small().replace_cross))
    told: list[int] = []
    results(make_stream(4, notice=told.append), [transcribe(0, 0.6)])
    assert told == [1]
    assert [sample for _, sample in begun] == [0, 1, 2, 3, 4]


def test_memory_may_run_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    advance = Slots.advance

    def advance_one(slots: Slots) -> Any:
        if slots.count > 1:
            raise RuntimeError("cudaMallocAsync failed: out of memory")
        return advance(slots)

    monkeypatch.setattr(Slots, "advance", advance_one)
    assert len(results(make_stream(5, notice=told.append), [transcribe(number) for number in range(6)])) == 6
    assert told == [2, 1]


def test_one_slot_that_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slots, "advance", failing_once(0, Slots.advance))
    told: list[int] = []
    with pytest.raises(OutOfMemory):
        list(make_stream(1, notice=told.append).run([transcribe(0)]))
    assert told == []


def test_other_faults_come_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Slots, "advance", failing_once(0, Slots.advance, "shape mismatch"))
    with pytest.raises(RuntimeError, match="shape mismatch"):
        list(make_stream().run([transcribe(0)]))


@pytest.mark.parametrize(
    "message",
    [
        "[malloc] Unable to allocate 12884901888 bytes.",
        "[metal::malloc] Attempting to allocate 38654705664 bytes which is greater than the maximum allowed buffer size",
        "[METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)",
        "cudaMallocAsync(&data, size, stream) failed: out of memory",
    ],
)
def test_knows_what_mlx_says_when_memory_runs_out(message: str) -> None:
    assert is_out_of_memory(RuntimeError(message))
    assert not is_out_of_memory(RuntimeError("[matmul] Last dimension of first input must match"))
