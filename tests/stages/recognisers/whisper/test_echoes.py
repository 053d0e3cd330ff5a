from __future__ import annotations

import pytest

from sutradhar.stages.recognisers.whisper.echoes import confirmed, repeats

NAMES = "Names: Sanjay, Geet, Dahisar, Mumbai Central."
HINDI = "संजय, गीत, दहिसर, मुंबई सेंट्रल"
STYLE = "Welcome to the lecture on machine learning at the institute."


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (NAMES, NAMES),
        ("Sanjay, Geet, Dahisar", NAMES),
        ("Name: Sanjay, Git, Dahisar, Mumbai.", NAMES),
        ("Mumbai Central.", NAMES),
        ("Sanjay, Sanjay, Sanjay, Sanjay", NAMES),
        ("I am going home now, dear. Names: Sanjay, Geet, Dahisar, Mumbai Central.", NAMES),
        ("संजय, गीत, दहिसर", HINDI),
        ("गीत", HINDI),
        ("मुंबई सेंट्रल, मुंबई सेंट्रल सेंट्रूपवववववववववववववव", HINDI),
        ("名字：小明、小红、北京大学", "名字：小明、小红、北京大学。"),
        ("ชื่อ สมชาย สมหญิง", "ชื่อ: สมชาย, สมหญิง"),
        ("Welcome to the lecture on machine learning.", STYLE),
    ],
)
def test_a_text_out_of_the_prompt_repeats_it(text: str, prompt: str) -> None:
    assert repeats(text, prompt) is not None


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("", NAMES),
        (NAMES, ""),
        ("Sanjay went to Dahisar with his brother yesterday.", NAMES),
        ("The train to Mumbai Central leaves at nine.", NAMES),
        ("संजय कल दहिसर गया था।", HINDI),
        ("Good morning.", NAMES),
        ("The institute is on the other side of the road.", STYLE),
    ],
)
def test_a_sentence_with_a_name_of_the_prompt_does_not(text: str, prompt: str) -> None:
    assert repeats(text, prompt) is None


@pytest.mark.parametrize(
    ("text", "plain", "said"),
    [
        ("Sanjay, Geet, Dahisar", "Sunjay, Geeth, the Hisar", True),
        ("Sanjay", "संजय", True),
        (NAMES, "Thank you.", False),
        (NAMES, "", False),
        (
            "I am going home now, dear. Names: Sanjay, Geet, Dahisar, Mumbai Central.",
            "I am going home now, dear.",
            False,
        ),
    ],
)
def test_what_is_heard_without_the_prompt_confirms_it(text: str, plain: str, said: bool) -> None:
    echo = repeats(text, NAMES)
    assert echo
    assert confirmed(echo, plain) is said
