#!/usr/bin/env bash
# What the tests of the examples begin with. Sourced with $root set: example_begin NAME, example_suggestions CALL EXPECTED.

# A throw-away cluster and a directory of our own, which go with the test. Sets EXAMPLE, EXAMPLE_DIR and d.
example_begin() {
    EXAMPLE=$root/examples/$1
    . "$root/tools/cluster.sh"
    . "$root/tools/example.sh"
    . "$root/test/support/tap.sh"
    export PATH="$PG_BIN:$PATH"
    EXAMPLE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-example.XXXXXX")
    d=$EXAMPLE_DIR
    trap 'example_stop; cluster_stop "$d"; rm -rf "$d"' EXIT
    trap 'exit 130' INT TERM
    cluster_start "$d" || exit 1
}

# What the extension would suggest on the bare schema, against what its authors want of each edge (expected_suggestions.txt).
example_suggestions() {
    local suggest
    createdb -T "$database" bare
    suggest=$(psql -X -q -A -t -v ON_ERROR_STOP=1 -d bare -c 'CREATE EXTENSION vedfolnir' -c "SELECT $1" \
        -c "SELECT relation, edge, CASE action WHEN 'delete' THEN 'goes' WHEN 'block' THEN 'blocks' ELSE 'stays' END FROM vedfolnir_suggest_policies()" |
        grep . | LC_ALL=C sort)
    is "suggestions that disagree with the authors" "$(LC_ALL=C comm -13 "$EXAMPLE/expected_suggestions.txt" - <<<"$suggest")" "$2"
    is "suggestions for every edge" "$(wc -l <<<"$suggest")" "$(wc -l <"$EXAMPLE/expected_suggestions.txt")"
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$database" "$@"; }
expect_sql() { psql -X -q -v ON_ERROR_STOP=1 -d expected "$@"; }
