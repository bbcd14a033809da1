#!/usr/bin/env bash
# Every setting, SQL function and listener option is described in doc/.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

found=0 things=0
complain() { echo "$1"; found=1; }

# described NAME KIND: as a word of its own, so that vedfolnir_delete_user is not found inside vedfolnir_delete_users
described() {
    things=$((things + 1))
    grep -rqE -- "(^|[^A-Za-z0-9_-])$(sed 's/[.]/\\./g' <<<"$1")([^A-Za-z0-9_-]|\$)" doc/ 2>/dev/null || complain "$2 $1 is not described in doc/"
}

while read -r name; do described "$name" setting; done < <(
    grep -hoE '"vedfolnir\.[a-z_]+"' src/ext/*.cpp 2>/dev/null | tr -d '"' | sort -u)
while read -r name; do described "$name" function; done < <(
    sed -nE 's/^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE) (@extschema@\.|public\.)?(vedfolnir_[a-z_]+) *\(.*/\4/p' src/sql/*.sql | sort -u)
while read -r name; do described "$name" view; done < <(
    sed -nE 's/^CREATE (OR REPLACE )?VIEW (vedfolnir\.[a-z_]+).*/\2/p' src/sql/*.sql | sort -u)
while read -r name; do described "$name" option; done < <(
    grep -hoE 'add_(option|flag)\("[^"]+"' src/listener/*.cpp 2>/dev/null | grep -oE -- '--[a-z][a-z-]+' | sort -u)
[ "$things" -gt 0 ] || complain "nothing to describe was found"
exit $found
