#!/usr/bin/env bash
# Kills the listener at its fault points, many times, and looks whether anything was lost or touched.
set -euo pipefail
count=10000
while [ $# -gt 0 ]; do
    case "$1" in
        --count) count=$2; shift ;;
        --seed) export VEDFOLNIR_SEED=$2; shift ;;
        *) echo "usage: bash tools/crash.sh [--count N] [--seed N]" >&2; [ "$1" = --help ] && exit 0; exit 2 ;;
    esac
    shift
done
export VEDFOLNIR_KILLS=$count
exec bash "$(dirname "$0")/tap.sh" test/tap/080_listener_crash.pl
