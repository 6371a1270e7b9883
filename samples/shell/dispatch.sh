#!/usr/bin/env bash
# Works every script TICKETS/*.sh in a slot of the pool that WORKTREE_POOL names, as many at once as there are slots, each to its end.
#   dispatch.sh TICKETS
set -euo pipefail
tickets=$(cd "$1" && pwd)
export tickets
mkdir -p "$tickets/done"

work() {
  # Waits for a slot; the slot is given back however the script ends. 73: somebody else has the ticket.
  worktree-pool run --key "$1" --wait 30s -- sh -e "$tickets/$1.sh" && mv "$tickets/$1.sh" "$tickets/done/"
}
export -f work

slots=$(worktree-pool status --json | sed 's/.*"total":\([0-9]*\).*/\1/')
find "$tickets" -maxdepth 1 -name '*.sh' -printf '%f\n' | sed 's/\.sh$//' | sort | xargs -r -P "$slots" -I TICKET bash -c 'work TICKET'
