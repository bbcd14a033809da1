#!/usr/bin/env bash
# P13: the listener's throughput: files against a plain unlink loop with the same fsyncs; Redis keys against DEL with many keys,
# by a task for each and by one task with a pattern.
set -euo pipefail
while [ $# -gt 0 ]; do
    case "$1" in
        --tasks) export VEDFOLNIR_BENCH_TASKS=$2; shift ;;
        --rounds) export VEDFOLNIR_BENCH_ROUNDS=$2; shift ;;
        *)
            echo "usage: bash bench/listener.sh [--tasks N] [--rounds N]   (20000 files and as many keys, medians of 3 rounds)" >&2
            [ "$1" = --help ] && exit 0
            exit 2
            ;;
    esac
    shift
done
cd "$(dirname "$0")/.."
exec bash tools/tap.sh bench/listener.pl
