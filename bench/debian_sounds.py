"""Recorded music and noises out of Debian's packages, for benches: fetched once by apt, checked, and unpacked.

None of these files has a voice: those that speak ("front left") or call out are left out.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

ENDINGS = (".ogg", ".oga", ".wav")


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    sha256: str
    licence: str
    folder: str
    left_out: tuple[str, ...] = ()  # beginnings of the names of files with voices


PACKAGES = (
    Package(
        "asterisk-moh-opsound-wav",
        "2.03-1.1",
        "8f9d808a729d305c2d3343993f21ca5e6829e411682618dc8ea7aa8bc24a566c",
        "CC-BY-SA-3.0",
        "usr/share/asterisk/moh",
    ),
    Package(
        "extremetuxracer-data",
        "0.8.2-1",
        "8ce6c82e6fb89549d284f43f6c4b0a9d82e6c0e5da753bee0ef419276a21470c",
        "GPL-2+, CC0",
        "usr/share/games/etr",
    ),
    Package(
        "frozen-bubble-data",
        "2.212-11",
        "39cdfd07d9532d1558762cf265a844d09015c4540568573c50f444cc084166e0",
        "GPL-2",
        "usr/share/games/frozen-bubble/snd",
        left_out=("noh", "hurry", "lose", "snore"),
    ),
    Package(
        "gnome-audio",
        "2.22.2-1.2",
        "05d5eb10c07dfbe251a637cb83784ec9ed44ec54a6c26339c8d8fea9a4d886c0",
        "CC-BY-SA-2.0, CC-BY-3.0",
        "usr/share/sounds",
    ),
    Package(
        "oxygen-sounds",
        "4:5.27.5-2",
        "2230772aea70fb6508a38eeb8fb29f56357d9e00751477fe1954057c41541960",
        "LGPL-3.0-or-later",
        "usr/share/sounds",
    ),
    Package(
        "sound-theme-freedesktop",
        "0.8-2",
        "135cc4893ba590d428577bc3bf42df756a165c05a2a43f84311ad7db779a70ea",
        "CC-BY-SA-3.0, CC-BY-3.0, GPL-2+",
        "usr/share/sounds/freedesktop/stereo",
        left_out=("audio-channel",),
    ),
)


def fetch(cache: Path) -> None:
    """Fetch and unpack what is not in the cache. Ends the bench where apt has another version, or other bytes."""
    for package in PACKAGES:
        folder = cache / package.name
        if folder.exists():
            continue
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-q", f"{package.name}={package.version}"], cwd=cache, check=True)
        (file,) = cache.glob(f"{package.name}_*.deb")
        if hashlib.sha256(file.read_bytes()).hexdigest() != package.sha256:
            raise SystemExit(f"{file}: not the package that is pinned")
        subprocess.run(["dpkg-deb", "-x", file, folder], check=True)
        file.unlink()


def sounds(cache: Path) -> list[Path]:
    return [path for package in PACKAGES for path in _files(cache, package)]


def _files(cache: Path, package: Package) -> list[Path]:
    return [
        path
        for path in sorted((cache / package.name / package.folder).rglob("*"))
        if path.suffix in ENDINGS and not path.is_symlink() and not path.name.startswith(package.left_out or ("\0",))
    ]
