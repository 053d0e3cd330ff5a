"""The build of MLX that suits this machine, and a check that the installed one computes there, for
`install-mlx.sh`.

MLX's library comes built for Metal (with the package itself, on a Mac), for CPUs and for CUDA 12 and 13. The one
for CUDA 12 is left out: it pins other versions of NVIDIA's libraries than PyTorch does, so that both cannot be in
one environment.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sutradhar.pipeline.commands import Parser
from sutradhar.pipeline.errors import SutradharError
from sutradhar.pipeline.machine import sizing
from sutradhar.pipeline.machine.hardware import recommend
from sutradhar.pipeline.machine.probe import Probe, probe
from sutradhar.pipeline.processes.ending import code_of, end_with
from sutradhar.stages.recognisers.mlx.about import ABOUT, TOO_NEW

OLDEST_CUDA = 13_000


@dataclass(frozen=True)
class Build:
    device: str
    remedy: str  # the remedy where it does not compute on its device


BUILDS = {
    "metal": Build(
        "mps",
        "MLX needs macOS 14 or newer on a real Apple Silicon machine: update macOS and run ./install-mlx.sh again",
    ),
    "cuda13": Build("cuda", "nvidia-smi must work, with driver 580 or newer: mend that and run ./install-mlx.sh again"),
    "cpu": Build("cpu", "Make the environment anew: scripts/bootstrap.sh --force --mlx"),
}


def choose(facts: Probe) -> tuple[str, str]:
    """Return a key of `BUILDS`, and the reason against a better one. It does not matter if a GPU is in use at the
    moment."""
    nvidia = facts.nvidia
    if facts.system == "Darwin":
        return "metal", ""
    if not nvidia.gpus:
        return (
            "cpu",
            f"the NVIDIA driver does not answer: {nvidia.error or 'it sees no GPU'}"
            if nvidia.adapters
            else "no NVIDIA GPU here",
        )
    if nvidia.cuda < OLDEST_CUDA:
        return (
            "cpu",
            "the one for CUDA needs NVIDIA's driver 580 or newer,"
            f" and this is {nvidia.driver}; update it and run ./install-mlx.sh again",
        )
    if not any(sizing.capability(gpu.compute_capability) >= ABOUT.oldest_capability for gpu in nvidia.gpus):
        needed = ".".join(map(str, ABOUT.oldest_capability))
        return (
            "cpu",
            f"{nvidia.gpus[0].name} has compute capability {nvidia.gpus[0].compute_capability},"
            f" and the one for CUDA needs {needed}",
        )
    return "cuda13", ""


def verify(facts: Probe, build: str) -> str:
    """Return one line that says where MLX multiplied two matrices rightly. Raises SutradharError where it does not
    do so on the build's device."""
    wanted, mlx, machine = BUILDS[build], facts.backends["mlx"], recommend(facts)
    if wanted.device not in mlx.devices:
        fault = mlx.reason or f"it finds only {' and '.join(mlx.devices)}"
        remedy = "" if fault.endswith(TOO_NEW) else f". {wanted.remedy}"
        raise SutradharError(f"MLX does not compute on {wanted.device}: {fault}{remedy}")
    return (
        f"MLX {mlx.version} computes on {wanted.device}: "
        f"{machine.cpu.brand if wanted.device == 'cpu' else machine.gpu_name}"
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = Parser(
        prog="python -m sutradhar.stages.recognisers.mlx.build",
        description="Choose a build of MLX, or verify the installed one.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="choose | verify BUILD")
    commands.add_parser("choose", help="print the build that suits this machine")
    commands.add_parser("verify", help="multiply two matrices").add_argument("build", choices=tuple(BUILDS))
    arguments = parser.parse_args(argv)
    return code_of(lambda: _answer(probe(), arguments))


def _answer(facts: Probe, arguments: argparse.Namespace) -> None:
    if arguments.command == "verify":
        print(f"[INFO] {verify(facts, arguments.build)}", file=sys.stderr)
        return
    build, why_no_better = choose(facts)
    if why_no_better:
        print(f"[INFO] Taking MLX's build for CPUs: {why_no_better}", file=sys.stderr)
    print(build)


if __name__ == "__main__":
    end_with(main)
