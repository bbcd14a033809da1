#!/usr/bin/env bash
# Runs the checks of the house rules (make lint). One line each: "ok - NAME" or "not ok - NAME", the reasons above it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C.UTF-8
rc=0
for check in layers boundary exports tests_listed requirements docs plants; do
    [ -f "tools/check_$check.sh" ] || continue
    if bash "tools/check_$check.sh"; then echo "ok - $check"; else echo "not ok - $check"; rc=1; fi
done
exit $rc
