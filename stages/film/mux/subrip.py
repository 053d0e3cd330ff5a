"""SubRip text for ffmpeg and players in which the cues' text is literal, and never taken for markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sutradhar.pipeline.timecode import format_ms
from sutradhar.stages.transcript import Cue

# <i>, {\an8}, {y:i}, \N, &lt;: players, and ffmpeg on the way to MP4, take these for more than text.
_MARKUP = re.compile(r"<(?=[/A-Za-z])|\{(?=\\|[A-Za-z]:)|\\(?=[Nnh{}])|&(?=#|[A-Za-z]+;)")
_WORD_JOINER = "\u2060"  # has no width and allows no line break; no player reads markup with it inside


def literal_srt(cues: Iterable[Cue]) -> str:
    return "".join(
        f"{number}\n{_time(cue.start_ms)} --> {_time(cue.end_ms)}\n{_text(cue)}\n\n"
        for number, cue in enumerate(cues, 1)
    )


def _text(cue: Cue) -> str:
    return "\n".join(_MARKUP.sub(rf"\g<0>{_WORD_JOINER}", line) for line in cue.lines if line.strip())


def _time(milliseconds: int) -> str:
    return format_ms(milliseconds).replace(".", ",")
