/*
 * claim.cpp: giving out due tasks under a lease.
 */
#include "ext/pg.h"
#include "ext/duty.h"
#include "ext/queue_scope.h"

/*
 * Identities are deleted and webhooks sent when all else of the person is done. While batches are under way that is not
 * so, whatever tasks there are yet: these phases wait for the last transaction. Sessions and files of rows that are gone
 * need not wait.
 */
#define LAST_PHASES "4"

/*
 * The task that holds t back: the one it depends on, unless that is done, skipped or pruned; behind an abandoned one, what
 * that depended on itself. The same in the view vedfolnir.waiting_tasks.
 */
#define BLOCKING_TASK                                                                                                            \
    "WITH RECURSIVE before AS (SELECT o.id, o.depends_on, o.state FROM vedfolnir.cleanup_task AS o WHERE o.id = t.depends_on "    \
    "UNION ALL SELECT o.id, o.depends_on, o.state FROM before AS b JOIN vedfolnir.cleanup_task AS o ON o.id = b.depends_on "      \
    "WHERE b.state = 'abandoned') SELECT b.id FROM before AS b WHERE b.state IN ('available', 'running', 'retryable', 'dead') "  \
    "LIMIT 1"

enum
{
    PHASE_COUNT = 5,
    BATCH_MAX = 10000,
    CLAIMED_COLUMNS = 8,
    CLAIMED_TARGET = 6,
    TARGET_MAX = 65536, /* as in core/task.cpp */
    REALM_LOCK = 0x56444652, /* class of the advisory lock that claims of identities take */
    REALM_LOCK_TRIES = 50,
    REALM_LOCK_PAUSE = 2000 /* microseconds */
};

/* Gives the services that have open tasks, as text[]. */
static ArrayType *services_with_open_tasks(void)
{
    bool isnull;
    Datum names;

    vdf_queue_execute("SELECT pg_catalog.array_agg(DISTINCT t.service ORDER BY t.service) FROM vedfolnir.cleanup_task "
                      "AS t WHERE t.open",
                      0, NULL, NULL, NULL);
    names = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
    return isnull ? construct_empty_array(TEXTOID) : DatumGetArrayTypePCopy(names);
}

/*
 * Taken by each claim of identities and held to the end of its transaction. A claim takes milliseconds; who finds one under
 * way waits that long, for nobody would wake it later, but not for a session that forgot to commit.
 */
static bool lock_realms(void)
{
    for (int tries = 0; tries < REALM_LOCK_TRIES; tries++) {
        if (DatumGetBool(DirectFunctionCall2(pg_try_advisory_xact_lock_int4, Int32GetDatum(REALM_LOCK), Int32GetDatum(0))))
            return true;
        CHECK_FOR_INTERRUPTS();
        pg_usleep(REALM_LOCK_PAUSE);
    }
    return false;
}

/*
 * The realms that a live lease works on, as bytea[]; false if another session is claiming right now. Identity providers fail
 * under concurrent changes of one realm, so each is given to one worker at a time, whatever the number of listeners and
 * whatever they call its service: the database does not know whether two services are one server, so the name of the realm
 * decides. The newest snapshot is taken after the lock: what another session has claimed before is seen. What is running was
 * due once: tasks that wait for a later time are not read. Services are found one by one in the index, for their tasks are many.
 */
static bool busy_realms(Datum *realms)
{
    static const char sql[] =
        "WITH RECURSIVE service(name) AS ((SELECT t.service FROM vedfolnir.cleanup_task AS t WHERE t.open ORDER BY t.service LIMIT 1) "
        "UNION ALL SELECT (SELECT t.service FROM vedfolnir.cleanup_task AS t WHERE t.open AND t.service > s.name ORDER BY t.service "
        "LIMIT 1) FROM service AS s WHERE s.name IS NOT NULL) "
        "SELECT COALESCE(pg_catalog.array_agg(DISTINCT b.realm), '{}') FROM service AS s, LATERAL ("
        "SELECT vedfolnir.realm_of_target(t.target) AS realm "
        "FROM vedfolnir.cleanup_task AS t WHERE t.service = s.name AND t.phase IN (1, 4) AND t.open AND t.kind = 'identity' "
        "AND t.run_after <= (SELECT pg_catalog.clock_timestamp()) "
        "AND t.state = 'running' AND t.lease_until > (SELECT pg_catalog.clock_timestamp()) OFFSET 0) AS b";
    static SPIPlanPtr plan;
    bool isnull;

    if (!lock_realms())
        return false;
    vdf_queue_look(&plan, sql, 0, NULL, NULL);
    *realms = PointerGetDatum(DatumGetArrayTypePCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull)));
    return true;
}

/* May the call claim identities? */
static bool wants_identities(Datum kinds)
{
    Datum *items;
    bool *missing;
    int count;

    deconstruct_array(DatumGetArrayTypeP(kinds), TEXTOID, -1, false, TYPALIGN_INT, &items, &missing, &count);
    for (int i = 0; i < count; i++)
        if (!missing[i] && strcmp(TextDatumGetCString(items[i]), "identity") == 0)
            return true;
    return false;
}

/* Its text is what nobody can do, or cannot even be given to the client? */
static bool is_out_of_reach(Datum target)
{
    int server = GetDatabaseEncoding(), client = pg_get_client_encoding();
    struct varlena *text;
    Oid procedure;
    unsigned char *converted;
    int length, consumed;

    /* Of a long one not even the value is read. */
    if (toast_raw_datum_size(target) - VARHDRSZ > TARGET_MAX)
        return true;
    if (server == client || server == PG_SQL_ASCII || client == PG_SQL_ASCII)
        return false;
    procedure = FindDefaultConversionProc(server, client);
    if (!OidIsValid(procedure))
        return false;
    text = PG_DETOAST_DATUM_PACKED(target);
    length = (int) VARSIZE_ANY_EXHDR(text);
    converted = (unsigned char *) palloc(length * MAX_CONVERSION_GROWTH + 1);
    consumed = pg_do_encoding_conversion_buf(procedure, server, client, (unsigned char *) VARDATA_ANY(text), length, converted,
                                             length * MAX_CONVERSION_GROWTH + 1, true);
    pfree(converted);
    return consumed < length;
}

/*
 * The claimed tasks go to the caller. One target that cannot be sent would make every claim of the service fail, and long
 * ones would fill the memory of both sides: in their place is null, so that the worker can say that the task is dead.
 */
static void put_claimed(FunctionCallInfo fcinfo)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

    for (uint64 i = 0; i < SPI_processed; i++) {
        Datum values[CLAIMED_COLUMNS];
        bool nulls[CLAIMED_COLUMNS];

        heap_deform_tuple(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, values, nulls);
        nulls[CLAIMED_TARGET] = nulls[CLAIMED_TARGET] || is_out_of_reach(values[CLAIMED_TARGET]);
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
}

/*
 * Claims due tasks of one service and one phase. A running task is due again when its lease has ended; run_after stays as
 * it is, because an index has it.
 * Scalar subqueries instead of NOT EXISTS: each is one look into an index, where an anti-join is planned by statistics
 * that are always behind in a queue, and was seen to compare each task with each. The first one looks only at earlier
 * phases: the tasks of the same phase may be many, and as many of their index entries dead.
 * The rows are updated by their places: they are locked, so they cannot move.
 * The fence grows by a random step: where a claim is lost, as by a failover to a standby that lagged, the next one gives out
 * another fence than the lost one, and who holds the lost one cannot settle the task, or another that got its id.
 */
static uint64 claim_from(FunctionCallInfo fcinfo, Datum service, int phase, int limit, Datum role)
{
    static const char sql[] =
        "WITH due AS (SELECT t.ctid FROM vedfolnir.cleanup_task AS t WHERE t.service = $4 AND t.phase = $5 "
        "AND t.open AND t.run_after <= (SELECT pg_catalog.clock_timestamp()) "
        "AND (t.state <> 'running' OR (t.lease_until > (SELECT pg_catalog.clock_timestamp())) IS NOT TRUE) "
        "AND ($6 IS NULL OR t.kind = ANY ($6)) "
        "AND (t.kind <> 'identity' OR vedfolnir.realm_of_target(t.target) <> ALL ($8)) "
        "AND ($5 = 1 OR (SELECT true FROM vedfolnir.cleanup_task AS e WHERE e.deletion_id = t.deletion_id "
        "AND e.open AND e.phase < t.phase ORDER BY e.phase LIMIT 1) IS NULL) "
        "AND (t.depends_on IS NULL OR (" BLOCKING_TASK ") IS NULL) "
        "AND ($5 < " LAST_PHASES " OR (SELECT d.state FROM vedfolnir.deletion AS d WHERE d.id = t.deletion_id) "
        "IS DISTINCT FROM 'running') "
        "ORDER BY t.run_after, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED) "
        "UPDATE vedfolnir.cleanup_task AS t SET state = 'running', attempts = t.attempts + 1, "
        "fence = t.fence + 1 + pg_catalog.floor(pg_catalog.random() * 1073741824)::pg_catalog.int8, "
        "worker = $1, claimed_by = $7, lease_until = pg_catalog.clock_timestamp() + $3, "
        "errors = CASE WHEN t.state = 'running' THEN " VDF_EARLIER_ENTRIES " || pg_catalog.jsonb_build_array("
        "pg_catalog.jsonb_build_object('attempt', t.attempts, 'at', pg_catalog.clock_timestamp(), 'worker', t.worker, "
        "'message', 'the lease ended before the task was settled')) ELSE t.errors END "
        "WHERE t.ctid = ANY (ARRAY (SELECT due.ctid FROM due)) "
        "RETURNING t.id, t.fence, t.deletion_id, t.kind, t.operation, t.service, t.target, t.attempts - COALESCE(t.outages, 0)";
    static SPIPlanPtr plan;
    Oid types[] = {TEXTOID, INT4OID, INTERVALOID, TEXTOID, INT4OID, TEXTARRAYOID, TEXTOID, BYTEAARRAYOID};
    Datum values[] = {PG_GETARG_DATUM(0),
                      Int32GetDatum(limit),
                      PG_GETARG_DATUM(2),
                      service,
                      Int32GetDatum(phase),
                      PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3),
                      role,
                      (Datum) 0};
    char nulls[] = "       n";

    if (PG_ARGISNULL(3))
        nulls[5] = 'n';
    /* Without the realms no identity is claimed: the comparison with null is not true. */
    if ((phase == 1 || phase == 4) && (PG_ARGISNULL(3) || wants_identities(PG_GETARG_DATUM(3))) &&
        busy_realms(&values[7]))
        nulls[7] = ' ';
    vdf_queue_execute_kept(&plan, sql, 8, types, values, nulls);
    put_claimed(fcinfo);
    return SPI_processed;
}

VDF_FUNCTION(vedfolnir_claim_tasks)
{
    QueueScope scope;
    Datum *services;
    bool *missing;
    int service_count;
    int left;
    Datum role;

    vdf_require_duty("worker");
    vdf_queue_require_arguments(fcinfo, 3);
    left = PG_GETARG_INT32(1);
    if (left < 1 || left > BATCH_MAX)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("batch must be between 1 and %d, not %d", BATCH_MAX, left)));
    vdf_queue_require_lease(PG_GETARG_DATUM(2));
    InitMaterializedSRF(fcinfo, 0);
    role = vdf_queue_session_role();
    vdf_queue_enter(&scope);
    deconstruct_array(PG_ARGISNULL(4) ? services_with_open_tasks() : PG_GETARG_ARRAYTYPE_P(4), TEXTOID, -1, false,
                      TYPALIGN_INT, &services, &missing, &service_count);
    for (int phase = 1; phase <= PHASE_COUNT && left > 0; phase++) {
        for (int i = 0; i < service_count && left > 0; i++) {
            CHECK_FOR_INTERRUPTS();
            if (!missing[i])
                left -= (int) claim_from(fcinfo, services[i], phase, left, role);
        }
    }
    vdf_queue_leave(&scope);
    return (Datum) 0;
}
