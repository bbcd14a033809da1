-- Deletions too large for one transaction. No SET clause and no SECURITY DEFINER: either would forbid the commits.

CREATE PROCEDURE vedfolnir_delete_user_in_batches(user_key text, batch_rows int DEFAULT 10000, reason text DEFAULT NULL,
    request_id uuid DEFAULT NULL, subject name DEFAULT 'user', max_rows bigint DEFAULT NULL,
    max_duration interval DEFAULT NULL, max_lag interval DEFAULT NULL)
AS 'MODULE_PATHNAME', 'vedfolnir_delete_user_in_batches' LANGUAGE C;
COMMENT ON PROCEDURE vedfolnir_delete_user_in_batches(text, int, text, uuid, name, bigint, interval, interval)
IS 'deletes a person in several transactions, from the leaves up; called again it goes on where it stopped';
