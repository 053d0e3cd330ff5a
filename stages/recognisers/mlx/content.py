"""The faults inside a folder with a Whisper for MLX, as far as they show without loading the weights."""

from __future__ import annotations

from pathlib import Path

from sutradhar.pipeline.errors import UsageError
from sutradhar.pipeline.models.content import dimensions_problem, is_whole_archive, is_whole_safetensors, read_json

WEIGHTS = ("weights.safetensors", "weights.npz")  # the first existing one counts


def content_problem(folder: Path) -> str:
    """Describe in half a sentence the fault of a folder that has its files; empty for none."""
    try:
        config = read_json(folder / "config.json")
        weights = weights_of(folder)
        whole = is_whole_archive(weights) if weights.suffix == ".npz" else is_whole_safetensors(weights)
    except UsageError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"
    if config.get("model_type", "whisper") != "whisper":
        return f"its config.json calls it {config['model_type']!r}, not 'whisper'"
    return dimensions_problem(config) or ("" if whole else f"its {weights.name} is damaged or cut short")


def weights_of(folder: Path) -> Path:
    return next((folder / name for name in WEIGHTS if (folder / name).is_file()), folder / WEIGHTS[0])
