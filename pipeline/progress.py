"""The progress of long work, as a stage tells it and a person sees it."""

from __future__ import annotations

import msgspec

REAL_TIME = "x real time"


class Progress(msgspec.Struct, frozen=True, tag=True):
    """The progress of a stage, in seconds of media where `unit` says nothing else."""

    done: float
    total: float
    already: float = 0.0  # done by earlier runs
    unit: str = REAL_TIME  # unit of what is done in a second
    note: str = ""  # what else is worth seeing: "3,412 of 37,000 files, 12 failed"
    now: str = ""  # what is true of this moment alone: "now 12.3x, GPU 97 %"
    left: float | None = None  # seconds to go, where they are not in proportion to what is done
    # What the next run would find if this one ended here: "8 of 35 windows"; empty where the stage has no pieces.
    kept: str = ""
