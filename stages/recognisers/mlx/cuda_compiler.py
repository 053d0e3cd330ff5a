"""CUDA kernels of our own for MLX, compiled by NVIDIA's run-time compiler (NVRTC), which MLX brings along.

MLX could compile them itself (`mx.fast.cuda_kernel`), but includes headers that take 1.4 seconds a kernel in every
process; without them it is a tenth of a second.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import mlx.core as mx

LIBRARIES = ("libnvrtc.so.13", "libnvrtc.so.12")
TYPES = {
    mx.float16: "__half",
    mx.bfloat16: "__nv_bfloat16",
    mx.float32: "float",
    mx.int32: "int",
    mx.int8: "signed char",
    mx.uint8: "unsigned char",
    mx.bool_: "bool",
}
INCLUDES = "#include <cuda_fp16.h>\n#include <cuda_bf16.h>\n#define INFINITY __int_as_float(0x7f800000)\n"


def source(name: str) -> str:
    """Return a text of `kernels/`: the body of a kernel, or a part that several share."""
    text = (Path(__file__).parent / "kernels" / f"{name}.cu").read_text(encoding="utf-8")
    return f"\n{text}"


@dataclass(frozen=True)
class Kernel:
    """A kernel: `source` is the body of the function, `header` the text before it. Its parameters are the inputs,
    the outputs, and int `scalars`."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    source: str
    header: str = ""
    scalars: tuple[str, ...] = ()

    def __call__(
        self,
        inputs: Sequence[mx.array],
        outputs: Sequence[tuple[Sequence[int], mx.Dtype]],
        *,
        blocks: int,
        threads: int,
        constants: Mapping[str, int | mx.Dtype],
        scalars: Sequence[int] = (),
    ) -> list[mx.array]:
        """Run it: `outputs` are shapes and types, `constants` are known to the compiler, so that each set of them
        is compiled once. Raises RuntimeError where the compiler is missing or fails."""
        cubin = _compiled(
            self, tuple(array.dtype for array in inputs), tuple(dtype for _, dtype in outputs), tuple(constants.items())
        )
        found: list[mx.array] = mx.fast.precompiled_cuda_kernel(
            name=self.name,
            compiled_source=cubin,
            inputs=inputs,
            output_shapes=[tuple(shape) for shape, _ in outputs],
            output_dtypes=[dtype for _, dtype in outputs],
            scalars=list(scalars),
            grid=(blocks * threads, 1, 1),
            threadgroup=(threads, 1, 1),
            ensure_row_contiguous=True,
        )
        return found

    def code(
        self, inputs: Sequence[mx.Dtype], outputs: Sequence[mx.Dtype], constants: Sequence[tuple[str, int | mx.Dtype]]
    ) -> str:
        """Return the whole program in CUDA C++."""
        parameters = [
            *(f"const {TYPES[dtype]}* {name}" for name, dtype in zip(self.inputs, inputs, strict=True)),
            *(f"{TYPES[dtype]}* {name}" for name, dtype in zip(self.outputs, outputs, strict=True)),
            *(f"int {name}" for name in self.scalars),
        ]
        known = [
            f"using {name} = {TYPES[value]};"
            if isinstance(value, mx.Dtype)
            else f"constexpr int {name} = {int(value)};"
            for name, value in constants
        ]
        head = f'extern "C" __global__ void {self.name}({", ".join(parameters)})'
        return "\n".join([INCLUDES, self.header, head, "{", *known, self.source, "}"])


@cache
def _compiled(
    kernel: Kernel, inputs: tuple[Any, ...], outputs: tuple[Any, ...], constants: tuple[tuple[str, Any], ...]
) -> bytes:
    facts = mx.device_info()
    return compile_cuda(
        kernel.code(inputs, outputs, constants),
        f"sm_{facts['compute_capability_major']}{facts['compute_capability_minor']}",
    )


def compile_cuda(code: str, architecture: str) -> bytes:
    """Return machine code (cubin). Raises RuntimeError with the compiler's message."""
    library, headers = _library(), _headers()
    program = ctypes.c_void_p()
    _check(library, library.nvrtcCreateProgram(ctypes.byref(program), code.encode(), b"sutradhar.cu", 0, None, None))
    try:
        options = [
            f"--gpu-architecture={architecture}".encode(),
            b"--std=c++17",
            b"-default-device",
            f"--include-path={headers}".encode(),
        ]
        if library.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options)):
            raise RuntimeError(
                f"CUDA's compiler failed: {_read(library, program, 'ProgramLog').decode(errors='replace')}"
            )
        return _read(library, program, "CUBIN")
    finally:
        library.nvrtcDestroyProgram(ctypes.byref(program))


def _read(library: Any, program: ctypes.c_void_p, what: str) -> bytes:
    size = ctypes.c_size_t()
    _check(library, getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    data = ctypes.create_string_buffer(size.value)
    _check(library, getattr(library, f"nvrtcGet{what}")(program, data))
    return data.raw


def _check(library: Any, result: int) -> None:
    if result:
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise RuntimeError(f"CUDA's compiler failed: {library.nvrtcGetErrorString(result).decode()}")


@lru_cache
def _library() -> Any:
    """Return the library that MLX has loaded."""
    for name in LIBRARIES:
        try:
            return ctypes.CDLL(name, mode=os.RTLD_NOLOAD)
        except OSError:
            continue
    raise RuntimeError(f"MLX has not loaded CUDA's compiler ({' or '.join(LIBRARIES)})")


@lru_cache
def _headers() -> Path:
    """Find the headers where MLX looks for them too: beside it, where its wheels put them, and in an installed
    CUDA."""
    packages = Path(mx.__file__).parent.parent
    places = [packages / "nvidia" / part / "include" for part in ("cu13", "cuda_runtime")]
    places += [Path(os.environ[name]) / "include" for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ]
    for place in (*places, Path("/usr/local/cuda/include")):
        if (place / "cuda_fp16.h").is_file():
            return place
    raise RuntimeError("CUDA's headers are not there (cuda_fp16.h): install nvidia-cuda-runtime, or set CUDA_HOME")
