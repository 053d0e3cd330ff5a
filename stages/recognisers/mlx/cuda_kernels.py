"""The kernels that `cuda` runs; it says what each computes. Their CUDA C++ lies in `kernels/`."""

from __future__ import annotations

from sutradhar.stages.recognisers.mlx.cuda_compiler import Kernel, source

ATTENTION = source("attention")

TENSOR_CORES = source("tensor_cores")

# One block: one head's share of the keys, for all queries of its row.
ATTEND = Kernel(
    "attend",
    ("q", "k", "v", "counters"),
    ("out", "parts"),
    source("attend"),
    ATTENTION,
)

ATTEND_PAST = Kernel(
    "attend_past",
    ("qkv", "k", "v", "column", "mask"),
    ("out",),
    source("attend_past"),
    ATTENTION,
)

# One block: one token.
EMBED = Kernel(
    "embed",
    ("tokens", "positions", "e", "p"),
    ("out",),
    source("embed"),
    scalars=("D",),
)

GELU = Kernel(
    "gelu",
    ("x",),
    ("out",),
    source("gelu"),
    scalars=("pieces",),
)

PLACE = Kernel(
    "place",
    ("k", "v", "new_k", "new_v", "rows"),
    ("mark",),
    source("place"),
    scalars=("pieces",),
)

# One block: 8 * TILES columns of the result, all rows. Its warps share out K in pieces of 32. Of each piece a
# thread reads 16 bytes of a row of `w` and of rows of `x`; any of the 32 numbers may meet in one of the two
# products as long as it is the same for both, so that the 16 bytes need not be spread over the threads as the
# tensor cores number them.
LINEAR = Kernel(
    "linear",
    ("x", "w", "b", "r", "norm_w", "norm_b"),
    ("out",),
    source("linear"),
    TENSOR_CORES,
    scalars=("M", "N", "K"),
)
