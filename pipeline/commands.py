"""The command line as a person meets it: wrong usage told in one line, and files named in the ways that people name
them."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.installed import named
from sutradhar.pipeline.wording import escaped

LIVE = ("rtsp", "rtsps", "rtmp", "rtmps", "rtp", "srt", "udp", "tcp", "mms")
ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]+):(//|\?)|(?P<data>data|magnet):|(www\.|([\w-]+\.)+(com|org|net|be|tv|in)/)",
    re.IGNORECASE,
)
ON_ANOTHER_MACHINE = re.compile(r"[\w.-]+@[\w.-]+:|[\w-]{2,}:/|//|\\\\")
PERHAPS_ON_ANOTHER = re.compile(r"[A-Za-z][\w.-]*:[^\s:]")  # nas:film.mkv, as scp writes it
WINDOWS = re.compile(r"(?P<drive>[A-Za-z]):[\\/](?P<rest>.*)", re.DOTALL)


class Parser(argparse.ArgumentParser):
    """End with exit code 2 and one line on stderr where a command line is wrong, instead of a screen full of usage."""

    def __init__(self, *, example: str = "", names: str = "", **options: Any) -> None:
        """Set up the parser; `names` is the option that a name without one is meant for."""
        super().__init__(**{"allow_abbrev": False, "formatter_class": argparse.RawDescriptionHelpFormatter, **options})
        self.example, self.names = example, names
        self.given: list[str] = []

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        self.given = list(sys.argv[1:] if args is None else args)
        for text in self._options():
            if text not in self._option_string_actions and Path(text).is_file():
                self.error(f"{text} begins like an option: write ./{text}")
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        message = message.replace("the following arguments are required", "missing").removeprefix("argument ")
        message = self._unknown() or self._without_option() or message
        example = f"{'' if message.endswith('?') else '.'} For example: {self.example}" if self.example else ""
        self.exit(2, named(f"[ERROR] {escaped(message)}{example} ({self.prog} --help tells all)\n"))

    def format_help(self) -> str:
        return named(super().format_help())

    def _options(self) -> list[str]:
        """Return what is given that begins like an option."""
        before = self.given[: self.given.index("--") if "--" in self.given else None]
        return [text for text in before if text.startswith("-") and text != "-"]

    def _unknown(self) -> str:
        """Return the options that do not exist, each with the one it is closest to: all else that is amiss may come
        of them."""
        given = (text.partition("=")[0] for text in self._options())
        known = list(self._option_string_actions)
        guesses = {
            text: difflib.get_close_matches(text, known, n=1)
            for text in given
            if text.startswith("--") and text not in known
        }
        return "; ".join(
            f"unknown option {text}{f'; did you mean {close[0]}?' if close else ''}" for text, close in guesses.items()
        )

    def _without_option(self) -> str:
        first = self.given[0] if self.given and self.names else "-"
        return (
            "" if first.startswith("-") else f"{first} stands there without an option: {self.prog} {self.names} {first}"
        )


class Joined(argparse.Action):
    """Read `-t en -t ta` as `-t en,ta`."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        setattr(namespace, self.dest, ",".join(text for text in (getattr(namespace, self.dest), values) if text))


def as_path(text: str) -> Path:
    """Return the path of something on this machine: also `file:///…`, and `~` where the shell left it. Raises
    UsageError for addresses."""
    if not text.strip():
        raise UsageError("An empty name was given for a file; if it came from a variable of the shell, that is not set")
    path = Path(text)
    if _exists(path):
        return path
    if text.lower().startswith("file://"):
        return Path(path_of_address(text))
    if text.startswith("~"):
        return _at_home(path)
    if reason := _not_here(text):
        raise UsageError(f"{escaped(without_password(text))} is {reason}")
    return path


def path_of_address(text: str) -> str:
    """Return the path in `file:///…`. Raises UsageError where it is on another machine."""
    path = unquote(text[len("file://") :].removeprefix("localhost"), errors="surrogateescape")
    if not path.startswith("/") or "\0" in path:
        raise UsageError(f"{escaped(text)} is a file on another machine; write file:///folder/file, or the path alone")
    return path


def _exists(path: Path) -> bool:
    try:
        return path.exists() or path.is_symlink()
    except (OSError, ValueError):  # a name that is too long, or holds a zero byte
        return False


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no such user
        return path


def without_password(address: str) -> str:
    """Take from an address what stands before its @ and after its question mark, which may be a password: messages are
    kept in logs."""
    parts = urlsplit(address) if "://" in address else None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts else address


def _not_here(text: str) -> str:
    """Say what a name is that cannot be a path on this machine, and the remedy; "" where it may be a path."""
    if text == "-":
        return "standard input, not a file: write the recording into a file first, then give that"
    if windows := WINDOWS.fullmatch(text):
        rest = windows["rest"].replace("\\", "/")
        return f"a Windows path, which is not a file here: in WSL it is /mnt/{windows['drive'].lower()}/{rest}"
    if address := ADDRESS.match(text):
        if (address["data"] or address["scheme"] or "").lower() == "magnet":
            return "a magnet link, not a file: download it first, with a BitTorrent program, then give the film"
        if (address["scheme"] or "").lower() in LIVE:
            return (
                "a stream, not a file: download it first (ffmpeg -i ADDRESS -c copy film.mkv records it), "
                "then give the file"
            )
        return "an address, not a file: download it first, then give the file"
    if ON_ANOTHER_MACHINE.match(text):
        return "on another machine, not a file here: copy it to this one first, then give the copy"
    if PERHAPS_ON_ANOTHER.match(text):
        return "no file here, and looks like one on another machine: copy it to this one first, then give the copy"
    return ""
