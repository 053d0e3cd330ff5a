"""The description of an engine, known before the engine is loaded. It imports nothing heavy: `--help` reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sutradhar.pipeline.models.form import Form

Reasoned = tuple[str, str]  # a value, and the reason to take it
Capability = tuple[int, ...]  # of an NVIDIA GPU: (8, 6)
OPTIONS = (  # settings that an engine may have
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
    """Costs of the known models of an engine. Sizes are in GB of 2**30 bytes, as memory is sold."""

    by_gpu_memory: tuple[tuple[str, int], ...]  # models, biggest first, and the memory each needs
    by_memory: tuple[tuple[str, int], ...]  # the same for RAM
    cpu_seconds: Mapping[str, tuple[float, float]]  # seconds of one core: for encoding 30 s, for decoding 100 tokens
    gpu_cost: Mapping[str, tuple[float, float]]  # GB for the model and for each window of a batch
    cpu_cost: Mapping[str, tuple[float, float]]
    smallest: str  # the model to take where none is better
    unknown: str  # the model that stands in for those that the costs do not name


@dataclass(frozen=True)
class Trial:
    """A program, run in a child, that prints the version of a library, then a line for each device: its name, a
    tab, and the fault there, or nothing."""

    program: str
    title: str  # what the trial does, as messages call it
    seconds: float  # a trial that takes longer hangs
    remedies: Mapping[str, str] = field(
        default_factory=dict
    )  # by the words of a known fault: the cause, and the remedy

    def remedy(self, fault: str) -> str:
        """Return the remedy for a fault; empty for an unknown one."""
        return next((remedy for said, remedy in self.remedies.items() if said in fault), "")


@dataclass(frozen=True)
class About:
    name: str  # the engine's name in WHISPER_BACKEND
    title: str  # its name in prose
    library: str  # the library that computes, as messages call it
    engine: str  # the module with `open_engine`
    family: str  # the family of its models, as messages call it
    languages: frozenset[str]  # the languages that models of the family know, as `pipeline.languages` names them
    form: str  # the form of the model files that it loads: a key of `model_folder.FORMS`
    forms: Mapping[str, Form]  # that form, and the forms it is converted from, which no engine loads
    sizes: ModelSizes
    devices: tuple[str, ...]  # the devices where it runs; elsewhere it runs on the first
    packages: tuple[str, ...]  # distributions whose versions decide the result
    modules: tuple[str, ...]  # modules that it needs; the version of the first is shown
    installer: str  # the command that installs it
    cpu_compute_type: Reasoned
    compute_types: tuple[str, ...] = ()  # all number formats that it has; none where the device decides
    # whether a model may translate to English, by its name: it is looked into only as it is loaded
    translates: Callable[[str], bool] = lambda model: False
    options: tuple[str, ...] = ()  # the names in `OPTIONS` that it has
    compute_type_advice: str = ""  # the number format to set instead of one that it does not have
    measures_memory: bool = False  # it knows by itself how many windows fit
    trial: Trial | None = None  # for a library that may be installed and not work
    preferred_on: Mapping[str, str] = field(default_factory=dict)  # the devices where it is recommended, and why
    too_slow_on_cpu: str = ""  # why only the smallest model is recommended there
    oldest_capability: Capability = ()  # the oldest of the NVIDIA GPUs that it runs on
    fallback_warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by device on which it does not run
