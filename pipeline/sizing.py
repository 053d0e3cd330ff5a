"""What fits into so much memory: model, number format and batch size, each with its reason.

Sizes are in GB of 2**30 bytes, as memory is sold. The limits and the costs of a batch on a GPU are those that users of
cp-whisperx-app know; the costs on a CPU were measured.
"""

from __future__ import annotations

# A machine sold with 16 GB shows as little as 15.1: firmware and built-in graphics keep the rest.
SOLD_AS = 0.94
MODELS_BY_GPU_MEMORY = (("large-v3", 6), ("medium", 4), ("base", 0))  # GB of GPU memory, biggest first
MODELS_BY_MEMORY = (("large-v3", 16), ("medium", 8), ("base", 0))  # GB of RAM

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
BIGGEST = "large-v3"  # stands in for models that the tables do not know
MAX_BATCH = {"cuda": 32, "mps": 16, "cpu": 8}  # a CPU gains nothing past 8

Capability = tuple[int, ...]  # of an NVIDIA GPU: (8, 6)
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


def choose_model(device: str, memory_gb: float) -> tuple[str, str]:
    """The biggest model for so much of the device's memory."""
    table = MODELS_BY_MEMORY if device == "cpu" else MODELS_BY_GPU_MEMORY
    fitting = [(model, needed) for model, needed in table if memory_gb >= SOLD_AS * needed]
    too_big = [(model, needed) for model, needed in table if memory_gb < SOLD_AS * needed]
    model, needed = too_big[-1] if too_big else fitting[0]
    advice = "; slow on a CPU, smaller models are faster" if device == "cpu" and fitting[0][0] != "base" else ""
    return fitting[0][0], f"{memory_gb:.1f} GB of memory; {model} needs {needed}{advice}"


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
