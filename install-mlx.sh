#!/usr/bin/env bash
# Installs the MLX recogniser: ./install-mlx.sh; --help says more.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"

usage() {
  cat <<TEXT
usage: ./install-mlx.sh [--help]

Installs MLX and mlx-whisper into .venv (and makes that first, where there is none), multiplies two matrices on the device
that MLX will use, and looks at the hardware anew, so that prepare-job.sh knows. Run it again at any time: it does only what
is missing, and installs MLX anew where it does not work.

  Apple Silicon, macOS 14 or newer                      Metal
  Linux with an NVIDIA GPU: driver 580 or newer,        CUDA 13, in .venv/mlx-cuda13 (3 GB)
    compute capability 8.0 or newer
  other Linux with glibc 2.35 or newer                  the CPU, where WhisperX stays the default, since it is faster

Jobs that are prepared already keep their backend; ./prepare-job.sh --help says how to change it.

examples:
  ./install-mlx.sh
  PYTHON=/opt/homebrew/bin/python3.12 ./install-mlx.sh      with a Python of your choice, where .venv is to be made
  .venv/bin/python -m sutradhar.pipeline.machine.command                     what was found, and what is recommended

exit codes: 0 installed and computing, 1 it failed and why, 2 MLX does not run on this system, 130 interrupted
TEXT
}

case ${1:-} in
  "") ;;
  -h | --help)
    usage
    exit
    ;;
  *) refuse "Unknown option $1; see ./install-mlx.sh --help" ;;
esac
"$ROOT/scripts/bootstrap.sh" --mlx || {
  code=$?
  warn "MLX was not set up, and ${SUTRADHAR_HOME:-$ROOT}/out/hardware_cache.json was left as it was"
  exit "$code"
}
