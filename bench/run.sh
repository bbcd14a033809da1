#!/usr/bin/env bash
# The benchmark: deletes the same persons with PostgreSQL's own means and with Vedfolnir, on a cluster of its own.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: bash bench/run.sh [--size small|full|huge] [--rounds N] [--only P1,P5,...] [--out DIR]

  --size small   a few thousand rows, under a minute; asserts equal results and never a time
  --size full    millions of rows, a user who owns a million of them (default); writes the page
  --size huge    a user who owns ten million rows: only the memory of P8, about 15 minutes and 25 GB of disk
  --rounds N     runs per contestant, interleaved (default: 1 small, 3 full)
  --only LIST    the rows of the table to measure: P1 to P13
  --out DIR      where benchmark.json, README.md and the plots go (default: doc/benchmark for all of full, else nowhere)

The last line is "N passed, N failed". Needs python3, and gnuplot for the plots. The temporary cluster takes about 8 GB at full size.
EOF
}

size=full args=()
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage; exit 0 ;;
    --size) size=${2:?}; args+=("$1" "$2"); shift 2 ;;
    --rounds | --only | --out) args+=("$1" "${2:?}"); shift 2 ;;
    *) usage >&2; exit 2 ;;
    esac
done

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../tools/cluster.sh
source "$here/../tools/cluster.sh"

case $size in
small) buffers=256MB fsync=off ;;
full) buffers=4GB fsync=on ;;
huge) buffers=8GB fsync=off ;;
*) usage >&2; exit 2 ;;
esac

dir=$(mktemp -d)
trap 'cluster_stop "$dir"; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
# Debian's defaults, except: the data fits into memory, nothing runs in the background, no checkpoint falls into a run.
cluster_start "$dir" "
shared_buffers = $buffers
fsync = $fsync
work_mem = 4MB
maintenance_work_mem = 256MB
max_wal_size = 32GB
checkpoint_timeout = 1d
autovacuum = off
max_locks_per_transaction = 256
log_min_messages = error"
PYTHONPATH="$here" PYTHONDONTWRITEBYTECODE=1 python3 -m vdfbench "${args[@]}"
