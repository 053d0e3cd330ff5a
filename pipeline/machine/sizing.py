"""Choose what fits into so much memory: model, number format and batch size, each with its reason.

Sizes are in GB of 2**30 bytes, as memory is sold. What the models of an engine cost, the engine says itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from sutradhar.stages.recognisers.about import About, Capability, ModelSizes

# A machine sold with 16 GB shows as little as 15.1: firmware and built-in graphics keep the rest.
SOLD_AS = 0.94
DENSITY = 2  # hundreds of tokens in 30 s: English has 1, Hindi up to 3
MAX_CORES = 4  # cores that are counted on: two were measured, and with many decoding waits for memory
FILM_HOURS = 2.0
# A film should be heard within its own length: begun when one sits down to another film, it is ready afterwards, and
# a night does four. A quarter is left to slower processors and to other programs.
BEARABLE_HOURS = 0.75 * FILM_HOURS

MAX_BATCH = {"cuda": 32, "mps": 16, "cpu": 8}  # a CPU gains nothing past 8

Table = Sequence[tuple[str, int]]  # of models and the GB that they need, biggest first
FLOAT16_CAPABILITY = (7, 0)
INT8_CAPABILITY = (6, 1)  # below 7.0 the only one with fast 8-bit sums


def capability(text: str) -> Capability:
    return tuple(int(part) for part in text.split("."))


def choose_compute_type(engine: About, device: str, gpu: Capability | None) -> tuple[str, str]:
    """Choose what the engine computes in on the device, and say why."""
    if device == "cpu":
        return engine.cpu_compute_type
    chosen, reason = _native_compute_type(gpu)
    if engine.compute_types and chosen not in engine.compute_types:
        return engine.compute_types[0], f"{engine.title} does not compute in {chosen}"
    return chosen, reason


def _native_compute_type(gpu: Capability | None) -> tuple[str, str]:
    """Return what a GPU computes in natively; for CUDA see CTranslate2's `docs/quantization.md` and
    `src/cuda/utils.cc`."""
    if gpu is None or gpu >= FLOAT16_CAPABILITY:
        return "float16", "fastest on this GPU, without loss"
    name = "compute capability " + ".".join(map(str, gpu))
    if gpu == INT8_CAPABILITY:
        return "int8", f"{name} has no fast float16, but has int8"
    return "float32", f"{name} has neither fast float16 nor int8; twice the memory, so its memory counts half"


def choose_model(engine: About, device: str, memory_gb: float, cores: int) -> tuple[str, str]:
    """Choose the biggest model for so much of the device's memory; on a CPU the biggest of these that hears a film
    in bearable time."""
    sizes = engine.sizes
    if device != "cpu":
        return _fitting(sizes.by_gpu_memory, memory_gb)[0], _memory_reason(sizes.by_gpu_memory, memory_gb)
    if engine.too_slow_on_cpu:
        return sizes.smallest, engine.too_slow_on_cpu
    return _for_cpu(sizes, memory_gb, cores)


def _for_cpu(sizes: ModelSizes, memory_gb: float, cores: int) -> tuple[str, str]:
    fitting = _fitting(sizes.by_memory, memory_gb)
    bearable = (model for model in fitting if film_hours(sizes, model, cores) <= BEARABLE_HOURS)
    model = next(bearable, sizes.smallest)
    if model == fitting[0]:
        return model, f"{_memory_reason(sizes.by_memory, memory_gb)}; {film_time(sizes, model, cores)}"
    too_slow = fitting[fitting.index(model) - 1]
    would_take = duration(film_hours(sizes, too_slow, cores))
    return model, f"{film_time(sizes, model, cores)}; {too_slow} would take {would_take}"


def in_turn(sizes: ModelSizes, suited: str, device: str, memory_gb: float) -> list[str]:
    """Return the models to look for, the best first. On a CPU one that fits, and is slower than what suits, is
    somebody's choice."""
    if device == "cpu":
        return [suited, *_fitting(sizes.by_memory, memory_gb)]
    models = [model for model, _ in sizes.by_memory]
    return models[models.index(suited) :]


def _fitting(table: Table, memory_gb: float) -> list[str]:
    """Return the models that fit, the biggest first."""
    return [model for model, needed in table if memory_gb >= SOLD_AS * needed]


def _memory_reason(table: Table, memory_gb: float) -> str:
    """Say how much memory there is, and how much the next bigger model needs, or the biggest one where all fit."""
    too_big = [row for row in table if memory_gb < SOLD_AS * row[1]]
    model, needed = too_big[-1] if too_big else table[0]
    return f"{memory_gb:.1f} GB of memory; {model} needs {needed}"


def film_hours(sizes: ModelSizes, model: str, cores: int) -> float:
    """Return the hours of recognition for a film of two hours that is full of speech, in int8 on so many physical
    cores."""
    encode, decode = sizes.cpu_seconds[model]
    return FILM_HOURS * (encode + DENSITY * decode) / (30 * min(cores, MAX_CORES))


def film_time(sizes: ModelSizes, model: str, cores: int) -> str:
    return (
        f"a film of {FILM_HOURS:.0f} h takes about {duration(film_hours(sizes, model, cores))} "
        f"on {cores} core{'s' * (cores != 1)}"
    )


def film_times(sizes: ModelSizes, model: str, language: str, memory_gb: float, cores: int) -> str:
    """Say how long a film takes, also with the biggest model that fits, where the language needs it more than
    English does."""
    biggest = _fitting(sizes.by_memory, memory_gb)[0]
    more = (
        f", with {biggest} {duration(film_hours(sizes, biggest, cores))}"
        if language != "en" and biggest != model
        else ""
    )
    return film_time(sizes, model, cores) + more


def duration(hours: float) -> str:
    """Write a number of hours, rounded to five minutes, or to ten from an hour on: "5 min", "1 h 20 min"."""
    step = 5 if hours < 0.95 else 10
    whole, minutes = divmod(max(step, step * round(hours * 60 / step)), 60)
    return " ".join(filter(None, (f"{whole} h" * bool(whole), f"{minutes} min" * bool(minutes))))


def batch_size(sizes: ModelSizes, model: str, device: str, memory_gb: float) -> tuple[int, str]:
    """Return how many windows are decoded at once on cuda, mps or cpu with so much of the device's memory."""
    costs = sizes.cpu_cost if device == "cpu" else sizes.gpu_cost
    model_gb, window_gb = costs.get(model, costs[sizes.unknown])
    if device == "cpu":
        fitting = (memory_gb / 2 - model_gb) / window_gb  # half is left to decoding the film, Python and the user
        room = f"half of {memory_gb:.1f} GB less {model_gb} for the model"
    else:
        fitting = (memory_gb - model_gb) * 0.8 / window_gb
        room = f"four fifths of {memory_gb:.1f} GB less {model_gb} for the model"
    return max(
        1, min(MAX_BATCH[device], int(fitting))
    ), f"{room}, at {window_gb} GB a window; from 1 to {MAX_BATCH[device]}"


def batch_within(sizes: ModelSizes, model: str, device: str, memory_gb: float) -> int:
    """Return how many windows are decoded at once where the model and they may take so much memory; 0 where not one
    fits beside the model."""
    costs = sizes.cpu_cost if device == "cpu" else sizes.gpu_cost
    model_gb, window_gb = costs.get(model, costs[sizes.unknown])
    return max(0, min(MAX_BATCH[device], int((memory_gb - model_gb) / window_gb)))
