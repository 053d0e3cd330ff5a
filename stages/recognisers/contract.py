"""The contract of recognisers: their input and their results.

The module of an engine has `open_engine(settings, model, translate, times, log) -> Recogniser`, where `model` is a
ResolvedModel: an engine looks for no model itself. `stages/recognisers/` lists the engines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from sutradhar.pipeline.errors import UsageError
from sutradhar.stages.transcript import Likely, Span, Window, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Phrase = tuple[Word, ...]
IDLE_SECONDS = 0.01  # an engine with nothing in hand rests so long before it asks a source again


class Waiting(Enum):
    """Stands in a source for a window that is not there yet."""

    NOTHING_YET = "nothing yet"


NOTHING_YET: Final = Waiting.NOTHING_YET  # stands in a source for a window that is not there yet


@dataclass(frozen=True)
class AudioWindow:
    """A window of up to 30 s of sound from any file."""

    id: int  # unique among the windows of one call
    offset_ms: int  # film time of the first sample
    audio: NDArray[np.float32]  # 16 kHz, mono, shape (samples,)
    speech: tuple[Span, ...]  # the stretches in it where somebody speaks, or may, film time
    language: str | None = None  # None: whatever the engine hears in this window
    prompt: str = ""  # text that steers spelling
    likely: tuple[Likely, ...] = ()  # the stretches that are looked at again where they have no words, film time
    sure: bool = True  # False: it is doubtful if anybody speaks
    prepared: Any = None  # from the engine's own `Preparation` or `LanguageGuess`: it need not do that work again
    translated: bool = True  # False: not translated, although the engine was opened to translate
    known: bool = False  # its recognition exists: it is made again only where that of others depends on it
    urgent: bool = False  # somebody waits for it: it does not wait for a batch to fill
    tell: Callable[[float], None] = lambda share: None  # hears which share of the window is done, in any thread

    @classmethod
    def of(
        cls, window: Window, audio: NDArray[np.float32], language: str | None = None, prompt: str = "", **more: Any
    ) -> AudioWindow:
        """Return a window of a recording, with its sound."""
        return cls(
            window.id,
            window.start_ms,
            audio,
            window.speech,
            language,
            prompt,
            likely=window.likely,
            sure=window.sure,
            **more,
        )

    @property
    def end_ms(self) -> int:
        return self.offset_ms + len(self.audio) // 16


@dataclass(frozen=True)
class Preparation:
    """Work on the sound of a window that needs no model, so that processes beside the engine's can do it ahead."""

    module: str  # module with `preparer(detail)`, which returns a function from samples to `AudioWindow.prepared`
    detail: int  # what `preparer` has to know of the model


@dataclass(frozen=True)
class WhisperScores:
    """The scores that Whisper alone has."""

    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float  # the one at which the text was accepted


@dataclass(frozen=True)
class Recognition:
    """The text of a window; a silent one has no text and no phrases. All times are film time."""

    window: int
    text: str
    language: str
    language_probability: float
    phrases: tuple[Phrase, ...]  # sentences, and parts between pauses
    confidence: float  # 0 to 1: the geometric mean of the probabilities of the pieces of the text
    translation: Recognition | None = (
        None  # into English, where that was asked for and the speech is in another language
    )
    echoed: bool = False  # with the prompt, the text was the prompt again; this is the text without it
    doubtful: tuple[Span, ...] = ()  # sound whose text stands by its scores alone
    dropped: tuple[Span, ...] = ()  # sound whose text was not believed
    again_ms: int = 0  # of sound that was decoded once more by itself
    whisper: WhisperScores | None = None

    @property
    def lost_its_prompt(self) -> bool:
        """Tell whether the text, or its translation, was heard again without the prompt."""
        return self.echoed or (self.translation is not None and self.translation.echoed)


@dataclass(frozen=True)
class LanguageGuess:
    languages: dict[str, float]  # the probability of each language that the model knows
    prepared: Any = None  # for `AudioWindow.prepared`; None where doing that work again is cheaper than keeping it


class CannotTranslate(UsageError):
    """The error of a model that was not trained to translate."""

    def __init__(self, model: str) -> None:
        self.model = model
        super().__init__(
            f"WHISPER_MODEL={model} was not trained to translate:"
            " use large-v3, medium, small or base, or the workflow transcribe"
        )

    def __reduce__(self) -> tuple[type[CannotTranslate], tuple[str]]:
        return type(self), (self.model,)


class UnknownLanguage(UsageError):
    """The error of a model that was not trained on the language spoken."""

    def __init__(self, model: str, language: str) -> None:
        self.model, self.language = model, language
        super().__init__(f"WHISPER_MODEL={model} does not know SOURCE_LANGUAGE={language}; large-v3 knows most")

    def __reduce__(self) -> tuple[type[UnknownLanguage], tuple[str, str]]:
        return type(self), (self.model, self.language)


class Recogniser(Protocol):
    engine: dict[str, str]  # for Outcome.engine
    packages: tuple[str, ...]  # for Outcome.packages
    preparation: Preparation | None  # None: there is nothing to do ahead
    degraded: list[str]  # fallbacks taken so far, each one line for the user

    def knows(self, language: str) -> bool:
        """Tell whether the model was trained on a language, by its ISO code."""

    def recognise(self, windows: Iterable[AudioWindow | Waiting]) -> Iterator[Recognition]:
        """Yield results in any order, each as soon as it is done. Read on only as far as is needed to keep busy.

        A source that has to wait yields NOTHING_YET rather than hold up the reader: the engine goes on with what
        it has, gives back what is done, begins no later for want of a full batch, and asks again."""

    def detect_languages(self, windows: Sequence[AudioWindow]) -> list[LanguageGuess]:
        """Guess the language of each window."""
