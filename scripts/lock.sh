#!/usr/bin/env bash
# Pins requirements/*.in into requirements/*.txt, for Python 3.10 to 3.13 on Linux and macOS. What is pinned stays as it
# is; give --upgrade, or --upgrade-package NAME, to move on.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"

cd "$ROOT/requirements"
lock() {
  info "Pinning $1.txt"
  PATH=$VENV/bin:$PATH uv pip compile --quiet --universal --python-version 3.10 --no-python-downloads --no-header --no-annotate --no-emit-index-url \
    --output-file "$1.txt" "$1.in" "${@:2}"
}
lock run "$@"
lock dev --constraint run.txt "$@"
lock mlx --constraint run.txt "$@"
lock mlx-cuda13 --constraint run.txt "$@"
lock ray --constraint run.txt "$@"
