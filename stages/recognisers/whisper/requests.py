"""The requests of a window to Whisper's network, one after another.

A window is a generator (`Steps`) that yields a request and is sent its answer. So the same rules run on any
engine, and an engine is free to gather the requests of many windows: `lockstep.run` does so in groups,
`mlx.stream.Stream` as they come.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HOP = 160  # samples of a frame of the spectrogram, of which two make a frame of the encoder
MAX_LENGTH = 448  # tokens of prompt and text together
MAX_TEXT = MAX_LENGTH // 2  # tokens of the text
BEST_OF = 5  # samples drawn at a temperature above 0

Encoded = Any  # a window's encoder output, in the engine's own form
Result = TypeVar("Result")


class Tokenizer(Protocol):
    """A tokenizer of one language and task, such as faster-whisper's and mlx-whisper's."""

    @property
    def eot(self) -> int: ...
    @property
    def sot_prev(self) -> int: ...
    @property
    def no_timestamps(self) -> int: ...
    @property
    def timestamp_begin(self) -> int: ...
    @property
    def sot_sequence(self) -> Sequence[int]: ...
    def encode(self, text: str) -> list[int]: ...
    def decode(self, tokens: list[int]) -> str: ...
    def split_to_word_tokens(self, tokens: list[int]) -> tuple[list[str], list[list[int]]]: ...


@dataclass(frozen=True)
class LogMel:
    """The `AudioWindow.prepared` that loader processes make: `spectrogram.log_mel` of the sound."""

    mel: NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """The `AudioWindow.prepared` that the detection of languages makes: the sound is not encoded again then."""

    encoded: Encoded


@dataclass(frozen=True)
class Encode:
    """A request for the encoder output of up to 480,000 samples, filled up with silence."""

    audio: NDArray[np.float32]
    mel: NDArray[np.float32] | None = None  # `spectrogram.log_mel` of them, where somebody has computed it


@dataclass(frozen=True)
class DetectLanguage:
    """A request for the probability of each language that the model knows."""

    encoded: Encoded


@dataclass(frozen=True)
class Generate:
    """A request for a `Decoded`: the best of a beam search at temperature 0, else of `BEST_OF` samples."""

    encoded: Encoded
    prompt: tuple[int, ...]
    temperature: float

    @property
    def sampled(self) -> bool:
        return self.temperature > 0


@dataclass(frozen=True)
class Align:
    """A request for an `Alignment` of the text's tokens with the first `samples` of the window."""

    encoded: Encoded
    tokenizer: Tokenizer
    text: tuple[int, ...]
    samples: int


Request = Encode | DetectLanguage | Generate | Align
Steps = Generator[Request, Any, Result]


@dataclass(frozen=True)
class Urgent:
    """The steps of a window that somebody waits for."""

    steps: Steps[Any]


@dataclass(frozen=True)
class Decoded:
    tokens: list[int]
    avg_logprob: float
    no_speech_prob: float


@dataclass(frozen=True)
class Alignment:
    pairs: Sequence[
        tuple[int, int]
    ]  # token and the frame of 20 ms in which it begins; none where the window is too short
    probabilities: Sequence[float]  # one for each token
