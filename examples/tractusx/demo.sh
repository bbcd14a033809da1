#!/usr/bin/env bash
# The story of the second example, told by tools/demo.sh, which sources this file.
# shellcheck disable=SC2034,SC2154
database=portal
one=a0000000-0000-4000-8000-000000000001
two=a0000000-0000-4000-8000-000000000002

title "Loading the example: a portal with 39 tables around a person, 14 of them audited"
example_load portal || exit 1
createdb -T portal expected || exit 1
example_rows expected >"$d/rows0"
echo "$(wc -l <"$d/rows0") rows"

title "Configuring: the person's row stays as a tombstone"
type_sql "CREATE EXTENSION vedfolnir;"
type_shell "psql -d portal -f examples/tractusx/configure.sql"
quiet_sql -o /dev/null -f "$EXAMPLE/configure.sql" || exit 1
type_sql "SELECT relation_name, edge, action FROM vedfolnir.policy WHERE edge NOT LIKE '%last_editor_id_fkey' ORDER BY 1, 2;"
type_sql "SELECT relation_name, link, action FROM vedfolnir.link ORDER BY 1, 2;"

title "What would go with person 1?"
type_sql "SELECT * FROM vedfolnir_delete_user('$one');"
example_rows portal >"$d/rows"
check "the dry run changed nothing" diff "$d/rows0" "$d/rows"

title "Person 2, the administrator of the same company, deletes person 1"
type_sql "BEGIN;
SET LOCAL vedfolnir.actor = '$two';
SELECT step, relation, via, action, row_count FROM vedfolnir_delete_company_user('{$one}', dry_run => false, reason => 'left the company');
COMMIT;"
type_sql "SELECT id, user_status_id, last_editor_id FROM portal.identities WHERE id = '$one';"
type_sql "SELECT * FROM portal.company_users WHERE id = '$one';"

title "The accounts at the identity providers wait for the listener"
type_sql "SELECT phase, operation, service, target, state FROM vedfolnir.cleanup_task ORDER BY id;"
type_sql "SELECT * FROM vedfolnir_verify_user('$one');"

title "Nobody deletes people of another company; the last administrator stays"
example_rows portal >"$d/rows_before"
type_sql "BEGIN;
SET LOCAL vedfolnir.actor = '$two';
SELECT * FROM vedfolnir_delete_company_user('{a0000000-0000-4000-8000-000000000004}', dry_run => false);"
refused=$sql_output
type_sql "BEGIN;
SET LOCAL vedfolnir.actor = '$two';
SELECT * FROM vedfolnir_delete_own_user('$two', dry_run => false);"
example_rows portal >"$d/rows_after"
check "the other company's person and the last administrator refused, nothing changed" \
    bash -c "grep -q '^ERROR:' <<<\"\$1\" && grep -q '^ERROR:' <<<\"\$2\" && diff '$d/rows_before' '$d/rows_after'" bash "$refused" "$sql_output"

title "A technical user has a flow of its own"
example_rows portal >"$d/rows_before"
type_sql "SELECT * FROM vedfolnir_delete_user('a0000000-0000-4000-8000-000000000007', dry_run => false);"
example_rows portal >"$d/rows_after"
check "technical user refused, nothing changed" \
    bash -c "grep -q '^ERROR:' <<<\"\$1\" && diff '$d/rows_before' '$d/rows_after'" bash "$sql_output"

title "Checking"
psql -X -q -v ON_ERROR_STOP=1 -v person="$one" -v actor="$two" -d expected -f "$EXAMPLE/expected.sql"
example_rows expected >"$d/rows1"
example_rows portal >"$d/rows"
gone=$(comm -23 "$d/rows0" "$d/rows" | wc -l)
new=$(comm -13 "$d/rows0" "$d/rows" | wc -l)
check "$gone rows gone or changed, $new rows changed or written by the audit triggers, exactly as written down by hand" \
    bash -c "[ '$gone' -gt 0 ] && diff '$d/rows1' '$d/rows'"
check "$(comm -12 "$d/rows0" "$d/rows" | wc -l) rows of everybody else unchanged" \
    test "$(comm -12 "$d/rows0" "$d/rows" | wc -l)" = "$(comm -12 "$d/rows0" "$d/rows1" | wc -l)"
check "no row holds the name of person 1" bash -c "! grep -iE 'yorick|tansy' '$d/rows'"
check "the shared provider's realm and the central one are to be told, disabled first and deleted last" \
    test "$(quiet_sql -c "SELECT string_agg(phase || ' ' || operation, ', ' ORDER BY phase) FROM vedfolnir.cleanup_task WHERE kind = 'identity'")" = '1 disable, 1 disable, 4 delete, 4 delete'
