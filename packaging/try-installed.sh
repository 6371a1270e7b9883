#!/usr/bin/env bash
# Uses an installed worktree-pool, the one first on the PATH, as a script would: try-installed.sh
# A scratch repository, each command, and three jobs at once whose script succeeds, fails, is interrupted, and is killed.
set -euo pipefail
examples=$(cd "$(dirname "${BASH_SOURCE[0]}")/../docs/examples" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

export WORKTREE_POOL=$scratch/pool GIT_AUTHOR_NAME=Try GIT_AUTHOR_EMAIL=try@example.invalid GIT_COMMITTER_NAME=Try GIT_COMMITTER_EMAIL=try@example.invalid
git init -q -b main "$scratch/seed"
echo one > "$scratch/seed/README.md"
git -C "$scratch/seed" add -A
git -C "$scratch/seed" commit -q -m one
git clone -q --bare "$scratch/seed" "$scratch/origin.git"
git clone -q "$scratch/origin.git" "$scratch/repo"

worktree-pool --version | grep -Eq '^[0-9]+\.[0-9]+\.[0-9]+.*\+[0-9a-f]{7,}$' || fail "--version does not say version and commit: $(worktree-pool --version)"
worktree-pool doctor --repo "$scratch/repo" --slots 3
worktree-pool init --repo "$scratch/repo" --slots 3 >/dev/null
token=$(worktree-pool claim --key MC-1 --branch cr/mc-1 --json | sed 's/.*"token":"\([^"]*\)".*/\1/')
worktree-pool renew --token "$token" >/dev/null
echo work > "$WORKTREE_POOL/slots/slot-0/work.txt"
worktree-pool release --token "$token" | grep -q rescued || fail "work was not kept"
worktree-pool rescue list | grep -q MC-1 || fail "the rescue is not listed"
[ "$(worktree-pool run --key MC-2 -- cat README.md)" = one ] || fail "run did not run in the slot"
worktree-pool doctor >/dev/null || fail "doctor is not content"
worktree-pool status --html "$scratch/report.html" >/dev/null && grep -q MC-1 "$scratch/report.html" || fail "no report"
worktree-pool manual | grep -q 'EXIT STATUS' || fail "no manual"

# Every slot is free, and clean by plain git's own word.
given_back() {
  local tries=0 slot
  until worktree-pool status --json | grep -q '"free":3'; do
    [ "$((tries += 1))" -lt 300 ] || { worktree-pool status; fail "$1: a slot was not given back"; }
    sleep 0.1
  done
  for slot in 0 1 2; do
    [ -z "$(git -C "$WORKTREE_POOL/slots/slot-$slot" --no-optional-locks status --porcelain --ignored)" ] || fail "$1: slot-$slot is not clean"
  done
  echo "  $1: all slots are free and clean"
}

# Starts the script as a terminal would, in a process group of its own, and waits until its three jobs are at work.
at_work() {
  rm -f "$scratch"/started.*
  JOB="echo work > w.txt; touch '$scratch/started.'\$WORKTREE_POOL_KEY; exec sleep 300" setsid --fork bash -c 'echo $$ > "$0"; exec bash "$@"' "$scratch/pid" "$examples/parallel-jobs.sh" A B C 2>/dev/null
  until [ "$(find "$scratch" -maxdepth 1 -name 'started.?' | wc -l)" = 3 ]; do sleep 0.1; done
}

JOB='echo work > w.txt' bash "$examples/parallel-jobs.sh" A B C 2>/dev/null || fail "success: exit $?"
given_back success
code=0
JOB='echo work > w.txt; [ $WORKTREE_POOL_KEY != B ]' bash "$examples/parallel-jobs.sh" A B C 2>/dev/null || code=$?
[ "$code" = 1 ] || fail "failure: exit $code"
given_back failure
at_work
kill -INT -- "-$(cat "$scratch/pid")"
given_back "Ctrl-C"
at_work
kill -KILL "$(cat "$scratch/pid")"
given_back "SIGKILL"
echo "worktree-pool $(worktree-pool --version) works"
