#!/usr/bin/env bash
# The expected end state of the second example, table by table: a person whose row stays as a tombstone.
# Run by tools/check.sh examples, which gives VEDFOLNIR_ROOT (a built checkout).
set -uo pipefail
root=${VEDFOLNIR_ROOT:-$(cd "$(dirname "$0")/../../.." && pwd)}
EXAMPLE=$root/examples/tractusx
. "$root/tools/cluster.sh"
. "$root/tools/example.sh"
. "$root/test/support/tap.sh"
export PATH="$PG_BIN:$PATH"
EXAMPLE_DIR=$(mktemp -d "${TMPDIR:-/tmp}/vedfolnir-example.XXXXXX")
d=$EXAMPLE_DIR
trap 'cluster_stop "$d"; rm -rf "$d"' EXIT
trap 'exit 130' INT TERM

cluster_start "$d" || exit 1
example_load portal || exit 1
createdb -T portal expected
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d portal "$@"; }
one=a0000000-0000-4000-8000-000000000001
two=a0000000-0000-4000-8000-000000000002

# What the extension would suggest on the bare schema, against what its authors want of each edge (expected_suggestions.txt).
createdb -T portal bare
suggest=$(psql -X -q -A -t -v ON_ERROR_STOP=1 -d bare -c 'CREATE EXTENSION vedfolnir' -c "SELECT vedfolnir_register_subject('portal.identities', mode => 'tombstone')" \
    -c "SELECT relation, edge, CASE action WHEN 'delete' THEN 'goes' WHEN 'block' THEN 'blocks' ELSE 'stays' END FROM vedfolnir_suggest_policies()" |
    grep . | LC_ALL=C sort)
is "suggestions that disagree with the authors" "$(LC_ALL=C comm -13 "$EXAMPLE/expected_suggestions.txt" - <<<"$suggest")" \
    'portal.technical_users|technical_users_id_fkey|stays'
is "suggestions for every edge" "$(wc -l <<<"$suggest")" "$(wc -l <"$EXAMPLE/expected_suggestions.txt")"

is "14 tables are audited" "$(sql -c "SELECT count(DISTINCT tgrelid) FROM pg_trigger WHERE tgname LIKE 'audit_%'")" 14
ok "the extension is created" sql -c 'CREATE EXTENSION vedfolnir' || exit 1
ok "the configuration loads" sql -f "$EXAMPLE/configure.sql" || exit 1
ok "the configuration loads a second time" sql -f "$EXAMPLE/configure.sql"
ok "the configuration covers the schema" sql -c 'SELECT vedfolnir_assert_check()'

example_rows expected >"$d/rows0"
before=$(sql -c "SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_user('$one')")
is "steps of the dry run" "$before" "$(cat "$EXAMPLE/expected_steps.txt")"
example_rows portal >"$d/rows"
same "the dry run changes nothing" "$d/rows" "$d/rows0"

run=$(sql <<SQL
BEGIN;
SET LOCAL vedfolnir.actor = '$two';
SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_user('$one', dry_run => false, reason => 'left the company');
COMMIT;
SQL
)
is "the run does what the dry run said" "$run" "$before"
psql -X -q -v ON_ERROR_STOP=1 -d expected -f "$EXAMPLE/expected.sql"
example_rows expected >"$d/rows1"
example_rows portal >"$d/rows"
same "rows after the deletion of person 1" "$d/rows" "$d/rows1"
is "no row holds the name" "$(grep -ciE 'yorick|tansy' "$d/rows")" 0
is "the identity is a tombstone" "$(sql -c "SELECT user_status_id, last_editor_id FROM portal.identities WHERE id = '$one'")" "3|$two"
is "the audit tables got one copy of each changed row" \
    "$(comm -13 "$d/rows0" "$d/rows" | grep -E '^portal\.audit_.*	\(key,2,' | cut -f 1 | sort | uniq -c | awk '{ print $2, $1 }')" \
    "portal.audit_company_user20230523 1
portal.audit_identity20231115 1
portal.audit_offer20240911 1"

# The shared provider's realm and the central one, disabled first and deleted last.
is "identity tasks of person 1" \
    "$(sql -c "SELECT phase, operation, service, target FROM vedfolnir.cleanup_task WHERE kind = 'identity' ORDER BY phase, operation, target")" \
    "1|disable|keycloak|central/username=$one
1|disable|keycloak|idp-alder/external-1
4|delete|keycloak|central/username=$one
4|delete|keycloak|idp-alder/external-1"
is "what stays is named with its reason" \
    "$(sql -c "SELECT relation, row_count FROM vedfolnir_verify_user('$one') WHERE kind = 'retained' AND relation IN ('portal.consents', 'portal.documents', 'portal.offer_subscriptions') AND via LIKE '%\_by' ORDER BY 1")" \
    "portal.consents|1
portal.documents|2
portal.offer_subscriptions|1"
is "nothing of person 1 is left" "$(sql -c "SELECT * FROM vedfolnir_verify_user('$one') WHERE kind IN ('row', 'dangling')")" ''

# An own or managed provider: the central realm only. No provider: nothing to do.
tasks_of() {
    sql -c "BEGIN" -c "SELECT count(*) FROM vedfolnir_delete_user('a0000000-0000-4000-8000-00000000000$1', dry_run => false)" \
        -c "SELECT string_agg(target, ' ' ORDER BY target) FROM vedfolnir.cleanup_task WHERE kind = 'identity' AND operation = 'delete' AND deletion_id = vedfolnir_last_deletion()" \
        -c "ROLLBACK" | tail -n +2
}
is "an own provider" "$(tasks_of 3)" 'central/username=a0000000-0000-4000-8000-000000000003'
is "a managed provider" "$(tasks_of 6)" 'central/username=a0000000-0000-4000-8000-000000000006'
is "no provider" "$(tasks_of 5)" ''
is "the shared provider of another company" "$(tasks_of 4)" 'central/username=a0000000-0000-4000-8000-000000000004 idp-birch/external-4'

# A technical user has a flow of its own.
message=$(sql -v VERBOSITY=verbose -c "SELECT * FROM vedfolnir_delete_user('a0000000-0000-4000-8000-000000000007', dry_run => false)" 2>&1)
matches "a technical user is refused" "$message" '^ERROR: +VF007:'
matches "with the edge" "$message" 'technical_users_id_fkey'
example_rows portal >"$d/rows"
same "nothing of that changed a row" "$d/rows" "$d/rows1"
tap_done
