#!/bin/sh
# Every row of the table in docs/performance.md, in about half an hour on a quiet machine. Results go to standard output.
# With "dry" each verb once and small, on what is built already, to see that they work; what is printed then says nothing.
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" != dry ]; then
  dotnet build -c Release -v q -nologo benchmarks/WorktreePool.Benchmarks >&2
  dotnet publish -c Release -v q -nologo -r "linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')" src/WorktreePool.Cli -o artifacts/native >&2
fi
run() { echo; echo "## $*"; benchmarks/WorktreePool.Benchmarks/bin/Release/net10.0/WorktreePool.Benchmarks "$@"; }
case "${1:-}" in
  dry)
    run ratios --only Move,Scale --at 200,4 --rounds 1 --warm-ups 0
    run contention --processes 2 --claimers 2 --slots 2 --rounds 1 --seconds 1 --warm-up-seconds 0
    run contention --processes 2 --claimers 1 --slots 1 --hold-ms 20 --rounds 1 --seconds 1 --warm-up-seconds 0
    exit ;;
  "") ;;
  *) echo "$0: \"$1\" is no argument: dry, or none" >&2; exit 2 ;;
esac
uname -r; git --version; nproc; uptime; df -T . | tail -1
# Moves and new pools where files are made at an even pace: JOURNAL is a directory on a file system with a journal.
journal() { TMPDIR="${JOURNAL:-${TMPDIR:-/tmp}}" run "$@"; }
run ratios --only StoreB --rounds 31
run ratios --only Scale --rounds 21
run ratios --only ClaimBenchmarks --rows GitStatus,Claim --at 200,5000 --rounds 101
run ratios --only Watched --at 200,5000 --rounds 15
run ratios --only Watched --at 50000 --rounds 31 --warm-ups 15
run ratios --only Release --at 200,5000 --rounds 21
run ratios --only Claim,Release --at 50000 --rounds 7 --warm-ups 5 --rows GitStatus,Claim,OutageFix,ReleaseAndDiscard
journal ratios --only Move --at 200,5000 --rounds 61
journal ratios --only Move --at 50000 --rounds 11 --warm-ups 8
journal ratios --only Provision --at 50000 --rounds 7 --warm-ups 1
run contention --processes 4 --claimers 4 --slots 8 --rounds 21 --seconds 3
run contention --processes 2 --claimers 1 --slots 1 --hold-ms 20
run ratios --only Command --rounds 25
uptime
