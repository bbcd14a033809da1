#!/usr/bin/env bash
# What the demo and the tests of the examples share: Redis, files, the listener, and exact pictures of what there is.
# Needs tools/cluster.sh to be sourced. EXAMPLE_DIR is a directory of the caller's, EXAMPLE the directory of the example.

example_user() { if [ "$(id -u)" = 0 ]; then echo postgres; else id -un; fi; }

# Runs a command as the user of the server without a process in between, so that its id can be signalled.
example_exec() {
    if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"; else exec "$@"; fi
}

# A Redis of our own that only a socket reaches, nothing saved.
example_redis_start() {
    local try
    mkdir -p "$EXAMPLE_DIR/redis"
    chown "$(example_user)" "$EXAMPLE_DIR/redis"
    (cd "$EXAMPLE_DIR/redis" && example_exec redis-server --port 0 --unixsocket "$EXAMPLE_DIR/redis/s" --save '' --appendonly no \
        --daemonize no >"$EXAMPLE_DIR/redis.log" 2>&1) &
    REDIS_PID=$!
    for try in $(seq 100); do
        [ "$(example_redis ping 2>/dev/null)" != PONG ] || return 0
        kill -0 "$REDIS_PID" 2>/dev/null || break
        sleep 0.1
    done
    echo "example: Redis did not start after $try tries" >&2
    cat "$EXAMPLE_DIR/redis.log" >&2
    return 1
}

example_redis() { redis-cli -s "$EXAMPLE_DIR/redis/s" "$@"; }

example_stop() {
    local pid
    for pid in ${LISTENER_PID:-} ${REDIS_PID:-}; do
        kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    LISTENER_PID='' REDIS_PID=''
    return 0
}

# example_load DATABASE: schema and data, without the extension
example_load() {
    createdb "$1" && psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d "$1" -f "$EXAMPLE/schema.sql" -f "$EXAMPLE/data.sql"
}

example_load_outside() {
    local answers
    mkdir -p "$EXAMPLE_DIR/storage"
    [ ! -f "$EXAMPLE/files.sh" ] || bash "$EXAMPLE/files.sh" "$EXAMPLE_DIR/storage" || return 1
    chown -R "$(example_user)" "$EXAMPLE_DIR/storage"
    [ -f "$EXAMPLE/redis.txt" ] || return 0
    answers=$(grep -v '^#' "$EXAMPLE/redis.txt" | example_redis 2>&1)
    ! grep -iE '^\(error\)|^ERR|Invalid' <<<"$answers"
}

# The listener's configuration, with the places of this machine filled in.
example_listener_conf() {
    sed -e "s|@SOCKET_DIRECTORY@|$PGHOST|" -e "s|@DATABASE@|$1|" -e "s|@STORAGE@|$EXAMPLE_DIR/storage|" -e "s|@REDIS_SOCKET@|$EXAMPLE_DIR/redis/s|" \
        "$EXAMPLE/listener.ini" >"$EXAMPLE_DIR/listener.ini"
}

example_listener_start() {
    (example_exec "$LISTENER" --config "$EXAMPLE_DIR/listener.ini" >"$EXAMPLE_DIR/listener.log" 2>&1) &
    LISTENER_PID=$!
}

# example_wait DATABASE SECONDS: until no task is open
example_wait() {
    local end=$((SECONDS + $2)) open
    while :; do
        open=$(psql -X -A -t -d "$1" -c "SELECT count(*) FROM vedfolnir.cleanup_task WHERE state IN ('available', 'running', 'retryable')") || return 1
        [ "$open" != 0 ] || return 0
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.2
    done
}

# Every row of every table of the application, one line each; the tables of extensions are no part of it.
example_rows() {
    # An example may have a mask for what differs from run to run.
    psql -X -q -A -t -d "$1" <<'SQL' | { if [ -f "$EXAMPLE/mask.sed" ]; then sed -E -f "$EXAMPLE/mask.sed"; else cat; fi; } | LC_ALL=C sort
SELECT format('SELECT %L || chr(9) || t::text FROM %s t', n.nspname || '.' || c.relname, c.oid::regclass)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema|vedfolnir$)'
\gexec
SQL
}

# Every key with its type and a digest of its value.
example_keys() {
    # KEYS is for a server of our own only; the dump carries no time to live.
    example_redis --raw eval "local rows = {}
        for i, key in ipairs(redis.call('KEYS', '*')) do
            rows[i] = key .. '\t' .. redis.call('TYPE', key).ok .. '\t' .. redis.sha1hex(redis.call('DUMP', key))
        end
        return rows" 0 | LC_ALL=C sort
}

# Every file with a digest of its content, and every directory.
example_files() {
    (cd "$EXAMPLE_DIR/storage" && find . -mindepth 1 | LC_ALL=C sort | while IFS= read -r path; do
        if [ -d "$path" ]; then printf '%s\tdirectory\n' "${path#./}"
        else printf '%s\t%s\n' "${path#./}" "$(sha256sum <"$path" | cut -c 1-16)"; fi
    done)
}

# example_without FILE LIST: the lines of FILE whose first column is not in LIST
example_without() {
    awk -F '\t' 'NR == FNR { gone[$0]; next } !($1 in gone)' "$2" "$1"
}
