"""Times as people write them, and as integer milliseconds."""

from __future__ import annotations

import re

from sutradhar.pipeline.errors import UsageError

_TIMECODE = re.compile(
    r"(?:(?:(?P<hours>[0-9]{1,4}):)?(?P<minutes>[0-9]{1,4}):)?(?P<seconds>[0-9]{1,6})(?:[.,](?P<fraction>[0-9]{1,3}))?",
    re.ASCII,
)


def parse_ms(text: str) -> int:
    """Return the milliseconds of `90`, `1:30`, `00:01:30.500` or `00:01:30,500`. Raises UsageError on anything
    else.

    The leading part may be as large as it likes (`90:00` is an hour and a half); those after it end at 59."""
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a time: write seconds, MM:SS or HH:MM:SS, such as 90, 1:30 or 00:01:30.500")
    hours, minutes, seconds = (int(match[name] or 0) for name in ("hours", "minutes", "seconds"))
    if (match["minutes"] and seconds > 59) or (match["hours"] and minutes > 59):
        raise UsageError(f"{text!r} is not a time: minutes and seconds go up to 59")
    fraction = (match["fraction"] or "").ljust(3, "0")
    return (hours * 3600 + minutes * 60 + seconds) * 1000 + int(fraction)


def format_ms(milliseconds: int) -> str:
    """Return a time that is not negative as `HH:MM:SS.mmm`."""
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
