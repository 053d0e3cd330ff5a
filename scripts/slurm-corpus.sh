#!/usr/bin/env bash
# Runs a prepared job of a folder of recordings on a SLURM cluster: one worker a GPU, as an array job.
#
#   job=$(srun --gpus=1 ./prepare-job.sh /shared/calls --transcribe -s en)   # where it can see what a GPU has room for
#   ./scripts/slurm-corpus.sh "$job" 16                                      # 16 GPUs
#   ./scripts/slurm-corpus.sh "$job" 16 --partition=gpu --time=4:00:00       # further options go to sbatch
#
# The project, the recordings and jobs/ must be on a file system that all nodes see. First the folder is scanned, here; then
# come the array job, and after it a last one that does what a lost node left, and writes the report. To go on later, run it again.
set -euo pipefail
# shellcheck source=scripts/env.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/env.sh"
if [ $# -lt 2 ] || [ "$1" = --help ]; then
  sed -n '2,/^set/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//'
  exit $(($# < 2 && ! $# == 0 ? 2 : 0))
fi
job=$1 count=$2
shift 2
[[ $job =~ ^[a-z0-9][a-z0-9-]*$ ]] || refuse "$job is no job id"
[[ $count =~ ^[1-9][0-9]*$ ]] || refuse "$count is no number of GPUs"
command -v sbatch >/dev/null || refuse "There is no sbatch here: run this where SLURM jobs are submitted"
require_venv
[ -d "${SUTRADHAR_HOME:-$ROOT}/jobs/$job" ] || refuse "No job $job; ./run-pipeline.sh --list shows what there is"

"$ROOT/run-pipeline.sh" -j "$job" --until scan
log=${SUTRADHAR_HOME:-$ROOT}/jobs/$job/logs
export PYTHONPATH=$ROOT PYTHONSAFEPATH=1
array=$(sbatch --parsable --job-name "sutradhar-$job" --array="0-$((count - 1))" --gpus-per-task=1 --ntasks=1 --requeue --signal=B:TERM@60 \
  --output "$log/slurm-%A-%a.log" "$@" --wrap "exec '$VENV/bin/python' -m sutradhar.stages.corpus.recognise.shard '$job' \$SLURM_ARRAY_TASK_ID $count")
last=$(sbatch --parsable --job-name "sutradhar-$job-report" --dependency="afterany:$array" --gpus-per-task=1 --ntasks=1 \
  --output "$log/slurm-%A.log" "$@" --wrap "exec '$ROOT/run-pipeline.sh' -j '$job'")
info "Array job $array, and $last after it; ./run-pipeline.sh --status $job tells when it is done"
