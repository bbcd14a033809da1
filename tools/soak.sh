#!/usr/bin/env bash
# Runs listeners under load for a while, killing two of them at random, and looks whether anything was lost or grew.
set -euo pipefail
minutes=30
while [ $# -gt 0 ]; do
    case "$1" in
        --minutes) minutes=$2; shift ;;
        --seed) export VEDFOLNIR_SEED=$2; shift ;;
        *) echo "usage: bash tools/soak.sh [--minutes N] [--seed N]" >&2; [ "$1" = --help ] && exit 0; exit 2 ;;
    esac
    shift
done
export VEDFOLNIR_SOAK=$((minutes * 60))
exec bash "$(dirname "$0")/tap.sh" test/tap/097_listener_soak.pl
