from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from stages.export import report
from stages.export.summary import Entry, summarise
from tests.stages.export.support import done, row


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


def page(*entries: Entry, title: str = "calls", **made_with: str) -> str:
    return report.page(title, summarise(entries), made_with)


def heights(html: str) -> list[list[float]]:
    """Of the bars of each histogram."""
    return [[float(height) for height in re.findall(r'<rect [^>]*height="([\d.]+)"', chart)] for chart in re.findall("<svg.*?</svg>", html)]


def test_a_page_is_well_formed_and_needs_nothing_else() -> None:
    html = page(done("a.wav", "hello"), Entry(row("b.wav", "failed", "cut short"), None), WHISPER_MODEL="base")
    assert Page(html).open == []
    assert not re.search(r"(src|href)=|url\(|@import|<script", html)
    for chart in re.findall("<svg.*?</svg>", html):
        ElementTree.fromstring(chart)
    assert "prefers-color-scheme" in html


NAME = "<script>alert('1') & \"x\".wav"


def test_names_and_reasons_are_text_wherever_they_stand() -> None:
    html = page(
        *(done(NAME, "hm", avg_logprob=-2.0, language="<b>"), Entry(row(NAME, "failed", f"{NAME} <i>cut</i>"), None)),
        title=NAME,
        WHISPER_INITIAL_PROMPT="<u>",
    )
    assert not re.search("<(script|b|i|u)>", html)
    found = Page(html)
    assert found.of("h1") == [NAME]
    assert found.of("title")[0] == f"{NAME}: transcripts"
    assert found.of("td").count(NAME) == 2
    assert {"<b>", "<u>", f"{NAME} <i>cut</i>", "<i>cut</i>"} < set(found.of("td"))


def test_figures_say_what_was_done_and_what_not() -> None:
    found = Page(page(done("a.wav", "x"), done("b.wav", content="a.wav"), done("c.wav"), Entry(row("d.wav", "empty", "0 bytes"), None)))
    figures = dict(zip(found.of("dt"), found.of("dd"), strict=True))
    assert figures == {
        "files": "4",
        "done": "3",
        "hours of sound": "0.1",
        "hours of speech": "0.0",
        "speed of a worker": "10.0x",
        "empty": "1",
        "copies": "1",
        "nobody speaks": "1",
    }
    assert "No file failed." in found.of("p")


def test_a_shortfall_stands_at_the_top() -> None:
    found = Page(page(Entry(row("b.wav", "failed", "cut short"), None)))
    assert found.of("p")[0] == "1 failed of 1 files; failures.csv says which and why"
    assert found.of("td") == ["cut short", "1", "b.wav", "failed", "cut short"]


def test_three_histograms_with_their_ends_and_median() -> None:
    html = page(*(done(f"{n}.wav", "x", avg_logprob=-value, seconds=90.0 / 10**value) for n, value in enumerate((1, 2, 2, 3))))
    assert re.findall('aria-label="(.*?)"', html) == [
        "Length of the recordings: 90s to 90s, median 90s",
        "Speed, times real time: 10x to 1,000x, median 100x",
        "Confidence, mean log-probability: -3 to -1, median -2",
    ]
    assert heights(html) == [[100.0], [50.0, 100.0, 50.0], [50.0, 100.0, 50.0]]
    assert [re.findall(r'x="([\d.]+)" y', chart)[:3] for chart in re.findall("<svg.*?</svg>", html)][1] == ["1.0", "281.0", "537.7"]


@pytest.mark.parametrize(("value", "logarithmic"), [(float("nan"), False), (float("-inf"), False), (float("inf"), True), (0.0, True)])
def test_values_that_are_no_numbers_have_no_bar(value: float, logarithmic: bool) -> None:
    assert report._histogram("x", [value], "", logarithmic=logarithmic) == ""
    assert heights(report._histogram("x", [value, 1.0], "", logarithmic=logarithmic)) == [[100.0]]


def test_a_folder_without_transcripts_has_no_charts() -> None:
    html = page(Entry(row("a.wav", "empty", "0 bytes"), None))
    assert "<svg" not in html
    assert "Distributions" not in Page(html).of("h2")


def test_long_lists_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "SHOWN", 2)
    found = Page(page(*(Entry(row(f"{n}.wav", "failed", "cut"), None) for n in range(5))))
    assert [text for text in found.of("td") if text.endswith(".wav")] == ["0.wav", "1.wav"]
    assert "3 more in failures.csv." in found.of("p")


def test_settings_are_shown_and_sums_of_model_files_not() -> None:
    assert Page(page(WHISPER_MODEL="base", **{"model model.bin": "d01c"})).of("td") == ["WHISPER_MODEL", "base"]
