#!/usr/bin/env bash
# Builds once in a copy of the checkout and runs the test suites there. Nothing is left behind but Debian packages.
set -uo pipefail
export LC_ALL=C.UTF-8

suites_all="lint unit regress isolation pgtap tap property examples bench"

usage() {
    cat <<USAGE
usage: bash tools/check.sh [--no-install] [--keep] [--jobs N] [--count N] [SUITE...]
suites (default: all of them):
  lint       the checks of "make lint", and the plants that show each check works
  unit       GoogleTest by ctest
  regress    pg_regress, sql/ and expected/
  isolation  isolation specs, test/isolation
  pgtap      test/pgtap/*.sql, run as pg_prove does
  tap        test/tap/*.pl with PostgreSQL::Test::Cluster, the real listener, Redis, Keycloak (fetched once) and files
  property   tools/property.sh: random schemas against an oracle
  examples   examples/*/test/*.sh: the expected end state of each example
  bench      bench/run.sh --size small: every contestant of the benchmark leaves the same rows
options:
  --no-install  do not look for missing Debian packages
  --keep        keep the working directory and print its name
  --jobs N      TAP files at a time (default: number of processors)
  --count N     random schemas of the property suite (default 300)
The last line is "N passed, N failed, N skipped". The exit code is 0 only if nothing failed, nothing was skipped
(but for the test of a real Keycloak where that cannot be fetched: a line says so) and each suite that was asked for ran
at least one test. A test that is for other PostgreSQL versions is not skipped but left out by its file.
USAGE
}

install=yes keep='' jobs=$(nproc) count=300 suites=''
while [ $# -gt 0 ]; do
    case "$1" in
        --help | -h) usage; exit 0 ;;
        --no-install) install= ;;
        --keep) keep=yes ;;
        --jobs) jobs=$2; shift ;;
        --count) count=$2; shift ;;
        -*) usage >&2; exit 2 ;;
        *)  case " $suites_all " in *" $1 "*) suites="$suites $1" ;; *) echo "check: no suite is named $1" >&2; usage >&2; exit 2 ;; esac ;;
    esac
    shift
done
suites=${suites:-$suites_all}

checkout=$(cd "$(dirname "$0")/.." && pwd)
[ -z "$install" ] || bash "$checkout/tools/install.sh" || exit 1

work=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-check.XXXXXX")
copy=$work/checkout
logs=$work/logs
total_passed=0 total_failed=0 total_skipped=0 excused=0 server_up=
mkdir -p "$logs"
chmod 755 "$work"
finish() {
    local pid
    [ -z "$server_up" ] || cluster_stop "$work/cluster"
    # A TAP file that was interrupted leaves its servers behind.
    while IFS= read -r pid; do
        kill -QUIT "$(head -n 1 "$pid")" 2>/dev/null
    done < <(find "$work" -name postmaster.pid 2>/dev/null)
    [ -n "$keep" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

# shellcheck source=tools/workdir.sh
. "$checkout/tools/workdir.sh"
workdir_copy "$checkout" "$copy" || exit 1
cd "$copy" || exit 1
# shellcheck source=tools/cluster.sh
. "$copy/tools/cluster.sh"
pgxs_test=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
export PATH="$PG_BIN:$PATH"

lines=()

# report SUITE PASSED FAILED SKIPPED SECONDS [NOTE]
report() {
    local passed=$2 failed=$3 skipped=$4 note=${6:-}
    if [ "$((passed + failed + skipped))" = 0 ]; then failed=1; note="no test ran"; fi
    total_passed=$((total_passed + passed)) total_failed=$((total_failed + failed)) total_skipped=$((total_skipped + skipped))
    lines+=("$(printf '%-10s %5d passed %4d failed %4d skipped %5d s  %s' "$1" "$passed" "$failed" "$skipped" "$5" "$note")")
}

# The end of a log is what a reader needs when a suite fails.
show() { echo "--- $1"; tail -n "${3:-60}" "$2"; }

server() {
    [ -z "$server_up" ] || return 0
    mkdir -p "$work/cluster"
    cluster_start "$work/cluster" "max_prepared_transactions = 10
wal_level = logical" && server_up=yes
}

suite_lint() {
    # Lines "ok - ..." and "not ok - ...", one per check and one per plant.
    local rc=0
    bash tools/lint.sh >"$logs/lint.log" 2>&1 || rc=1
    bash test/lint/run.sh >>"$logs/lint.log" 2>&1 || rc=1
    passed=$(grep -c '^ok' "$logs/lint.log")
    failed=$(grep -c '^not ok' "$logs/lint.log")
    [ "$rc" = 0 ] || { [ "$failed" != 0 ] || failed=1; show lint "$logs/lint.log"; }
}

suite_unit() {
    [ -d build/cmake ] || return 0
    ctest --test-dir build/cmake --no-tests=error --output-on-failure -j "$jobs" >"$logs/unit.log" 2>&1
    local rc=$?
    passed=$(grep -cE '^ *[0-9]+/[0-9]+ Test .* Passed ' "$logs/unit.log")
    skipped=$(grep -cE '^ *[0-9]+/[0-9]+ Test .*(\*\*\*Skipped|Not Run \(Disabled\))' "$logs/unit.log")
    failed=$(($(grep -cE '^ *[0-9]+/[0-9]+ Test ' "$logs/unit.log") - passed - skipped))
    [ "$rc" = 0 ] || { [ "$failed" != 0 ] || [ "$skipped" != 0 ] || failed=1; show unit "$logs/unit.log"; }
}

# pg_regress and pg_isolation_regress; both styles of output (up to 15, and TAP since 16).
run_regress() {
    local name=$1 rc; shift
    "$@" >"$logs/$name.log" 2>&1
    rc=$?
    passed=$(grep -cE '^(test |     ).* \.\.\. ok( |$)|^ok [0-9]' "$logs/$name.log")
    failed=$(grep -cE '\.\.\. FAILED|^not ok [0-9]' "$logs/$name.log")
    [ "$rc" = 0 ] || { [ "$failed" != 0 ] || failed=1; show "$name" "$logs/$name.log"
        [ ! -f "build/$name/regression.diffs" ] || show "$name: differences" "build/$name/regression.diffs" 120; }
}

names() { ls "$1" 2>/dev/null | sed -n "s/\.$2\$//p" | LC_ALL=C sort; }

suite_regress() {
    local tests; tests=$(names sql sql); [ -n "$tests" ] || return 0
    server || { failed=1; return; }
    mkdir -p build/regress
    # shellcheck disable=SC2086
    run_regress regress "$pgxs_test/regress/pg_regress" --inputdir=. --outputdir=build/regress --bindir="$PG_BIN" \
        --dbname=contrib_regression $tests
}

suite_isolation() {
    local tests; tests=$(names test/isolation/specs spec); [ -n "$tests" ] || return 0
    server || { failed=1; return; }
    mkdir -p build/isolation
    # shellcheck disable=SC2086
    run_regress isolation "$pgxs_test/isolation/pg_isolation_regress" --inputdir=test/isolation --outputdir=build/isolation \
        --bindir="$PG_BIN" --dbname=isolation_regression $tests
}

# run_tap NAME [options of tap_run.pl] FILE...
run_tap() {
    local name=$1 rc; shift
    "$@" >"$logs/$name.log" 2>&1
    rc=$?
    read -r passed failed skipped < <(sed -n 's/^totals //p' "$logs/$name.log" | tail -n 1) || true
    passed=${passed:-0} failed=${failed:-0} skipped=${skipped:-0}
    [ "$rc" = 0 ] || { [ "$((failed + skipped))" != 0 ] || failed=1; show "$name" "$logs/$name.log" 120; }
}

suite_pgtap() {
    ls test/pgtap/*.sql >/dev/null 2>&1 || return 0
    server || { failed=1; return; }
    # Each file gets a database of its own, so that none depends on what another left.
    cat >"$work/pgtap_file" <<'RUN'
#!/usr/bin/env bash
db="pgtap_$(basename "$1" .sql)"
createdb "$db" || exit 1
exec psql -X -q -t -A -P pager=off -v ON_ERROR_ROLLBACK=1 -v ON_ERROR_STOP=1 -d "$db" -f "$1"
RUN
    chmod 755 "$work/pgtap_file"
    run_tap pgtap perl tools/tap_run.pl --jobs "$jobs" --exec "$work/pgtap_file" test/pgtap/*.sql
}

# The harness starts servers of its own, which refuse root: everything it writes lies below a directory of the server user.
tap_environment() {
    [ ! -d "$work/tap" ] || return 0
    mkdir -p "$work/cluster" "$work/tap"
    [ -d "$work/cluster/stage" ] || cluster_stage "$work/cluster" || return 1
    if [ "$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge 18 ]; then
        echo "extension_control_path = '$work/cluster/stage$("$PG_CONFIG" --sharedir):\$system'"
    else
        echo "extension_destdir = '$work/cluster/stage'"
    fi >"$work/tap.conf"
    echo "dynamic_library_path = '$work/cluster/stage$("$PG_CONFIG" --pkglibdir):\$libdir'" >>"$work/tap.conf"
    [ "$(id -u)" != 0 ] || chown postgres "$work/tap"
}

run_prove() {
    local name=$1; shift
    tap_environment || { failed=1; return; }
    # The harness keeps its own host and user; the caller's would mislead it.
    run_tap "$name" as_server env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE -u PGSERVICE HOME="$work/tap" TMPDIR="$work/tap" \
        PERL5LIB="$pgxs_test/perl:$copy/test/support" PG_REGRESS="$pgxs_test/regress/pg_regress" \
        PG_TEST_TIMEOUT_DEFAULT="${PG_TEST_TIMEOUT_DEFAULT:-180}" TEMP_CONFIG="$work/tap.conf" PG_CONFIG="$PG_CONFIG" \
        TESTDIR="$work/tap" TESTDATADIR="$work/tap/data" TESTLOGDIR="$work/tap/log" \
        VEDFOLNIR_ROOT="$copy" VEDFOLNIR_STAGE="$work/cluster/stage" VEDFOLNIR_LISTENER="$copy/build/cmake/vedfolnir-listener" \
        perl tools/tap_run.pl --jobs "$jobs" "$@"
}

# Fetched once into a cache. Where it cannot be had, its test says why and counts as skipped; that fails the run unless
# the repository was out of reach.
keycloak() {
    local found rc
    if found=$(bash tools/keycloak.sh $([ -n "$install" ] || echo --no-install) "$work/keycloak" 2>"$logs/keycloak.log"); then
        [ "$(id -u)" != 0 ] || chown -R postgres "$work/keycloak"
        export VEDFOLNIR_KEYCLOAK=$found
    else
        rc=$?
        [ "$rc" != 3 ] || excused=1
        VEDFOLNIR_NO_KEYCLOAK=$(tail -n 1 "$logs/keycloak.log")
        export VEDFOLNIR_NO_KEYCLOAK
        echo "no test against a real Keycloak: $VEDFOLNIR_NO_KEYCLOAK" >&2
    fi
}

suite_tap() {
    ls test/tap/*.pl >/dev/null 2>&1 || return 0
    keycloak
    run_prove tap test/tap/*.pl
}

suite_examples() {
    ls examples/*/test/*.sh >/dev/null 2>&1 || return 0
    run_tap examples env -u PGHOST -u PGPORT -u PGUSER -u PGDATABASE VEDFOLNIR_ROOT="$copy" \
        VEDFOLNIR_LISTENER="$copy/build/cmake/vedfolnir-listener" perl tools/tap_run.pl --jobs "$jobs" --exec bash examples/*/test/*.sh
}

suite_bench() {
    [ -f bench/run.sh ] || return 0
    # Equal results, never times. It starts a server of its own; its last line is "N passed, N failed".
    bash bench/run.sh --size small >"$logs/bench.log" 2>&1
    local rc=$?
    read -r passed failed < <(tail -n 1 "$logs/bench.log" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p') || true
    passed=${passed:-0} failed=${failed:-0}
    [ "$rc" = 0 ] || { [ "$failed" != 0 ] || failed=1; show bench "$logs/bench.log"; }
}

suite_property() {
    [ -f tools/property.sh ] || return 0
    # It starts a server of its own. Its last line has the form of ours.
    bash tools/property.sh --count "$count" >"$logs/property.log" 2>&1
    local rc=$?
    read -r passed failed skipped < <(tail -n 1 "$logs/property.log" |
        sed -nE 's/.*\b([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?.*/\1 \2 \4/p') || true
    passed=${passed:-0} failed=${failed:-0} skipped=${skipped:-0}
    [ "$rc" = 0 ] || { [ "$failed" != 0 ] || failed=1; show property "$logs/property.log"; }
}

started=$SECONDS
# CMake builds the listener and the unit tests, which the other suites do without.
parts=extension
case " $suites " in *" unit "* | *" tap "* | *" examples "*) parts=all ;; esac
if ! workdir_build "$copy" "$logs/build.log" "$parts"; then
    report build 0 1 0 "$((SECONDS - started))" "the build failed, nothing was tested"
else
    echo "built in $((SECONDS - started)) s with $("$PG_CONFIG" --version)"
    for suite in $suites; do
        passed=0 failed=0 skipped=0 before=$SECONDS
        "suite_$suite"
        report "$suite" "$passed" "$failed" "$skipped" "$((SECONDS - before))"
        echo "${lines[-1]}"
    done
fi

echo
[ -z "$keep" ] || echo "kept: $work"
echo "summary ($((SECONDS - started)) s)"
printf '%s\n' "${lines[@]}"
[ "$excused" = 0 ] || echo "NOT TESTED: a real Keycloak, which could not be fetched"
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ "$total_failed" = 0 ] && [ "$total_skipped" = "$excused" ]
