/*
 * task_order.cpp: accounts of a person are deleted one after the other, in the order in which the rules were declared.
 */
#include "ext/task_order.h"

#include "ext/store.h"

/*
 * Done anew whenever tasks are added: batches queue the tasks of one deletion in many transactions, and none is claimed
 * before the last. Only deletions that began earlier are waited for, so that nothing can wait for itself. The second
 * number is what was changed: a trigger of an administrator may keep rows back.
 */
static const char *const ORDER =
    "WITH ours AS (SELECT t.id, t.deletion_id, t.depends_on, pg_catalog.lag(t.id) OVER (PARTITION BY t.deletion_id ORDER BY t.rule, t.id) "
    "AS before FROM vedfolnir.cleanup_task t WHERE t.deletion_id = ANY ($1) AND t.open AND t.phase = 4 AND t.kind = 'identity'), "
    "chain AS (SELECT o.id, COALESCE(o.before, (SELECT e.id FROM vedfolnir.deletion d JOIN vedfolnir.deletion f "
    "ON f.pseudonym = d.pseudonym AND f.subject = d.subject AND (f.created_at, f.id) < (d.created_at, d.id) "
    "CROSS JOIN LATERAL (SELECT x.id, x.rule FROM vedfolnir.cleanup_task x WHERE x.deletion_id = f.id AND x.open AND x.phase = 4 "
    "AND x.kind = 'identity' UNION ALL SELECT x.id, x.rule FROM vedfolnir.cleanup_task x WHERE x.deletion_id = f.id AND x.given_up "
    "AND x.state = 'dead' AND x.phase = 4 AND x.kind = 'identity') e WHERE d.id = o.deletion_id ORDER BY f.created_at DESC, f.id DESC, e.rule DESC, e.id DESC LIMIT 1)) AS before, o.depends_on FROM ours o), "
    "moved AS (SELECT c.id, c.before FROM chain c WHERE c.before IS DISTINCT FROM c.depends_on), "
    "changed AS (UPDATE vedfolnir.cleanup_task t SET depends_on = m.before FROM moved m WHERE t.id = m.id RETURNING t.id) "
    "SELECT (SELECT pg_catalog.count(*) FROM moved), (SELECT pg_catalog.count(*) FROM changed)";

void vdf_order_identities(const pg_uuid_t *deletions, int n)
{
    Datum *ids = (Datum *) palloc(sizeof(Datum) * n);
    Oid types[1] = {UUIDARRAYOID};
    Datum values[1];
    VdfStore store;
    bool isnull;

    for (int i = 0; i < n; i++)
        ids[i] = UUIDPGetDatum(&deletions[i]);
    values[0] = PointerGetDatum(construct_array(ids, n, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
    vdf_store_open(&store);
    vdf_store_run(&store, ORDER, 1, types, values, NULL, false);
    vdf_store_require_rows("cleanup_task", (uint64) DatumGetInt64(vdf_store_datum(&store, 0, 1, &isnull)),
                           (uint64) DatumGetInt64(vdf_store_datum(&store, 0, 2, &isnull)));
    vdf_store_close(&store);
    pfree(ids);
}
