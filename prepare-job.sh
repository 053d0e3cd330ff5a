#!/usr/bin/env bash
# Prepares a job: ./prepare-job.sh FILM --transcribe -s hi; --help says more.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"
run_module sutradhar.pipeline.prepare.prepare "$@"
