"""A job's `.env`: written with comments, parsed strictly, never sourced.

python-dotenv's parser splits the lines; what it would let pass (lines it cannot read, keys given twice, variables that
somebody may expect to be expanded) is refused here, with the line number.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sutradhar.pipeline import languages
from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.files import read_file
from sutradhar.pipeline.jobs.settings import Settings, describe, schema, sections, takes, words
from sutradhar.pipeline.wording import did_you_mean, escaped, is_utf8

if TYPE_CHECKING:
    from dotenv.parser import Binding

PLAIN = re.compile(r"[\w./:,+%@-]*")
CHOSEN = "# Chosen: "  # begins the line before a value that says why it was chosen
OF_LANGUAGES = ("SOURCE_LANGUAGE", "TARGET_LANGUAGES")
CODES = re.compile(r"auto|([a-z]{2,3}(,[a-z]{2,3})*)?")
VARIABLE = re.compile(r"\$\{\w+\}")


def quote(value: str) -> str:
    """Return the value as it is written after `=`: as it stands where that is safe, else in single quotes."""
    if PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def render(settings: Settings, header: str, reasons: Mapping[str, str], *, without: Collection[str] = ()) -> str:
    """Return the whole file. `reasons` says for some keys why they have their value; `without` are keys that mean
    nothing here."""
    lines = [f"# {escaped(line)}".rstrip() for line in header.split("\n")]
    section_of = {key: section for section, key in sections().items()}
    section = told = ""
    for key in schema().__struct_fields__:
        section = section_of.get(key, section)
        if key in without:
            continue
        if section != told:
            lines += ["", f"# --- {section} ---"]
            told = section
        lines += ["", f"# {describe(key)}"]
        if key in reasons:
            lines.append(CHOSEN + escaped(" ".join(reasons[key].split())))
        lines.append(f"{key}={quote(to_text(getattr(settings, key)))}")
    return "\n".join(lines) + "\n"


def to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse(data: bytes, name: str) -> dict[str, str]:
    """Return the values by key. Raises UsageError that names the file and the line. Accepts CRLF and a byte-order
    mark."""
    from dotenv.parser import parse_stream

    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    for binding in parse_stream(io.StringIO(_decode(data, name), newline="")):
        line = _line_of(binding)
        if binding.error or (binding.key is not None and binding.value is None):
            raise UsageError(
                f"{name} line {line}: not a setting. "
                "Write KEY=value; a value with quotes or a leading space goes into '…'"
            )
        if binding.key is None:
            continue
        if binding.key in values:
            raise UsageError(
                f"{name} line {line}: {binding.key} is set twice (first in line {lines[binding.key]}); "
                "remove one of them"
            )
        if "'" not in binding.original.string and VARIABLE.search(binding.value or ""):
            raise UsageError(
                f"{name} line {line}: variables are not expanded here; "
                "write the value itself, or put it into '…' to mean it literally"
            )
        values[binding.key], lines[binding.key] = binding.value or "", line
    for key in values.keys() - set(schema().__struct_fields__):
        raise UsageError(f"{name} line {lines[key]}: {_unknown(key)}")
    return values


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name} line {line}: not UTF-8 text; save the file as UTF-8") from None


def _line_of(binding: Binding) -> int:
    before = binding.original.string[: len(binding.original.string) - len(binding.original.string.lstrip())]
    return int(binding.original.line) + before.count("\n")


def _unknown(key: str) -> str:
    hint = did_you_mean(key.upper(), schema().__struct_fields__)
    return f"unknown setting {key}{hint or '; docs/settings.md lists them all'}"


def build(values: Mapping[str, str], name: str) -> Settings:
    """Check values against the schema. Raises UsageError that names the key, what it got and what it takes."""
    for key in values:
        if key not in schema().__struct_fields__:
            raise UsageError(f"{name}: {_unknown(key)}")
    try:
        settings = msgspec.convert({key: normal(key, value) for key, value in values.items()}, schema(), strict=False)
    except msgspec.ValidationError as error:
        match = re.search(r"\$\.(\w+)", str(error))
        raise _unfit(name, match.group(1), values) if match else UsageError(f"{name}: {error}") from None
    for key, value in values.items():
        number = getattr(settings, key)
        if isinstance(number, float) and not math.isfinite(number):
            raise _unfit(name, key, values)
        if not is_utf8(value):
            raise UsageError(f"{name}: {key} holds text that is not UTF-8")
    return settings


def normal(key: str, value: str) -> str:
    """Return the value in its usual case, where it is one of a few words: they may be written in capitals. Languages
    may be given by name."""
    if key in OF_LANGUAGES and value.isprintable() and not CODES.fullmatch(value.lower()):
        return _codes(value)
    return value.lower() if takes(key) else value


def _codes(names: str) -> str:
    """Return `hi,ta` for `Hindi, Tamil`, and what is no language as it is: it is refused with the other values."""
    try:
        return ",".join(languages.parse(name) for name in names.split(","))
    except UsageError:
        return names


def _unfit(name: str, key: str, values: Mapping[str, str]) -> UsageError:
    needed = f"it must be {takes(key) or 'some text'}{did_you_mean(values[key].lower(), words(key))}"
    return UsageError(f"{name}: {key}={values[key]!r} does not fit: {needed}")


def load(path: Path) -> Settings:
    """Read a job's settings. Raises UsageError."""
    try:
        data = read_file(path)
    except OSError as error:
        raise UsageError(f"Cannot read the settings {path}: {error.strerror}; prepare the job again") from None
    return build(parse(data, path.name), path.name)


def change(text: str, changes: Mapping[str, str], reason: str) -> str:
    """Return the file's text with some values replaced, and why they had been chosen, everything else as the user
    left it."""
    from dotenv.parser import parse_stream

    left = dict(changes)
    parts: list[str] = []
    for binding in parse_stream(io.StringIO(text, newline="")):
        original = binding.original.string
        if binding.key in left:
            blank = original[: len(original) - len(original.lstrip())]
            if parts and parts[-1].startswith(CHOSEN):
                parts.pop()
            original = f"{blank}{CHOSEN}{reason}\n{binding.key}={quote(left.pop(binding.key))}\n"
        parts.append(original)
    return "".join(parts) + "".join(f"{CHOSEN}{reason}\n{key}={quote(value)}\n" for key, value in left.items())


def parse_assignments(assignments: list[str]) -> dict[str, str]:
    """Read the `KEY=VALUE` arguments of `--set`. Raises UsageError."""
    changes = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"--set {assignment}: write --set KEY=VALUE")
        if key not in schema().__struct_fields__:
            raise UsageError(f"--set {assignment}: {_unknown(key)}")
        changes[key] = normal(key, value)
    return changes
