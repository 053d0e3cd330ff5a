#!/usr/bin/env bash
# Pins requirements/*.in into requirements/*.txt with the hashes of every file, for Python 3.10 to 3.13 on Linux (x86_64,
# aarch64) and macOS (arm64), and sees that they can be had on each. What is pinned stays as it is; give --upgrade, or
# --upgrade-package NAME, to move on.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"

cd "$ROOT/requirements"
nowhere=$(mktemp -d)
trap 'rm -rf "$nowhere"' EXIT
export PATH=$VENV/bin:$PATH MACOSX_DEPLOYMENT_TARGET=14.0

lock() {
  info "Pinning $1.txt"
  uv pip compile --quiet --universal --generate-hashes --python-version 3.10 --no-python-downloads --no-header --no-annotate --no-emit-index-url \
    --output-file "$1.txt" "$1.in" "${@:2}"
}

# check SET OPTIONS...: only built from source where the options say so.
check() {
  local platform python
  for platform in x86_64-manylinux_2_35 aarch64-manylinux_2_35 aarch64-apple-darwin; do
    for python in 3.10 3.11 3.12 3.13; do
      uv pip install --quiet --dry-run --require-hashes --only-binary :all: "${@:2}" --target "$nowhere" --python-platform "$platform" --python-version "$python" \
        --requirement "$1.txt" || die "$1.txt cannot be installed on $platform with Python $python"
    done
  done
}

lock run --constraint eval.in "$@" # one version of what both need
lock eval --constraint run.txt "$@"
lock dev --constraint run.txt --constraint eval.txt "$@"
for set in mlx mlx-cuda13 ray build; do
  lock "$set" --constraint run.txt "$@"
done
lock uv "$@"
check run --no-binary indictranstoolkit # it has no wheel for Linux on ARM
check eval --no-binary text2num         # it has none for Python 3.10 on macOS
check dev --no-binary text2num
for set in mlx mlx-cuda13 ray uv; do
  check "$set"
done
