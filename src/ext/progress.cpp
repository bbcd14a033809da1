#include "ext/progress.h"

#include "ext/report.h"

/* Not a number that the server uses. */
#define PROGRESS_COMMAND_VEDFOLNIR ((ProgressCommandType) 0x5664)

enum
{
    PARAM_PHASE,
    PARAM_RELATION,
    PARAM_ROWS,
    PARAM_EXPECTED,
    PARAM_STARTED,
    PARAM_DRY,
    PARAM_ID_HIGH,
    PARAM_ID_LOW
};

static uint64 rows_done = 0;
static uint64 rows_shown = 0;
static double rows_expected = 0;
static bool running = false;

static const char *const phases[] = {"starting", "walk", "detach", "targets", "prove", "triggers", "record", "batch", "wait"};

void vdf_progress_begin(Oid root, bool dry, const pg_uuid_t *deletion)
{
    int64 half[2];

    rows_done = rows_shown = 0;
    rows_expected = 0;
    running = true;
    memcpy(half, deletion->data, sizeof(half));
    pgstat_progress_start_command(PROGRESS_COMMAND_VEDFOLNIR, root);
    pgstat_progress_update_param(PARAM_STARTED, GetCurrentTimestamp());
    pgstat_progress_update_param(PARAM_DRY, dry);
    pgstat_progress_update_param(PARAM_ID_HIGH, half[0]);
    pgstat_progress_update_param(PARAM_ID_LOW, half[1]);
}

void vdf_progress_phase(VdfPhase phase)
{
    if (running)
        pgstat_progress_update_param(PARAM_PHASE, phase);
}

void vdf_progress_statement(Oid relation, double expected)
{
    if (!running)
        return;
    rows_expected = Max(rows_expected, (double) rows_done + expected);
    pgstat_progress_update_param(PARAM_RELATION, relation);
    pgstat_progress_update_param(PARAM_EXPECTED, (int64) rows_expected);
}

void vdf_progress_rows(uint64 rows)
{
    rows_done += rows;
    if (!running || rows_done < rows_shown + 1000)
        return;
    rows_shown = rows_done;
    pgstat_progress_update_param(PARAM_ROWS, (int64) rows_done);
}

void vdf_progress_expect(double rows)
{
    rows_expected = rows;
    if (!running)
        return;
    rows_shown = rows_done;
    pgstat_progress_update_param(PARAM_ROWS, (int64) rows_done);
    pgstat_progress_update_param(PARAM_EXPECTED, (int64) rows_expected);
}

void vdf_progress_end(void)
{
    if (running)
        pgstat_progress_end_command();
    running = false;
}

/* The status of a backend of this database that runs a deletion; NULL for others. */
static PgBackendStatus *deleting_backend(int number)
{
    LocalPgBackendStatus *local = vdf_backend_status(number);
    PgBackendStatus *backend = local ? &local->backendStatus : NULL;
    int command;

    if (backend == NULL || backend->st_databaseid != MyDatabaseId)
        return NULL;
    /* Ours is none of the values of the enumeration, so that it must not be loaded as one. */
    StaticAssertStmt(sizeof(backend->st_progress_command) == sizeof(int), "an enumeration is not an int");
    memcpy(&command, &backend->st_progress_command, sizeof(int));
    return command == (int) PROGRESS_COMMAND_VEDFOLNIR ? backend : NULL;
}

int vdf_progress_worker(const pg_uuid_t *deletion)
{
    int n;

    pgstat_clear_snapshot(); /* the list of backends is kept for the transaction */
    n = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= n; i++) {
        PgBackendStatus *backend = deleting_backend(i);

        if (backend != NULL && backend->st_procpid != MyProcPid && backend->st_progress_param[PARAM_DRY] == 0 &&
            memcmp(&backend->st_progress_param[PARAM_ID_HIGH], deletion->data, sizeof(int64)) == 0 &&
            memcmp(&backend->st_progress_param[PARAM_ID_LOW], deletion->data + sizeof(int64), sizeof(int64)) == 0)
            return backend->st_procpid;
    }
    return 0;
}

/* vedfolnir.progress_rows(): the runs of all sessions of this database, for the view vedfolnir.progress. */
VDF_FUNCTION(vedfolnir_progress_rows)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    int n;

    InitMaterializedSRF(fcinfo, 0);
    n = pgstat_fetch_stat_numbackends();
    for (int i = 1; i <= n; i++) {
        PgBackendStatus *backend = deleting_backend(i);
        Datum values[8];
        bool nulls[8] = {false};
        pg_uuid_t id;
        int64 *param;

        if (backend == NULL)
            continue;
        param = backend->st_progress_param;
        memcpy(id.data, &param[PARAM_ID_HIGH], sizeof(int64));
        memcpy(id.data + sizeof(int64), &param[PARAM_ID_LOW], sizeof(int64));
        values[0] = Int32GetDatum(backend->st_procpid);
        values[1] = UUIDPGetDatum(&id);
        nulls[1] = param[PARAM_DRY] != 0;
        values[2] = BoolGetDatum(param[PARAM_DRY] != 0);
        values[3] = ObjectIdGetDatum((Oid) param[PARAM_RELATION]);
        nulls[3] = param[PARAM_RELATION] == 0;
        values[4] = CStringGetTextDatum(phases[param[PARAM_PHASE] >= 0 && param[PARAM_PHASE] < (int64) lengthof(phases) ? param[PARAM_PHASE] : 0]);
        values[5] = Int64GetDatum(param[PARAM_ROWS]);
        values[6] = Int64GetDatum(Max(param[PARAM_EXPECTED], param[PARAM_ROWS]));
        values[7] = TimestampTzGetDatum(param[PARAM_STARTED]);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return (Datum) 0;
}
