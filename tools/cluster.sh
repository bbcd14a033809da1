#!/usr/bin/env bash
# A throw-away PostgreSQL cluster with this checkout's extension, on a unix socket only.
#   source tools/cluster.sh; cluster_start DIR [extra postgresql.conf lines]; ...; cluster_stop DIR
# DIR is made by the caller (mktemp -d). Afterwards PGHOST, PGPORT, PGUSER and PGDATABASE point at the cluster.

CLUSTER_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_CONFIG=${PG_CONFIG:-$(ls /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -V | tail -n 1)}
export PG_CONFIG
PG_BIN=$("$PG_CONFIG" --bindir)

# initdb and postgres refuse to run as root.
as_server() {
    if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

# Installs the built extension below DIR/stage, so that nothing is written to the system.
cluster_stage() {
    local dir=$1
    mkdir -p "$dir/stage"
    make -s -C "$CLUSTER_ROOT" PG_CONFIG="$PG_CONFIG" install DESTDIR="$dir/stage" >"$dir/install.log" 2>&1 ||
        { cat "$dir/install.log" >&2; return 1; }
}

cluster_start() {
    local dir=$1 extra=${2:-} major
    major=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    chmod 755 "$dir"
    cluster_stage "$dir" || return 1
    mkdir -p "$dir/sock"
    [ "$(id -u)" != 0 ] || chown postgres "$dir" "$dir/sock"
    as_server "$PG_BIN/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 ||
        { cat "$dir/initdb.log" >&2; return 1; }
    {
        echo "listen_addresses = ''"
        echo "unix_socket_directories = '$dir/sock'"
        echo "port = 5432"
        echo "fsync = off"
        echo "dynamic_library_path = '$dir/stage$("$PG_CONFIG" --pkglibdir):\$libdir'"
        if [ "$major" -ge 18 ]; then
            echo "extension_control_path = '$dir/stage$("$PG_CONFIG" --sharedir):\$system'"
        else
            echo "extension_destdir = '$dir/stage'"
        fi
        printf '%s\n' "$extra"
    } | as_server tee -a "$dir/data/postgresql.conf" >/dev/null
    as_server "$PG_BIN/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -w -s start >"$dir/start.log" 2>&1 ||
        { cat "$dir/start.log" "$dir/data/server.log" >&2; return 1; }
    export PGHOST="$dir/sock" PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
}

cluster_stop() {
    local dir=$1
    [ -f "$dir/data/postmaster.pid" ] && as_server "$PG_BIN/pg_ctl" -D "$dir/data" -m immediate -w -s stop >/dev/null 2>&1
    return 0
}
