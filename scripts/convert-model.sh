#!/usr/bin/env bash
# Makes a model for MLX out of another form: scripts/convert-model.sh base
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"
run_module sutradhar.stages.recognisers.mlx.convert "$@"
