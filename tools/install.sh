#!/usr/bin/env bash
# Installs the Debian packages that building and testing need, those that are missing only.
# Runs as root or through sudo, asks nothing, and leaves no daemon running.
set -euo pipefail

usage() {
    cat <<'USAGE'
usage: bash tools/install.sh [--java] [--list] [--help]
  --java   Java and curl as well, for the tests against a real Keycloak
  --list   print the missing packages and exit (0 when nothing is missing, 1 otherwise)
PGV=NN picks the PostgreSQL major version; the default is the newest that is installed, else Debian's default.
USAGE
}

have() { dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

pg_major() {
    local found
    if [ -n "${PGV:-}" ]; then echo "$PGV"; return; fi
    found=$(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sed 's|.*/\([0-9]*\)/bin/pg_config|\1|' | sort -n | tail -n 1)
    [ -n "$found" ] ||
        found=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\).*/\1/p' | head -n 1)
    echo "${found:-15}"
}

missing() {
    local major package
    major=$(pg_major)
    for package in g++ make cmake git clang "postgresql-$major" "postgresql-server-dev-$major" "postgresql-$major-pgtap" \
        libtap-parser-sourcehandler-pgtap-perl libipc-run-perl libpq-dev libhiredis-dev libinih-dev libcli11-dev libspdlog-dev pgbouncer \
        libcurl4-openssl-dev nlohmann-json3-dev libgtest-dev python3-psycopg2 redis-server $java; do
        have "$package" || printf '%s\n' "$package"
    done
}

java=
if [ "${1:-}" = --java ]; then java='default-jre-headless curl'; shift; fi
case "${1:-}" in
    '') ;;
    --help | -h) usage; exit 0 ;;
    --list) list=$(missing); [ -z "$list" ] && exit 0; printf '%s\n' "$list"; exit 1 ;;
    *) usage >&2; exit 2 ;;
esac

[ -n "$(missing)" ] || exit 0
command -v apt-get >/dev/null || { echo "install: this is no Debian system; install by hand: $(missing | xargs)" >&2; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
as_root true 2>/dev/null || { echo "install: neither root nor sudo without a password; install by hand: $(missing | xargs)" >&2; exit 1; }

# Two marks that keep daemons off: no PostgreSQL cluster is made, and no service is started by a package script.
# Each is written only where nothing stands already; the second is taken away again at the end.
policy=/usr/sbin/policy-rc.d
policy_made=
cleanup() { [ -z "$policy_made" ] || as_root rm -f "$policy"; }
trap cleanup EXIT
trap 'exit 130' INT TERM
if ! have postgresql-common && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
if [ ! -e "$policy" ]; then
    policy_made=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
fi

# A mirror that is out of date must not end this: the packages may still be there.
as_root apt-get -q update >/dev/null 2>&1 || echo "install: apt-get update failed, going on with the lists that are there" >&2
mapfile -t packages < <(missing)
echo "install: ${packages[*]}"
log=$(mktemp)
# The marker keeps an existing configuration file (createcluster.conf) without asking.
as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confold \
    install "${packages[@]}" >"$log" 2>&1 || { tail -n 30 "$log" >&2; rm -f "$log"; exit 1; }
rm -f "$log"
left=$(missing)
[ -z "$left" ] || { echo "install: still missing: $left" >&2; exit 1; }
