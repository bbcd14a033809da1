#include "ext/running.h"

#include "ext/call.h"
#include "ext/check.h"
#include "ext/evidence.h"
#include "ext/queue.h"
#include "ext/queue_scope.h"
#include "ext/report.h"
#include "ext/store.h"

/* A look into an index that is empty but for running deletions: every deletion asks this. */
static bool any_running(void)
{
    Oid schema = get_namespace_oid("vedfolnir", false);
    Relation table = table_open(get_relname_relid("deletion", schema), AccessShareLock);
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc scan = systable_beginscan(table, get_relname_relid("deletion_running_idx", schema), true, snapshot, 0, NULL);
    bool any = HeapTupleIsValid(systable_getnext(scan));

    systable_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
    return any;
}

static const char *const FIND =
    "SELECT d.id, COALESCE((SELECT pg_catalog.sum(a.row_count) FROM vedfolnir.audit_log a WHERE a.deletion_id "
    "OPERATOR(pg_catalog.=) d.id AND a.action OPERATOR(pg_catalog.=) 'delete'), 0)::pg_catalog.int8 "
    "FROM vedfolnir.deletion d WHERE d.pseudonym OPERATOR(pg_catalog.=) ANY ($1) "
    "AND d.subject OPERATOR(pg_catalog.=) $2 AND d.state OPERATOR(pg_catalog.=) 'running'";

static void find(const char *subject, const char *key, VdfRunning *running)
{
    VdfStore store;
    Oid types[2] = {BYTEAARRAYOID, NAMEOID};
    Datum values[2];
    NameData name;
    bool isnull;

    if (!vdf_pseudonyms(subject, key, &values[0]))
        return;
    namestrcpy(&name, subject);
    values[1] = NameGetDatum(&name);
    vdf_store_open(&store);
    if (vdf_store_run(&store, FIND, 2, types, values, NULL, true) > 0) {
        running->found = true;
        running->id = *DatumGetUUIDP(vdf_store_datum(&store, 0, 1, &isnull));
        running->rows = (uint64) DatumGetInt64(vdf_store_datum(&store, 0, 2, &isnull));
    }
    vdf_store_close(&store);
}

VdfRunning *vdf_running_people(const char *subject, VdfDeletionPlan *plan, Datum *keys, int n)
{
    VdfRunning *running;

    if (!any_running())
        return NULL;
    running = (VdfRunning *) palloc0(sizeof(VdfRunning) * (n + 1));
    PushActiveSnapshot(GetLatestSnapshot());
    for (int i = 0; i < n; i++)
        find(subject, vdf_key_canonical(plan, keys[i]), &running[i]);
    PopActiveSnapshot();
    return running;
}

bool vdf_running_request(const pg_uuid_t *request_id, pg_uuid_t *id)
{
    VdfStore store;
    Oid types[1] = {UUIDOID};
    Datum values[1] = {UUIDPGetDatum(request_id)};
    bool found, isnull;

    PushActiveSnapshot(GetLatestSnapshot());
    vdf_store_open(&store);
    found = vdf_store_run(&store,
                          "SELECT id FROM vedfolnir.deletion WHERE request_id OPERATOR(pg_catalog.=) $1 "
                          "AND state OPERATOR(pg_catalog.=) 'running'",
                          1, types, values, NULL, true) > 0;
    if (found)
        *id = *DatumGetUUIDP(vdf_store_datum(&store, 0, 1, &isnull));
    vdf_store_close(&store);
    PopActiveSnapshot();
    return found;
}

bool vdf_running_finish(const pg_uuid_t *id, const char *plan_hash, const pg_uuid_t *request_id)
{
    static const char update[] = "UPDATE vedfolnir.deletion SET state = 'pending', plan_hash = $2, "
                                 "request_id = COALESCE(request_id, $3) WHERE id OPERATOR(pg_catalog.=) $1";
    /* Tasks of the last phases waited for this, whether this transaction queued some or not. */
    static const char wake[] =
        "SELECT pg_catalog.pg_notify('vedfolnir_cleanup', '') FROM vedfolnir.deletion d WHERE d.id OPERATOR(pg_catalog.=) $1 "
        "AND d.state OPERATOR(pg_catalog.=) 'pending' "
        "AND pg_catalog.current_setting('vedfolnir.notify', true) IS DISTINCT FROM 'off'";
    static const char look[] = "SELECT d.state OPERATOR(pg_catalog.=) ANY (ARRAY['pending', 'attention']) "
                               "FROM vedfolnir.deletion d WHERE d.id OPERATOR(pg_catalog.=) $1";
    Oid types[3] = {UUIDOID, TEXTOID, UUIDOID};
    Datum values[3] = {UUIDPGetDatum(id), CStringGetTextDatum(plan_hash), request_id ? UUIDPGetDatum(request_id) : (Datum) 0};
    Datum ids = PointerGetDatum(construct_array(values, 1, UUIDOID, UUID_LEN, false, TYPALIGN_CHAR));
    const char *nulls = request_id ? "   " : "  n";
    QueueScope scope;
    bool isnull, open;

    vdf_queue_enter(&scope);
    vdf_queue_execute(update, 3, types, values, nulls);
    if (SPI_processed == 0 && IsolationUsesXactSnapshot()) /* it began after the snapshot was taken */
        ereport(ERROR, (errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
                        errmsg("could not serialize access due to a concurrent deletion in batches")));
    vdf_store_require_rows("deletion", 1, SPI_processed);
    vdf_settle_deletions(ids);
    vdf_queue_execute(wake, 1, types, values, NULL);
    vdf_queue_execute(look, 1, types, values, NULL);
    open = SPI_processed > 0 && DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
    vdf_queue_leave(&scope);
    return open;
}

/* The keys are not on record, so the call to finish them cannot be shown. */
void vdf_review_running(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {NAMEOID};
    NameData name;
    Datum values[1] = {NameGetDatum(&name)};
    bool isnull;
    int64 n;

    namestrcpy(&name, review->plan->configuration->subject);
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "SELECT pg_catalog.count(*), pg_catalog.min(created_at)::pg_catalog.date FROM vedfolnir.deletion "
                  "WHERE subject OPERATOR(pg_catalog.=) $1 AND state OPERATOR(pg_catalog.=) 'running'",
                  1, types, values, NULL, true);
    n = DatumGetInt64(vdf_store_datum(&store, 0, 1, &isnull));
    if (n > 0)
        vdf_find(review, VDF_SEVERITY_NOTICE, "running", review->plan->configuration->subject,
                 psprintf("%s %s in batches %s not finished, the oldest since %s", vdf_number(n), n == 1 ? "deletion" : "deletions",
                          n == 1 ? "is" : "are", vdf_store_text(&store, 0, 2)),
                 "SELECT * FROM vedfolnir.deletion WHERE state = 'running';");
    vdf_store_close(&store);
}
