from __future__ import annotations

import pytest

from sutradhar.stages.text.attractors import attractors

SOURCES = ("मुझे पानी चाहिए।", "कल बहुत बारिश होगी।", "तुम्हारा भाई आ गया।", "वह किताब मेज़ पर रखी है।", "दरवाज़ा बंद करो!")


def test_one_target_for_several_different_sources_is_found() -> None:
    pairs = [("नमस्ते।", "Hello."), *((source, "I'm going to the airport.") for source in SOURCES)]
    assert attractors(pairs) == {1, 2, 3, 4, 5}
    assert attractors(pairs[:4]) == {1, 2, 3}


def test_two_sources_do_for_a_long_target() -> None:
    assert attractors((source, "I'm going to the airport.") for source in SOURCES[:2]) == set()
    assert attractors((source, "I'm going home with my friends now.") for source in SOURCES[:2]) == {0, 1}


def test_a_short_target_of_several_whole_sentences_is_found() -> None:
    assert attractors((source, "I am going home now.") for source in SOURCES) == {0, 1, 2, 3, 4}
    assert attractors((source, "I am going home now.") for source in SOURCES[:3]) == set()


def test_targets_that_differ_in_a_word_or_two_are_one() -> None:
    targets = (f"I don't know what you want, {name}." for name in ("sir", "brother", "madam", "my friend", "boss"))
    assert attractors(zip(SOURCES, targets, strict=True)) == {0, 1, 2, 3, 4}
    ways = ("मुझे नहीं पता तुम क्या चाहते हो", "मुझे नहीं पता वह क्या चाहता है", "मुझे नहीं पता हम क्या चाहते हैं")
    assert (
        attractors(
            zip(
                ways,
                ("I don't know what you want.", "I don't know what he wants.", "I don't know what we want."),
                strict=True,
            )
        )
        == set()
    )


@pytest.mark.parametrize("reply", ["Yes.", "What?", "Come on.", "Thank you.", "All right, okay."])
def test_short_replies_are_said_in_many_ways(reply: str) -> None:
    asides = ("हाँ।", "जी।", "अच्छा।", "ठीक है।", "चलो भाई।", "क्या?", "शुक्रिया।", "बोलो ना।", "हो गया।", "बस यार।")
    assert attractors((source, reply) for source in asides) == set()
    assert attractors((source, "Yes.") for source in SOURCES) == set()


def test_a_proverb_that_the_sources_have_many_of_is_no_fallback() -> None:
    proverbs = (
        "जैसी करनी वैसी भरनी।",
        "अच्छा करो, अच्छा पाओ।",
        "जैसा करना वैसा भरना।",
        "जैसा बोओगे, वैसा काटोगे।",
        "कर भला तो हो भला।",
    )
    assert attractors((source, "You reap what you sow.") for source in proverbs) == set()
    assert attractors((source, "You reap what you sow.") for source in SOURCES) == {0, 1, 2, 3, 4}


def test_the_same_source_again_is_one() -> None:
    assert attractors((source, "I'm going to the airport.") for source in SOURCES[:2] * 5) == set()


def test_ways_to_say_one_thing_are_no_different_sources() -> None:
    ways = ("क्या आपके पिताजी अध्यापक हैं?", "क्या तुम्हारे पिताजी अध्यापक हैं?", "क्या आपके पापा टीचर हैं?", "क्या तुम्हारे पापा टीचर हैं?")
    assert attractors((source, "Is your father a teacher?") for source in ways) == set()
