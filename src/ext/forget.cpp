/*
 * forget.cpp: takes declarations back, by the names under which they were made: their objects may be gone.
 */
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
    ", mirrors AS (DELETE FROM vedfolnir.mirror WHERE subject = $1 AND relation_schema = $2 AND relation_name = $3 "
    "  AND $4 IS NULL RETURNING 1) "
    "SELECT (SELECT count(*) FROM mirrors) + (SELECT count(*) FROM policies) + (SELECT count(*) FROM links) + (SELECT count(*) FROM columns) + "
    "(SELECT count(*) FROM cleanups)";

/* vedfolnir_forget(relation text, edge name, subject name): how many declarations went; 22004, 22023, 42501, 42704. */
VDF_FUNCTION(vedfolnir_forget)
{
    VdfStore store;
    Oid types[4] = {NAMEOID, NAMEOID, NAMEOID, NAMEOID};
    Datum values[4];
    char nulls[5] = "    ";
    List *names;
    bool isnull;
    int64 count;

    vdf_require_duty("admin");
    if (PG_ARGISNULL(0) || PG_ARGISNULL(2))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation and subject must not be null")));
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(2)));
    names = textToQualifiedNameList(PG_GETARG_TEXT_PP(0));
    if (list_length(names) != 2)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the relation must be named with its schema"),
                        errhint("Write 'schema.table', as vedfolnir_check() shows it.")));
    values[0] = PG_GETARG_DATUM(2);
    values[1] = DirectFunctionCall1(namein, CStringGetDatum(strVal(linitial(names))));
    values[2] = DirectFunctionCall1(namein, CStringGetDatum(strVal(lsecond(names))));
    values[3] = PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1);
    if (PG_ARGISNULL(1))
        nulls[3] = 'n';
    vdf_store_open(&store);
    vdf_store_run(&store, FORGET, 4, types, values, nulls, false);
    count = DatumGetInt64(vdf_store_datum(&store, 0, 1, &isnull));
    vdf_store_close(&store);
    PG_RETURN_INT32((int32) count);
}
