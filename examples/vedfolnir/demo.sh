#!/usr/bin/env bash
# The story of the example, told by tools/demo.sh, which sources this file.
# shellcheck disable=SC2154
database=media

title "Loading the example: 20 tables, 34 keys, six users, their files and Redis keys"
example_load media || exit 1
createdb -T media expected || exit 1
example_load_outside || exit 1
example_rows expected >"$d/rows0"
example_keys >"$d/keys0"
example_files >"$d/files0"
echo "$(wc -l <"$d/rows0") rows, $(wc -l <"$d/keys0") keys, $(grep -vc directory "$d/files0") files"

title "Configuring: the policy is data"
type_sql "CREATE EXTENSION vedfolnir;"
type_shell "psql -d media -f examples/vedfolnir/configure.sql"
quiet_sql -o /dev/null -f "$EXAMPLE/configure.sql" || exit 1
type_sql "SELECT relation_name, edge, action, reason FROM vedfolnir.policy ORDER BY 1, 2;"

title "Starting the listener"
example_listener_conf media || exit 1
type_shell "vedfolnir-listener --config listener.ini --check"
(example_exec "$LISTENER" --config "$d/listener.ini" --check) || { echo "demo: the listener refuses its configuration"; exit 1; }
example_listener_start

title "What would go with user 1?"
type_sql "SELECT * FROM vedfolnir_delete_user(1);"
hash=$(grep -oE 'plan_hash=[0-9a-f]+' <<<"$sql_output" | head -n 1 | cut -d = -f 2)
example_rows media >"$d/rows"
check "the dry run changed nothing" diff "$d/rows0" "$d/rows"

title "First only the sessions of user 3 are expired"
type_sql "SELECT * FROM vedfolnir_expire_sessions(3, dry_run => false);"
example_wait media 60 || echo "demo: the queue is not drained after 60 s"
psql -X -q -o /dev/null -d expected -f "$EXAMPLE/expected_expire.sql"
example_rows expected >"$d/rows1"
example_rows media >"$d/rows"
example_without "$d/keys0" "$EXAMPLE/expected_expire_keys.txt" >"$d/keys1"
example_keys >"$d/keys"
check "$(wc -l <"$EXAMPLE/expected_expire_keys.txt") keys and 2 session rows of user 3 gone, a log row forgets its session, nothing else touched" \
    bash -c "diff '$d/rows1' '$d/rows' && diff '$d/keys1' '$d/keys'"

title "Now user 1 goes, exactly as the dry run said"
type_sql "SELECT step, relation, via, action, row_count FROM vedfolnir_delete_user(1, dry_run => false, reason => 'ticket 1177', plan_hash => '$hash');"
title "The listener drains the queue"
for _ in $(seq 300); do
    type_sql "SELECT * FROM vedfolnir_verify_user(1);"
    [ "$(quiet_sql -c 'SELECT count(*) FROM vedfolnir_verify_user(1)')" != 0 ] || break
    sleep 0.5
done
type_sql "SELECT state, kind, service, count(*) FROM vedfolnir.cleanup_task GROUP BY 1, 2, 3 ORDER BY 2, 3, 1;"
type_shell "tail listener.log"
tail -n 6 "$d/listener.log"

title "A second call finds nothing to do"
type_sql "SELECT * FROM vedfolnir_delete_user(1, dry_run => false);"
check "the second call says already_deleted" grep -q already_deleted <<<"$sql_output"

title "User 7 is the administrator, and there is no successor"
type_sql "SELECT relation, via, row_count, collateral, note FROM vedfolnir_delete_user(7) WHERE action = 'block' OR collateral > 0;"
example_rows media >"$d/rows_before"
type_sql "SELECT * FROM vedfolnir_delete_user(7, dry_run => false);"
blockers=$(grep -cE '^(DETAIL: +)?public\.' <<<"$sql_output")
example_rows media >"$d/rows_after"
check "administrator refused with $blockers blockers, nothing changed" \
    bash -c "[ '$blockers' = 4 ] && grep -q '^ERROR:' <<<\"\$1\" && diff '$d/rows_before' '$d/rows_after'" bash "$sql_output"

title "What stays as evidence"
type_sql "SELECT mode, state, \"current_user\", reason, encode(pseudonym, 'hex') AS pseudonym FROM vedfolnir.deletion ORDER BY created_at;"
type_sql "SELECT relation, action, row_count FROM vedfolnir.audit_log JOIN vedfolnir.deletion d ON d.id = deletion_id WHERE d.mode = 'delete' ORDER BY audit_log.id;"

title "Checking"
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d expected -f "$EXAMPLE/expected.sql"
example_rows expected >"$d/rows2"
example_rows media >"$d/rows"
example_without "$d/keys1" "$EXAMPLE/expected_keys.txt" >"$d/keys2"
example_keys >"$d/keys"
example_without "$d/files0" "$EXAMPLE/expected_files.txt" >"$d/files2"
example_files >"$d/files"
gone=$(($(wc -l <"$d/rows1") - $(wc -l <"$d/rows")))
changed=$(comm -13 "$d/rows1" "$d/rows" | wc -l)
same_rows=$(comm -12 "$d/rows1" "$d/rows" | wc -l)
keys_gone=$(($(wc -l <"$d/keys1") - $(wc -l <"$d/keys")))
files_gone=$(($(grep -vc directory "$d/files0") - $(grep -vc directory "$d/files")))
same_files=$(comm -12 "$d/files0" "$d/files" | grep -vc directory)
same_keys=$(comm -12 "$d/keys1" "$d/keys" | wc -l)
check "$gone rows of user 1 gone, references cleared as declared in $changed rows, $files_gone files and $keys_gone keys gone" \
    bash -c "[ '$gone' -gt 0 ] && diff '$d/rows2' '$d/rows' && diff '$d/keys2' '$d/keys' && diff '$d/files2' '$d/files'"
check "$same_rows rows, $same_files files and $same_keys keys of everybody else unchanged" \
    bash -c "[ '$same_rows' -gt 0 ] && [ '$((gone + changed + same_rows))' = '$(wc -l <"$d/rows1")' ]"
check "no row holds the name of user 1" bash -c "! grep -iE 'ardel|finch' '$d/rows'"
check "nothing is left to do for user 1" test -z "$(quiet_sql -c 'SELECT * FROM vedfolnir_verify_user(1)')"
check "no task is dead, no target is kept" \
    test "$(quiet_sql -c "SELECT count(*) FILTER (WHERE state = 'dead') + count(target) FROM vedfolnir.cleanup_task")" = 0
check "no path, key or name in the listener's log" bash -c "! grep -E 'images/|user_1|sess-|platform:|ardel' '$d/listener.log'"
