#!/usr/bin/env bash
# Fetches a model into models/: scripts/get-model.sh large-v3
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"
run_module sutradhar.pipeline.models.command fetch "$@"
