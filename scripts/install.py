"""Install pinned packages into a .venv, each checked against its hash: with uv as pip is set up, or with pip itself.

Called by scripts/bootstrap.sh with the .venv's Python, and needs nothing else. It says in one line how far it is,
and in one line what went wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pip_settings

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
PLAIN_INTERVAL = 20.0  # seconds between two lines where there is no terminal
TICK = 0.5
KEPT_LINES = 12  # of what an installer says, shown where it fails
FAILED = (
    "Packages could not be installed; the lines above say why. "
    "Check the network and the index that `pip config list` names,"
    " then run the same command again"
)
MIB = {"k": 1 / 1024, "M": 1.0, "G": 1024.0}

FETCHING = re.compile(r"\s*Downloading (?P<name>\S+) \((?P<size>[\d.]+) ?(?P<unit>[kMG])i?B\)")
FETCHED = re.compile(r" Downloaded (?P<name>\S+)")
HASH_DIFFERS = re.compile(r"Hash mismatch for `(?P<uv>[^`]+)`|DO NOT MATCH THE HASHES[^\n]*\n\s+(?P<pip>\S+)")


class Refused(Exception):
    """Refusal after which no other installer would do better."""


@dataclass
class InstallProgress:
    """The packages on their way, in MiB by name, and those that have come."""

    sizes: dict[str, float] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    one_by_one: bool = False  # pip says only when a download begins, and so the one before has ended
    began: float = field(default_factory=time.monotonic)

    def hear(self, line: str) -> None:
        if match := FETCHING.match(line):
            if self.one_by_one:
                self.fetched |= self.sizes.keys()
            self.sizes[match["name"]] = float(match["size"]) * MIB[match["unit"]]
        elif match := FETCHED.match(line):
            self.fetched.add(match["name"])
        elif line.startswith(("Prepared ", "Installing collected")):
            self.fetched |= self.sizes.keys()

    @property
    def share(self) -> float:
        return sum(self.sizes[name] for name in self.fetched) / (sum(self.sizes.values()) or 1)

    def __str__(self) -> str:
        seconds = int(time.monotonic() - self.began)
        clock = f"{seconds // 60}:{seconds % 60:02}"
        total = sum(self.sizes.values())
        if not total:
            return f"looking for packages, {clock}"
        if self.share == 1:
            return f"{total:,.0f} MB fetched, unpacking, {clock}"
        return f"{self.share * total:,.0f} MB{'' if self.one_by_one else f' of {total:,.0f}'} fetched, {clock}"


class Display:
    """Line that is written over on a terminal; elsewhere a line now and then."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.told = time.monotonic()

    def show(self, progress: InstallProgress) -> None:
        if self.live:
            bar = "#" * int(20 * progress.share)
            self._write(f"\r\033[K[INFO] [{bar:<20}] {progress}")
        elif time.monotonic() - self.told >= PLAIN_INTERVAL:
            self.told = time.monotonic()
            self._write(f"[INFO]   {progress}\n")

    def end(self) -> None:
        if self.live:
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


@dataclass(frozen=True)
class Installer:
    """Installers uv and pip for one .venv. Their methods give None where it worked, else the last lines of what was
    said."""

    venv: Path
    environment: Mapping[str, str]

    @property
    def python(self) -> str:
        return str(self.venv / "bin" / "python")

    def with_uv(self, arguments: Sequence[str]) -> list[str] | None:
        settings = pip_settings.parse(pip_settings.read(self.python, self.environment))
        told = pip_settings.uv_environment(settings, self.environment, pip_settings.own_bundle())
        told["UV_PREVIEW_FEATURES"] = "build-dependency-hashes"
        builds = ["--require-build-hashes", "--build-constraints", "build.txt"]
        command = [
            str(self.venv / "bin" / "uv"),
            "pip",
            "install",
            "--color",
            "never",
            "--python",
            self.python,
            *builds,
            *arguments,
        ]
        return run(command, {**self.environment, **told}, InstallProgress())

    def with_pip(self, arguments: Sequence[str]) -> list[str] | None:
        """Install with pip. Constraints and a --user of pip's own settings would break what is pinned here."""
        told = {"PIP_USER": "0", "PIP_CONSTRAINT": "build.txt", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        command = [self.python, "-m", "pip", "install", "--progress-bar", "off", *arguments]
        return run(command, {**self.environment, **told}, InstallProgress(one_by_one=True))

    def has_uv(self) -> bool:
        """Tell whether uv is here; pip fetches it where it is not yet. Raises Refused."""
        uv, pin = self.venv / "bin" / "uv", REQUIREMENTS / "uv.txt"
        if not uv.exists() and (said := self.with_pip(["--require-hashes", "--requirement", str(pin)])) is not None:
            refuse_where_useless(said, pin)
        return uv.exists()


def install(installer: Installer, requirements: Path, options: Sequence[str], *, again: bool) -> None:
    """Install the packages. Raises Refused, with the line to show."""
    checked = ["--require-hashes", "--requirement", str(requirements), *options]
    if installer.has_uv():
        said = installer.with_uv([*checked, *["--reinstall"] * again])
        if said is None:
            return
        refuse_where_useless(said, requirements)
        say("WARN", f"uv could not get the packages ({reason(said)}); trying with pip, which takes longer")
    else:
        say("WARN", "uv cannot be had; installing with pip, which takes longer")
    said = installer.with_pip([*checked, *["--force-reinstall"] * again])
    if said is not None:
        refuse_where_useless(said, requirements)
        sys.stderr.write("".join(f"{line}\n" for line in said))
        raise Refused(FAILED)


def run(command: Sequence[str], environment: Mapping[str, str], progress: InstallProgress) -> list[str] | None:
    """Run an installer. Returns None where it worked, else the last lines of what it said."""
    said: deque[str] = deque(maxlen=KEPT_LINES)
    display, parent = Display(), os.getppid()
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    child = subprocess.Popen(command, env=environment, cwd=REQUIREMENTS, text=True, errors="replace", **pipes)
    assert child.stdout is not None
    reader = threading.Thread(target=hear, args=(child.stdout, said, progress), daemon=True)
    reader.start()
    try:
        while reader.is_alive() and os.getppid() == parent:  # without whom nobody wants this any more
            reader.join(TICK)
            display.show(progress)
    finally:
        display.end()
        if reader.is_alive():
            child.terminate()
        child.wait()
    return list(said) if child.returncode else None


def hear(stream: Iterator[str], said: deque[str], progress: InstallProgress) -> None:
    for line in stream:
        progress.hear(line)
        if line.strip() and not FETCHING.match(line) and not FETCHED.match(line) and "Expected " not in line:
            said.append(line.rstrip())


def refuse_where_useless(said: Sequence[str], requirements: Path) -> None:
    """Raise Refused for what every installer would end with."""
    text = "\n".join(said)
    if match := HASH_DIFFERS.search(text):
        raise Refused(
            f"{match['uv'] or match['pip']} is not the file that requirements/{requirements.name} pins: "
            "its hash differs, so nothing was installed."
            " Somebody may have tampered with it, or the index serves a build of its own: ask who runs it"
        )
    if "No space left on device" in text or "Disk quota exceeded" in text:
        raise Refused("The disk is full. Make room (a set-up needs 10 GB), then run the same command again")


def reason(said: Sequence[str]) -> str:
    """Return the innermost cause that uv gives, in some words."""
    causes = [line.split("cause: ", 1)[1] for line in said if "cause: " in line]
    return (causes or [line for line in said if line.startswith("error")] or ["it does not say why"])[-1].strip()


def say(level: str, message: str) -> None:
    print(f"[{level}] {message}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("venv", type=Path)
    parser.add_argument("requirements", type=Path)
    parser.add_argument("--again", action="store_true", help="also what is installed already")
    parser.add_argument("--no-deps", action="store_true")
    parser.add_argument("--target", metavar="FOLDER")
    arguments = parser.parse_args()
    # Other builds have other hashes.
    environment = {name: value for name, value in os.environ.items() if name != "UV_TORCH_BACKEND"}
    options = ["--no-deps"] * arguments.no_deps + (["--target", arguments.target] if arguments.target else [])
    try:
        install(
            Installer(arguments.venv.absolute(), environment),
            arguments.requirements.absolute(),
            options,
            again=arguments.again,
        )
    except Refused as error:
        say("ERROR", str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
