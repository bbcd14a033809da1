#!/usr/bin/env bash
# The library exports the entry points of its SQL functions and nothing else: an exported C++ template of ours could
# stand in for one of another extension in the same server.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
PG_CONFIG=${PG_CONFIG:-$(ls /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -V | tail -n 1)}

found=0
complain() { echo "$1"; found=1; }

# Linked anew: make does not see that the list of exports changed or that a source file went.
rm -f vedfolnir.so
log=$(mktemp)
make -s PG_CONFIG="$PG_CONFIG" >"$log" 2>&1 || { tail -n 20 "$log"; rm -f "$log"; exit 1; }
rm -f "$log"
symbols=$(nm -D --defined-only vedfolnir.so | awk '{ print $3 }' | sed 's/@.*//' | sort -u)
while read -r symbol; do
    case "$symbol" in
        Pg_magic_func | _PG_init | pg_finfo_vedfolnir_* | '') ;;
        vedfolnir_*) grep -qx "pg_finfo_$symbol" <<<"$symbols" || complain "$symbol is exported and is no SQL function" ;;
        *) complain "$symbol is exported" ;;
    esac
done <<<"$symbols"
for symbol in Pg_magic_func _PG_init; do
    grep -qx "$symbol" <<<"$symbols" || complain "$symbol is not exported"
done
# What the install script names must be there, and what is there must be named.
# Without a symbol of its own a function is linked by its name.
named=$({
    sed -nE "s/.*'MODULE_PATHNAME', *'([a-z_0-9]+)'.*/\1/p" src/sql/*.sql
    perl -0777 -ne "while (/CREATE FUNCTION (?:\\w+\\.)?(\\w+)\\s*\\((?:(?!CREATE FUNCTION).)*?'MODULE_PATHNAME'(?!\\s*,)/sg) { print qq(\$1\\n) }" src/sql/*.sql
} | sort -u)
while read -r symbol; do
    [ -z "$symbol" ] || grep -qx "$symbol" <<<"$symbols" || complain "the install script names $symbol, which is not exported"
done <<<"$named"
while read -r symbol; do
    [ -z "$symbol" ] || grep -qx "$symbol" <<<"$named" || complain "$symbol is exported and the install script does not use it"
done < <(sed -n 's/^pg_finfo_//p' <<<"$symbols")
# R79: nothing of ours runs when a backend loads the library, where an allocation that fails would end it; and the hardening
# that the build asks for is there: no writable table of addresses, canaries, checked copies.
for object in src/core/*.o src/bridge/*.o src/ext/*.o; do
    ! grep -q ' _GLOBAL__sub_I_' <<<"$(nm "$object")" || complain "${object%.o}.cpp has a static initialiser"
done
segments=$(readelf -lW vedfolnir.so) dynamic=$(readelf -dW vedfolnir.so) imports=$(nm -D --undefined-only vedfolnir.so)
grep -q GNU_RELRO <<<"$segments" && grep -q BIND_NOW <<<"$dynamic" || complain "the library is not linked with -z relro -z now"
grep -q 'GNU_STACK.* RW ' <<<"$segments" || complain "the library has an executable stack"
grep -q __stack_chk_fail <<<"$imports" || complain "the library is built without -fstack-protector-strong"
exit $found
