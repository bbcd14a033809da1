#!/usr/bin/env bash
# Shows Vedfolnir at work on a throw-away PostgreSQL, Redis and directory, and checks the outcome by itself.
set -uo pipefail
export LC_ALL=C.UTF-8

usage() {
    cat <<'USAGE'
usage: bash tools/demo.sh [--shell] [--no-install] [EXAMPLE]
  EXAMPLE       vedfolnir (default), or another directory of examples/ that has a demo.sh
  --shell       leaves a psql open on the database at the end; everything goes when it is left
  --no-install  does not look for missing Debian packages
Nothing is left behind but Debian packages. The exit code is 0 only if every check passed.
USAGE
}

shell='' install=yes example=vedfolnir
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage; exit 0 ;;
        --shell) shell=yes ;;
        --no-install) install='' ;;
        -*) usage >&2; exit 2 ;;
        *) example=$1 ;;
    esac
    shift
done
checkout=$(cd "$(dirname "$0")/.." && pwd)
[ -f "$checkout/examples/$example/demo.sh" ] || { echo "demo: there is no examples/$example/demo.sh" >&2; exit 2; }
[ -z "$install" ] || bash "$checkout/tools/install.sh" || exit 1

EXAMPLE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-demo.XXXXXX")
d=$EXAMPLE_DIR
chmod 755 "$d"
finish() {
    type example_stop >/dev/null 2>&1 && example_stop
    type cluster_stop >/dev/null 2>&1 && cluster_stop "$d"
    rm -rf "$d"
}
trap finish EXIT
trap 'exit 130' INT TERM

# shellcheck source=tools/workdir.sh
. "$checkout/tools/workdir.sh"
workdir_copy "$checkout" "$d/checkout" || exit 1
# shellcheck source=tools/cluster.sh
. "$d/checkout/tools/cluster.sh"
# shellcheck source=tools/example.sh
. "$d/checkout/tools/example.sh"
export PATH="$PG_BIN:$PATH"
EXAMPLE=$d/checkout/examples/$example
LISTENER=$d/checkout/build/cmake/vedfolnir-listener

bold='' plain=''
[ ! -t 1 ] || { bold=$(printf '\033[1m'); plain=$(printf '\033[0m'); }
title() { printf '\n%s== %s ==%s\n' "$bold" "$1" "$plain"; }

# type_sql SQL: prints the statement as a DBA would type it, and what comes back. Sets sql_output.
type_sql() {
    printf '%s=> %s\n' "$database" "$1"
    sql_output=$(psql -X -P pager=off -d "$database" -c "$1" 2>&1)
    printf '%s\n' "$sql_output"
}
type_shell() { printf '$ %s\n' "$1"; }
quiet_sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"; }

checks=0 failures=0
# check DESCRIPTION COMMAND...: one line in the summary at the end
check() {
    local description=$1 output; shift
    checks=$((checks + 1))
    if output=$("$@" 2>&1); then
        summary+=("checked: $description")
    else
        failures=$((failures + 1))
        summary+=("FAILED:  $description")
        printf 'FAILED: %s\n%s\n' "$description" "$output" | head -n 40
    fi
}
summary=()

title "Building"
workdir_build "$d/checkout" "$d/build.log" demo || exit 1
echo "built with $("$PG_CONFIG" --version)"
started=$SECONDS
title "Starting a throw-away PostgreSQL and Redis"
cluster_start "$d" || exit 1
example_redis_start || exit 1
echo "PostgreSQL on the socket in $PGHOST, Redis on a socket in $d/redis, files in $d/storage"

# The example tells its own story with the functions above.
# shellcheck source=examples/vedfolnir/demo.sh
. "$EXAMPLE/demo.sh"

if [ -n "$shell" ]; then
    title "A psql on the database; leave it with \\q"
    psql -X -d "$database" </dev/tty
fi
printf '\n'
printf '%s\n' "${summary[@]}"
if [ "$failures" = 0 ] && [ "$checks" -gt 0 ]; then
    echo "demo: all checks passed in $((SECONDS - started)) s"
else
    echo "demo: $failures of $checks checks failed"
    exit 1
fi
