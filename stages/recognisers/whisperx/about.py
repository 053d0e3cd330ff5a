"""WhisperX: Whisper on CTranslate2, for CPUs and NVIDIA GPUs."""

from __future__ import annotations

from sutradhar.pipeline.languages import WHISPER_LANGUAGES
from sutradhar.pipeline.models.form import Converter, Form, Release
from sutradhar.stages.recognisers.about import OPTIONS, About
from sutradhar.stages.recognisers.whisper.forms import HUGGING_FACE
from sutradhar.stages.recognisers.whisper.sizes import WHISPER_SIZES, translates

# Without tokenizer.json, faster-whisper would ask the hub for one. Every revision was seen in several public
# projects that pin it; the sizes are those of faster-whisper 1.2.1.
CT2 = Form(
    title="CTranslate2",
    files=(("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.json", "vocabulary.txt")),
    optional=("preprocessor_config.json",),
    releases={
        "tiny": Release("Systran/faster-whisper-tiny", "d90ca5fe260221311c53c58e660288d3deb8d356"),
        "tiny.en": Release("Systran/faster-whisper-tiny.en", "0d3d19a32d3338f10357c0889762bd8d64bbdeba"),
        "base": Release("Systran/faster-whisper-base", "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66"),
        "base.en": Release("Systran/faster-whisper-base.en", "3d3d5dee26484f91867d81cb899cfcf72b96be6c"),
        "small": Release("Systran/faster-whisper-small", "536b0662742c02347bc0e980a01041f333bce120"),
        "small.en": Release("Systran/faster-whisper-small.en", "d1d751a5f8271d482d14ca55d9e2deeebbae577f"),
        "medium": Release("Systran/faster-whisper-medium", "08e178d48790749d25932bbc082711ddcfdfbc4f"),
        "medium.en": Release("Systran/faster-whisper-medium.en", "a29b04bd15381511a9af671baec01072039215e3"),
        "large-v1": Release("Systran/faster-whisper-large-v1", "b07c8d4be0be90092aa01a29c975077acb8d15c9"),
        "large-v2": Release("Systran/faster-whisper-large-v2", "f0fe81560cb8b68660e564f55dd99207059c092e"),
        "large-v3": Release("Systran/faster-whisper-large-v3", "edaa852ec7e145841d8ffdb056a99866b5f0a478"),
        "large-v3-turbo": Release(
            "mobiuslabsgmbh/faster-whisper-large-v3-turbo", "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"
        ),
        "distil-small.en": Release(
            "Systran/faster-distil-whisper-small.en", "ef77d90526ccd62cde3808ee70626a01e5cf83e4"
        ),
        "distil-medium.en": Release(
            "Systran/faster-distil-whisper-medium.en", "80ddfce281f77766d8943d63109199fc8145dfa5"
        ),
        "distil-large-v2": Release(
            "Systran/faster-distil-whisper-large-v2", "fe9b404fc56de3f7c38606ef9ba6fd83526d05e4"
        ),
        "distil-large-v3": Release(
            "Systran/faster-distil-whisper-large-v3", "c3058b475261292e64a0412df1d2681c06260fab"
        ),
        "distil-large-v3.5": Release(
            "distil-whisper/distil-large-v3.5-ct2", "9793ccc07920e0f830e1dba0343efcdf0ef8c903"
        ),
    },
    converter=Converter(
        module="sutradhar.stages.recognisers.whisperx.convert",
        packages=("ctranslate2", "torch", "transformers"),
        remedy="Run scripts/bootstrap.sh",
        takes=("hf",),
        by_hand="run scripts/bootstrap.sh, and then WHISPER_MODEL={path} (--model {path})",
    ),
    is_plain=True,
)
ABOUT = About(
    name="whisperx",
    title="WhisperX",
    library="CTranslate2",
    engine="sutradhar.stages.recognisers.whisperx.engine",
    family="Whisper",
    languages=WHISPER_LANGUAGES,
    form="ct2",
    forms={"hf": HUGGING_FACE, "ct2": CT2},
    sizes=WHISPER_SIZES,
    devices=("cpu", "cuda"),
    packages=("faster-whisper", "ctranslate2"),
    modules=("whisperx", "faster_whisper", "ctranslate2"),
    installer="scripts/bootstrap.sh",
    translates=translates,
    options=OPTIONS,
    cpu_compute_type=("int8", "fastest on a CPU, and a quarter of the memory"),
    oldest_capability=(5, 3),  # the oldest that CTranslate2's wheels hold kernels for
    fallback_warnings={
        "mps": (
            "MPS device detected but MLX backend not configured",
            "Falling back to CPU (slower performance)",
        ),
    },
)
