"""The memory that decoding takes, and the number of windows that fit into it at once."""

from __future__ import annotations

import mlx.core as mx
import psutil

from sutradhar.stages.recognisers.mlx.network import PROJECTED_AT_ONCE, Network

SHARE = 0.7  # of the free memory; the rest is for other programs and all that is not counted here
MOST = {"cuda": 48, "mps": 16, "cpu": 8}  # slots; more gain little
ENCODER_COPIES = (
    34  # of a window's features that two encoder layers make, the widened ones counted as four: MLX frees one late
)
SCORE_COPIES = 2  # of the scores that frames give each other, where attention is no fused kernel
ENCODED_AT_ONCE = 16  # windows; more are no faster on any GPU
ALIGNED_AT_ONCE = 8  # windows whose words are timed together
WAITING = 3  # windows for each slot whose features are kept: the one in it and its successors
ALIGNED_TOKENS = 768  # tokens of all of them together
LONGEST_TEXT = 256  # tokens of one, with its start
ALIGN_COPIES = 17  # of the scores that their tokens give the sound
LIKELY_COPIES = 2  # of the scores that their tokens give all others


def slot_bytes(network: Network, beams: int, columns: int) -> int:
    """Count the bytes of one slot: keys and values of the sound (1500 frames) and of the past of each beam in
    every layer; float32 logits while a token is chosen."""
    return _keys_and_values_bytes(network, network.frames + beams * columns) + 8 * beams * int(network.dims.n_vocab) * 4


def _keys_and_values_bytes(network: Network, count: int) -> int:
    return int(2 * network.dims.n_text_layer * count * network.dims.n_text_state * network.dtype.size)


def encoder_bytes(network: Network) -> int:
    """Count the bytes of one window in the encoder."""
    dims, size = network.dims, network.dtype.size
    scores = 0 if _is_fused(network) else SCORE_COPIES * dims.n_audio_head * network.frames**2 * size
    return int(ENCODER_COPIES * network.frames * dims.n_audio_state * size + scores)


def _is_fused(network: Network) -> bool:
    """Tell whether MLX has an attention kernel for as many queries: on Metal, and for half precision on CUDA."""
    return bool(mx.metal.is_available() or network.dtype != mx.float32) and mx.default_device() == mx.Device(mx.gpu)


def align_bytes(network: Network, windows: int) -> int:
    """Count the bytes of words timed together: keys and values of the sound, and of each token its float32 scores
    of the sound and of all tokens, with the copies of them on the way."""
    token = 4 * (ALIGN_COPIES * len(network.alignment_heads) * network.frames + LIKELY_COPIES * network.dims.n_vocab)
    return int(
        windows * _keys_and_values_bytes(network, network.frames) + min(windows * LONGEST_TEXT, ALIGNED_TOKENS) * token
    )


def decoding_bytes(network: Network, slots: int, beams: int, columns: int) -> int:
    """Count the most that decoding takes beside the weights: the slots with the features that wait for them, and
    the passing arrays while windows are encoded, their sound is put into slots, and their words are timed."""
    features = network.frames * network.dims.n_audio_state * network.dtype.size
    held = slots * (slot_bytes(network, beams, columns) + WAITING * features)
    encoding = min(slots, ENCODED_AT_ONCE) * encoder_bytes(network)
    filling = min(slots, PROJECTED_AT_ONCE) * _keys_and_values_bytes(network, network.frames)
    aligning = align_bytes(network, min(slots, ALIGNED_AT_ONCE))
    return int(held + encoding + filling + aligning)


def fitting_slots(network: Network, device: str, beams: int, columns: int) -> int:
    """Count the windows to decode at once, so that they take no more than `SHARE` of the free memory; at least
    one."""
    room = SHARE * free_bytes(device)
    return next(
        (slots for slots in range(MOST[device], 1, -1) if decoding_bytes(network, slots, beams, columns) <= room), 1
    )


def keep_to(limit: int) -> None:
    """Let MLX wait for work on its way, whose memory it holds until it is done, before it takes more than `limit`
    bytes. On a GPU it would otherwise run ahead by gigabytes. It still takes what work needs at the same time."""
    mx.set_memory_limit(limit)


def free_bytes(device: str) -> int:
    """Count the bytes that MLX may still take, with the model loaded."""
    if device == "cpu":
        return int(psutil.virtual_memory().available)
    facts = mx.device_info()
    if device == "cuda":
        return int(facts["free_memory"])
    return int(facts["max_recommended_working_set_size"]) - int(mx.get_active_memory())
