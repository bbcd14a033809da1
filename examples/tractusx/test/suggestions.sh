#!/usr/bin/env bash
# doc/suggestions.md says what the suggestions are worth on both examples; it must be what they give today.
set -uo pipefail
root=${VEDFOLNIR_ROOT:-$(cd "$(dirname "$0")/../../.." && pwd)}
. "$root/test/support/tap.sh"
ok "the table of agreement is up to date" bash "$root/tools/suggestions.sh" --check
tap_done
