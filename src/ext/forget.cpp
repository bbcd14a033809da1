/*
 * forget.cpp: takes declarations back, by the names under which they were made: their objects may be gone.
 */
#include "ext/definition.h"
#include "ext/deletion_plan.h"
#include "ext/duty.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"

/* A clean-up rule belongs to a relation, not to an edge. */
static const char *const FORGET =
    "WITH policies AS (DELETE FROM vedfolnir.policy WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND ($4 IS NULL OR edge = $4) RETURNING 1), "
    "links AS (DELETE FROM vedfolnir.link WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND ($4 IS NULL OR link = $4) RETURNING 1), "
    "columns AS (DELETE FROM vedfolnir.column_rule WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND ($4 IS NULL OR edge = $4) RETURNING 1), "
    "cleanups AS (DELETE FROM vedfolnir.cleanup_rule WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND $4 IS NULL RETURNING 1) "
    ", tenancies AS (DELETE FROM vedfolnir.tenancy WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND $4 IS NULL RETURNING 1) "
    ", mirrors AS (DELETE FROM vedfolnir.mirror WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND $4 IS NULL RETURNING 1) "
    ", dismissals AS (DELETE FROM vedfolnir.dismissal WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND $4 IS NULL RETURNING 1) "
    "SELECT (SELECT count(*) FROM dismissals) + (SELECT count(*) FROM mirrors) + (SELECT count(*) FROM tenancies) + (SELECT count(*) FROM policies) + (SELECT count(*) FROM links) + (SELECT count(*) FROM columns) + "
    "(SELECT count(*) FROM cleanups)";

/* The two parts of a qualified name, as values. */
static void read_relation(text *given, Datum *schema, Datum *relation)
{
    List *names = textToQualifiedNameList(given);

    if (list_length(names) != 2)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the relation must be named with its schema"),
                        errhint("Write 'schema.table', as vedfolnir_check() shows it.")));
    *schema = DirectFunctionCall1(namein, CStringGetDatum(strVal(linitial(names))));
    *relation = DirectFunctionCall1(namein, CStringGetDatum(strVal(lsecond(names))));
}

/* Runs a statement that counts what it removed. */
static int32 removed(const char *sql, int n, Oid *types, Datum *values, const char *nulls)
{
    VdfStore store;
    bool isnull;
    int64 count;

    vdf_store_open(&store);
    vdf_store_run(&store, sql, n, types, values, nulls, false);
    count = DatumGetInt64(vdf_store_datum(&store, 0, 1, &isnull));
    vdf_store_close(&store);
    return (int32) count;
}

/* vedfolnir_forget(relation text, edge name, subject name): how many declarations went; 22004, 22023, 42501, 42704. */
VDF_FUNCTION(vedfolnir_forget)
{
    Oid types[4] = {NAMEOID, NAMEOID, NAMEOID, NAMEOID};
    Datum values[4];
    char nulls[5] = "    ";

    vdf_require_duty("admin");
    if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and subject must not be null")));
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(2)));
    values[0] = PG_GETARG_DATUM(2);
    read_relation(PG_GETARG_TEXT_PP(0), &values[1], &values[2]);
    values[3] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
    if (PG_ARGISNULL(1))
        nulls[3] = 'n';
    PG_RETURN_INT32(removed(FORGET, 4, types, values, nulls));
}

static const char *const REMOVE_CLEANUP =
    "WITH gone AS (DELETE FROM vedfolnir.cleanup_rule WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "AND kind = $4 AND target = $5 AND service = $6 RETURNING 1) SELECT count(*) FROM gone";

/* vedfolnir_remove_cleanup(relation text, kind text, target text, service text, subject name): 22004, 22023, 42501, 42704. */
VDF_FUNCTION(vedfolnir_remove_cleanup)
{
    static const char *const names[] = {"relation", "kind", "target", "service", "subject"};
    Oid types[6] = {NAMEOID, NAMEOID, NAMEOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[6];

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, 5, names);
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(4)));
    values[0] = PG_GETARG_DATUM(4);
    read_relation(PG_GETARG_TEXT_PP(0), &values[1], &values[2]);
    for (int i = 1; i < 4; i++)
        values[2 + i] = PG_GETARG_DATUM(i);
    PG_RETURN_INT32(removed(REMOVE_CLEANUP, 6, types, values, NULL));
}

static const char *const REMOVE_MIRROR =
    "WITH gone AS (DELETE FROM vedfolnir.mirror WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "AND mirror_schema = $4 AND mirror_name = $5 RETURNING 1) SELECT count(*) FROM gone";

/* vedfolnir_remove_mirror(relation text, mirror text, subject name): 22004, 22023, 42501, 42704. */
VDF_FUNCTION(vedfolnir_remove_mirror)
{
    static const char *const required[] = {"relation", "mirror", "subject"};
    Oid types[5] = {NAMEOID, NAMEOID, NAMEOID, NAMEOID, NAMEOID};
    Datum values[5];

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, lengthof(required), required);
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(2)));
    values[0] = PG_GETARG_DATUM(2);
    read_relation(PG_GETARG_TEXT_PP(0), &values[1], &values[2]);
    read_relation(PG_GETARG_TEXT_PP(1), &values[3], &values[4]);
    PG_RETURN_INT32(removed(REMOVE_MIRROR, 5, types, values, NULL));
}

static const char *const REMOVE_DISMISSAL =
    "WITH gone AS (DELETE FROM vedfolnir.dismissal WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "AND column_name = $4 RETURNING 1) SELECT count(*) FROM gone";

/* vedfolnir_remove_dismissal(relation text, column_name name, subject name): 22004, 22023, 42501, 42704. */
VDF_FUNCTION(vedfolnir_remove_dismissal)
{
    static const char *const names[] = {"relation", "column_name", "subject"};
    Oid types[4] = {NAMEOID, NAMEOID, NAMEOID, NAMEOID};
    Datum values[4];

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, 3, names);
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(2)));
    values[0] = PG_GETARG_DATUM(2);
    read_relation(PG_GETARG_TEXT_PP(0), &values[1], &values[2]);
    values[3] = PG_GETARG_DATUM(1);
    PG_RETURN_INT32(removed(REMOVE_DISMISSAL, 4, types, values, NULL));
}

/* Audit, queue and holds are no declarations; a hold that is in force keeps the subject. */
static const char *const HOLDS =
    "SELECT count(*) FROM vedfolnir.hold WHERE subject = $1 AND released_at IS NULL "
    "AND (held_until IS NULL OR held_until > clock_timestamp())";

static const char *const UNREGISTER =
    "WITH policies AS (DELETE FROM vedfolnir.policy WHERE subject = $1 RETURNING 1), "
    "links AS (DELETE FROM vedfolnir.link WHERE subject = $1 RETURNING 1), "
    "columns AS (DELETE FROM vedfolnir.column_rule WHERE subject = $1 RETURNING 1), "
    "cleanups AS (DELETE FROM vedfolnir.cleanup_rule WHERE subject = $1 RETURNING 1), "
    "mirrors AS (DELETE FROM vedfolnir.mirror WHERE subject = $1 RETURNING 1), "
    "tenancies AS (DELETE FROM vedfolnir.tenancy WHERE subject = $1 RETURNING 1), "
    "dismissals AS (DELETE FROM vedfolnir.dismissal WHERE subject = $1 RETURNING 1), "
    "paths AS (DELETE FROM vedfolnir.watched_path WHERE subject = $1) "
    "SELECT (SELECT count(*) FROM policies) + (SELECT count(*) FROM links) + (SELECT count(*) FROM columns) + "
    "(SELECT count(*) FROM cleanups) + (SELECT count(*) FROM mirrors) + (SELECT count(*) FROM tenancies) + (SELECT count(*) FROM dismissals)";

/* Once what refers to it is gone. */
static const char *const UNREGISTER_SUBJECT =
    "WITH gone AS (DELETE FROM vedfolnir.subject WHERE subject = $1 RETURNING 1) SELECT count(*) FROM gone";

/* vedfolnir_unregister_subject(subject name): how many declarations went, the subject among them; 22004, 42501, 55000. */
VDF_FUNCTION(vedfolnir_unregister_subject)
{
    static const char *const required[] = {"subject"};
    Oid types[1] = {NAMEOID};
    Datum values[1];
    int32 holds, count;

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, lengthof(required), required);
    values[0] = PG_GETARG_DATUM(0);
    holds = removed(HOLDS, 1, types, values, NULL);
    if (holds > 0)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("subject \"%s\" has legal holds", NameStr(*PG_GETARG_NAME(0))),
                        errdetail("%d %s in force. Nothing was changed.", holds, holds == 1 ? "hold is" : "holds are"),
                        errhint("Release them first: SELECT vedfolnir_release(...);")));
    count = removed(UNREGISTER, 1, types, values, NULL);
    PG_RETURN_INT32(count + removed(UNREGISTER_SUBJECT, 1, types, values, NULL));
}
