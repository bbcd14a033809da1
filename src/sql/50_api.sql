-- The functions that users call, in the schema of CREATE EXTENSION.

CREATE FUNCTION vedfolnir_delete_user(user_id bigint, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME', 'vedfolnir_delete_user_bigint' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_delete_user(bigint, boolean, text, uuid, text, name)
IS 'deletes a person with everything that is theirs, or shows what would happen (dry_run, the default)';

CREATE FUNCTION vedfolnir_delete_user(user_uuid uuid, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME', 'vedfolnir_delete_user_uuid' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_delete_user(uuid, boolean, text, uuid, text, name)
IS 'deletes a person with everything that is theirs, or shows what would happen (dry_run, the default)';

CREATE FUNCTION vedfolnir_delete_user(user_key text, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME', 'vedfolnir_delete_user_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_delete_user(text, boolean, text, uuid, text, name)
IS 'deletes a person with everything that is theirs, or shows what would happen (dry_run, the default)';

CREATE FUNCTION vedfolnir_delete_user_by_name(username text, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_delete_user_by_name(text, boolean, text, uuid, text, name)
IS 'deletes the person whose label column equals the name; several such rows are an error';

CREATE FUNCTION vedfolnir_delete_users(user_keys text[], dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_delete_users(text[], boolean, text, uuid, text, name)
IS 'deletes many people in one walk';

CREATE FUNCTION vedfolnir_expire_sessions(user_id bigint, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME', 'vedfolnir_expire_sessions_bigint' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_expire_sessions(bigint, boolean, text, uuid, text, name)
IS 'ends the sessions of a person and deletes nothing else';

CREATE FUNCTION vedfolnir_expire_sessions(user_uuid uuid, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME', 'vedfolnir_expire_sessions_uuid' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_expire_sessions(uuid, boolean, text, uuid, text, name)
IS 'ends the sessions of a person and deletes nothing else';

CREATE FUNCTION vedfolnir_expire_sessions(user_key text, dry_run boolean DEFAULT true, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, plan_hash text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS SETOF vedfolnir.step
AS 'MODULE_PATHNAME', 'vedfolnir_expire_sessions_text' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_expire_sessions(text, boolean, text, uuid, text, name)
IS 'ends the sessions of a person and deletes nothing else';

CREATE FUNCTION vedfolnir_last_deletion() RETURNS uuid
AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vedfolnir_last_deletion() IS 'id of the last deletion of this transaction';

CREATE FUNCTION vedfolnir_register_subject(relation regclass, key_column name DEFAULT NULL, label_column name DEFAULT NULL,
    mode text DEFAULT 'delete', subject name DEFAULT 'user')
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_register_subject(regclass, name, name, text, name)
IS 'names the root table of a kind of person';

CREATE FUNCTION vedfolnir_set_policy(relation regclass, edge name, action text, reason text DEFAULT NULL,
    collateral text DEFAULT 'refuse', reassign_to text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_set_policy(regclass, name, text, text, text, text, name)
IS 'says what happens to the rows behind an edge';

CREATE FUNCTION vedfolnir_set_column(relation regclass, column_name name, expression text, edge name DEFAULT NULL,
    subject name DEFAULT 'user')
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_set_column(regclass, name, text, name, name)
IS 'sets a column of rows that stay: the root row of a tombstone, or rows reached through an edge';

CREATE FUNCTION vedfolnir_add_cleanup(relation regclass, kind text, target text, service text DEFAULT 'default',
    on_expire text DEFAULT 'no', subject name DEFAULT 'user')
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_add_cleanup(regclass, text, text, text, text, name)
IS 'queues outside work for each row of a relation that goes';

CREATE FUNCTION vedfolnir_grant(role regrole, duty text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_grant(regrole, text) IS 'gives a role the duty admin, operator, viewer or worker';

CREATE FUNCTION vedfolnir_revoke(role regrole, duty text) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_revoke(regrole, text) IS 'takes a duty back';

CREATE FUNCTION vedfolnir_verify_user(user_id bigint, subject name DEFAULT 'user')
RETURNS TABLE (kind text, relation text, via text, row_count bigint, note text)
AS 'MODULE_PATHNAME', 'vedfolnir_verify_user_bigint' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vedfolnir_verify_user(bigint, name)
IS 'lists what is left of a person: rows, dangling references, retained rows, open tasks';

CREATE FUNCTION vedfolnir_verify_user(user_uuid uuid, subject name DEFAULT 'user')
RETURNS TABLE (kind text, relation text, via text, row_count bigint, note text)
AS 'MODULE_PATHNAME', 'vedfolnir_verify_user_uuid' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vedfolnir_verify_user(uuid, name)
IS 'lists what is left of a person: rows, dangling references, retained rows, open tasks';

CREATE FUNCTION vedfolnir_verify_user(user_key text, subject name DEFAULT 'user')
RETURNS TABLE (kind text, relation text, via text, row_count bigint, note text)
AS 'MODULE_PATHNAME', 'vedfolnir_verify_user_text' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION vedfolnir_verify_user(text, name)
IS 'lists what is left of a person: rows, dangling references, retained rows, open tasks';

CREATE FUNCTION vedfolnir_add_link(link name, relation regclass, parent regclass, columns name[] DEFAULT NULL,
    expression text DEFAULT NULL, parent_columns name[] DEFAULT NULL, action text DEFAULT 'block',
    condition text DEFAULT NULL, subject name DEFAULT 'user')
RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION vedfolnir_add_link(name, regclass, regclass, name[], text, name[], text, text, name)
IS 'declares a reference that has no foreign key: columns, an array, or an expression, under a condition';
