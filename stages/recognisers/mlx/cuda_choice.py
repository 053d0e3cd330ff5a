"""The work of `choice.Chooser.next` in two kernels for NVIDIA GPUs.

In MLX's operations it is some hundred of them, each of which costs the CPU 5 microseconds or more, and fusing them
by `mx.compile` costs a second of compilation each, minutes in all. Here the CPU starts two kernels, which take
some 20 microseconds.
"""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from sutradhar.stages.recognisers.mlx.cuda_compiler import Kernel, source

THREADS = 256
RANK_THREADS = 1024


def look(ancestors: mx.array, position: mx.array, column: mx.array) -> tuple[mx.array, mx.array]:
    """Compute the result of `slots.look`."""
    batch, beams, columns = ancestors.shape
    now, mask = LOOK(
        [ancestors, position, column],
        [(ancestors.shape, mx.int8), ((batch, beams, beams * columns), mx.bool_)],
        blocks=batch,
        threads=THREADS,
        constants={"L": beams, "S": columns},
    )
    return now, mask


def rank(
    logits: mx.array, forbidden: mx.array, state: Any, tokens: dict[str, int]
) -> tuple[mx.array, mx.array, mx.array, mx.array]:
    """Find the likeliest tokens that each beam may take, in order, from its logits (B, L, V); a row that has a
    temperature draws one.

    `forbidden` (V,) has bit 0 for a token that is never chosen, bit 1 for one that is never chosen first. Gives
    logits and numbers of the tokens (B, L, K), the log of the sum over all allowed ones (B, L), and the
    probability that nobody speaks (B,).
    """
    batch, beams, size = logits.shape
    best = 1 if beams == 1 else beams + 1
    likely, numbers, total, no_speech = RANK(
        [
            *[logits, forbidden, state.generated, state.start, state.timed],
            *[*state.timestamps, state.temperature, state.sample, state.no_speech],
        ],
        [
            ((batch, beams, best), mx.float32),
            ((batch, beams, best), mx.int32),
            ((batch, beams), mx.float32),
            ((batch,), mx.float32),
        ],
        blocks=batch * beams,
        threads=RANK_THREADS,
        constants={"L": beams, "BEST": best, **tokens},
        scalars=[size],
    )
    return likely, numbers, total, no_speech


def extend(
    likely: mx.array,
    numbers: mx.array,
    total: mx.array,
    state: Any,
    length_penalty: mx.array,
    enough: int,
    context: int,
    tokens: dict[str, int],
) -> list[mx.array]:
    """Compute the fields of the next state that change, in the order of `EXTENDED`, from the results of `rank`."""
    batch, beams = state.token.shape
    columns = state.prompt.shape[1]
    of_slots, of_beams, of_columns = (batch,), (batch, beams), (batch, beams, columns)
    return EXTEND(
        [
            *[
                likely,
                numbers,
                total,
                state.position,
                state.generated,
                state.prompt,
                state.prompt_length,
                state.temperature,
                state.limit,
                state.score,
            ],
            *[
                *state.timestamps,
                state.ancestors,
                state.finished,
                state.text,
                state.best,
                state.best_text,
                state.done,
                length_penalty,
            ],
        ],
        [
            *[(of_beams, mx.int32), (of_slots, mx.int32), (of_slots, mx.int32), (of_beams, mx.float32)],
            *[(of_beams, mx.bool_), (of_beams, mx.bool_), (of_beams, mx.int32)],
            *[(of_columns, mx.int8), (of_slots, mx.int32), (of_columns, mx.int32)],
            *[((batch, 4), mx.float32), ((batch, columns), mx.int32), (of_slots, mx.bool_)],
        ],
        blocks=batch,
        threads=THREADS,
        constants={
            "L": beams,
            "S": columns,
            "BEST": likely.shape[-1],
            "ENOUGH": enough,
            "CONTEXT": context,
            "EOT": tokens["EOT"],
            "TIME": tokens["TIME"],
        },
    )


EXTENDED = (
    *("token", "position", "generated", "score", "last", "before_last", "latest"),
    *("ancestors", "finished", "text", "best", "best_text", "done"),
)

LOOK = Kernel(
    "look",
    ("ancestors", "position", "column"),
    ("now", "mask"),
    source("look"),
)

# One block: one beam. A thread looks at every 1024th token; sums and maxima of text and of timestamps are kept
# apart, because timestamps win where they are likelier together than any text.
RANK = Kernel(
    "rank",
    (
        "logits",
        "forbidden",
        "generated",
        "start",
        "timed",
        "last",
        "before_last",
        "latest",
        "temperature",
        "sample",
        "no_speech",
    ),
    ("likely", "numbers", "total", "no_speech_now"),
    source("rank"),
    scalars=("V",),
)

# One block: one slot. One thread chooses; all move what belongs to the parents.
EXTEND = Kernel(
    "extend",
    (
        *(
            "likely",
            "numbers",
            "total",
            "position",
            "generated",
            "prompt",
            "prompt_length",
            "temperature",
            "limit",
            "score",
        ),
        *(
            "last",
            "before_last",
            "latest",
            "ancestors",
            "finished",
            "text",
            "best",
            "best_text",
            "done",
            "length_penalty",
        ),
    ),
    tuple(f"{name}_next" for name in EXTENDED),
    source("extend"),
)
