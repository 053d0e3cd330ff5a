"""How many windows fit into memory at once."""

from __future__ import annotations

import mlx.core as mx
import psutil

from stages.asr.mlx.network import Network

SHARE = 0.7  # of what is free; the rest is for other programs and what is not counted here
MOST = {"cuda": 48, "mps": 16, "cpu": 8}  # more slots gain little
ENCODER_COPIES = 12  # of a window's features that an encoder layer holds at once, the widened ones counted as four
ALIGNED_AT_ONCE = 8  # windows whose words are timed together
ALIGN_COPIES = 13  # of the scores; measured with base
ALIGNED_TOKENS = 256  # the most that a text and its start have, rounded up


def slot_bytes(network: Network, beams: int, columns: int) -> int:
    """One slot: keys and values of the sound (1500 frames) and of the past of each beam in every layer; float32 logits while a token is chosen."""
    dims = network.dims
    keys_and_values = 2 * dims.n_text_layer * (network.frames + beams * columns) * dims.n_text_state * network.dtype.size
    return int(keys_and_values + 8 * beams * dims.n_vocab * 4)


def encoder_bytes(network: Network) -> int:
    """One window in the encoder."""
    return int(ENCODER_COPIES * network.frames * network.dims.n_audio_state * network.dtype.size)


def align_bytes(network: Network) -> int:
    """One window whose words are timed: its scores of the sound, float32, and what is made of them on the way."""
    return int(ALIGN_COPIES * len(network.alignment_heads) * ALIGNED_TOKENS * network.frames * 4)


def fitting_slots(network: Network, device: str, beams: int, columns: int) -> int:
    """Windows to decode at once: `SHARE` of the free memory, less what word times take, over what a slot, its window in the encoder and
    its two successors take."""
    waiting = 3 * network.frames * network.dims.n_audio_state * network.dtype.size
    need = slot_bytes(network, beams, columns) + encoder_bytes(network) + waiting
    room = SHARE * free_bytes(device) - ALIGNED_AT_ONCE * align_bytes(network)
    return max(1, min(MOST[device], int(room // need)))


def free_bytes(device: str) -> int:
    """What MLX may still take, with the model loaded."""
    if device == "cpu":
        return int(psutil.virtual_memory().available)
    facts = mx.device_info()
    if device == "cuda":
        return int(facts["free_memory"])
    return int(facts["max_recommended_working_set_size"]) - int(mx.get_active_memory())
