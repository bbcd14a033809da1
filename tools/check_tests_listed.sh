#!/usr/bin/env bash
# Every test file is one that a suite of tools/check.sh runs; every expected output has its test.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

found=0 files=0
complain() { echo "$1"; found=1; }

# pairs DIRECTORY SUFFIX DIRECTORY SUFFIX; pg_regress takes name_1.out where name.out is other, as in another version
pairs() {
    local f name
    for f in "$1"/*."$2"; do
        [ -e "$f" ] || continue
        files=$((files + 1))
        name=$(basename "$f" ".$2")
        [ "$2" != out ] || [ ! -e "$1/${name%_[0-9]}.out" ] || name=${name%_[0-9]}
        [ -e "$3/$name.$4" ] || complain "$f has no $3/$name.$4"
    done
}
pairs sql sql expected out
pairs expected out sql sql
pairs test/isolation/specs spec test/isolation/expected out
pairs test/isolation/expected out test/isolation/specs spec

# only DIRECTORY PATTERN: no file there that the suite's wildcard passes over
only() {
    local f
    [ -d "$1" ] || return 0
    while IFS= read -r f; do
        files=$((files + 1))
        # shellcheck disable=SC2053
        [[ $(basename "$f") == $2 && $(dirname "$f") == "$1" ]] || complain "$f is not run by any suite"
    done < <(find "$1" -type f)
}
only sql '*.sql'
only expected '*.out'
only test/pgtap '*.sql'
only test/tap '*.pl'
for d in examples/*/test; do only "$d" '*.sh'; done

# Unit tests are run when CMake builds them: named one by one, or by a wildcard over the directory.
for f in test/unit/*.cpp; do
    [ -e "$f" ] || continue
    files=$((files + 1))
    grep -qF "$f" CMakeLists.txt || grep -qF "$(basename "$f")" CMakeLists.txt ||
        grep -qE 'GLOB.*test/unit/(\*|\*_test)\.cpp' CMakeLists.txt || complain "$f is not built by CMakeLists.txt"
    grep -qE '^(TEST|TEST_F|TEST_P|TYPED_TEST)\(' "$f" || [ "$(basename "$f")" = main.cpp ] || complain "$f holds no test"
done

# A TAP file without a plan passes when it stops half way.
for f in test/tap/*.pl examples/*/test/*.sh; do
    [ -e "$f" ] || continue
    grep -qE 'done_testing|tests *=>|^tap_done$' "$f" || complain "$f has neither a plan nor done_testing()"
done
for f in test/pgtap/*.sql; do
    [ -e "$f" ] || continue
    grep -qiE '\b(no_)?plan\(' "$f" && grep -qiE '\bfinish\(' "$f" || complain "$f has no plan() or no finish()"
done

# Directories below test/ that no suite knows.
for d in test/*/; do
    case "$(basename "$d")" in
        isolation | lint | pgtap | property | support | tap | unit) ;;
        valgrind) [ -f tools/valgrind.sh ] || complain "$d has no tools/valgrind.sh" ;; # a long variant
        *) complain "$d belongs to no suite" ;;
    esac
done
[ "$files" -gt 0 ] || complain "no test was found"
exit $found
