#!/usr/bin/env bash
# Measures how soon the sessions of a deleted person are dead: in the database, in Redis and at a real Keycloak.
set -euo pipefail
while [ $# -gt 0 ]; do
    case "$1" in
        --probes) export VEDFOLNIR_PROBES=$2; shift ;;
        --backlog) export VEDFOLNIR_BACKLOG=$2; shift ;;
        *) echo "usage: bash bench/latency.sh [--probes N] [--backlog N]   (500 deletions, 100000 other tasks)" >&2; [ "$1" = --help ] && exit 0; exit 2 ;;
    esac
    shift
done
cd "$(dirname "$0")/.."
exec bash tools/tap.sh bench/latency.pl
