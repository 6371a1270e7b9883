#!/usr/bin/env bash
# Jobs at once, each in a slot of its own: JOB='make test' parallel-jobs.sh MC-1 MC-2 MC-3
# Whatever happens - a job fails, Ctrl-C, this script is killed - every slot is given back.
set -euo pipefail
pids=()
stop() { kill "${pids[@]}" 2>/dev/null || true; wait || true; }
trap stop EXIT
for key in "$@"; do
  worktree-pool run --key "$key" --with-parent -- sh -c "$JOB" &
  pids+=("$!")
done
failed=0
for pid in "${pids[@]}"; do
  wait "$pid" || failed=1
done
exit "$failed"
