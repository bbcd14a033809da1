#include "ext/batch.h"

#include "ext/store.h"

/* A standby that has replayed all there is has no lag, whatever its last measurement was. */
static const char *const LAG =
    "SELECT COALESCE(pg_catalog.max(EXTRACT(epoch FROM r.replay_lag)), 0)::pg_catalog.float8 "
    "FROM pg_catalog.pg_stat_replication r "
    "WHERE r.replay_lsn OPERATOR(pg_catalog.<) pg_catalog.pg_current_wal_flush_lsn()";

int64 vdf_standby_lag(void)
{
    VdfStore store;
    Oid owner = vdf_store_owner();
    double seconds;
    bool isnull;

    /* Without the privilege the view has rows without values, and the lag would always be nothing. */
    if (!has_privs_of_role(owner, ROLE_PG_READ_ALL_STATS))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied to see how far the standbys are behind"),
                        errdetail("max_lag needs it. The owner of the extension reads pg_stat_replication."),
                        errhint("GRANT pg_read_all_stats TO %s;", quote_identifier(GetUserNameFromId(owner, false)))));
    vdf_store_open(&store);
    vdf_store_run(&store, LAG, 0, NULL, NULL, NULL, false);
    seconds = DatumGetFloat8(vdf_store_datum(&store, 0, 1, &isnull));
    vdf_store_close(&store);
    return (int64) (seconds * USECS_PER_SEC);
}
