#!/usr/bin/env bash
# Lints, type-checks and tests the project; sets up .venv first where there is none.
#
#   ./scripts/test.sh                 everything
#   ./scripts/test.sh tests/pipeline  only these tests (arguments go to pytest)
set -euo pipefail
root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
./scripts/bootstrap.sh --dev --mlx
bin=.venv/bin
if [ $# -eq 0 ]; then
    "$bin/ruff" check .
    "$bin/ruff" format --check .
    "$bin/mypy"
    set -- --numprocesses 2 --dist loadfile # most tests wait for a child process; those of a file share what it makes
fi
export OMP_WAIT_POLICY=PASSIVE KMP_BLOCKTIME=0 # threads of two processes on two cores must not spin
exec "$bin/python" -m pytest "$@"
