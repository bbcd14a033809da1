#!/usr/bin/env bash
# The expected end state of the example, table by table, key by key, file by file.
# Run by tools/check.sh examples, which gives VEDFOLNIR_ROOT (a built checkout) and VEDFOLNIR_LISTENER.
set -uo pipefail
root=${VEDFOLNIR_ROOT:-$(cd "$(dirname "$0")/../../.." && pwd)}
LISTENER=${VEDFOLNIR_LISTENER:-$root/build/cmake/vedfolnir-listener}
database=media
. "$root/test/support/example.sh"
example_begin vedfolnir
example_redis_start || exit 1
example_load media || exit 1
example_load_outside || exit 1
createdb -T media expected
example_suggestions "vedfolnir_register_subject('public.users', mode => 'delete')" \
    'public.storage_event_log|storage_event_log_user_id_fkey|stays'

is "20 tables" "$(sql -c "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")" 20
is "34 keys" "$(sql -c "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace")" 34
ok "the extension is created" sql -c 'CREATE EXTENSION vedfolnir' || exit 1
ok "the configuration loads" sql -f "$EXAMPLE/configure.sql" || exit 1
ok "the configuration loads a second time" sql -f "$EXAMPLE/configure.sql"
ok "the configuration covers the schema" sql -c 'SELECT vedfolnir_assert_check()'
is "check() names the columns without an index" \
    "$(sql -c "SELECT object FROM vedfolnir_check() WHERE code = 'missing_index' ORDER BY object COLLATE \"C\"")" \
    "public.caption_generation_user_settings.platform_connection_id
public.compliance_audits.auditor_id
public.gdpr_audit_log.admin_user_id
public.gdpr_audit_log.user_id
public.job_audit_log.platform_connection_id
public.job_audit_log.session_id
public.posts.user_id
public.storage_event_log.storage_override_id
public.storage_overrides.deactivated_by_user_id
public.system_alerts.acknowledged_by
public.system_alerts.resolved_by
public.user_audit_log.admin_user_id
public.user_audit_log.user_id
public.user_sessions.active_platform_id"

# For the other choice, see below; no listener is connected yet.
createdb -T media anonymous
createdb -T expected expected_anonymous

example_listener_conf media
ok "the listener accepts its configuration" bash -c ". '$root/tools/example.sh'; example_exec '$LISTENER' --config '$d/listener.ini' --check"
example_listener_start

# Expire the sessions of user 3: its two session rows, what refers to them, and the cached entries marked for it, nothing else.
example_rows expected >"$d/rows0"
example_keys >"$d/keys0"
example_files >"$d/files0"
ok "the sessions of user 3 are expired" sql -c 'SELECT * FROM vedfolnir_expire_sessions(3, dry_run => false)'
ok "the queue is drained" example_wait media 60
expect_sql -f "$EXAMPLE/expected_expire.sql"
example_rows expected >"$d/rows1"
example_without "$d/keys0" "$EXAMPLE/expected_expire_keys.txt" >"$d/keys1"
example_rows media >"$d/rows"
same "rows after the sessions of user 3 are expired" "$d/rows" "$d/rows1"
example_keys >"$d/keys"
same "keys after the sessions of user 3 are expired" "$d/keys" "$d/keys1"
example_files >"$d/files"
same "files after the sessions of user 3 are expired" "$d/files" "$d/files0"

# The dry run of user 1.
before=$(sql -c 'SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1)')
is "steps of the dry run" "$before" "$(cat "$EXAMPLE/expected_steps.txt")"
example_rows media >"$d/rows"
same "the dry run changes nothing" "$d/rows" "$d/rows1"
is "the dry run queues nothing" "$(sql -c 'SELECT count(*) FROM vedfolnir.deletion')" 1

# The run.
run=$(sql -c "SELECT relation, via, action, row_count, collateral FROM vedfolnir_delete_user(1, dry_run => false, reason => 'ticket 1177')")
is "the run does what the dry run said" "$run" "$before"
ok "the queue is drained again" example_wait media 60
expect_sql -o /dev/null -f "$EXAMPLE/expected.sql"
example_rows expected >"$d/rows2"
example_rows media >"$d/rows"
same "rows after the deletion of user 1" "$d/rows" "$d/rows2"
example_without "$d/keys1" "$EXAMPLE/expected_keys.txt" >"$d/keys2"
example_keys >"$d/keys"
same "keys after the deletion of user 1" "$d/keys" "$d/keys2"
example_without "$d/files0" "$EXAMPLE/expected_files.txt" >"$d/files2"
example_files >"$d/files"
same "files after the deletion of user 1" "$d/files" "$d/files2"

# The same by numbers, so that a mistake in expected.sql cannot agree with one in the extension.
while read -r relation stays; do
    is "rows that stay in $relation" "$(sql -c "SELECT count(*) FROM public.$relation")" "$stays"
done <<'TABLES'
alert_configuration 2
caption_generation_tasks 6
caption_generation_user_settings 4
compliance_audits 1
compliance_metrics 2
compliance_requirements 2
gdpr_audit_log 4
images 48
job_audit_log 5
notifications 4
platform_connections 5
posts 24
processing_runs 8
storage_event_log 3
storage_overrides 2
system_alerts 3
system_configuration 2
user_audit_log 6
user_sessions 6
users 5
TABLES
is "no row holds the name" "$(grep -ciE 'ardel|finch' "$d/rows")" 0
is "notifications to everybody stay" "$(sql -c "SELECT string_agg(id, ' ' ORDER BY id) FROM public.notifications WHERE user_id IS NULL")" \
    'notification-3 notification-4'
is "the shared file stays" "$(grep -c "images/$(printf %s https://media.example.org/shared.jpg | md5sum | cut -c 1-16).jpg" "$d/files")" 1
is "the file that was lent stays" "$(grep -c '^images/user_1/lent.jpg' "$d/files")" 1
is "keys that have the key as a prefix stay" "$(grep -cE '^(user_platforms:12|platform:1|platform_stats:12:1|vedfolnir:session:sess-1-ab)	' "$d/keys")" 4

# Afterwards.
is "nothing is left" "$(sql -c 'SELECT * FROM vedfolnir_verify_user(1)')" ''
is "the deletion is complete" "$(sql -c "SELECT state FROM vedfolnir.deletion WHERE mode = 'delete'")" complete
is "no target is kept" "$(sql -c 'SELECT count(target) FROM vedfolnir.cleanup_task')" 0
is "a second run" "$(sql -c 'SELECT relation, action, row_count FROM vedfolnir_delete_user(1, dry_run => false)')" 'public.users|already_deleted|0'

# The administrator.
dry=$(sql -c "SELECT relation, via, row_count FROM vedfolnir_delete_user(7) WHERE action = 'block' ORDER BY 1, 2")
is "rows that block the administrator" "$dry" "public.alert_configuration|alert_configuration_created_by_fkey|2
public.compliance_audits|compliance_audits_auditor_id_fkey|1
public.system_configuration|system_configuration_updated_by_fkey|2"
message=$(sql -v VERBOSITY=verbose -c 'SELECT * FROM vedfolnir_delete_user(7, dry_run => false)' 2>&1)
matches "the administrator is refused" "$message" '^ERROR: +VF007:'
for blocker in alert_configuration_created_by_fkey compliance_audits_auditor_id_fkey system_configuration_updated_by_fkey \
    caption_generation_tasks_platform_connection_id_fkey; do
    matches "the refusal names $blocker" "$message" "$blocker"
done
example_rows media >"$d/rows"
same "the refusal changes nothing" "$d/rows" "$d/rows2"

# With a successor the system's rows are handed over; the task of user 2 on the administrator's platform is still in the way.
sql -c "UPDATE public.users SET role = 'ADMIN' WHERE id = 21"
is "what the administrator hands over" "$(sql -c "SELECT relation, action, row_count FROM vedfolnir_delete_user(7) WHERE action = 'reassign' ORDER BY 1")" \
    "public.alert_configuration|reassign|2
public.compliance_audits|reassign|1
public.system_configuration|reassign|2"
sql -c "DELETE FROM public.caption_generation_tasks t USING public.platform_connections p WHERE p.id = t.platform_connection_id AND p.user_id = 7 AND t.user_id <> 7"
ok "the administrator is deleted" sql -c 'SELECT * FROM vedfolnir_delete_user(7, dry_run => false)'
is "the successor has the system's rows" "$(sql -c "SELECT string_agg(DISTINCT x::text, ' ') FROM (SELECT updated_by FROM public.system_configuration
    UNION ALL SELECT created_by FROM public.alert_configuration UNION ALL SELECT auditor_id FROM public.compliance_audits) AS s(x)")" 21
is "nothing of the administrator is left" "$(sql -c "SELECT * FROM vedfolnir_verify_user(7) WHERE kind <> 'task'")" ''

# Who leaves last takes the shared files along.
ok "user 12 is deleted" sql -c 'SELECT * FROM vedfolnir_delete_user(12, dry_run => false)'
ok "the queue is drained a third time" example_wait media 60
example_files >"$d/files"
is "the shared file is gone" "$(grep -c "images/$(printf %s https://media.example.org/shared.jpg | md5sum | cut -c 1-16).jpg" "$d/files")" 0
is "the file that was lent is gone" "$(grep -c '^images/user_1/lent.jpg' "$d/files")" 0
is "no task is dead" "$(sql -c "SELECT count(*) FROM vedfolnir.cleanup_task WHERE state = 'dead'")" 0

# The other choice: the row stays, anonymised, and everything else ends up the same.
database=anonymous
ok "the other choice loads" sql -f "$EXAMPLE/anonymise.sql"
ok "it covers the schema" sql -c 'SELECT vedfolnir_assert_check()'
is "user 1 is anonymised" "$(sql -c 'SELECT relation, action, row_count FROM vedfolnir_delete_user(1, dry_run => false) WHERE step = 1')" \
    'public.users|tombstone|1'
sed '/^DELETE FROM public.users /d' "$EXAMPLE/expected.sql" | psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d expected_anonymous
psql -X -q -v ON_ERROR_STOP=1 -d expected_anonymous <<'SQL'
UPDATE public.users SET username = 'deleted_user_', email = '@deleted.invalid', password_hash = '!', is_active = false, last_login = NULL,
    email_verified = false, first_name = NULL, last_name = NULL, password_reset_token = NULL, data_processing_consent = false,
    data_processing_consent_date = NULL WHERE id = 1;
SQL
example_rows expected_anonymous >"$d/rows_expected"
example_rows anonymous | sed -E 's/deleted_user_[0-9a-f]{8},[0-9a-f-]{36}@/deleted_user_,@/' >"$d/rows"
same "rows after user 1 was anonymised" "$d/rows" "$d/rows_expected"
is "nothing is left but the row" "$(sql -c "SELECT kind, relation, note FROM vedfolnir_verify_user(1) WHERE kind <> 'task'")" \
    'retained|public.users|the row is kept as a tombstone'
database=media

# What the listener wrote tells nobody who it was.
is "no path, key or name in the listener's log" "$(grep -cE 'images/|user_1|sess-|platform:|ardel|finch' "$d/listener.log")" 0
tap_done
