#!/usr/bin/env bash
# Builds a copy of the checkout and runs the given TAP files there: bash tools/tap.sh test/tap/010_listener_basic.pl ...
set -euo pipefail
export LC_ALL=C.UTF-8
[ $# -gt 0 ] && [ "$1" != --help ] || { echo "usage: bash tools/tap.sh FILE..." >&2; exit 2; }

checkout=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-tap.XXXXXX")
copy=$work/checkout
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"
# shellcheck source=tools/workdir.sh
. "$checkout/tools/workdir.sh"
workdir_copy "$checkout" "$copy"
# shellcheck source=tools/cluster.sh
. "$copy/tools/cluster.sh"
workdir_build "$copy" "$work/build.log" all
mkdir -p "$work/cluster" "$work/tap"
cluster_stage "$work/cluster"
[ "$(id -u)" != 0 ] || chown postgres "$work/tap"
if [ "$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 18 ]; then
    echo "extension_control_path = '$work/cluster/stage$("$PG_CONFIG" --sharedir):\$system'"
else
    echo "extension_destdir = '$work/cluster/stage'"
fi >"$work/tap.conf"
echo "dynamic_library_path = '$work/cluster/stage$("$PG_CONFIG" --pkglibdir):\$libdir'" >>"$work/tap.conf"
if (cd "$copy" && grep -q 'use KeycloakTest' "$@"); then
    if VEDFOLNIR_KEYCLOAK=$(bash "$checkout/tools/keycloak.sh" "$work/keycloak"); then
        export VEDFOLNIR_KEYCLOAK
        [ "$(id -u)" != 0 ] || chown -R postgres "$work/keycloak"
    else
        unset VEDFOLNIR_KEYCLOAK
    fi
fi
pgxs_test=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
cd "$copy"
for file in "$@"; do
    rm -rf "$work/tap/tmp_check"
    as_server env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE -u PGSERVICE PATH="$PG_BIN:$PATH" HOME="$work/tap" TMPDIR="$work/tap" \
        PERL5LIB="$pgxs_test/perl:$copy/test/support" PG_REGRESS="$pgxs_test/regress/pg_regress" TEMP_CONFIG="$work/tap.conf" \
        PG_CONFIG="$PG_CONFIG" TESTDIR="$work/tap" TESTDATADIR="$work/tap/data" TESTLOGDIR="$work/tap/log" VEDFOLNIR_ROOT="$copy" \
        VEDFOLNIR_STAGE="$work/cluster/stage" VEDFOLNIR_LISTENER="$copy/build/cmake/vedfolnir-listener" perl "$file"
done
