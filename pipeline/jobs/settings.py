"""Every setting of a job: its name, type, bounds, default and meaning, once.

The same schema checks values, writes the commented `.env` of a job and prints the reference in `docs/settings.md`.
A name in capitals is the name in the file, on the command line (`--set KEY=VALUE`) and in the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta, defstruct
from msgspec.structs import fields

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.machine.engines import DEFAULT, ENGINES
from sutradhar.stages.cues.formats import FORMATS
from sutradhar.stages.film.translate import registry

if TYPE_CHECKING:
    TranslationEngine = str  # the names are known once the list of translators is read
else:
    TranslationEngine = Literal[registry.ENGINES]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    # --- Job
    WORKFLOW: Annotated[
        Literal["transcribe", "translate", "corpus"],
        Meta(description="Which list of stages runs; corpus is for folders of recordings."),
    ] = "transcribe"
    TITLE: Annotated[str, Meta(description="Title of the film or recording, written into the muxed file.")] = ""
    SOURCE_LANGUAGE: Annotated[
        str,
        Meta(
            pattern=r"^(auto|[a-z]{2,3})\Z",
            description="Language spoken.",
            extra={"takes": "a language (Hindi) or its ISO 639 code (hi), or auto"},
        ),
    ] = "auto"
    TARGET_LANGUAGES: Annotated[
        str,
        Meta(
            pattern=r"^([a-z]{2,3}(,[a-z]{2,3})*)?\Z",
            description="Languages to translate to.",
            extra={"takes": "languages or their ISO 639 codes separated by commas, or nothing to transcribe only"},
        ),
    ] = ""
    MEDIA_START_TIME: Annotated[
        str, Meta(description="Start of the part to work on (HH:MM:SS.mmm); empty for the beginning.")
    ] = ""
    MEDIA_END_TIME: Annotated[
        str, Meta(description="End of the part to work on (HH:MM:SS.mmm); empty for the end.")
    ] = ""
    AUDIO_TRACK: Annotated[int, Meta(ge=0, description="Which of the file's audio tracks, counted from 0.")] = 0
    AUDIO_CHANNELS: Annotated[
        Literal["mix", "split"],
        Meta(
            description="What to do with a stereo track: mix it, or take each channel as a speaker of its own (interviews)."
        ),
    ] = "mix"
    ALLOW_TRUNCATED: Annotated[bool, Meta(description="Accept a file that ends before its container says it does.")] = (
        False
    )
    OFFLINE: Annotated[
        bool, Meta(description="Never ask a model hub; use only what is in models/ or in the hub's cache.")
    ] = False
    OUT_MODE: Annotated[
        str,
        Meta(
            pattern=r"^0?6[046][046]\Z",
            description="Who may read the files in out/, beside you: 0600 nobody, 0640 your group, 0644 everybody, such as a media server.",
            extra={"takes": "a mode of files such as 0600, 0640, 0644 or 0664"},
        ),
    ] = "0600"
    # --- Recognition
    WHISPER_BACKEND: Annotated[
        str,
        Meta(
            min_length=1,
            description="Engine that recognises speech; mlx needs ./install-mlx.sh.",
            extra={"takes": f"one of {', '.join(ENGINES)}"},
        ),
    ] = DEFAULT
    WHISPERX_DEVICE: Annotated[
        Literal["cpu", "cuda", "mps"],
        Meta(description="Where recognition runs, whatever the engine; mps, the Apple GPU, is for mlx."),
    ] = "cpu"
    CUDA_VISIBLE_DEVICES: Annotated[
        str,
        Meta(description="Which NVIDIA GPU to use (its UUID or number) where there are several; empty for the first."),
    ] = ""
    WHISPER_MODEL: Annotated[
        str,
        Meta(
            min_length=1,
            description="Model: a size (large-v3), a hub id, or a folder; for mlx also a size in 4 or 8 bits (large-v3-q4).",
        ),
    ] = "base"
    WHISPER_COMPUTE_TYPE: Annotated[
        Literal["int8", "int8_float16", "int8_float32", "float16", "bfloat16", "float32"],
        Meta(
            description="Number format of the model's weights and sums; mlx takes float16, bfloat16 and float32 (best on a CPU)."
        ),
    ] = "int8"
    BATCH_SIZE: Annotated[
        Annotated[int, Meta(ge=1, le=512)] | Literal["auto"],
        Meta(
            description="Windows decoded at once; auto, as jobs for mlx have it: as many as fit. Lower it when memory runs out."
        ),
    ] = 8
    WHISPER_BEAM_SIZE: Annotated[int, Meta(ge=1, le=16, description="Beams of the search; 1 is greedy.")] = 5
    WHISPER_PATIENCE: Annotated[
        float, Meta(gt=0, le=4, description="How many finished beams end the search, as a factor of the beam size.")
    ] = 1.0
    WHISPER_LENGTH_PENALTY: Annotated[float, Meta(ge=0, le=4, description="Above 1 favours longer text.")] = 1.0
    WHISPER_TEMPERATURE: Annotated[
        str,
        Meta(
            pattern=r"^[01](\.\d+)?(,[01](\.\d+)?)*\Z",
            description="Temperatures tried in turn while a window fails the two thresholds below.",
            extra={"takes": "numbers below 2 separated by commas, such as 0.0,0.2"},
        ),
    ] = "0.0,0.2,0.4,0.6,0.8,1.0"
    WHISPER_LOGPROB_THRESHOLD: Annotated[
        float, Meta(le=0, description="A window fails when its mean log-probability is lower.")
    ] = -1.0
    WHISPER_COMPRESSION_RATIO_THRESHOLD: Annotated[
        float, Meta(gt=0, description="A window fails when its text compresses better (it repeats itself).")
    ] = 2.4
    WHISPER_NO_SPEECH_THRESHOLD: Annotated[
        float,
        Meta(
            ge=0, le=1, description="A window that failed and whose no-speech probability is higher counts as silence."
        ),
    ] = 0.6
    WHISPER_INITIAL_PROMPT: Annotated[
        str, Meta(description="Text that steers spelling: names, terms. Given to every window.")
    ] = ""
    GLOSSARY: Annotated[
        str,
        Meta(
            pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?\Z",
            description="File in the job's folder with names and terms: source, TAB, target. Empty for none; --glossary puts one there.",
        ),
    ] = ""
    # --- Voice activity
    SPEECH_DETECTOR: Annotated[
        Literal["silero", "silero+segmentation"],
        Meta(
            description="Detectors of speech: Silero, or the mean of it and segmentation-3.0, which misses less in films."
        ),
    ] = "silero"
    SILERO_THRESHOLD: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | Literal["auto"],
        Meta(
            description="Speech probability above which speech begins: auto is what was measured to be best, 0.3 with segmentation-3.0, 0.2 without. Lower it when speech is missed."
        ),
    ] = "auto"
    SILERO_MIN_SPEECH_DURATION_MS: Annotated[int, Meta(ge=0, le=5000, description="Shorter sounds are not speech.")] = (
        100
    )
    SILERO_MIN_SILENCE_DURATION_MS: Annotated[
        int, Meta(ge=0, le=10000, description="A pause this long ends a stretch of speech.")
    ] = 300
    SILERO_SPEECH_PAD_MS: Annotated[int, Meta(ge=0, le=2000, description="Audio kept before and after speech.")] = 300
    MUSIC: Annotated[
        Literal["keep", "mark", "drop"],
        Meta(
            description="What to do with text from music in which nobody is heard speaking, such as songs: keep it as it is, mark it with ♪, or leave it out. Speech over music is kept; docs/sound.md says how well they are told apart."
        ),
    ] = "keep"
    # --- Alignment
    ALIGNMENT_MODEL: Annotated[
        str,
        Meta(
            min_length=1,
            description="How word times are refined: edges (the recogniser's bias taken off, and the edges of the sound at pauses), auto (edges, and in films a wav2vec2 model in models/align-<language> or WhisperX's own in a cache), a folder with such a model, or none.",
        ),
    ] = "auto"
    # --- Translation
    TRANSLATION_ENGINE: Annotated[
        TranslationEngine,
        Meta(
            description=f"Engine that translates. whisper: Whisper's own translate task, into English only; {registry.SCOPES}."
        ),
    ] = registry.WHISPER
    INDICTRANS2_MODEL: Annotated[
        str,
        Meta(
            min_length=1,
            description="IndicTrans2's size, 1B or distilled (200M; 320M between Indian languages), or a hub id or folder.",
        ),
    ] = "1B"
    INDICTRANS2_DEVICE: Annotated[
        Literal["cpu", "cuda", "mps"], Meta(description="Where IndicTrans2 runs; mps, the Apple GPU, through MLX.")
    ] = "cpu"
    INDICTRANS2_COMPUTE_TYPE: Annotated[
        Literal["int8", "float16", "bfloat16", "float32"],
        Meta(description="Number format of IndicTrans2's weights and sums; mps has no int8."),
    ] = "int8"
    INDICTRANS2_NUM_BEAMS: Annotated[
        int, Meta(ge=1, le=16, description="Beams of IndicTrans2's search; 1 is greedy.")
    ] = 5
    # --- Subtitles
    SUBTITLE_PROFILE: Annotated[
        str, Meta(min_length=1, description="Rules that cues are built by; docs/subtitles.md lists the profiles.")
    ] = "netflix"
    SUBTITLE_FORMATS: Annotated[
        str, Meta(min_length=1, description=f"Files to write, separated by commas: {', '.join(FORMATS)}.")
    ] = ",".join(FORMATS)
    SUBTITLE_BOM: Annotated[
        bool,
        Meta(
            description="Begin files with a byte-order mark, for old players and Windows programs; json never has one."
        ),
    ] = False
    SUBTITLE_NEWLINE: Annotated[
        Literal["lf", "crlf"],
        Meta(description="How lines of files end: as on Unix, or as on Windows; those of json always as on Unix."),
    ] = "lf"
    SUBTITLE_FPS: Annotated[
        float, Meta(gt=0, le=300, description="Frame rate that gaps between cues are counted in (the film's own).")
    ] = 24.0
    MUX_CONTAINER: Annotated[
        Literal["auto", "mkv", "mp4", "none"],
        Meta(description="Container of the film with its subtitles: auto keeps mkv and mp4, none makes no such file."),
    ] = "auto"

    # --- Folders of recordings
    CORPUS_GLOB: Annotated[
        str,
        Meta(
            description="Which files of the folder: patterns such as *.wav, separated by commas. Empty for all with the name of a recording."
        ),
    ] = ""
    CORPUS_MIN_BYTES: Annotated[int, Meta(ge=0, description="Smaller files count as empty.")] = 64
    CORPUS_LIMIT: Annotated[
        int, Meta(ge=0, description="Work on so many recordings of the folder, the first in order; 0 for all.")
    ] = 0
    CORPUS_ORDER: Annotated[
        Literal["longest", "shuffled"],
        Meta(description="Longest first, or shuffled, so that what is done of a part stands for the whole."),
    ] = "longest"
    CORPUS_SEED: Annotated[int, Meta(ge=0, description="Another number shuffles otherwise.")] = 1
    CORPUS_TIMESTAMPS: Annotated[
        Literal["word", "segment", "none"],
        Meta(description="Times in the results: of each word, of each segment, or none, which is fastest."),
    ] = "segment"
    CORPUS_CHANNELS: Annotated[
        Literal["mix", "split"],
        Meta(
            description="What to do with several channels: mix them, or take each as a speaker of its own (telephone calls)."
        ),
    ] = "mix"
    CORPUS_FORMATS: Annotated[
        str,
        Meta(
            min_length=1,
            description=f"Files to write for each recording, separated by commas: {', '.join(FORMATS)}.",
        ),
    ] = "txt,json"
    CORPUS_EXECUTOR: Annotated[
        Literal["local", "ray"],
        Meta(description="Who runs the workers: this machine, or a Ray cluster (requirements/ray.txt)."),
    ] = "local"
    CORPUS_WORKERS: Annotated[
        Annotated[int, Meta(ge=1, le=1024)] | Literal["auto"],
        Meta(description="Processes that recognise, each with the model; auto: one for each GPU."),
    ] = "auto"
    CORPUS_WORKER_GB: Annotated[
        float,
        Meta(ge=0, description="A worker that holds more memory is replaced by a new one; 0 chooses by the machine."),
    ] = 0.0
    CORPUS_ATTEMPTS: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="A recording that failed is tried again in later runs, until it has failed in so many.",
        ),
    ] = 2
    CORPUS_MIX: Annotated[
        bool, Meta(description="Keep results that were made with other settings beside the new ones.")
    ] = False

    @property
    def workflow(self) -> str:
        """Return the list that the job's stages are in: a key of `stages.WORKFLOWS`."""
        return "corpus" if self.WORKFLOW == "corpus" else "film"

    @property
    def translator(self) -> str:
        """Return the engine that translates; empty where nothing is to be translated."""
        return self.TRANSLATION_ENGINE if self.WORKFLOW == "translate" else ""

    @property
    def has_translator(self) -> bool:
        """Return whether a translator does it, and not the recogniser by Whisper's own translation."""
        return self.translator not in ("", registry.WHISPER)

    @property
    def temperatures(self) -> tuple[float, ...]:
        return tuple(float(number) for number in self.WHISPER_TEMPERATURE.split(","))

    @property
    def user_files(self) -> tuple[str, ...]:
        """Return the user's own files in the job's folder."""
        return (self.GLOSSARY,) if self.GLOSSARY else ()

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(code for code in self.TARGET_LANGUAGES.split(",") if code)


class _DeclaredSettings:
    def __init__(self, stage: str, values: Mapping[str, Any]) -> None:
        self._stage, self._values = stage, values

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # pickle asks for such names before there are values
            raise AttributeError(name)
        if name in self._values:
            return self._values[name]
        made_of_others = getattr(Settings, name, None)
        if isinstance(made_of_others, property) and made_of_others.fget:
            return made_of_others.fget(self)
        raise LookupError(f"stage {self._stage} does not declare that it uses {name}")


def declared_settings(stage: str, values: Mapping[str, Any]) -> Settings:
    """Return the settings as a stage sees them: those that it declares, by name. The rest raise LookupError."""
    return cast(Settings, _DeclaredSettings(stage, values))


SECTIONS = {  # title of a section: its first key
    "Job": "WORKFLOW",
    "Recognition": "WHISPER_BACKEND",
    "Voice activity": "SPEECH_DETECTOR",
    "Alignment": "ALIGNMENT_MODEL",
    "Translation": "TRANSLATION_ENGINE",
    "Subtitles": "SUBTITLE_PROFILE",
    "Folders of recordings": "CORPUS_GLOB",
}


def sections() -> dict[str, str]:
    """Return the first key of each section, by its title: a stage with settings of its own has one."""
    return SECTIONS | {f"Stage {stage}": next(iter(own.__struct_fields__)) for stage, own in _own_settings().items()}


@cache
def schema() -> type[Settings]:
    """Return the type of a job's settings: those above, and those that stages declare in their own files.
    Raises UsageError where a stage takes a name that is taken, or does not describe what it declares."""
    own_settings = _own_settings()
    _check_names(own_settings)
    own = [(field.name, field.type, field.default) for struct in own_settings.values() for field in fields(struct)]
    if not own:
        return Settings
    whole = defstruct("Settings", own, bases=(Settings,), frozen=True, kw_only=True, forbid_unknown_fields=True)
    return cast(type[Settings], whole)


@cache
def _own_settings() -> dict[str, type[msgspec.Struct]]:
    from sutradhar.stages import WORKFLOWS

    return {stage.name: stage.own_settings for stages in WORKFLOWS.values() for stage in stages if stage.own_settings}


def _check_names(own_settings: Mapping[str, type[msgspec.Struct]]) -> None:
    owners = dict.fromkeys(Settings.__struct_fields__, "every job")
    for stage, struct in own_settings.items():
        info: Any = msgspec.inspect.type_info(struct)
        for field in info.fields:
            if field.name in owners:
                taken = f"which {owners[field.name]} has already"
                raise UsageError(f"Stage {stage} declares the setting {field.name}, {taken}; give it another name")
            if field.required or "description" not in (getattr(field.type, "extra_json_schema", None) or {}):
                needed = f"{field.name}: Annotated[str, Meta(description=...)] = ..."
                raise UsageError(f"Stage {stage} declares {field.name} without default or description; write {needed}")
            owners[field.name] = f"stage {stage}"


def describe(key: str) -> str:
    """Describe in one line what a setting means and which values it takes."""
    meaning, values = str(_fields()[key].type.extra_json_schema["description"]), takes(key)
    return f"{meaning} {values[0].upper()}{values[1:]}." if values else meaning


def takes(key: str) -> str:
    """Return the values a setting takes, to stand after "must be"; "" where that is any text. Their case does not
    matter."""
    kind = _fields()[key].type
    return (kind.extra or {}).get("takes") or _takes(kind.type)


def words(key: str) -> tuple[str, ...]:
    """Return the words of which a setting takes one; none where it takes something else."""
    kind = _fields()[key].type.type
    return tuple(map(str, kind.values)) if isinstance(kind, msgspec.inspect.LiteralType) else ()


def reference() -> str:
    """Return docs/settings.md: `python -m sutradhar.pipeline.jobs.settings > docs/settings.md` writes it anew."""
    section_of = {key: section for section, key in sections().items()}
    lines = [
        "# Settings",
        "",
        "What may stand in a job's `.env` and after `--set`. Made from the schema in `pipeline/jobs/settings.py`; the defaults here are",
        "those before prepare-job fits them to the machine, the film and the command line.",
    ]
    for key, field in _fields().items():
        if key in section_of:
            lines += ["", f"## {section_of[key]}", "", "| setting | default | meaning |", "|---|---|---|"]
        default = _default(field)
        meaning = describe(key).replace("|", "\\|")
        lines.append(f"| `{key}` | {f'`{default}`' if default else ''} | {meaning} |")
    return "\n".join(lines)


def listing() -> str:
    """Return every setting with its default and its meaning, for a terminal."""
    section_of = {key: section for section, key in sections().items()}
    lines = []
    for key, field in _fields().items():
        if key in section_of:
            lines += ["", f"--- {section_of[key]} ---"]
        lines += [f"{key}={_default(field)}", f"    {describe(key)}"]
    return "\n".join(lines[1:])


def _default(field: Any) -> str:
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


@cache
def _fields() -> dict[str, Any]:
    info: Any = msgspec.inspect.type_info(schema())
    return {field.name: field for field in info.fields}


def _takes(kind: Any) -> str:
    if isinstance(kind, msgspec.inspect.UnionType):
        number, word = kind.types  # a number or the word "auto"
        return f"{_takes(number)}, or {_takes(word).removeprefix('one of ')}"
    if isinstance(kind, msgspec.inspect.LiteralType):
        return "one of " + ", ".join(map(str, kind.values))
    if isinstance(kind, msgspec.inspect.BoolType):
        return "true or false"
    if isinstance(kind, (msgspec.inspect.IntType, msgspec.inspect.FloatType)):
        whole = "whole " * isinstance(kind, msgspec.inspect.IntType)
        if kind.ge is not None and kind.le is not None:
            return f"a {whole}number from {kind.ge:g} to {kind.le:g}"
        bounds = (("above", kind.gt), ("at least", kind.ge), ("below", kind.lt), ("at most", kind.le))
        return f"a {whole}number " + ", ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
    return ""


if __name__ == "__main__":
    print(reference())
