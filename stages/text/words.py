"""The places at which words begin in scripts without spaces between words: by ICU's dictionaries, and by its rules
for the other scripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from sutradhar.stages.text.characters import word_set
from sutradhar.stages.text.scripts import SPACELESS, needs_no_space

_HIRAGANA = re.compile("[\u3041-\u309f]+")
_KATAKANA = re.compile("[\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f]+")
_HAN_CHARACTERS = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN = re.compile(f"[{_HAN_CHARACTERS}]+")
_NUMERALS = re.compile("[0-9０-９〇零一二三四五六七八九十百千万萬億亿兆]+")
_COUNTED = re.compile(f"[%％{_HAN_CHARACTERS}]")
# Words of Japanese after which another may begin. Other hiragana behind a word is its ending: ICU has words for many.
_PARTICLES = word_set(
    "は が を に へ と も の で から まで より には では とは へは でも とも にも からは までに ので のに けど"
)
_BEGIN_NO_WORD = tuple("っゃゅょんらりるれろ")
_JAPANESE_ENDINGS = word_set("です でし でしょ だ だっ だろ ます まし ました ませ ません ましょ ま")
_BEFORE_A_WORD = "てでばに"  # the end of a verb before another, and of an adverb: 食べて|ください
_HONOURS = word_set("お ご 御")
_CHINESE_ENDINGS = frozenset("的了着著吗嗎呢吧啊呀嘛们們")
_LONG_CHINESE = 5  # characters
# Chinese words of one character that stand by themselves; other characters belong to their neighbours.
_CHINESE_WORDS = frozenset(
    """的地得了着著过過吗嗎呢吧啊呀嘛和与與或但而就都也很还還又再才只太最更不没沒别別是有在我你您他她它们們这這那哪谁誰什每各
    去来來到给給对對把被让讓从從向往跟为為比会會能要想可说說看做用叫请請问問将將由于於因所以如若虽雖吃喝买買坐走跑住听聽写寫读讀爱愛等带帶拿找里裡上下中后後前"""
)


def word_starts(text: str, language: str = "") -> frozenset[int]:
    """Return the places (in characters) at which a word or a mark of the text begins."""
    from icu4py.breakers import WordBreaker

    parts = list(WordBreaker(text, language or "en"))
    starts = set[int]()
    word, place = "", 0
    for before, part, following in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        if not _goes_on(word, before, part, following, language):
            starts.add(place)
            word = ""
        word += part
        place += len(part)
    return frozenset(starts)


def _goes_on(word: str, before: str, part: str, following: str, language: str) -> bool:
    """Return whether the part goes on with the word that ends in the part before it, whatever the dictionary says."""
    if not word or word[-1].isspace():
        return False
    if _KATAKANA.match(part) and _KATAKANA.match(word[-1]):
        return True
    if _is_spaceless(word + part) and _NUMERALS.match(word[-1]) and (_NUMERALS.match(part) or _COUNTED.fullmatch(part)):
        return True
    if language in ("zh", "yue"):
        return _goes_on_in_chinese(word, before, part)
    return _goes_on_in_japanese(word, part, following)


def _is_spaceless(text: str) -> bool:
    return re.search(f"[{SPACELESS}]", text) is not None


def _goes_on_in_chinese(word: str, before: str, part: str) -> bool:
    """Return whether it is an ending, or one of the two parts is a single character that is no word by itself (市|中心,
    火车|站)."""
    if not (_HAN.fullmatch(before) and _HAN.fullmatch(part)):
        return False
    if part in _CHINESE_ENDINGS:
        return True
    return 1 in (len(before), len(part)) and _CHINESE_WORDS.isdisjoint((before, part)) and len(word) < _LONG_CHINESE


def _goes_on_in_japanese(word: str, part: str, following: str) -> bool:
    """Return whether it is an ending (飲|んで, 食|べ, 行|った), or belongs to 'お'."""
    if word in _HONOURS and _is_japanese(part):
        return True
    if not _HIRAGANA.match(part) or not _is_japanese(word[-1]):
        return False
    if part in _JAPANESE_ENDINGS or part.startswith(_BEGIN_NO_WORD):
        return True
    if part in _PARTICLES:
        return (
            following.startswith(_BEGIN_NO_WORD)
            or following in _JAPANESE_ENDINGS
            or (part == "で" and word[-1] in "んい")
        )
    return word not in _PARTICLES and (len(part) == 1 or len(word) == 1 or word[-1] not in _BEFORE_A_WORD)


def _is_japanese(character: str) -> bool:
    return any(kind.match(character) for kind in (_HIRAGANA, _KATAKANA, _HAN))


def in_words(pieces: Sequence[str], language: str = "") -> list[list[tuple[str, bool]]]:
    """Return each piece of a running text in parts, cut where words begin inside it; and for each part, whether a
    word begins with it (else it goes on with one). ["1", ",00,000"] is one number, "ส" "วัสดี" one word."""
    text = "".join(pieces)
    starts = word_starts(text, language) if any(map(needs_no_space, text)) else frozenset[int]()
    found: list[list[tuple[str, bool]]] = []
    begin = 0
    for piece in pieces:
        end = begin + len(piece)
        places = [place for place in range(begin + 1, end) if place in starts and _apart(text, place)] if starts else []
        first = (
            begin == 0 or text[begin - 1].isspace() or piece[:1].isspace() or (begin in starts and _apart(text, begin))
        )
        bounds = [begin, *places, end]
        found.append([(text[left:right], first or left > begin) for left, right in pairwise(bounds)])
        begin = end
    return found


def begin_words(pieces: Sequence[str], language: str = "") -> list[bool]:
    """Tell for each piece of a running text whether a word begins with it."""
    return [parts[0][1] for parts in in_words(pieces, language)]


def _apart(text: str, place: int) -> bool:
    return not text[place - 1].isspace() and (needs_no_space(text[place - 1]) or needs_no_space(text[place]))
