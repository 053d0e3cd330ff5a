"""The contract of recognisers: what they are handed and give back.

The module of an engine has `open_engine(settings, model, translate, times, log) -> Recogniser`; `stages/recognisers/`
lists the engines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.recognisers.whisper.requests import Encoded
from sutradhar.stages.transcript import Span, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Phrase = tuple[Word, ...]


@dataclass(frozen=True)
class AudioWindow:
    """Up to 30 s of sound of any file."""

    id: int  # of its own among the windows of one call
    offset_ms: int  # film time of the first sample
    audio: NDArray[np.float32]  # 16 kHz, mono, shape (samples,)
    speech: tuple[Span, ...]  # where in it somebody speaks, film time
    language: str | None = None  # None: whatever the engine hears in this window
    prompt: str = ""  # text that steers spelling
    mel: NDArray[np.float32] | None = None  # `spectrogram.log_mel` of it, where that was computed ahead
    encoded: Encoded | None = None  # of the same sound, as `detect_languages` gave it: it is not encoded again then
    known: bool = False  # its recognition is there already: it is made again only where that of others depends on it
    tell: Callable[[float], None] = lambda share: None  # how much of it is done, in any thread

    @property
    def end_ms(self) -> int:
        return self.offset_ms + len(self.audio) // 16


@dataclass(frozen=True)
class Recognition:
    """What was said in a window; a silent one has no text and no phrases. All times are film time."""

    window: int
    text: str
    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float
    language: str
    language_probability: float
    phrases: tuple[Phrase, ...]  # sentences, and what pauses part
    translation: Recognition | None = None  # into English, where that was asked for and the speech is in another language
    echoed: bool = False  # with the prompt, the text was the prompt again; this is what is heard without it

    @property
    def lost_its_prompt(self) -> bool:
        """Was the text, or its translation, heard again without the prompt?"""
        return self.echoed or (self.translation is not None and self.translation.echoed)


@dataclass(frozen=True)
class LanguageGuess:
    languages: dict[str, float]  # the probability of each that the model knows
    encoded: Encoded | None  # for `AudioWindow.encoded`; None where encoding again is cheaper than keeping it


class CannotTranslate(UsageError):
    """The model was not trained to translate."""

    def __init__(self, model: str) -> None:
        super().__init__(f"WHISPER_MODEL={model} was not trained to translate: use large-v3, medium, small or base, or the workflow transcribe")


class UnknownLanguage(UsageError):
    """The model was not trained on the language spoken."""

    def __init__(self, model: str, language: str) -> None:
        super().__init__(f"WHISPER_MODEL={model} does not know SOURCE_LANGUAGE={language}; large-v3 knows most")


class Recogniser(Protocol):
    engine: dict[str, str]  # for Outcome.engine
    packages: tuple[str, ...]  # for Outcome.packages
    mels: int  # frequency bands of the spectrograms that it takes
    degraded: list[str]  # fallbacks taken so far, each one line for the user

    def recognise(self, windows: Iterable[AudioWindow]) -> Iterator[Recognition]:
        """Results in any order, each as soon as it is done. Reads on only as far as it needs to keep busy."""

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[LanguageGuess]:
        """What each window sounds like."""
