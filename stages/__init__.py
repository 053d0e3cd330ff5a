"""The work. The workflows are these lists: their order is the order in which stages run."""

from __future__ import annotations

from pipeline.stage import Stage
from stages import asr, demux, mux, subtitles, vad

WORKFLOWS: dict[str, tuple[Stage, ...]] = {
    "transcribe": (demux.STAGE, vad.STAGE, asr.STAGE, subtitles.STAGE, mux.STAGE),
}
