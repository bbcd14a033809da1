/*
 * request.cpp: calls that carry a request_id, and the last deletion of the transaction.
 */
#include "ext/evidence.h"
#include "ext/report.h"
#include "ext/store.h"

bool vdf_request_find(Datum request_id, const VdfPseudonym *arguments, pg_uuid_t *deletion, List **steps)
{
    VdfStore store;
    Oid types[1] = {UUIDOID};
    bool found, isnull, same = false;

    /* A second call with the same id waits for the first. */
    (void) DirectFunctionCall1(pg_advisory_xact_lock_int8,
                               Int64GetDatum((int64) DatumGetUInt64(hash_any_extended(
                                   DatumGetUUIDP(request_id)->data, UUID_LEN, 0x76656466))));
    PushActiveSnapshot(GetLatestSnapshot()); /* the first call may be younger than this transaction's snapshot */
    vdf_store_open(&store);
    found = vdf_store_run(&store,
                          "SELECT deletion_id, arguments, steps FROM vedfolnir.request "
                          "WHERE request_id OPERATOR(pg_catalog.=) $1",
                          1, types, &request_id, NULL, true) > 0;
    if (found) {
        bytea *stored = DatumGetByteaPP(vdf_store_datum(&store, 0, 2, &isnull));

        same = VARSIZE_ANY_EXHDR(stored) == sizeof(arguments->bytes) &&
               memcmp(VARDATA_ANY(stored), arguments->bytes, sizeof(arguments->bytes)) == 0;
        *deletion = *DatumGetUUIDP(vdf_store_datum(&store, 0, 1, &isnull));
        *steps = vdf_steps_from_array(vdf_store_datum(&store, 0, 3, &isnull));
    }
    vdf_store_close(&store);
    PopActiveSnapshot();
    if (found && !same)
        ereport(ERROR, (errcode(ERRCODE_VDF_REQUEST_REUSED), errmsg("the request_id was used before with other arguments"),
                        errdetail("Nothing was changed."), errhint("Use a new request_id for a new request.")));
    return found;
}

void vdf_request_store(Datum request_id, const VdfPseudonym *arguments, const pg_uuid_t *deletion, List *steps)
{
    VdfStore store;
    Oid types[4] = {UUIDOID, UUIDOID, BYTEAOID, InvalidOid};
    Datum values[4];
    bytea *digest = (bytea *) palloc(VARHDRSZ + sizeof(arguments->bytes));

    SET_VARSIZE(digest, VARHDRSZ + sizeof(arguments->bytes));
    memcpy(VARDATA(digest), arguments->bytes, sizeof(arguments->bytes));
    values[0] = request_id;
    values[1] = UUIDPGetDatum(deletion);
    values[2] = PointerGetDatum(digest);
    values[3] = vdf_steps_array(steps);
    types[3] = get_array_type(vdf_step_type());
    vdf_store_open(&store);
    vdf_store_insert_row(&store, "request", "INSERT INTO vedfolnir.request VALUES ($1, $2, $3, $4)", 4, types, values);
    vdf_store_close(&store);
}

/* Ids of this transaction's deletions, newest first; a rolled back savepoint leaves ids whose row is gone. */
static List *remembered = NIL;
static LocalTransactionId remembered_in = InvalidLocalTransactionId;

void vdf_remember_deletion(const pg_uuid_t *id)
{
    MemoryContext caller = MemoryContextSwitchTo(TopTransactionContext);
    pg_uuid_t *copy = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));

    *copy = *id;
    if (remembered_in != VDF_MY_LXID) /* the list of another transaction went with its memory */
        remembered = NIL;
    remembered_in = VDF_MY_LXID;
    remembered = lcons(copy, remembered);
    MemoryContextSwitchTo(caller);
}

/* vedfolnir_last_deletion(): id of the last deletion of this transaction, NULL when there is none. */
VDF_FUNCTION(vedfolnir_last_deletion)
{
    ListCell *cell;

    if (remembered_in != VDF_MY_LXID)
        PG_RETURN_NULL();
    foreach (cell, remembered) {
        VdfStore store;
        Oid types[1] = {UUIDOID};
        Datum values[1] = {UUIDPGetDatum((pg_uuid_t *) lfirst(cell))};
        bool found;

        vdf_store_open(&store);
        found = vdf_store_run(&store, "SELECT FROM vedfolnir.deletion WHERE id OPERATOR(pg_catalog.=) $1", 1, types,
                              values, NULL, false) > 0;
        vdf_store_close(&store);
        if (found) {
            pg_uuid_t *result = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));

            *result = *(pg_uuid_t *) lfirst(cell);
            PG_RETURN_UUID_P(result);
        }
    }
    PG_RETURN_NULL();
}
