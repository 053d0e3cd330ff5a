"""Names and codes of languages: as people type them, as they are used inside, and as containers and viewers have
them.

Inside, a language is Whisper's code for it where Whisper knows it (`hi`, `yue`, `haw`, `jw`), and else its ISO
639-1 code or, where it has none, its ISO 639-3 code (`or`, `brx`).
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.wording import escaped

NAMES = Path(__file__).with_name("language_names.tsv")  # scripts/make-language-names.py writes it

# The 100 languages of Whisper large-v3 (whisper/tokenizer.py, LANGUAGES); smaller and older models lack only yue.
WHISPER_LANGUAGES = frozenset(
    """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id
    is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd
    si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh
    """.split()  # noqa: SIM905  (a hundred quoted strings would read worse)
)

# Languages where Whisper's code is not the ISO code.
_WHISPER_CODE = {"jv": "jw", "fil": "tl", "nb": "no", "cmn": "zh"}

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")


def parse(text: str) -> str:
    """Return the code used inside for an ISO 639-1, -2 or -3 code, a BCP 47 tag, or a name in English or any other
    language.

    Raises UsageError, with the closest names, where there is no such language."""
    wanted = text.strip()
    if wanted in WHISPER_LANGUAGES:
        return wanted
    import langcodes

    if _TAG.fullmatch(wanted) and (code := _known_code(wanted)):
        return _inside(code)
    try:
        return _inside(langcodes.find(wanted).language or "")
    except LookupError:
        raise UsageError(_unknown(text)) from None


def same(one: str, other: str) -> bool:
    """Return whether two codes, in any form that a container or a person writes (`hin`, `hi`), mean one language."""
    try:
        return parse(one) == parse(other)
    except UsageError:
        return False


def _known_code(tag: str) -> str | None:
    import langcodes

    try:
        language = langcodes.Language.get(tag)
    except ValueError:  # damaged files have tags of no valid form
        return None
    return language.language if language.is_valid() and language.language in _names() else None


def _inside(code: str) -> str:
    import langcodes

    # Members of a macrolanguage go by its code (arb, arz -> ar), but Chinese languages other than Mandarin are not zh.
    group = langcodes.standardize_tag(code, macro=True)
    for candidate in (code, group if group != "zh" else code):
        candidate = _WHISPER_CODE.get(candidate, candidate)
        if candidate in WHISPER_LANGUAGES:
            return candidate
    return code


def _unknown(text: str) -> str:
    names = sorted(name(code) for code in WHISPER_LANGUAGES)
    close = difflib.get_close_matches(text.strip().title(), names, n=3, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(close)}?"
        if close
        else "write its English name or its ISO 639 code, such as Hindi or hi"
    )
    return f"Unknown language {text!r}: {hint}"


def name(code: str) -> str:
    """Return the English name, for titles and messages: `Hindi`."""
    if code in _names():
        return _names()[code]
    return _names().get(_known_code(code) or "", f"Unknown language [{escaped(code)}]")


@cache
def _names() -> dict[str, str]:
    """Return English names by code. langcodes has them too, but loads them with those in 300 other languages: a
    second and 300 MB."""
    return dict(line.split("\t") for line in NAMES.read_text(encoding="utf-8").splitlines())


def alpha3_bibliographic(code: str) -> str:
    """Return the ISO 639-2/B code (`ger`), which Matroska's Language element holds (RFC 9559), or ISO 639-3 where
    there is none."""
    return _alpha3(code, "B")


def alpha3_terminologic(code: str) -> str:
    """Return the ISO 639-2/T code (`deu`), which MP4's media header holds (ISO/IEC 14496-12, mdhd), or ISO 639-3
    where there is none."""
    return _alpha3(code, "T")


def _alpha3(code: str, variant: str) -> str:
    import langcodes

    return langcodes.Language.get(code).to_alpha3(variant=variant)
