#!/usr/bin/env bash
# Judges subtitles and transcripts by a reference: scripts/evaluate.sh reference.srt film.srt
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"
run_module sutradhar.evaluate "$@"
