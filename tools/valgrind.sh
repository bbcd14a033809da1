#!/usr/bin/env bash
# Runs test/support/valgrind/statements.sql in a single-user server under valgrind and fails when a report has one of our frames.
set -uo pipefail
export LC_ALL=C.UTF-8

usage() {
    cat <<USAGE
usage: bash tools/valgrind.sh [--long] [--keep]
  --long  track where undefined values come from; about three times as slow
  --keep  keep the working directory and print its name
USAGE
}

long='' keep=''
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage; exit 0 ;;
        --long) long='--track-origins=yes' ;;
        --keep) keep=yes ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
command -v valgrind >/dev/null || { echo "valgrind.sh: install the package valgrind" >&2; exit 2; }

checkout=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-valgrind.XXXXXX")
trap '[ -n "$keep" ] && echo "kept: $work" || rm -rf "$work"' EXIT
chmod 755 "$work"
# shellcheck source=tools/workdir.sh
. "$checkout/tools/workdir.sh"
workdir_copy "$checkout" "$work/checkout" || exit 1
# shellcheck source=tools/cluster.sh
. "$work/checkout/tools/cluster.sh"
workdir_build "$work/checkout" "$work/build.log" extension || exit 1
mkdir "$work/cluster"
# The cluster is made and stopped: a single-user server takes its directory.
cluster_start "$work/cluster" || exit 1
as_server "$PG_BIN/pg_ctl" -D "$work/cluster/data" -m fast -w -s stop || exit 1

# Valgrind writes where the server user may.
[ "$(id -u)" != 0 ] || chown postgres "$work"
started=$SECONDS
# shellcheck disable=SC2086
as_server valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite --num-callers=40 --error-limit=no \
    --suppressions="$work/checkout/test/support/valgrind/postgres.supp" $long --log-file="$work/report" \
    "$PG_BIN/postgres" --single -j -D "$work/cluster/data" postgres <"$checkout/test/support/valgrind/statements.sql" >"$work/output" 2>&1
status=$?

# The list ends with what it deleted: a server that died half way, or ran nothing, must not pass.
statements=$(grep -c ';$' "$checkout/test/support/valgrind/statements.sql")
errors=$(grep -c 'ERROR: ' "$work/output")
if [ "$status" != 0 ] || ! grep -q 'live_plans = "[0-9]*"' "$work/output" || grep -q 'PANIC\|terminated by signal' "$work/output"; then
    tail -n 40 "$work/output"
    echo "valgrind: the server did not come to the end of the statements (status $status)"
    exit 1
fi
# Reports are paragraphs; those with a frame of ours count: PostgreSQL itself has no .cpp file.
awk -v RS= '/vedfolnir\.so|\.cpp:[0-9]+\)/ { print; print ""; n++ } END { exit n > 0 }' \
    <(sed -E 's/^==[0-9]+== ?//' "$work/report") >"$work/ours"
ours=$?
head -n 120 "$work/ours"
total=$(sed -E 's/^==[0-9]+== ?//' "$work/report" | awk -v RS= 'END { print NR }')
echo "valgrind: $statements statements, $errors errors raised, $total reports, $( [ $ours = 0 ] && echo none || echo some) with a frame of ours, $((SECONDS - started)) s"
exit $ours
