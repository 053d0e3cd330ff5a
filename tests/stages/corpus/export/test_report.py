from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from sutradhar.stages.corpus.export import report
from sutradhar.stages.corpus.export.report import Links
from sutradhar.stages.corpus.export.summary import Entry, Survey
from tests.stages.corpus.export.support import done, row


class Page(HTMLParser):
    """The texts of a page by their elements."""

    VOID = ("meta",)

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def no_link(path: str) -> str:
    return ""


def page(*entries: Entry, title: str = "calls", link: Links = no_link, **made_with: str) -> str:
    return report.page(title, "Job calls, Sutradhar 0.1.0", Survey(entries), {"f1": made_with}, link)


def test_names_and_reasons_are_shown_with_escapes() -> None:
    html = page(Entry(row("gpj.\u202ewav", "failed", "a\x1b[31m<b>"), None), title="calls\u202e")
    assert {r"gpj.\u202ewav", r"a\x1b[31m<b>"} <= set(Page(html).of("td"))
    assert Page(html).of("h1") == [r"calls\u202e"]
    assert "\u202e" not in html


def test_a_page_is_well_formed_and_needs_nothing_else() -> None:
    html = page(done("a.wav", "hello"), Entry(row("b.wav", "failed", "cut short"), None), WHISPER_MODEL="base")
    assert Page(html).open == []
    assert not re.search(r"(src|href)=|url\(|@import|<script", html)
    charts = re.findall("<svg.*?</svg>", html)
    assert len(charts) == 3
    for chart in charts:
        ElementTree.fromstring(chart)
    assert "prefers-color-scheme" in html


def test_the_header_says_what_made_it() -> None:
    assert Page(page()).of("p")[0] == "Job calls, Sutradhar 0.1.0"


NAME = "<script>alert('1') & \"x\".wav"


def test_names_and_reasons_are_text_wherever_they_stand() -> None:
    html = page(
        *(done(NAME, "hm", avg_logprob=-2.0, language="<b>"), Entry(row(NAME, "failed", "<i>cut</i>"), None)),
        title=NAME,
        WHISPER_INITIAL_PROMPT="<u>",
    )
    assert not re.search("<(script|b|i|u)>", html)
    found = Page(html)
    assert found.of("h1") == [NAME]
    assert found.of("title")[0] == f"{NAME}: transcripts"
    assert found.of("td").count(NAME) == 2
    assert found.of("td").count("<i>cut</i>") == 2
    assert {"<b>", "<u>"} < set(found.of("td"))


def test_figures_say_what_was_done_and_what_not() -> None:
    found = Page(
        page(
            done("a.wav", "x"),
            done("b.wav", content="a.wav"),
            done("c.wav"),
            Entry(row("d.wav", "empty", "0 bytes"), None),
        )
    )
    assert list(zip(found.of("dt"), found.of("dd"), strict=True)) == [
        ("files", "4"),
        ("done", "3"),
        ("empty", "1"),
        ("recordings with text", "1"),
        ("nobody speaks", "1"),
        ("copies of them", "1"),
        ("sound", "3:00"),
        ("speech of all channels", "0:45"),
        ("speed of a worker", "10.0x"),
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(59.6, "1:00"), (3599.0, "59:59"), (3600.0, "1.0 h"), (5_760_000.0, "1,600.0 h")]
)
def test_lengths_under_an_hour_are_told_as_a_clock_does(seconds: float, text: str) -> None:
    assert report._length(seconds) == text


def test_an_empty_file_has_no_transcript_and_has_not_failed() -> None:
    found = Page(page(Entry(row("d.wav", "empty", "0 bytes"), None)))
    assert found.of("p")[1] == "No file failed."
    assert found.of("h2")[:2] == ["Why files have no transcript", "Files without a transcript"]
    assert found.of("td") == ["0 bytes", "1", "d.wav", "empty", "0 bytes"]


def test_a_shortfall_stands_at_the_top() -> None:
    found = Page(page(Entry(row("b.wav", "failed", "cut short"), None)))
    assert found.of("p")[1] == "1 failed of 1 files; failures.csv says which and why"
    assert found.of("td") == ["cut short", "1", "b.wav", "failed", "cut short"]


def test_statuses_are_not_broken_and_counts_stand_to_the_right() -> None:
    html = page(Entry(row("b.wav", "unsupported", "no sound"), None))
    assert '<td class="text">no sound</td><td class="number">1</td>' in html
    assert '<td class="short">unsupported</td>' in html
    assert ".short, .number { white-space: nowrap;" in html


def test_charts_tell_their_values_in_words() -> None:
    html = page(
        *(done(f"{n}.wav", "x", avg_logprob=-value, seconds=90.0 / 10**value) for n, value in enumerate((1, 2, 2, 3)))
    )
    assert re.findall('aria-label="(.*?)"', html) == [
        "Length of the recordings: 1:30 to 1:30, median 1:30",
        "Speed, times real time: 10x to 1,000x, median 100x",
        "Confidence, mean log-probability: -3 to -1, median -2",
    ]


def test_a_folder_without_transcripts_has_no_charts() -> None:
    html = page(Entry(row("a.wav", "empty", "0 bytes"), None))
    assert "<svg" not in html
    assert "Distributions" not in Page(html).of("h2")


def test_long_lists_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SHOWN", 2)
    found = Page(page(*(Entry(row(f"{n}.wav", "failed", "cut"), None) for n in range(5))))
    assert [text for text in found.of("td") if text.endswith(".wav")] == ["0.wav", "1.wav"]
    assert "3 more in failures.csv." in found.of("p")


def test_recordings_to_look_at_have_a_link_to_their_transcript() -> None:
    html = page(done("ü/a#1 &.wav", "hm", avg_logprob=-2.0), done("silent.wav"), link="transcripts/{}.txt".format)
    assert (
        '<a href="transcripts/%C3%BC/a%231%20%26.wav.txt">ü/a#1 &amp;.wav</a></td><td class="number">-2.00</td>' in html
    )
    assert '<a href="transcripts/silent.wav.txt">silent.wav</a>' in html


def test_settings_are_shown_and_sums_of_model_files_not() -> None:
    assert Page(page(WHISPER_MODEL="base", **{"model model.bin": "d01c"})).of("td") == ["WHISPER_MODEL", "base"]


def test_results_of_several_settings_are_told_apart() -> None:
    one = done("a.wav", "x")
    survey = Survey([one, replace(done("b.wav", "x"), made_with="f2"), replace(done("c.wav", "x"), made_with="f2")])
    settings = {"f2": {"WHISPER_MODEL": "mine", "model model.bin": "d01c", "model vocabulary.txt": "aa"}}
    settings["f1"] = settings["f2"] | {"model model.bin": "77ab"}
    found = Page(report.page("calls", "", survey, settings, no_link))
    assert found.of("h3") == ["f2: 2 recordings", "f1: 1 recording"]
    assert found.of("td")[-8:] == [
        "WHISPER_MODEL",
        "mine",
        "model model.bin",
        "d01c",
        "WHISPER_MODEL",
        "mine",
        "model model.bin",
        "77ab",
    ]
