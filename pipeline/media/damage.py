"""Add up what could not be read of a track, and tell whether too much is missing for the rest to be of use."""

from __future__ import annotations

from dataclasses import dataclass

from sutradhar.pipeline.timecode import format_ms
from sutradhar.pipeline.wording import counted

_ROUNDED_US = 50_000  # less than this is no gap: times are rounded
_MOST_MS = 30_000  # even of a day's recording
_SHARE = 50  # a film may lack a fiftieth, a call of two minutes 2.4 s
# One flipped bit costs a whole page of Ogg (a second) or a packet of a transport stream (half a second), which is no
# small share of a short sound.
_PACKET_MS = 1200
_SHARE_OF_SHORT = 4
# The end that a download has cut off is not so coarse.
_END_MS = 1000
_SHARE_OF_SHORT_AT_END = 12


def bearable_ms(of_ms: int, *, at_end: bool = False) -> int:
    """Say how much of a sound of this length may be missing, in ms: in places inside it, or at its end."""
    short_ms = min(_END_MS, of_ms // _SHARE_OF_SHORT_AT_END) if at_end else min(_PACKET_MS, of_ms // _SHARE_OF_SHORT)
    return min(_MOST_MS, max(of_ms // _SHARE, short_ms))


def _where(first_us: int, places: int, reason: str = "") -> str:
    why = f" ({reason})" if reason else ""
    others = f" and in {counted(places - 1, 'other place')}" if places > 1 else ""
    return f"at {format_ms(max(0, first_us) // 1000)}{why}{others}"


@dataclass
class Gaps:
    """Places where the file's times leave silence between sounds, or lay one over the other, and no damage tells
    why."""

    places: int = 0
    silent_us: int = 0
    first_us: int = 0
    overlapping_us: int = 0

    def add(self, at_us: int, ahead_us: int) -> None:
        if ahead_us < 0:
            self.overlapping_us -= ahead_us
            return
        self.first_us = self.first_us if self.places else at_us
        self.places += 1
        self.silent_us += ahead_us

    def describe(self) -> str:
        """Return `has no sound at 00:00:06.144 and in 1 other place: 0.90 s are silent there`."""
        return f"has no sound {_where(self.first_us, self.places)}: {self.silent_us / 1e6:.2f} s are silent there"


@dataclass
class Damage:
    """Places that cannot be read: one begins where reading fails and ends where sound comes again; times are
    microseconds of the film."""

    places: int = 0
    lost_us: int = 0
    first_us: int = 0
    last_us: int = 0
    reason: str = ""  # of the first
    open: bool = False  # nothing good has come since the last place
    _until_us: int = 0

    def add(self, at_us: int, reason: str, until_us: int = 0) -> None:
        """Note damage: the sound so far ends at `at_us`; up to `until_us` good sound may still come before the
        place."""
        if not self.places:
            self.first_us, self.reason = at_us, reason
        self.places += not self.open
        self.last_us = at_us
        self.open = True
        self._until_us = until_us

    def close(self, lost_us: int, at_us: int) -> None:
        """End the place: good sound comes at `at_us`, so much later than it should."""
        if self.open:
            self.lost_us += max(0, lost_us)
            self.open = lost_us <= _ROUNDED_US and at_us < self._until_us

    def forget_last(self) -> None:
        """Forget the last place, behind which nothing was to come."""
        self.places -= self.open
        self.open = False

    @property
    def lost_ms(self) -> int:
        return self.lost_us // 1000

    def describe(self) -> str:
        """Return `at 00:12:03.100 (Invalid data …) and in 2 other places: 0.43 s could not be read`."""
        return f"{_where(self.first_us, self.places, self.reason)}: {self.lost_us / 1e6:.2f} s could not be read"
