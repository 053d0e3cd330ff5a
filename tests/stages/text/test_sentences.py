from __future__ import annotations

import pytest

from stages.text.sentences import ends_clause, ends_sentence


@pytest.mark.parametrize(
    ("word", "following", "ends"),
    [
        ("gone.", "So", True),
        ("gone.”", "“So", True),
        ("है।", "वह", True),
        ("吗？", "我", True),
        ("what?”", "he", False),
        ("but...", "he", False),
        ("but…", "He", True),
        ("Mr.", "Dashwood", False),
        ("J.", "Smith", False),
        ("I.", "So", True),
        ("5.", "Mai", False),
        ("gone,", "So", False),
    ],
)
def test_sentence_ends(word: str, following: str, ends: bool) -> None:
    assert ends_sentence(word, following) is ends


@pytest.mark.parametrize(
    ("language", "word", "following"),
    [
        ("en", "No.", "5"),
        ("en", "Rs.", "500"),
        ("en", "Section.", "370"),
        ("en", "v2.", "0"),
        ("hi", "रु.", "५००"),
        ("en", "3.", "5"),
        ("en", "1990.", "5"),
        ("en", "1947.", "20"),
        ("en", "cost.", "₹500"),
        ("en", "left.", "(12"),
        ("ta", "cost.", "௹500"),
        ("en", "cost.", "৳500"),
        ("en", "cost.", "฿500"),
        ("en", "cost.", "US$500"),
        ("en", "cost.", "(A$5"),
        ("en", "cost.", "-₺5"),
        ("en", "cost.", "<5"),
        ("en", "cost.", "*5"),
        ("en", "cost.", "\u200b5"),
        ("en", "cost.", "\u200e₱5"),
        ("en", "cost.\u200b", "\u202a5"),
        ("en", "Mr.\u200e", "\u200bDashwood"),
        ("hi", "१९४७.", "२०"),
        ("bn", "গেছে.", "৫"),
        ("ur", "۱۹۴۷۔", "۲۰"),
        ("en", "Sec.", "302"),
        ("en", "Adv.", "Sharma"),
        ("en", "Er.", "Gupta"),
        ("en", "Km.", "Mayawati"),
        ("en", "Dist.", "Pune"),
        ("en", "Tal.", "Haveli"),
        ("en", "Pt.", "Nehru"),
        ("en", "Mohd.", "Rafi"),
        ("en", "Dy.", "Collector"),
        ("en", "Opp.", "Bus"),
        ("en", "Regd.", "Office"),
        ("", "Dist.", "Pune"),
        ("hi", "एड.", "वर्मा"),
        ("hi", "अधि.", "धारा"),
        ("hi", "प्रा.", "लि."),
        ("hi", "जि.", "मेरठ"),
        ("hi", "ठा.", "सिंह"),
        ("mr", "ऍड.", "पाटील"),
        ("mr", "अधि.", "कलम"),
        ("mr", "जि.", "पुणे"),
        ("mr", "पो.", "हवेली"),
        ("hi", "धारा.", "302"),
        ("en", "Rs.", "Five"),
        ("en", "Mt.", "Everest"),
        ("en", "Hon.", "Mr."),
        ("en", "U.S.", "Army"),
        ("en", "Ltd.", "Chairman"),
        ("hi", "पं.", "नेहरू"),
        ("hi", "डॉ.", "वर्मा"),
        ("hi", "कि.मी.", "दूर"),
        ("hi", "ई.पू.", "में"),
        ("mr", "सौ.", "वहिनी"),
        ("bn", "মোঃ.", "রহিম"),
        ("ta", "எம்.", "ஜி."),
        ("te", "డా.", "రావు"),
        ("gu", "શ્રી.", "મોદી"),
        ("pa", "ਡਾ.", "ਸਿੰਘ"),
        ("ur", "اے۔", "آر۔"),
        ("ar", "د.", "محمد"),
        ("de", "z.B.", "Berlin"),
        ("de", "5.", "Mai"),
        ("fr", "Mme.", "Dupont"),
        ("es", "Sra.", "López"),
        ("ru", "А.", "Пушкин"),
        ("", "पं.", "नेहरू"),
        ("", "(Rs.", "500"),
        ("hi", "मैं…", "नहीं"),
    ],
)
def test_no_sentence_ends(language: str, word: str, following: str) -> None:
    assert not ends_sentence(word, following, language)


@pytest.mark.parametrize(
    ("language", "word", "following"),
    [
        ("en", "No.", "I"),
        ("en", "etc.", "Peter"),
        ("en", "p.m.", "Peter"),
        ("en", "U.S.", "The"),
        ("en", "Ltd.", "He"),
        ("en", "B.", "We"),
        ("en", "3.5.", "Peter"),
        ("en", "Kms.", "The"),
        ("en", "Dist.", "He"),
        ("de", "er.", "Peter"),
        ("fr", "sec.", "Pierre"),
        ("en", "sec.", "Peter"),
        ("en", "gone?", "5"),
        ("en", "gone.", "US"),
        ("en", "gone.", "$"),
        ("hi", "गया।", "5"),
        ("hi", "सौ.", "वह"),
        ("bn", "সে.", "আমি"),
        ("ko", "네.", "왜"),
        ("ur", "ہیں؟", "میں"),
        ("ur", "ہوں۔", "شکریہ"),
        ("am", "ነው።", "እሱ"),
        ("hy", "է։", "Նա"),
        ("my", "တယ်။", "သူ"),
        ("km", "ហើយ។", "គាត់"),
        ("bo", "ཡིན།", "ང"),
        ("ja", "です。", "私"),
        ("zh", "吗？」", "我"),
        ("el", "κάνεις;", "Καλά"),
        ("mni", "ꯂꯩ꯫", "ꯑꯩ"),
        ("en", "Well…", "Peter"),
    ],
)
def test_a_sentence_ends(language: str, word: str, following: str) -> None:
    assert ends_sentence(word, following, language)


def test_a_clause_ends_in_a_mark_that_is_no_abbreviations() -> None:
    assert [ends_clause(word, "hi") for word in ("घर,", "गया।", "–", "डॉ.", "घर", "ہے،")] == [True, True, True, False, False, True]
