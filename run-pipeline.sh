#!/usr/bin/env bash
# Runs prepared jobs: ./run-pipeline.sh -j JOB; --help says more.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"
run_module sutradhar.pipeline.running.run "$@"
