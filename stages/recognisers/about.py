"""What an engine says of itself before it is loaded. Such a description imports nothing heavy: `--help` reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sutradhar.pipeline.models.form import Form

Reasoned = tuple[str, str]  # a value, and why it is the one to take
Capability = tuple[int, ...]  # of an NVIDIA GPU: (8, 6)
OPTIONS = (  # settings that an engine may have or not
    "WHISPER_BEAM_SIZE",
    "WHISPER_PATIENCE",
    "WHISPER_LENGTH_PENALTY",
    "WHISPER_TEMPERATURE",
    "WHISPER_LOGPROB_THRESHOLD",
    "WHISPER_COMPRESSION_RATIO_THRESHOLD",
    "WHISPER_NO_SPEECH_THRESHOLD",
    "WHISPER_INITIAL_PROMPT",
)


@dataclass(frozen=True)
class ModelSizes:
    """What the known models of an engine cost. Sizes are in GB of 2**30 bytes, as memory is sold."""

    by_gpu_memory: tuple[tuple[str, int], ...]  # models, biggest first, and the memory each needs
    by_memory: tuple[tuple[str, int], ...]  # the same of RAM
    cpu_seconds: Mapping[str, tuple[float, float]]  # of a core: 30 s to encode, 100 tokens to decode
    gpu_cost: Mapping[str, tuple[float, float]]  # GB for the model and for each window of a batch
    cpu_cost: Mapping[str, tuple[float, float]]
    smallest: str  # the model to take where none is better
    unknown: str  # the model that stands in for those that the costs do not name


@dataclass(frozen=True)
class Trial:
    """A program, run in a child, that prints the version of a library, then a line for each device: its name, a tab, and what
    went wrong there, or nothing."""

    program: str
    title: str  # what it does, as messages call it
    seconds: float  # a trial that takes longer hangs
    remedies: Mapping[str, str] = field(
        default_factory=dict
    )  # by what a known fault says, what is wrong and what to do about it

    def remedy(self, fault: str) -> str:
        """Empty for a fault that is not known."""
        return next((remedy for said, remedy in self.remedies.items() if said in fault), "")


@dataclass(frozen=True)
class About:
    name: str  # of the engine in WHISPER_BACKEND
    title: str  # its name in prose
    library: str  # that computes, as messages call it
    engine: str  # module with `open_engine`
    family: str  # of its models, as messages call it
    languages: frozenset[str]  # that models of the family know, as `pipeline.languages` names them
    form: str  # of the model files that it loads: a key of `model_folder.FORMS`
    forms: Mapping[str, Form]  # that form, and those it is converted from that no engine loads
    sizes: ModelSizes
    devices: tuple[str, ...]  # where it runs; on any other it runs on the first
    packages: tuple[str, ...]  # distributions whose versions decide what comes out
    modules: tuple[str, ...]  # without which it cannot run; the first is the one whose version is shown
    installer: str  # command that installs it
    cpu_compute_type: Reasoned
    compute_types: tuple[str, ...] = ()  # all that it has; none where the device decides
    options: tuple[str, ...] = ()  # which of `OPTIONS` it has
    compute_type_advice: str = ""  # which to set instead of one that it does not have
    measures_memory: bool = False  # and so knows itself how many windows fit
    trial: Trial | None = None  # for a library that may be installed and not work
    preferred_on: Mapping[str, str] = field(default_factory=dict)  # devices where it is recommended, and why
    too_slow_on_cpu: str = ""  # why only the smallest model is recommended there
    oldest_capability: Capability = ()  # of the NVIDIA GPUs that it runs on
    fallback_warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by device that it does not run on
