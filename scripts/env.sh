# shellcheck shell=bash
# Sourced by every script here: finds the project and its .venv. Bash 3.2 (macOS) is enough.
#
# A script at the root of the project reads, in full:
#
#   #!/usr/bin/env bash
#   set -euo pipefail
#   source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/scripts/env.sh"
#   run_module sutradhar.pipeline.prepare.prepare "$@"

ROOT=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
HOUSE=${SUTRADHAR_HOME:-$ROOT}

# .venv lies beside the code. Where that may not be written, and holds none that may be used, it lies in SUTRADHAR_HOME.
VENV=$ROOT/.venv
if [ ! -w "$ROOT" ] && [ -n "${SUTRADHAR_HOME:-}" ] && ! { [ -f "$VENV/.installed-run.txt" ] && [ -x "$VENV/bin/python" ]; }; then
  VENV=$HOUSE/.venv
fi

say() { printf '[%s] %s\n' "$@" >&2 || :; } # nobody need be there to read it
info() { say INFO "$*"; }
warn() { say WARN "$*"; }
die() {
  say ERROR "$*"
  exit 1
}
refuse() {
  say ERROR "$*"
  exit 2
}

# What `python -m` does, but for looking into the working directory first: before 3.11 Python knows no PYTHONSAFEPATH.
RUN_MODULE='import runpy, sys
del sys.path[0]
module, sys.argv[:2] = sys.argv[1], ["-m"]
runpy.run_module(module, run_name="__main__", alter_sys=True)'

# run_module MODULE ARGUMENTS...: become .venv's Python, in the caller's working directory.
run_module() {
  { [ -f "$(stamp run)" ] && [ -x "$VENV/bin/python" ]; } || ! asks_for "-h --help" "$@" || help_at_once "$@"
  [ -f "$(stamp run)" ] || [ "$1" != sutradhar.pipeline.running.run ] || ! asks_for "--list --status" "$@" || refuse "Nothing is set up yet: run scripts/bootstrap.sh first (about 7 GB), then the same command again"
  require_venv
  [ -x "$VENV/bin/python" ] || refuse_venv
  export PYTHONPATH=$ROOT PYTHONSAFEPATH=1 PYTHONUTF8=1
  local python=("$VENV/bin/python")
  # Python answers Ctrl-C with a traceback while it starts. GNU's env holds it back until pipeline/processes/starting.py can take it.
  ! env --block-signal=INT true 2>/dev/null || python=(env --block-signal=INT "${python[@]}")
  if [ -e "$VENV/lib/python3.10" ]; then
    exec "${python[@]}" -c "$RUN_MODULE" "$@"
  fi
  exec "${python[@]}" -m "$@"
}

# asks_for OPTIONS ARGUMENTS...: whether one of these options is among the arguments.
asks_for() {
  local argument options=" $1 "
  shift
  for argument in "$@"; do
    [ "$argument" != -- ] || return 1
    case $options in
      *" ${argument%%=*} "*) return ;;
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
    SUTRADHAR_ENDS_WITH=$$ "$ROOT/scripts/bootstrap.sh" </dev/null
  elif ! is_installed run; then
    warn "requirements/run.txt has changed since .venv was made; run scripts/bootstrap.sh"
  fi
}

# Of a clone that is shared, the owner's Python may lie in a folder that others cannot enter.
refuse_venv() {
  [ ! -w "$(dirname "$VENV")" ] || refuse "$VENV/bin/python cannot be run: scripts/bootstrap.sh makes .venv anew"
  refuse "$VENV/bin/python may not be run by you: set SUTRADHAR_HOME to a folder of your own (export SUTRADHAR_HOME=~/sutradhar), and run the same command again"
}

# Of each set of packages (run, dev, mlx, mlx-cuda13) the requirements file that was installed is kept in .venv, written last.
stamp() { printf '%s' "$VENV/.installed-$1.txt"; }

is_installed() { cmp -s "$ROOT/requirements/$1.txt" "$(stamp "$1")"; }
