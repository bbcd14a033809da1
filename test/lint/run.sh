#!/usr/bin/env bash
# A check that cannot fail is none: plants one violation of each rule in a scratch copy and sees the check name it.
# One line each: "ok - plant: ..." or "not ok - plant: ...".
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8
scratch=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-lint.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
rc=0

# plant CHECK PATTERN FILE TEXT: appends TEXT to FILE (or replaces FILE when TEXT begins with "="), and expects the
# check to fail with a line that matches PATTERN. The file is put back afterwards.
plant() {
    local check=$1 pattern=$2 file=$3 text=$4 output saved='' only=''
    [ ! -e "$scratch/c/$file" ] || { cp -p "$scratch/c/$file" "$scratch/saved"; saved=yes; }
    mkdir -p "$(dirname "$scratch/c/$file")"
    case "$text" in
        =*) printf '%s\n' "${text#=}" >"$scratch/c/$file" ;;
        *) printf '%s\n' "$text" >>"$scratch/c/$file" ;;
    esac
    # Reading every file again for each plant would take minutes.
    [ "$check" != boundary ] || only=$file
    if output=$(bash "$scratch/c/tools/check_$check.sh" ${only:+"$only"} 2>&1); then
        echo "$output"
        echo "not ok - plant: $check passed although $pattern should be found in $file"
        rc=1
    elif grep -qE -- "$pattern" <<<"$output"; then
        echo "ok - plant: $check: $pattern"
    else
        echo "$output"
        echo "not ok - plant: $check failed, but not with: $pattern"
        rc=1
    fi
    if [ -n "$saved" ]; then mv "$scratch/saved" "$scratch/c/$file"; else rm -f "$scratch/c/$file"; fi
}

mkdir "$scratch/c"
tar -cf - --exclude=./.git --exclude=./build . | tar -xf - -C "$scratch/c"

# Layers
plant layers 'core must not include src/listener/' src/core/zz_plant.cpp '#include "listener/zz.hpp"'
plant layers 'core must not include src/bridge/wall.h' src/core/zz_plant.cpp '#include "bridge/wall.h"'
plant layers 'core must not include <postgres.h>' src/core/zz_plant.cpp '#include <postgres.h>'
plant layers 'bridge must not include src/ext/' src/bridge/zz_plant.cpp '#include "ext/pg.h"'
plant layers 'ext must not include src/core/' src/ext/zz_plant.cpp '#include "core/graph.hpp"'
plant layers 'listener must not include src/core/graph.hpp' src/listener/zz_plant.cpp '#include "core/graph.hpp"'
plant layers 'listener must not include <postgres.h>' src/listener/zz_plant.cpp '#include <postgres.h>'
plant layers 'more than plain structs' src/bridge/wall.h '#include <string>'
twice=$(basename "$(ls src/ext/*.cpp | head -n 1)")
plant layers "two source files are called $twice" "src/core/$twice" '// a second file of this name'

# The boundary
ext() { printf '#include "pg.h"\n%s\n' "$1"; }
plant boundary '<vector> is C\+\+ library' src/ext/zz_plant.cpp '#include <vector>'
plant boundary '<postgres.h> comes in through' src/ext/zz_plant.cpp '#include <postgres.h>'
plant boundary '"utils/rel.h" comes in through' src/ext/zz_plant.cpp '#include "utils/rel.h"'
plant boundary 'zz_plant.cpp:3: .*catch' src/ext/zz_plant.cpp "$(ext $'static void f() {\n    try { } catch (...) { }\n}')"
plant boundary 'zz_plant.cpp:2: .*throw' src/ext/zz_plant.cpp "$(ext 'static void f() { throw 1; }')"
plant boundary 'zz_plant.cpp:2: .*PG_TRY' src/ext/zz_plant.cpp "$(ext 'static void f() { PG_TRY(); }')"
plant boundary 'differences between versions' src/ext/zz_plant.cpp "$(ext '#if PG_VERSION_NUM >= 160000')"
struct='struct Owner { int *p; Owner(); ~Owner(); Owner(const Owner &); };'
plant boundary 'a variable with a destructor in local\(' src/ext/zz_plant.cpp "$(ext "$struct
void local() { Owner owner; }")"
plant boundary 'a temporary with a destructor in temporary\(' src/ext/zz_plant.cpp "$(ext "$struct
void take(const Owner &); void temporary() { take(Owner()); }")"
plant boundary 'a variable with a destructor in parameter\(' src/ext/zz_plant.cpp "$(ext "$struct
void parameter(Owner owner) { owner.p = 0; }")"
plant boundary 'a variable with a destructor in in_loop\(' src/ext/zz_plant.cpp "$(ext "$struct
void in_loop(int n) { for (int i = 0; i < n; i++) { Owner owner; } }")"
plant boundary 'clang cannot read it' src/ext/zz_plant.cpp "$(ext 'void broken( {')"

# Exports
plant exports '_Z[A-Za-z0-9_]* is exported' src/ext/vedfolnir.map '={ global: *; };'
plant exports 'is exported and is no SQL function' src/ext/zz_plant.cpp \
    "$(ext 'extern "C" PGDLLEXPORT int vedfolnir_zz_plant(void) { return 1; }')"
plant exports 'the install script names vedfolnir_zz_plant' src/sql/99_zz_plant.sql \
    "CREATE FUNCTION vedfolnir_zz_plant() RETURNS int LANGUAGE c AS 'MODULE_PATHNAME', 'vedfolnir_zz_plant';"
plant exports 'the install script does not use it' src/ext/zz_plant.cpp \
    "$(ext 'extern "C" { PG_FUNCTION_INFO_V1(vedfolnir_zz_plant); Datum vedfolnir_zz_plant(PG_FUNCTION_ARGS) { PG_RETURN_NULL(); } }')"

plant exports 'zz_plant.cpp has a static initialiser' src/core/zz_plant.cpp '#include <string>
const std::string zz_plant_word = "a word that is longer than a small string holds";'
plant exports 'not linked with -z relro' Makefile 'SHLIB_LINK += -Wl,-z,norelro'

# Tests
plant tests_listed 'sql/zz_plant.sql has no expected/zz_plant.out' sql/zz_plant.sql 'SELECT 1;'
plant tests_listed 'expected/zz_plant.out has no sql/zz_plant.sql' expected/zz_plant.out 'x'
plant tests_listed 'zz_plant.spec has no' test/isolation/specs/zz_plant.spec 'session s'
plant tests_listed 'zz_plant.t is not run' test/tap/zz_plant.t 'done_testing()'
plant tests_listed 'neither a plan nor done_testing' test/tap/zz_plant.pl 'ok(1);'
plant tests_listed 'zz_plant.sql has no plan' test/pgtap/zz_plant.sql 'SELECT ok(true);'
plant tests_listed 'zz_plant.cpp holds no test' test/unit/zz_plant.cpp 'int main() { return 0; }'
plant tests_listed 'test/zz_plant/ belongs to no suite' test/zz_plant/a.sql 'SELECT 1;'

plant requirements 'do not exist: R999' sql/zz_plant.sql '-- R999'
plant requirements 'without a test: R44' test/tap/250_listener_connection.pl '=ok(1);'

# Documentation
plant docs 'setting vedfolnir.zz_plant is not described' src/ext/zz_plant.cpp 'static const char *n = "vedfolnir.zz_plant";'
plant docs 'function vedfolnir_zz_plant is not described' src/sql/99_zz_plant.sql 'CREATE FUNCTION vedfolnir_zz_plant() RETURNS int'
plant docs 'option --zz-plant is not described' src/listener/zz_plant.cpp '    app.add_flag("-z,--zz-plant", flag);'

# Plants of the property test
plant plants 'the plant does not fit any more' src/ext/foreign_keys.cpp '=// nothing'

# The runner of TAP files: nothing that went wrong may count as passed.
totals() {
    local name=$1 expected=$2 output
    printf '%s\n' "$3" >"$scratch/$name.sh"
    output=$(perl tools/tap_run.pl --exec bash "$scratch/$name.sh" 2>/dev/null); local code=$?
    if [ "$(tail -n 1 <<<"$output")" = "totals $expected" ] && { [ "$code" != 0 ] || [ "$expected" = '2 0 0' ]; }; then
        echo "ok - plant: tap_run: $name"
    else
        printf '%s\n' "$output"
        echo "not ok - plant: tap_run: $name should be $expected with a failure, and is $(tail -n 1 <<<"$output"), exit code $code"
        rc=1
    fi
}
totals all_pass '2 0 0' $'echo ok 1; echo ok 2; echo 1..2'
totals one_fails '1 1 0' $'echo ok 1; echo not ok 2; echo 1..2'
totals stops_half_way '1 1 0' $'echo 1..2; echo ok 1'
totals has_no_plan '1 1 0' $'echo ok 1'
totals dies_after_the_plan '1 1 0' $'echo ok 1; echo 1..1; exit 3'
totals runs_nothing '0 1 0' $'true'
totals skips_one '1 0 1' $'echo ok 1; echo "ok 2 # SKIP no server"; echo 1..2'
totals skips_all '0 0 1' $'echo "1..0 # SKIP no server"'
exit $rc
