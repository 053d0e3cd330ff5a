#!/usr/bin/env bash
# Sets Sutradhar up; see --help. What it says goes to stderr: prepare-job.sh, which may call it, prints only a job id.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"

NEEDED_GB=10

usage() {
  cat <<TEXT
usage: scripts/bootstrap.sh [--eval] [--dev] [--mlx] [--force] [--help]

Makes .venv with everything that Sutradhar needs, fetches the starter model and a detector of speech, and looks at this
machine's hardware. Run it again at any time: it does only what is missing, repairs what was interrupted, and looks at
the hardware anew.

  --eval    also install what \`sutradhar eval\` needs
  --dev     also install what the tests need, that of --eval among it
  --mlx     also install the MLX recogniser, as ./install-mlx.sh does, whose --help says more
  --force   throw .venv away and make it anew

needs: Linux, or macOS on Apple Silicon; Python 3.10 to 3.13; $NEEDED_GB GB of disk; a Python package registry
examples:
  scripts/bootstrap.sh
  PYTHON=/opt/python3.12/bin/python3 scripts/bootstrap.sh      with a Python of your choice
TEXT
}

main() {
  local eval="" dev="" mlx="" mlx_build="" force="" python argument again mlx_is_new=""
  for argument in "$@"; do
    case $argument in
      --eval) eval=1 ;;
      --dev) dev=1 ;;
      --mlx) mlx=asked ;;
      --force) force=1 ;;
      -h | --help)
        usage
        exit
        ;;
      *) refuse "Unknown option $argument; see scripts/bootstrap.sh --help" ;;
    esac
  done
  exec >&2
  again="the same command"
  [ "$*" != --mlx ] || again=./install-mlx.sh # which calls this
  trap interrupted INT
  [ -z "$mlx" ] || check_system_for_mlx
  require_writable
  if [ ! -w "$(dirname "$VENV")" ]; then
    use_shared_venv
    look_around
    return
  fi
  python=$(find_python)
  one_at_a_time "$python" "$@"
  [ ! -f "$(stamp eval)" ] || eval=1
  [ ! -f "$(stamp dev)" ] || dev=1
  [ ! -f "$(stamp mlx)" ] || mlx=${mlx:-kept}
  [ ! -f "$(stamp mlx-cuda13)" ] || mlx_build=cuda13
  make_venv "$python" "$force"
  install_packages run "packages (about 7 GB with PyTorch; 1 to 5 minutes)"
  [ -z "$eval" ] || install_packages eval "what judges transcripts"
  [ -z "$dev" ] || install_packages dev "what the tests need"
  if [ -n "$mlx" ]; then
    install_packages mlx "the MLX recogniser"
    [ "$mlx" = kept ] || mlx_build=$(run_module sutradhar.stages.recognisers.mlx.build choose)
    install_mlx_build "$mlx_build"
    [ "$mlx" = kept ] || verify_mlx "$mlx_build"
  fi
  look_around
}

look_around() {
  (run_module sutradhar.pipeline.models.command fetch base) >/dev/null || warn "Going on without the starter model; fetch a model later with scripts/get-model.sh"
  (run_module sutradhar.pipeline.models.command fetch segmentation-3.0) >/dev/null || warn "Going on without it: speech is found by Silero alone; fetch it later with scripts/get-model.sh segmentation-3.0"
  (run_module sutradhar.pipeline.machine.command --write "$HOUSE/out/hardware_cache.json")
  info "Ready. Next: ./prepare-job.sh FILM --transcribe -s LANGUAGE"
}

require_writable() {
  mkdir -p "$HOUSE/out" 2>/dev/null || true
  if [ ! -w "$HOUSE/out" ] || { [ ! -w "$(dirname "$VENV")" ] && [ -z "${SUTRADHAR_HOME:-}" ]; }; then
    refuse "$HOUSE may not be written by you, and packages, jobs and results go there: set SUTRADHAR_HOME to a folder of your own (export SUTRADHAR_HOME=~/sutradhar), and run the same command again"
  fi
}

# The clone is somebody else's, and so is the .venv in it; only its owner can change it.
use_shared_venv() {
  [ -z "$force" ] && is_installed run && { [ -z "$eval" ] || is_installed eval || is_installed dev; } && { [ -z "$dev" ] || is_installed dev; } && { [ -z "$mlx" ] || is_installed mlx; } ||
    refuse "$VENV is not yours, and lacks what was asked for: whoever owns $ROOT has to run $again there"
  info "Using the packages in $VENV, which is not yours"
}

# --- Python

find_python() {
  local candidate candidates
  candidates=(python3.12 python3.11 python3.13 python3.10 python3)
  [ -z "${PYTHON:-}" ] || candidates=("$PYTHON")
  for candidate in "${candidates[@]}"; do
    # Asked, not looked up: a name on PATH may be a shim with no Python behind it.
    if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      check_processor "$candidate"
      command -v "$candidate"
      return
    fi
  done
  [ -z "${PYTHON:-}" ] || die "PYTHON=$PYTHON cannot be used ($("$PYTHON" --version 2>&1 | tail -n 1)): it must be a Python from 3.10 to 3.13"
  die "No Python 3.10 to 3.13 found (tried ${candidates[*]}). Install one (apt-get install python3 python3-venv, brew install python@3.12), or set PYTHON=/path/to/python3"
}

check_processor() {
  [ "$(uname -s)" = Darwin ] || return 0
  [ "$("$1" -c 'import platform; print(platform.machine())')" = arm64 ] ||
    die "$1 is made for Intel Macs, which PyTorch supports no more. On Apple Silicon install an arm64 Python (brew install python@3.12) and set PYTHON to it"
}

# Start this script over under an exclusive lock. The lock is an inherited file descriptor: it ends with this script and
# the installers that it started, however they end. macOS has no flock(1).
one_at_a_time() {
  if [ -n "${SUTRADHAR_BOOTSTRAP_LOCKED:-}" ]; then
    unset SUTRADHAR_BOOTSTRAP_LOCKED
    return
  fi
  exec "$1" -c '
import ctypes, fcntl, os, signal, sys
parent = os.environ.pop("SUTRADHAR_ENDS_WITH", "")
if parent and sys.platform == "linux":  # set up for a command: without that nobody wants it any more
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != int(parent):
        sys.exit(1)
for number in signal.SIGINT, signal.SIGPIPE:
    signal.signal(number, signal.SIG_DFL)
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("[INFO] Another bootstrap is running; waiting for it", file=sys.stderr, flush=True)
    fcntl.flock(lock, fcntl.LOCK_EX)
os.set_inheritable(lock, True)
os.environ["SUTRADHAR_BOOTSTRAP_LOCKED"] = "1"
os.execvp("bash", ["bash", *sys.argv[2:]])
' "$HOUSE/out/.bootstrap.lock" "$ROOT/scripts/bootstrap.sh" "${@:2}"
}

# --- .venv; while anything is written into it, it holds a file .installing

make_venv() {
  local python=$1 force=$2
  if [ -n "$force" ]; then
    info "Removing .venv"
    rm -rf "$VENV"
  elif [ -e "$VENV/.installing" ]; then
    info "The last set-up was interrupted; making .venv anew"
    rm -rf "$VENV"
  elif [ -e "$VENV" ] && ! "$VENV/bin/python" -c '' 2>/dev/null; then
    info ".venv does not work; making it anew"
    rm -rf "$VENV"
  fi
  [ ! -e "$VENV" ] || return 0
  check_disk "$NEEDED_GB"
  info "Making .venv with $("$python" --version)"
  mkdir "$VENV"
  touch "$VENV/.installing"
  "$python" -m venv "$VENV" ||
    die "$python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv; then run scripts/bootstrap.sh again"
}

check_disk() {
  local free_gb
  free_gb=$(df -Pk "$(dirname "$VENV")" | awk 'NR == 2 { print int($4 / 1048576) }')
  [ "$free_gb" -ge "$1" ] || die "Only $free_gb GB are free in $(dirname "$VENV"), and the set-up needs $1. Make room, then run the same command again"
}

# install_packages SET DESCRIPTION
install_packages() {
  if ! is_installed "$1"; then
    info "Installing $2 ..."
  elif is_whole "$1"; then
    return
  else
    info "Packages are missing in .venv; putting them back ..."
  fi
  [ "$1" != mlx ] || mlx_is_new=1
  touch "$VENV/.installing"
  install_requirements "$ROOT/requirements/$1.txt"
  cp "$ROOT/requirements/$1.txt" "$(stamp "$1")"
  rm "$VENV/.installing"
}

# is_whole SET: whether all of it is still there; uv says so without the network, and where it is not here, nobody asks.
is_whole() {
  local said
  [ -x "$VENV/bin/uv" ] || return 0
  said=$("$VENV/bin/uv" pip install --dry-run --offline --no-deps --no-config --python "$VENV/bin/python" -r "$ROOT/requirements/$1.txt" 2>&1) || return 1
  case $said in *"Would make no changes"*) ;; *) return 1 ;; esac
}

# install_requirements FILE OPTIONS...: scripts/install.py says what went wrong.
install_requirements() {
  "$VENV/bin/python" "$ROOT/scripts/install.py" "$VENV" "$@" || installation_failed $?
}

# Installers change nothing until they have everything, so a .venv that worked still does.
installation_failed() {
  [ "$1" != 130 ] || interrupted
  [ ! -f "$(stamp run)" ] || rm -f "$VENV/.installing"
  exit 1
}

# MLX's set and that for tests only add to what works.
interrupted() {
  ! is_installed run || rm -f "$VENV/.installing"
  printf '[ERROR] Interrupted; run %s again to go on\n' "$again" >&2
  exit 130
}

# --- MLX

# What MLX's wheels are made for.
check_system_for_mlx() {
  local version
  case $(uname -s) in
    Darwin)
      [ "$(sysctl -n hw.optional.arm64 2>/dev/null)" = 1 ] || refuse "MLX needs Apple Silicon, and this Mac has an Intel processor; nothing was installed"
      version=$(sw_vers -productVersion)
      [ "${version%%.*}" -ge 14 ] || refuse "MLX needs macOS 14 or newer, and this is $version. Update macOS, then run the same command again"
      ;;
    Linux)
      version=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ print $2 }') || version=""
      [ -n "$version" ] || refuse "MLX's wheels need glibc, which this Linux does not use; take Ubuntu 22.04, Debian 12 or newer"
      newer_or_same "$version" 2.35 || refuse "MLX's wheels need glibc 2.35 (Ubuntu 22.04, Debian 12), and this is $version. WhisperX works without MLX"
      case $(uname -m) in
        x86_64 | aarch64) ;;
        *) refuse "MLX has no wheels for processors of the kind $(uname -m), only for x86_64 and aarch64. WhisperX works without MLX" ;;
      esac
      ;;
    *) refuse "MLX runs on macOS and Linux; on Windows use WSL 2 with Ubuntu 22.04 or newer" ;;
  esac
}

newer_or_same() { [ "$(printf '%s\n' "$1" "$2" | sort -t. -k1,1n -k2,2n | head -n 1)" = "$2" ]; }

# verify_mlx BUILD: where an MLX that was installed some time ago does not compute, it may be damaged, and is put in anew once.
verify_mlx() {
  local said
  if [ -z "$mlx_is_new" ]; then
    if said=$(run_module sutradhar.stages.recognisers.mlx.build verify "$1" 2>&1); then
      printf '%s\n' "$said"
      return
    fi
    info "The MLX that is installed does not work; installing it anew ..."
    reinstall_mlx "$1"
  fi
  (run_module sutradhar.stages.recognisers.mlx.build verify "$1")
}

# reinstall_mlx BUILD: MLX's own packages alone; those that they need are shared with others.
reinstall_mlx() {
  local requirements=$VENV/.mlx-alone.txt
  awk '/^[^ ]/ { keep = /^mlx/ } keep' "$ROOT/requirements/mlx.txt" >"$requirements" # a pin and the hashes below it
  touch "$VENV/.installing"
  install_requirements "$requirements" --no-deps --again
  rm -f "$VENV/.installing" "$(stamp mlx-cuda13)"
  install_mlx_build "$1"
}

# install_mlx_build BUILD: the set mlx holds the builds for Metal and for CPUs. The one for CUDA lies in a folder of its own with its CUDA 13 libraries:
# in site-packages, its cuDNN and NCCL would take the place of those for CUDA 12 that PyTorch and CTranslate2 use.
install_mlx_build() {
  local folder=$VENV/mlx-cuda13 site
  for site in "$VENV"/lib/python3.*/site-packages; do
    break
  done
  if [ "$1" != cuda13 ]; then
    rm -rf "$folder" "$site/mlx-cuda13.pth" "$(stamp mlx-cuda13)"
    return
  fi
  ! is_installed mlx-cuda13 || return 0
  mlx_is_new=1
  check_disk 5
  info "Installing MLX's build for CUDA 13 (3 GB) ..."
  rm -rf "$folder.new" "$(stamp mlx-cuda13)"
  install_requirements "$ROOT/requirements/mlx-cuda13.txt" --no-deps --target "$folder.new"
  rm -rf "$folder"
  mv "$folder.new" "$folder"
  # Before site-packages, so that this mlx comes first; the folder nvidia in it is no package, and hides none.
  printf 'import sys; sys.path.insert(0, sys.prefix + "/mlx-cuda13")\n' >"$site/mlx-cuda13.pth"
  cp "$ROOT/requirements/mlx-cuda13.txt" "$(stamp mlx-cuda13)"
}

main "$@"
