#!/usr/bin/env bash
# Builds the extension with the undefined behaviour sanitizer and runs the regress suite, the isolation suite and valgrind's
# statements against it. A report anywhere in a server log fails; the suites' own results count as well.
set -uo pipefail
export LC_ALL=C.UTF-8

usage() { echo "usage: bash tools/ubsan.sh [--keep]"; }

keep=''
case "${1:-}" in
    '') ;;
    --keep) keep=yes ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

checkout=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-ubsan.XXXXXX")
server_up=''
finish() {
    [ -z "$server_up" ] || cluster_stop "$work/cluster"
    if [ -n "$keep" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT
chmod 755 "$work"
# shellcheck source=tools/workdir.sh
. "$checkout/tools/workdir.sh"
workdir_copy "$checkout" "$work/checkout" || exit 1
cd "$work/checkout" || exit 1
# shellcheck source=tools/cluster.sh
. "$work/checkout/tools/cluster.sh"
# PGXS brings -fwrapv, which hides signed overflow.
export EXTRA_CXX="-fsanitize=undefined -fno-sanitize=vptr -fno-wrapv -fno-omit-frame-pointer" EXTRA_LINK="-fsanitize=undefined"
workdir_build "$work/checkout" "$work/build.log" extension || exit 1
# All of nm's output is read: grep -q would end it by SIGPIPE now and then, and pipefail take that for no match.
[ "$(nm -D vedfolnir.so | grep -c __ubsan_handle)" != 0 ] || { echo "ubsan: the library was built without the sanitizer"; exit 1; }
mkdir "$work/cluster"
export UBSAN_OPTIONS=print_stacktrace=1
cluster_start "$work/cluster" "$(printf "max_prepared_transactions = 10\nwal_level = logical")" || exit 1
server_up=yes
pgxs_test=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
export PATH="$PG_BIN:$PATH"
names() { ls "$1" 2>/dev/null | sed -n "s/\.$2\$//p" | LC_ALL=C sort; }
failed=0
run() {
    local name=$1; shift
    mkdir -p "build/$name"
    if "$@" >"$work/$name.log" 2>&1; then echo "ubsan: $name passed"; else failed=1; echo "ubsan: $name failed"; tail -n 20 "$work/$name.log"; fi
}
# shellcheck disable=SC2046
run regress "$pgxs_test/regress/pg_regress" --inputdir=. --outputdir=build/regress --bindir="$PG_BIN" --dbname=contrib_regression $(names sql sql)
# shellcheck disable=SC2046
run isolation "$pgxs_test/isolation/pg_isolation_regress" --inputdir=test/isolation --outputdir=build/isolation --bindir="$PG_BIN" \
    --dbname=isolation_regression $(names test/isolation/specs spec)
createdb statements
psql -X -q -d statements -f test/support/valgrind/statements.sql >"$work/statements.log" 2>&1
grep -q 'live_plans' "$work/statements.log" || { failed=1; echo "ubsan: the statements did not come to their end"; }

reports=$(grep -c 'runtime error:' "$work/cluster/data/server.log")
grep -A 12 'runtime error:' "$work/cluster/data/server.log" | head -n 80
if grep -q 'terminated by signal' "$work/cluster/data/server.log"; then failed=1; echo "ubsan: a server process died"; fi
echo "ubsan: $reports reports"
[ "$failed" = 0 ] && [ "$reports" = 0 ]
