"""The CUDA C++ of kernels, which lies in files beside the module: put together as it is, without a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mlx_whisper", reason="MLX is not installed: ./install-mlx.sh")

import mlx.core as mx

from sutradhar.stages.recognisers.mlx import cuda_choice, cuda_compiler, cuda_kernels

KERNELS = Path(cuda_compiler.__file__).parent / "kernels"


def test_every_file_is_a_kernel_or_what_kernels_share() -> None:
    found = [
        kernel
        for module in (cuda_kernels, cuda_choice)
        for kernel in vars(module).values()
        if isinstance(kernel, cuda_compiler.Kernel)
    ]
    names = {kernel.name for kernel in found}
    assert names == {"attend", "attend_past", "embed", "gelu", "linear", "look", "place", "rank", "extend"}
    assert {path.stem for path in KERNELS.glob("*.cu")} == names | {"attention", "tensor_cores"}


def test_a_kernel_is_its_header_its_constants_and_its_file() -> None:
    code = cuda_kernels.EMBED.code([mx.int32, mx.int32, mx.float16, mx.float16], [mx.float16], [("T", mx.float16)])
    head = 'extern "C" __global__ void embed(const int* tokens, const int* positions, const __half* e, const __half* p, __half* out, int D)'
    body = (KERNELS / "embed.cu").read_text()
    assert code == f"{cuda_compiler.INCLUDES}\n\n{head}\n{{\nusing T = __half;\n\n{body}\n}}"
