"""Warnings about a recognised text, for a person to know before they trust it."""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.pipeline.wording import counted
from sutradhar.stages.recognisers.contract import Recognition
from sutradhar.stages.recognisers.gaps import is_much
from sutradhar.stages.text.own_script import script_doubt, wrong_script_because
from sutradhar.stages.transcript import Transcript, Window, Windows

PROMPTS = "WHISPER_INITIAL_PROMPT, GLOSSARY"
UNINTELLIGIBLE = (
    "No words were made out where speech was found, so the subtitles are empty:"
    " check SOURCE_LANGUAGE, or take a larger model"
)
UNHEARD = "Part of the speech has no words (`unheard` lists it): a larger model may hear them"


def echoes(recognitions: Sequence[Recognition]) -> list[str]:
    """Count the windows whose text was the prompt again."""
    echoed = sum(recognition.lost_its_prompt for recognition in recognitions)
    windows = f"{echoed} of {counted(len(recognitions), 'window')}"
    return [f"{windows} gave the prompt ({PROMPTS}) back as text: heard again without it"] if echoed else []


def omissions(transcript: Transcript, windows: Sequence[Window]) -> list[str]:
    """Say that more than a little of the speech has no words, where others have."""
    return [UNHEARD] if transcript.segments and is_much(transcript.unheard, windows) else []


def doubts(transcript: Transcript, found: Windows) -> list[str]:
    """Say why there is no text, or why the text may be of no use."""
    if not transcript.segments:
        return [
            f"No speech was found, so the subtitles are empty: {found.cause}" if not found.windows else UNINTELLIGIBLE
        ]
    doubt = script_doubt(transcript.segments)
    return [f"{doubt}: {wrong_script_because(transcript.language)}"] if doubt else []
