#!/usr/bin/env bash
# TAP from a shell script: ok, is, same, tap_done.
tap_number=0 tap_failed=0

tap_result() {
    tap_number=$((tap_number + 1))
    if [ "$1" = 0 ]; then echo "ok $tap_number - $2"; else echo "not ok $tap_number - $2"; tap_failed=$((tap_failed + 1)); fi
}

# ok DESCRIPTION COMMAND...
ok() {
    local description=$1 output rc; shift
    output=$("$@" 2>&1); rc=$?
    [ "$rc" = 0 ] || sed 's/^/# /' <<<"$output"
    tap_result "$rc" "$description"
    return "$rc"
}

# is DESCRIPTION GOT EXPECTED
is() {
    if [ "$2" = "$3" ]; then tap_result 0 "$1"; else
        diff -u <(printf '%s\n' "$3") <(printf '%s\n' "$2") | tail -n +3 | sed 's/^/# /'
        tap_result 1 "$1"
    fi
}

# same DESCRIPTION FILE EXPECTED: lines with - are expected and missing, lines with + are there and should not be
same() {
    local output
    if output=$(diff -u "$3" "$2"); then tap_result 0 "$1"; else tail -n +3 <<<"$output" | head -n 60 | sed 's/^/# /'; tap_result 1 "$1"; fi
}

# matches DESCRIPTION TEXT PATTERN
matches() {
    if grep -qE -- "$3" <<<"$2"; then tap_result 0 "$1"; else
        printf 'does not match %s:\n%s\n' "$3" "$2" | sed 's/^/# /'
        tap_result 1 "$1"
    fi
}

tap_done() { echo "1..$tap_number"; [ "$tap_failed" = 0 ]; }
