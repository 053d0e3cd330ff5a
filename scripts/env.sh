# shellcheck shell=bash
# Sourced by every script here: finds the project and its .venv. Bash 3.2 (macOS) is enough.
#
# A script at the root of the project reads, in full:
#
#   #!/usr/bin/env bash
#   set -euo pipefail
#   source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"
#   run_module pipeline.prepare "$@"

ROOT=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
VENV=$ROOT/.venv

info() { printf '[INFO] %s\n' "$*" >&2; }
warn() { printf '[WARN] %s\n' "$*" >&2; }
die() {
  printf '[ERROR] %s\n' "$*" >&2
  exit 1
}
refuse() {
  printf '[ERROR] %s\n' "$*" >&2
  exit 2
}

# What `python -m` does, but for looking into the working directory first: before 3.11 Python knows no PYTHONSAFEPATH.
RUN_MODULE='import runpy, sys; del sys.path[0], sys.argv[0]; runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)'

# run_module MODULE ARGUMENTS...: become .venv's Python, in the caller's working directory.
run_module() {
  [ -f "$(stamp run)" ] || ! asks_for_help "$@" || help_at_once "$@"
  require_venv
  export PYTHONPATH=$ROOT PYTHONSAFEPATH=1
  if [ -e "$VENV/lib/python3.10" ]; then
    exec "$VENV/bin/python" -c "$RUN_MODULE" "$@"
  fi
  exec "$VENV/bin/python" -m "$@"
}

asks_for_help() {
  local argument
  for argument in "$@"; do
    case $argument in
      --) return 1 ;;
      -h | --help) return ;;
    esac
  done
  return 1
}

# Ends here where the command line needs nothing but a Python, whichever that is; returns where it does.
help_at_once() {
  ! PYTHONPATH=$ROOT "${PYTHON:-python3}" -c "$RUN_MODULE" "$@" 2>/dev/null || exit 0
}

require_venv() {
  if [ ! -f "$(stamp run)" ]; then
    info "First run: setting up .venv (scripts/bootstrap.sh)"
    "$ROOT/scripts/bootstrap.sh" </dev/null
  elif ! is_installed run; then
    warn "requirements/run.txt has changed since .venv was made; run scripts/bootstrap.sh"
  fi
}

# Of each set of packages (run, dev, mlx, mlx-cuda13) the requirements file that was installed is kept in .venv, written last.
stamp() { printf '%s' "$VENV/.installed-$1.txt"; }

is_installed() { cmp -s "$ROOT/requirements/$1.txt" "$(stamp "$1")"; }
