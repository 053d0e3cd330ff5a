"""The chain on a translator that says what it is told to, by the search that it is asked with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from sutradhar.stages.film.translate.chain import Chain, Rendering, halve, ways
from sutradhar.stages.film.translate.indictrans2.engine import Translation
from sutradhar.stages.film.translate.indictrans2.generator import BeamSearch
from sutradhar.stages.film.translate.markup import lift
from sutradhar.stages.film.translate.sentences import Sentence
from sutradhar.stages.text.glossary import Glossary, Term
from sutradhar.stages.transcript import Word

HELLO, COME, LONG = "नमस्ते राज।", "तुम कल मेरे घर आना।", "जब बारिश होगी, तब हम सब घर पर ही रहेंगे।"
LOOP = "go go go go go go go go"


class Parrot:
    """Translates by a table; what a search finds is by its beams (and 0 for one without repeated runs)."""

    def __init__(self, table: Mapping[str, Mapping[int, str]]) -> None:
        self._table = table
        self.asked: list[list[str]] = []

    def translate(
        self,
        sentences: Sequence[str],
        source: str,
        target: str,
        search: BeamSearch,
        report: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[list[Translation]]:
        self.asked.append(list(sentences))
        kind = 0 if search.unrepeated else search.beams
        return [
            [Translation(self._table[sentence].get(kind, self._table[sentence][5]), -0.5)] for sentence in sentences
        ]


def sentence(text: str, language: str = "hi") -> Sentence:
    return Sentence((Word(text, 0, 1000, 1.0),), language, lift(text))


def render(
    table: Mapping[str, Mapping[int, str]], *texts: str, glossary: Sequence[Term] = ()
) -> tuple[list[Rendering], Parrot]:
    parrot = Parrot(table)
    return Chain(parrot, "hi", "en", BeamSearch(), Glossary(glossary)).render(
        [sentence(text) for text in texts]
    ), parrot


def test_what_passes_is_taken_and_what_is_said_twice_is_translated_once() -> None:
    found, parrot = render({HELLO: {5: "Hello, Raj."}, COME: {5: "Come to my house tomorrow."}}, HELLO, COME, HELLO)
    assert [one.text for one in found] == ["Hello, Raj.", "Come to my house tomorrow.", "Hello, Raj."]
    assert parrot.asked == [[HELLO, COME]]
    assert list(ways(found)) == []


@pytest.mark.parametrize(("kind", "way"), [(0, "other hypotheses"), (1, "greedy")])
def test_another_search_is_tried_for_what_fails(kind: int, way: str) -> None:
    found, _ = render({COME: {5: LOOP, kind: "Come to my house tomorrow."}, HELLO: {5: "Hello, Raj."}}, HELLO, COME)
    assert [(one.text, one.way.value) for one in found] == [
        ("Hello, Raj.", "search"),
        ("Come to my house tomorrow.", way),
    ]
    assert [(one.value, count) for one, count in ways(found)] == [(way, 1)]


def test_halves_are_tried_last() -> None:
    left, right = halve(LONG)
    found, _ = render({LONG: {5: LOOP}, left: {5: "When it rains,"}, right: {5: "we will all stay at home."}}, LONG)
    assert [(one.text, one.way.value, one.faults) for one in found] == [
        ("When it rains, we will all stay at home.", "halves", ())
    ]


def test_what_no_way_translates_is_told_of_and_never_the_source() -> None:
    (found,), parrot = render({COME: {5: COME}, **{half: {5: half} for half in halve(COME)}}, COME)
    assert (found.text, found.way.value, found.faults) == ("", "none", ("same as source", "source script"))
    assert len(parrot.asked) == 4


def test_what_is_too_long_for_the_model_is_halved() -> None:
    class Short(Parrot):
        def translate(self, sentences: Sequence[str], *arguments: Any) -> list[list[Translation]]:  # type: ignore[override]
            return [
                [] if len(text.split()) > 5 else one
                for text, one in zip(sentences, super().translate(sentences, *arguments), strict=True)
            ]

    left, right = halve("एक दो तीन चार पाँच छह")
    table = {
        "एक दो तीन चार पाँच छह": {5: ""},
        left: {5: "One two three"},
        right: {5: "four five six."},
        LONG: {5: ""},
        **{half: {5: ""} for half in halve(LONG)},
    }
    found = Chain(Short(table), "hi", "en", BeamSearch(), Glossary(())).render(
        [sentence("एक दो तीन चार पाँच छह"), sentence(LONG)]
    )
    assert [(one.text, one.way.value) for one in found] == [("One two three four five six.", "halves"), ("", "none")]


def test_labels_english_and_roman_hindi_never_reach_the_translator() -> None:
    found, parrot = render({}, "[संगीत]", "What are you doing here?", "Kya kar rahe ho tum yahan?")
    assert [(one.text, one.way.value) for one in found] == [
        ("", "label"),
        ("What are you doing here?", "as spoken"),
        ("", "none"),
    ]
    assert found[2].faults == ("roman script",)
    assert parrot.asked == []


def test_another_script_garbage_and_numbers_never_reach_the_translator() -> None:
    found, parrot = render({}, "میں گھر جا رہا ہوں۔", "নমস্কার", "वववववववव", "१२ ३४।")
    assert [(one.text, one.way.value, one.faults) for one in found] == [
        ("", "none", ("another script",)),
        ("", "none", ("another script",)),
        ("", "none", ("garbage",)),
        ("12 34.", "label", ()),
    ]
    assert parrot.asked == []


def test_what_is_in_the_target_language_but_not_in_its_script_is_not_passed() -> None:
    spoken = [sentence("Come home now.", "en"), sentence("मेरे घर आना।", "en")]
    found = Chain(Parrot({}), "hi", "en", BeamSearch(), Glossary(())).render(spoken[:1])
    assert [(one.way.value, one.faults) for one in found] == [("as spoken", ())]
    found = Chain(Parrot({"मेरे घर आना।": {5: "Come to my house."}}), "hi", "en", BeamSearch(), Glossary(())).render(
        spoken[1:]
    )
    assert [(one.text, one.way.value) for one in found] == [("Come to my house.", "search")]


AIRPORT = "I'm going to the airport."


def test_one_translation_for_several_different_sentences_is_none() -> None:
    texts = ("मुझे पानी चाहिए।", "कल बारिश होगी जी।", "तुम्हारा भाई आ गया।", "दरवाज़ा बंद करो!")
    halves = {half: {5: AIRPORT} for text in texts for half in halve(text)}
    table = {**halves, **{text: {5: AIRPORT} for text in texts}, texts[3]: {5: AIRPORT, 0: "Close the door!"}}
    found, _ = render(table, *texts)
    assert [(one.text, one.way.value, one.faults) for one in found] == [
        *(("", "none", ("same for several",)) for _ in range(3)),
        ("Close the door!", "other hypotheses", ()),
    ]


def test_a_missing_term_is_tried_protected() -> None:
    sun = "सूर्य कल आएगा।"
    table = {sun: {5: "The sun will come tomorrow."}, "Surya कल आएगा।": {5: "Surya will come tomorrow."}}
    (found,), _ = render(table, sun, glossary=[Term("सूर्य", "Surya")])
    assert (found.text, found.way.value, found.missing_terms) == ("Surya will come tomorrow.", "glossary", 0)


def test_a_term_that_protection_does_not_save_is_counted() -> None:
    sun = "सूर्य कल आएगा।"
    (found,), _ = render(
        {sun: {5: "The sun will come tomorrow."}, "Surya कल आएगा।": {5: "It will come tomorrow."}},
        sun,
        glossary=[Term("सूर्य", "Surya")],
    )
    assert (found.text, found.way.value, found.missing_terms) == ("The sun will come tomorrow.", "search", 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("एक दो तीन", ()),
        ("एक दो तीन चार पाँच छह", ("एक दो तीन", "चार पाँच छह")),
        ("हम सब ने 2 करोड़ रुपये दिए", ("हम सब ने", "2 करोड़ रुपये दिए")),
        ("एक दो तीन चार, पाँच छह सात आठ नौ दस", ("एक दो तीन चार,", "पाँच छह सात आठ नौ दस")),
    ],
)
def test_a_sentence_is_halved_rather_after_a_comma(text: str, expected: tuple[str, ...]) -> None:
    assert halve(text) == expected
