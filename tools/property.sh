#!/usr/bin/env bash
# Property test: random schemas, data and policies against an independent reference and the server's own ON DELETE.
#   tools/property.sh [--count N] [--seed S] [--jobs J] [--save DIR] [--schema-only SEED] [--case FILE] [--no-engine]
# Uses the cluster that PGHOST points at when PROPERTY_KEEP_CLUSTER is set, else a throw-away one.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
# The distribution's own Python has the distribution's psycopg2.
python=${PYTHON:-/usr/bin/python3}

for argument in "$@"; do
    [ "$argument" != --schema-only ] || exec "$python" "$root/test/property/runner.py" "$@"
done

if [ -z "${PROPERTY_KEEP_CLUSTER:-}" ]; then
    # shellcheck source=tools/cluster.sh
    . "$root/tools/cluster.sh"
    case " $* " in *" --no-engine "*) cluster_stage() { mkdir -p "$1/stage$("$PG_CONFIG" --sharedir)/extension"; } ;; esac
    dir=$(mktemp -d)
    trap 'cluster_stop "$dir"; rm -rf "$dir"' EXIT
    cluster_start "$dir" "
max_locks_per_transaction = 1024
shared_buffers = 256MB
synchronous_commit = off
full_page_writes = off
autovacuum = off
log_min_messages = fatal"
fi
psql -qAtX <<'SQL' >/dev/null
DO $$
DECLARE
    owner text;
BEGIN
    FOREACH owner IN ARRAY ARRAY['property_owner_1', 'property_owner_2', 'Property "Owner"'] LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = owner) THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I', owner);
        END IF;
    END LOOP;
END $$;
SQL
"$python" "$root/test/property/runner.py" "$@"
