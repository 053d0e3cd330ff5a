"""The work. The workflows are these lists: their order is the order in which stages run."""

from __future__ import annotations

from pipeline.stage import Stage
from stages import align, asr, demux, export, mux, recognise, rescue, scan, subtitles, translate, vad

WORKFLOWS: dict[str, tuple[Stage, ...]] = {
    "transcribe": (demux.STAGE, vad.STAGE, asr.STAGE, align.STAGE, subtitles.STAGE, mux.STAGE),
    "translate/whisper": (demux.STAGE, vad.STAGE, asr.TRANSLATING, align.STAGE, translate.WHISPER, subtitles.TRANSLATED, mux.STAGE),
    "translate/indictrans2": (
        *(demux.STAGE, vad.STAGE, asr.STAGE, align.STAGE, translate.STAGE, rescue.STAGE),
        *(subtitles.RESCUED, mux.STAGE),
    ),
    "corpus": (scan.STAGE, recognise.STAGE, export.STAGE),
}
