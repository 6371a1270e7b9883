#!/bin/sh
# Every row of the table in docs/performance.md, in about ten minutes on a quiet machine. Results go to standard output.
set -eu
cd "$(dirname "$0")/.."
dotnet build -c Release -v q -nologo benchmarks/WorktreePool.Benchmarks >&2
run() { echo; echo "## $*"; benchmarks/WorktreePool.Benchmarks/bin/Release/net10.0/WorktreePool.Benchmarks "$@"; }
uname -r; git --version; nproc; uptime; df -T . | tail -1
run ratios --only Store --rounds 15
run ratios --only Claim,Release,Move --at 200,5000 --rounds 15
run ratios --only Claim,Release,Move --at 50000 --rounds 5
run ratios --only Scale --rounds 15
run contention --processes 4 --claimers 4 --slots 8 --seconds 5
run contention --processes 2 --claimers 1 --slots 1 --hold-ms 20 --seconds 5
run ratios --only Provision --at 50000 --rounds 2
uptime
