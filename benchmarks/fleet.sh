#!/bin/sh
# The benchmarks' verb "fleet" with a PostgreSQL that is made for it in a temporary directory, and removed at the end: fleet.sh [PAIRS]. On what is built already.
set -eu
cd "$(dirname "$0")/.."
programs=$(dirname "$(command -v initdb || ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)")
[ "$programs" != . ] || { echo "$0: PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql" >&2; exit 2; }
place=$(mktemp -d)
as() { if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"); else "$@"; fi; }
[ "$(id -u)" != 0 ] || chown postgres "$place"
end() { as "$programs/pg_ctl" stop -s -m immediate -D "$place/data" || :; rm -rf "$place"; }
trap end EXIT
as "$programs/initdb" --no-sync -D "$place/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 > "$place.log"
rm "$place.log"
as "$programs/pg_ctl" start -w -s -D "$place/data" -l "$place/log" -o "-k $place -c listen_addresses=" > /dev/null
benchmarks/WorktreePool.Benchmarks/bin/Release/net10.0/WorktreePool.Benchmarks fleet "Host=$place;Username=postgres" "${1:-1000}"
