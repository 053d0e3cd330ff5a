"""Take off a sentence the parts that are no speech (tags, dashes, speakers, music signs, sound labels), and put them
around the translation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sutradhar.stages.film.translate.labels import MUSIC, sound_of
from sutradhar.stages.text.characters import COMMAS, STOPS, clean
from sutradhar.stages.text.loops import collapse
from sutradhar.stages.text.scripts import LATIN, in_script, script_of

NOTES = "♪♫♬♩"
LABEL_WORDS = 4  # that a sound label has at most where it is none of the usual
OPENS_LABEL = ("[", "(", "*")
_LABEL = r"\[[^\[\]]*\]|\([^()]*\)|\*[^*]+\*"
_TAG = r"</?(?:i|b|u|s|em|strong|font|c|v|span|ruby|rt)\b[^<>]*>"
_OVERRIDE = r"\{\\[^{}]*\}"
_SPEAKER = r"(?=[^:]*[A-Z]{2})[A-Z][A-Z0-9 .'’#-]{0,24}:(?=\s)"
_DASH = r"(?:[-–—―]|>>)(?![\d-])"
_NOTE = rf"[{NOTES}]+|(?<!\S)#(?!\S*\w)"
# A piece takes the space behind it, or at the end of a text before it, so that it is put back as it stood.
_FRONT = re.compile(rf"(?:{_OVERRIDE}|{_TAG}|{_DASH}|{_SPEAKER}|{_NOTE}|(?P<label>{_LABEL}))\s*")
_BACK = re.compile(rf"\s*(?:{_TAG}|{_NOTE}|(?P<label>{_LABEL}))$")
_INSIDE = re.compile(rf"(?P<label>{_LABEL})|{_OVERRIDE}|{_TAG}|[{NOTES}]+")
_TAG_NAME = re.compile(r"<(/?)(\w+)")


@dataclass(frozen=True)
class Lifted:
    """A sentence without its markup. `text` is the translator's input, "" where a sentence is nothing but labels and
    signs. `collapsed`: a loop was.
    """

    text: str
    front: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    collapsed: bool = False

    @property
    def is_label(self) -> bool:
        return not self.text


def lift(text: str) -> Lifted:
    text = clean(text)
    front, text = _take_front(text)
    back, text = _take_back(text)
    inside = [match.group() for match in _INSIDE.finditer(text) if match["label"] and _is_label(match)]
    text = clean(_INSIDE.sub(lambda match: match.group() if match["label"] and not _is_label(match) else " ", text))
    if not any(character.isalnum() for character in text):
        text = ""
    collapsed = collapse(text)
    tags = _paired(front, back)
    front = [piece for piece in front if not _TAG_NAME.match(piece) or piece in tags]
    back = [piece for piece in back if not _TAG_NAME.match(piece.strip()) or piece in tags]
    return Lifted(collapsed, (*front, *(f"{label} " for label in inside)), tuple(back), collapsed != text)


def put_back(lifted: Lifted, translation: str, target: str) -> str:
    """Put around the translation the markup of the sentence, labels in the target language. A label that cannot be
    said in it is left out, so of a sentence that is a label alone "" may be left."""
    front = "".join(_translated(piece, target) for piece in lifted.front)
    back = "".join(_translated(piece, target) for piece in lifted.back)
    return clean(f"{front}{translation}{back}")


def is_label(text: str, alone: bool) -> bool:
    """Return whether this is a sound label. Between brackets people also speak, more than a few words or whole
    sentences; and in (parentheses) and between *stars* it must be a known one, or stand alone."""
    match = re.fullmatch(_LABEL, clean(text).rstrip(STOPS + COMMAS))
    if match is None or sound_of(text) is not None:
        return match is not None
    inside = match.group()[1:-1].strip()
    short = len(inside.split()) <= LABEL_WORDS and not inside.endswith(tuple(STOPS))
    return short and (alone or text.strip().startswith("["))


def label_in(label: str, target: str) -> str | None:
    """Return a label in the target language, brackets and all; None where it is not known and not in the target's
    script."""
    sound = sound_of(label)
    if sound is None:
        own = script_of(target) == LATIN and in_script(label, LATIN) == sum(character.isalpha() for character in label)
        return label if own else None
    if target in sound:
        return label[0] + sound[target].split("|")[0] + label[-1]
    return NOTES[0] if sound is MUSIC else None


def _translated(piece: str, target: str) -> str:
    label = piece.strip()
    if not re.fullmatch(_LABEL, label):
        return piece
    translated = label_in(label, target)
    return "" if translated is None else piece.replace(label, translated)


def _take_front(text: str) -> tuple[list[str], str]:
    pieces = []
    while (match := _FRONT.match(text)) and _is_off(match, text):
        pieces.append(match.group())
        text = text[match.end() :]
    return pieces, text


def _take_back(text: str) -> tuple[list[str], str]:
    pieces: list[str] = []
    while (match := _BACK.search(text)) and _is_off(match, text):
        pieces.insert(0, match.group())
        text = text[: match.start()]
    return pieces, text


def _is_off(match: re.Match[str], text: str) -> bool:
    return not match["label"] or is_label(match["label"], alone=match.group() == text)


def _is_label(match: re.Match[str]) -> bool:
    return is_label(match["label"], alone=False)


def _paired(front: Iterable[str], back: Iterable[str]) -> set[str]:
    """Return the tags around the whole text, which open in front and close at the back."""
    opened = {match[2]: piece for piece in front if (match := _TAG_NAME.match(piece)) and not match[1]}
    closed = {match[2]: piece for piece in back if (match := _TAG_NAME.match(piece.strip())) and match[1]}
    return {tags[name] for name in opened.keys() & closed.keys() for tags in (opened, closed)}
