"""The work. The workflows are these lists: their order is the order in which stages run."""

from __future__ import annotations

from pipeline.stage import Stage
from stages import align, asr, demux, mux, subtitles, translate, vad

WORKFLOWS: dict[str, tuple[Stage, ...]] = {
    "transcribe": (demux.STAGE, vad.STAGE, asr.STAGE, align.STAGE, subtitles.STAGE, mux.STAGE),
    "translate/whisper": (demux.STAGE, vad.STAGE, asr.TRANSLATING, align.STAGE, translate.STAGE, subtitles.TRANSLATED, mux.STAGE),
}
