#!/usr/bin/env bash
# src/ext is PostgreSQL and plain data: ereport() leaves by longjmp, which skips destructors, and an exception that
# leaves a C function ends the server. So there is nothing in src/ext that has a destructor, throws or catches.
#   check_boundary.sh [FILE...]: these files only
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
PG_CONFIG=${PG_CONFIG:-$(ls /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -V | tail -n 1)}

found=0
complain() { echo "$1"; found=1; }

# The code without comments and literals, line numbers kept.
bare() {
    perl -0777 -pe 's{(//[^\n]*)|(/\*.*?\*/)|("(?:\\.|[^"\\\n])*")|('"'"'(?:\\.|[^'"'"'\\\n])*'"'"')}{my $m = $&; (my $n = $m) =~ s/[^\n]//g; defined $3 ? "\"\"" : $n}gse' "$1"
}

[ $# -gt 0 ] || set -- src/ext/*.cpp src/ext/*.h src/ext/*.hpp
files=0
for file in "$@"; do
    [ -e "$file" ] || continue
    files=$((files + 1))
    # Includes are read from the file itself, since their names are literals.
    if [ "$file" != src/ext/pg.h ]; then
        while IFS=: read -r line name; do
            case "$name" in
                assert.h | ctype.h | errno.h | float.h | inttypes.h | limits.h | math.h | stdarg.h | stdbool.h | stddef.h) ;;
                stdint.h | stdio.h | stdlib.h | string.h | time.h | unistd.h) ;;
                *.h) complain "$file:$line: <$name> comes in through src/ext/pg.h only" ;;
                *) complain "$file:$line: <$name> is C++ library, which src/ext does not use" ;;
            esac
        done < <(sed -nE '/^[[:space:]]*#[[:space:]]*include[[:space:]]*</{=;s/.*<([^>]*)>.*/\1/p}' "$file" | paste -d: - -)
        while IFS=: read -r line name; do
            [ -e "src/ext/$name" ] || [ -e "src/$name" ] || complain "$file:$line: \"$name\" comes in through src/ext/pg.h only"
        done < <(sed -nE '/^[[:space:]]*#[[:space:]]*include[[:space:]]*"/{=;s/.*"([^"]*)".*/\1/p}' "$file" | paste -d: - -)
        while IFS=: read -r line _; do
            complain "$file:$line: differences between versions belong in src/ext/pg.h"
        done < <(bare "$file" | grep -nE '\bPG_VERSION_NUM\b')
    fi
    while IFS=: read -r line text; do
        complain "$file:$line: $(xargs -0 <<<"$text" | sed 's/^[[:space:]]*//')"
    done < <(bare "$file" | grep -nE '\b(try|catch|throw|PG_TRY|PG_CATCH|PG_FINALLY|new|delete)\b|\bstd::|\bboost::')
done
[ "$files" -gt 0 ] || complain "no source file was found in src/ext"

# clang marks a variable that needs destruction "destroyed" and such a temporary CXXBindTemporaryExpr.
clang=$(command -v clang++ || command -v clang++-14 || ls /usr/bin/clang++-* 2>/dev/null | sort -V | tail -n 1)
[ -n "$clang" ] || { echo "clang++ is missing, so destructors cannot be looked for"; exit 1; }
include=$("$PG_CONFIG" --includedir-server)
ast() {
    local file=$1 errors
    errors=$(mktemp)
    # Without the dump of function bodies of the headers the search would be as sharp, but clang has no such filter.
    "$clang" -fsyntax-only -Xclang -ast-dump -fno-color-diagnostics -std=c++17 -w -D_GNU_SOURCE -Isrc -isystem "$include" "$file" 2>"$errors" |
        awk -v file="$file" '
            /(FunctionDecl|CXXMethodDecl) 0x/ { fn = ""; for (i = 1; i <= NF; i++) if ($i ~ /^\x27/) { fn = $(i - 1); break } }
            /(Var|ParmVar)Decl 0x.* destroyed/ || /CXXBindTemporaryExpr 0x/ {
                what = /CXXBindTemporaryExpr/ ? "a temporary" : "a variable"
                key = fn SUBSEP what
                if (!(key in seen)) { seen[key] = 1; print file ": " what " with a destructor in " fn "()" }
            }'
    if [ -s "$errors" ]; then echo "$file: clang cannot read it: $(head -n 1 "$errors")"; fi
    rm -f "$errors"
}
export -f ast
export clang include
if [ "$files" -gt 0 ]; then
    while IFS= read -r line; do complain "$line"; done < <(
        printf '%s\n' "$@" | grep '\.cpp$' | xargs -r -P "$(nproc)" -n 1 bash -c 'ast "$1"' bash)
fi
exit $found
