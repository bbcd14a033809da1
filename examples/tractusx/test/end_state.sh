#!/usr/bin/env bash
# The expected end state of the second example, table by table: a person whose row stays as a tombstone.
# Run by tools/check.sh examples, which gives VEDFOLNIR_ROOT (a built checkout).
set -uo pipefail
root=${VEDFOLNIR_ROOT:-$(cd "$(dirname "$0")/../../.." && pwd)}
database=portal
. "$root/test/support/example.sh"
example_begin tractusx
example_load portal || exit 1
createdb -T portal expected
person() { echo "a0000000-0000-4000-8000-00000000000$1"; }
one=$(person 1)
two=$(person 2)
example_suggestions "vedfolnir_register_subject('portal.identities', mode => 'tombstone')" \
    'portal.technical_users|technical_users_id_fkey|stays'

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

# Person 2 is the IT administrator of the company.
run=$(sql <<SQL
BEGIN;
SET LOCAL vedfolnir.actor = '$two';
SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_company_user('{$one}', dry_run => false, reason => 'left the company');
COMMIT;
SQL
)
is "the run does what the dry run said" "$run" "$before"
expect_sql -v person="$one" -v actor="$two" -f "$EXAMPLE/expected.sql"
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
is "the shared provider's account goes before the central one" \
    "$(sql -c "SELECT a.target, b.target FROM vedfolnir.cleanup_task a JOIN vedfolnir.cleanup_task b ON a.id = b.depends_on WHERE a.operation = 'delete' AND b.operation = 'delete'")" \
    "idp-alder/external-1|central/username=$one"
is "what stays is named with its reason" \
    "$(sql -c "SELECT relation, row_count FROM vedfolnir_verify_user('$one') WHERE kind = 'retained' AND relation IN ('portal.consents', 'portal.documents', 'portal.offer_subscriptions') AND via LIKE '%\_by' ORDER BY 1")" \
    "portal.consents|1
portal.documents|2
portal.offer_subscriptions|1"
is "nothing of person 1 is left" "$(sql -c "SELECT * FROM vedfolnir_verify_user('$one') WHERE kind IN ('row', 'dangling')")" ''

# Who may delete whom: refusals change nothing and name nobody.
refusal() { # ACTOR CALL
    sql -v VERBOSITY=verbose -c BEGIN -c "SET LOCAL vedfolnir.actor = '$1'" -c "SELECT count(*) FROM $2" -c COMMIT 2>&1 | sed -n 's/^ERROR:  \(.....\):.*/\1/p'
}
is "nobody deletes people of another company" "$(refusal "$two" "vedfolnir_delete_company_user('{$(person 3),$(person 4)}', dry_run => false)")" 42501
is "nobody but an administrator deletes others" "$(refusal "$(person 3)" "vedfolnir_delete_company_user('{$two}', dry_run => false)")" 42501
is "nobody deletes another as themselves" "$(refusal "$(person 3)" "vedfolnir_delete_own_user('$two', dry_run => false)")" 42501
is "who was deleted administers nothing" "$(refusal "$one" "vedfolnir_delete_company_user('{$(person 3)}', dry_run => false)")" 42501
is "the last administrator stays" "$(refusal "$(person 4)" "vedfolnir_delete_own_user('$(person 4)', dry_run => false)")" VF007
is "an unknown person" "$(refusal "$two" "vedfolnir_delete_company_user('{$(person 3),$(person 9)}', dry_run => false)")" VF001
example_rows portal >"$d/rows"
same "refusals change nothing" "$d/rows" "$d/rows1"

# The other ways to an identity provider, each with its end state: an own provider and none, both by themselves; the shared
# one of another company and a managed one, where no actor is known.
end_state() { # NUMBER ACTOR FUNCTION TARGETS WHAT
    local actor=${2:-} key; key=$(person "$1")
    sql -o /dev/null -c BEGIN -c "SET LOCAL vedfolnir.actor = '$actor'" -c "SELECT count(*) FROM $3('$key', dry_run => false)" -c COMMIT
    is "$5: the identities that are told" "$(sql -c "SELECT string_agg(target, ' ' ORDER BY target) FROM vedfolnir.cleanup_task t JOIN vedfolnir.deletion d ON d.id = t.deletion_id
        WHERE kind = 'identity' AND operation = 'delete' AND d.created_at = (SELECT max(created_at) FROM vedfolnir.deletion)")" "$4"
    expect_sql -v person="$key" -v actor="$actor" -f "$EXAMPLE/expected.sql"
    example_rows expected >"$d/rows1"
    example_rows portal >"$d/rows"
    same "$5: every table" "$d/rows" "$d/rows1"
    is "$5: nothing is left" "$(sql -c "SELECT * FROM vedfolnir_verify_user('$key') WHERE kind IN ('row', 'dangling')")" ''
}
end_state 3 "$(person 3)" vedfolnir_delete_own_user "central/username=$(person 3)" "an own provider"
end_state 5 "$(person 5)" vedfolnir_delete_own_user '' "no provider"
end_state 4 '' vedfolnir_delete_user "central/username=$(person 4) idp-birch/external-4" "the shared provider of another company"
end_state 6 '' vedfolnir_delete_user "central/username=$(person 6)" "a managed provider"
is "the audit knows who acted" "$(sql -c "SELECT count(*) FILTER (WHERE actor ~ '^[0-9a-f]{64}\$'), count(*) FILTER (WHERE actor = encode(pseudonym, 'hex')), count(*) FILTER (WHERE actor IS NULL) FROM vedfolnir.deletion")" '3|2|2'
is "no row holds a name of theirs" "$(grep -ciE 'yorick|tansy|perrin|sunniva|tobin|sedge|wanda|hollis' "$d/rows")" 0

# A technical user has a flow of its own.
message=$(sql -v VERBOSITY=verbose -c "SELECT * FROM vedfolnir_delete_user('a0000000-0000-4000-8000-000000000007', dry_run => false)" 2>&1)
matches "a technical user is refused" "$message" '^ERROR: +VF007:'
matches "with the edge" "$message" 'technical_users_id_fkey'
example_rows portal >"$d/rows"
same "nothing of that changed a row" "$d/rows" "$d/rows1"
tap_done
