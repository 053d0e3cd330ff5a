from __future__ import annotations

import numpy as np
import pytest

from sutradhar.stages.film.translate.indictrans2.beams import Beams, repeated
from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch

A, B, C, END = range(4)
# How likely each token is after the one before it.
CHANCES = {END: {A: 0.6, B: 0.4}, A: {A: 0.4, C: 0.35, END: 0.25}, B: {END: 0.9, A: 0.1}, C: {END: 0.9, A: 0.1}}


def search(how: BeamSearch, sentences: int = 1) -> list[list[tuple[list[int], float]]]:
    """Tokens of the translations and how likely they and their ends are together."""
    table = np.full((4, 4), 1e-9)
    for token, following in CHANCES.items():
        for other, chance in following.items():
            table[token, other] = chance
    beams = Beams(sentences, how, END)
    before = np.full((sentences, how.beams), END)
    while not beams.done.all():
        log_probs = np.log(table[before]).astype(np.float32)
        order = np.argsort(-log_probs, axis=-1)[:, :, : how.beams + 1]
        before = beams.advance(np.take_along_axis(log_probs, order, -1), order)
    return [
        [
            (text, round(float(np.exp(score * (len(text) + (len(text) < how.limit)) ** how.length_penalty)), 4))
            for score, text in found
        ]
        for found in beams.found
    ]


def test_one_beam_takes_the_likeliest_token_every_time() -> None:
    assert search(BeamSearch(1, limit=3)) == [[([A, A, A], round(0.6 * 0.4 * 0.4, 4))]]


def test_more_beams_find_what_is_likelier_in_the_end() -> None:
    assert search(BeamSearch(2, patience=1, length_penalty=0.0)) == [[([B], 0.36)]]


def test_the_length_penalty_favours_longer_texts() -> None:
    assert search(BeamSearch(3, length_penalty=1.3)) == [[([A, C], 0.189)]]


def test_the_best_come_first_and_no_more_than_asked_for() -> None:
    assert search(BeamSearch(3, length_penalty=0.0, hypotheses=2)) == [[([B], 0.36), ([A, C], 0.189)]]


def test_sentences_of_a_batch_do_not_meet() -> None:
    assert search(BeamSearch(3, length_penalty=0.0), 3) == 3 * search(BeamSearch(3, length_penalty=0.0))


def test_sentences_that_are_kept_keep_their_places() -> None:
    beams = Beams(3, BeamSearch(1), END)
    beams.advance(np.zeros((3, 1, 2), np.float32), np.array([[[END, A]], [[A, B]], [[B, A]]]))
    beams.keep(np.array([1, 2]))
    beams.advance(np.zeros((2, 1, 2), np.float32), np.array([[[END, A]], [[END, A]]]))
    assert [[text for _, text in found] for found in beams.found] == [[[]], [[A]], [[B]]]


def test_a_beam_sees_what_it_follows_and_itself() -> None:
    """Both beams of the second step follow the second of the first."""
    beams = Beams(1, BeamSearch(2), END)
    beams.advance(np.array([[[-1, -2, -9], [-9, -9, -9]]], np.float32), np.array([[[A, B, C], [A, B, C]]]))
    beams.advance(np.array([[[-9, -9, -9], [-1, -2, -9]]], np.float32), np.array([[[A, B, C], [B, C, A]]]))
    assert beams.texts.tolist() == [[[B, B], [B, C]]]
    own = [[True, False], [False, True]]
    assert beams.ancestors().reshape(2, 3, 2)[:, :2].tolist() == [[[True, False], [False, True]]] * 2
    assert beams.ancestors().reshape(2, 3, 2)[:, 2].tolist() == own


@pytest.mark.parametrize(
    ("text", "length", "banned"),
    [([1, 2, 3, 1, 2], 3, [3]), ([1, 1, 1], 2, [1, 1]), ([1, 2, 3], 2, []), ([5], 1, [5]), ([], 3, [])],
)
def test_tokens_that_would_repeat_a_run(text: list[int], length: int, banned: list[int]) -> None:
    assert repeated(np.array([text], np.int32).reshape(1, -1), length)[1] == banned
