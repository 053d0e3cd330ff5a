"""What fits into so much memory: model, number format and batch size, each with its reason.

Sizes are in GB of 2**30 bytes, as memory is sold. The limits and the costs of a batch on a GPU are those that users of
cp-whisperx-app know; the costs and the times on a CPU were measured.
"""

from __future__ import annotations

from collections.abc import Sequence

# A machine sold with 16 GB shows as little as 15.1: firmware and built-in graphics keep the rest.
SOLD_AS = 0.94
MODELS_BY_GPU_MEMORY = (("large-v3", 6), ("medium", 4), ("base", 0))  # GB of GPU memory, biggest first
MODELS_BY_MEMORY = (("large-v3", 16), ("medium", 8), ("small", 4), ("base", 0))  # GB of RAM

# Seconds of one core for 30 s of speech, to encode it and to decode 100 tokens, int8, 5 beams: bench/results/model_cost.json (AMD EPYC).
CPU_SECONDS = {"base": (0.9, 1.5), "small": (3.0, 4.3), "medium": (7.9, 12.0), "large-v3": (14.6, 20.9)}
DENSITY = 2  # hundreds of tokens in 30 s: English has 1, Hindi up to 3
MOST_CORES = 4  # that are counted on: it was measured on two, and with many decoding waits for memory
FILM_HOURS = 2.0
# A film should be heard within its own length: what is begun when one sits down to another is ready afterwards, and a night does
# four. A quarter is left to slower processors and to other programs.
BEARABLE_HOURS = 0.75 * FILM_HOURS

# GB for the model and for each window of a batch.
GPU_COST = {
    "tiny": (0.5, 0.3),
    "base": (1.0, 0.4),
    "small": (2.0, 0.6),
    "medium": (3.5, 0.8),
    "large": (6.0, 1.0),
    "large-v2": (6.5, 1.1),
    "large-v3": (7.0, 1.2),
}
# CTranslate2 4.8.5, int8, 5 beams, resident memory: measured at batches of 1 to 8, with room for the longest text.
CPU_COST = {
    "tiny": (0.1, 0.1),
    "base": (0.2, 0.2),
    "small": (0.4, 0.3),
    "medium": (0.9, 0.8),
    "large": (1.7, 1.3),
    "large-v2": (1.7, 1.3),
    "large-v3": (1.7, 1.3),
}
SMALLEST = "base"
BIGGEST = "large-v3"  # stands in for models that the tables do not know
MAX_BATCH = {"cuda": 32, "mps": 16, "cpu": 8}  # a CPU gains nothing past 8

Capability = tuple[int, ...]  # of an NVIDIA GPU: (8, 6)
Table = Sequence[tuple[str, int]]  # of models and the GB that they need, biggest first
FLOAT16_CAPABILITY = (7, 0)
INT8_CAPABILITY = (6, 1)  # below 7.0 the only one with fast 8-bit sums


def capability(text: str) -> Capability:
    return tuple(int(part) for part in text.split("."))


def choose_compute_type(backend: str, device: str, gpu: Capability | None) -> tuple[str, str]:
    """What the device computes in natively; for CUDA see CTranslate2's `docs/quantization.md` and `src/cuda/utils.cc`."""
    if device == "cpu" and backend == "mlx":
        return "float32", "MLX has no 8-bit sums, and on a CPU float16 is no faster"
    if device == "cpu":
        return "int8", "fastest on a CPU, and a quarter of the memory"
    if gpu is None or gpu >= FLOAT16_CAPABILITY:
        return "float16", "fastest on this GPU, without loss"
    name = "compute capability " + ".".join(map(str, gpu))
    if gpu == INT8_CAPABILITY:
        return "int8", f"{name} has no fast float16, but has int8"
    return "float32", f"{name} has neither fast float16 nor int8; twice the memory, so its memory counts half"


def choose_model(backend: str, device: str, memory_gb: float, cores: int) -> tuple[str, str]:
    """The biggest model for so much of the device's memory; on a CPU the biggest of these that hears a film in bearable time."""
    if device == "cpu" and backend == "mlx":
        return SMALLEST, "MLX on a CPU takes ten times as long as WhisperX"
    if device == "cpu":
        return _for_cpu(memory_gb, cores)
    return _fitting(MODELS_BY_GPU_MEMORY, memory_gb)[0], _memory_reason(MODELS_BY_GPU_MEMORY, memory_gb)


def _for_cpu(memory_gb: float, cores: int) -> tuple[str, str]:
    fitting = _fitting(MODELS_BY_MEMORY, memory_gb)
    model = next((model for model in fitting if film_hours(model, cores) <= BEARABLE_HOURS), SMALLEST)
    if model == fitting[0]:
        return model, f"{_memory_reason(MODELS_BY_MEMORY, memory_gb)}; {film_time(model, cores)}"
    too_slow = fitting[fitting.index(model) - 1]
    return model, f"{film_time(model, cores)}; {too_slow} would take {duration(film_hours(too_slow, cores))}"


def in_turn(suited: str, device: str, memory_gb: float) -> list[str]:
    """The models to look for, the best first. On a CPU one that is slower than what suits, and fits, is somebody's choice."""
    if device == "cpu":
        return [suited, *_fitting(MODELS_BY_MEMORY, memory_gb)]
    models = [model for model, _ in MODELS_BY_MEMORY]
    return models[models.index(suited) :]


def _fitting(table: Table, memory_gb: float) -> list[str]:
    """Biggest first."""
    return [model for model, needed in table if memory_gb >= SOLD_AS * needed]


def _memory_reason(table: Table, memory_gb: float) -> str:
    """Say how much memory there is, and how much the next bigger model needs, or the biggest one where all fit."""
    too_big = [row for row in table if memory_gb < SOLD_AS * row[1]]
    model, needed = too_big[-1] if too_big else table[0]
    return f"{memory_gb:.1f} GB of memory; {model} needs {needed}"


def film_hours(model: str, cores: int) -> float:
    """Hours of recognition for a film of two hours that is full of speech, with WhisperX in int8 on so many physical cores."""
    encode, decode = CPU_SECONDS[model]
    return FILM_HOURS * (encode + DENSITY * decode) / (30 * min(cores, MOST_CORES))


def film_time(model: str, cores: int) -> str:
    return f"a film of {FILM_HOURS:.0f} h takes about {duration(film_hours(model, cores))} on {cores} core{'s' * (cores != 1)}"


def film_times(model: str, language: str, memory_gb: float, cores: int) -> str:
    """And of the biggest model that fits, where the language needs it more than English does."""
    biggest = _fitting(MODELS_BY_MEMORY, memory_gb)[0]
    more = f", with {biggest} {duration(film_hours(biggest, cores))}" if language != "en" and biggest != model else ""
    return film_time(model, cores) + more


def duration(hours: float) -> str:
    """Write a number of hours, rounded to five minutes, or to ten from an hour on: "5 min", "1 h 20 min"."""
    step = 5 if hours < 0.95 else 10
    whole, minutes = divmod(max(step, step * round(hours * 60 / step)), 60)
    return " ".join(filter(None, (f"{whole} h" * bool(whole), f"{minutes} min" * bool(minutes))))


def batch_size(model: str, device: str, memory_gb: float) -> tuple[int, str]:
    """Windows decoded at once on cuda, mps or cpu with so much of the device's memory."""
    costs = CPU_COST if device == "cpu" else GPU_COST
    model_gb, window_gb = costs.get(model, costs[BIGGEST])
    if device == "cpu":
        fitting = (memory_gb / 2 - model_gb) / window_gb  # half is left to decoding the film, Python and the user
        room = f"half of {memory_gb:.1f} GB less {model_gb} for the model"
    else:
        fitting = (memory_gb - model_gb) * 0.8 / window_gb
        room = f"four fifths of {memory_gb:.1f} GB less {model_gb} for the model"
    return max(1, min(MAX_BATCH[device], int(fitting))), f"{room}, at {window_gb} GB a window; from 1 to {MAX_BATCH[device]}"
