"""MLX: Whisper on Apple GPUs, NVIDIA GPUs and CPUs."""

from __future__ import annotations

from pathlib import Path

from sutradhar.pipeline.languages import WHISPER_LANGUAGES
from sutradhar.pipeline.models.form import Converter, Form, Release
from sutradhar.stages.recognisers.about import OPTIONS, About, Trial
from sutradhar.stages.recognisers.whisper.forms import HUGGING_FACE
from sutradhar.stages.recognisers.whisper.sizes import WHISPER_SIZES, translates

ON_CUDA = (
    "on one H200 at 16 windows large-v3 ran at 865 times real time, CTranslate2 at 398 (bench/results/mlx_speed.json)"
)
TRIAL = """
import mlx.core as mx
print(mx.__version__, flush=True)
devices = ("cpu", mx.cpu, True), ("mps", mx.gpu, mx.metal.is_available()), ("cuda", mx.gpu, mx.cuda.is_available())
for name, device, is_there in devices:
    if is_there:
        try:
            with mx.stream(device):
                right = mx.all(mx.full((256, 256), 0.5) @ mx.full((256, 256), 2.0) == 256).item()
            print(name, "" if right else "a product of matrices came out wrong", sep="\\t", flush=True)
        except (RuntimeError, ValueError) as error:
            print(name, (str(error) or type(error).__name__).splitlines()[0], sep="\\t", flush=True)
"""
# MLX 0.30 and newer came in wheels whose Metal code needs macOS 26; on macOS 15.6 and 15.7 they fail at the import
# or at the first sum.
TOO_NEW = (
    "this build of MLX was made for a newer macOS than this one:"
    " update macOS, or make the environment anew on this machine"
    " (scripts/bootstrap.sh --force --mlx), so that the build for its macOS is taken"
)
REMEDIES = {
    # "This library is using language version 4.0 which is not supported on this OS."
    "which is not supported on this OS": TOO_NEW,
    # "This library is using a deployment target (0x00020008) that is not ..."
    "that is not supported on this OS": TOO_NEW,
    "Unable to build metal library from source": TOO_NEW,  # "error: invalid value 'metal4.0' in '-std=metal4.0'"
}


def content_problem(folder: Path) -> str:
    from sutradhar.stages.recognisers.mlx import content

    return content.content_problem(folder)


# Whisper for mlx-whisper, which has its tokenizer in the package.
MLX = Form(
    title="MLX",
    files=(("config.json",), ("weights.safetensors", "weights.npz")),
    releases={
        "tiny": Release("mlx-community/whisper-tiny-mlx", "6caf9c55601caafbe6508a8b0d216bdf4783c4e8"),
        "base": Release("mlx-community/whisper-base-mlx", "1e3e249fb8d01c655324bd6841b1deadffd6d04c"),
        "small": Release("mlx-community/whisper-small-mlx", "45f3915923c7a79a5a5b5a7d909d39aeb0e5630e"),
        "medium": Release("mlx-community/whisper-medium-mlx", "7fc08c4eac4c316526498f147dfdee6f6303f975"),
        "large-v2": Release("mlx-community/whisper-large-v2-mlx", "cce86229e2765266197fef869ce9f7e2550067ab"),
        "large-v3": Release("mlx-community/whisper-large-v3-mlx", "49e6aa286ad60c14352c404340ded53710378a11"),
        "large-v3-q4": Release("mlx-community/whisper-large-v3-mlx-4bit", "d12b5d0043a6fe0c59af321617fba041d4e8e0c8"),
        "large-v3-turbo": Release("mlx-community/whisper-large-v3-turbo", "a4aaeec0636e6fef84abdcbe3544cb2bf7e9f6fb"),
        "large-v3-turbo-q4": Release(
            "mlx-community/whisper-large-v3-turbo-q4", "660c343bbf4e52ac257f0b7d952e5388e6f93bef"
        ),
    },
    converter=Converter(
        module="sutradhar.stages.recognisers.mlx.convert",
        packages=("mlx", "mlx_whisper"),
        remedy="MLX is not installed; run ./install-mlx.sh",
        takes=("mlx", "hf", "ct2"),
        by_hand="scripts/convert-model.sh {path}, and then WHISPER_MODEL={name} (--model {name})",
    ),
    content_problem=content_problem,
)
ABOUT = About(
    name="mlx",
    title="MLX",
    library="MLX",
    engine="sutradhar.stages.recognisers.mlx.engine",
    family="Whisper",
    languages=WHISPER_LANGUAGES,
    form="mlx",
    forms={"hf": HUGGING_FACE, "mlx": MLX},
    sizes=WHISPER_SIZES,
    devices=("mps", "cuda", "cpu"),
    packages=("mlx", "mlx-whisper"),
    modules=("mlx", "mlx_whisper"),
    installer="./install-mlx.sh",
    translates=translates,
    options=OPTIONS,
    cpu_compute_type=("float32", "MLX has no 8-bit sums, and on a CPU float16 is no faster"),
    compute_types=("float16", "bfloat16", "float32"),
    compute_type_advice="float16, or float32 on a CPU",
    measures_memory=True,
    trial=Trial(
        TRIAL, "import mlx.core", seconds=60, remedies=REMEDIES
    ),  # on a GPU the first trial reads and compiles for a few seconds
    preferred_on={"mps": "runs on the Apple GPU", "cuda": f"runs on the NVIDIA GPU: {ON_CUDA}"},
    too_slow_on_cpu="MLX on a CPU takes ten times as long as WhisperX",
    oldest_capability=(8, 0),  # our kernels for MLX use the matrix instructions of Ampere (mma.m16n8k16)
)
