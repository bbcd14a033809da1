/*
 * mirror.cpp: copies of deleted rows for the application's own audit tables. A copy is taken by the statement that deletes
 * its row, as one value of the audit table's row type, and inserted before the held triggers fire.
 */
#include "ext/catalog.h"
#include "ext/configuration.h"
#include "ext/duty.h"
#include "ext/execute.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"

/* Expressions per column of the mirror: those given, else the column of the same name. */
static const char *const COLUMNS =
    "SELECT a.attname, coalesce(g.value, CASE WHEN s.attname IS NOT NULL THEN quote_ident(a.attname) END), a.atttypid, a.atttypmod "
    "FROM pg_attribute a LEFT JOIN jsonb_each_text($3) g ON g.key = a.attname "
    "LEFT JOIN pg_attribute s ON s.attrelid = $1 AND s.attname = a.attname AND s.attnum > 0 AND NOT s.attisdropped "
    "WHERE a.attrelid = $2 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum";

static const char *const STRANGERS =
    "SELECT g.key FROM jsonb_each_text($2) g WHERE NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = $1 AND a.attname = g.key "
    "AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') ORDER BY 1";

static void check_columns(VdfStore *store, Oid mirror, Datum columns)
{
    Oid types[2] = {OIDOID, JSONBOID};
    Datum values[2] = {ObjectIdGetDatum(mirror), columns};

    if (vdf_store_run(store, STRANGERS, 2, types, values, NULL, true) > 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("%s has no column \"%s\" that can be written", vdf_relation_name(mirror), vdf_store_text(store, 0, 1))));
}

/* {"column": "expression as it is stored"} */
static Datum compile_columns(VdfStore *store, Oid relation, Oid mirror, Datum columns)
{
    Oid types[3] = {OIDOID, OIDOID, JSONBOID};
    Datum values[3] = {ObjectIdGetDatum(relation), ObjectIdGetDatum(mirror), columns};
    uint64 n = vdf_store_run(store, COLUMNS, 3, types, values, NULL, true);
    char **names = (char **) palloc(sizeof(char *) * (n + 1)), **expressions = (char **) palloc(sizeof(char *) * (n + 1));
    Oid *column_types = (Oid *) palloc(sizeof(Oid) * (n + 1));
    int32 *typmods = (int32 *) palloc(sizeof(int32) * (n + 1));
    Datum *pairs = (Datum *) palloc(sizeof(Datum) * 2 * (n + 1));
    int kept = 0;
    bool isnull;

    for (uint64 i = 0; i < n; i++) {
        names[i] = vdf_store_text(store, i, 1);
        expressions[i] = vdf_store_text(store, i, 2);
        column_types[i] = DatumGetObjectId(vdf_store_datum(store, i, 3, &isnull));
        typmods[i] = DatumGetInt32(vdf_store_datum(store, i, 4, &isnull));
    }
    for (uint64 i = 0; i < n; i++)
        if (expressions[i] != NULL) {
            pairs[kept++] = CStringGetTextDatum(names[i]);
            pairs[kept++] = CStringGetTextDatum(vdf_expression_compile(relation, expressions[i], false, column_types[i], typmods[i]));
        }
    if (kept == 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s and %s have no column in common", vdf_relation_name(relation), vdf_relation_name(mirror))));
    types[0] = TEXTARRAYOID;
    values[0] = PointerGetDatum(construct_array(pairs, kept, TEXTOID, -1, false, TYPALIGN_INT));
    vdf_store_run(store, "SELECT jsonb_object($1)", 1, types, values, NULL, true);
    return datumCopy(vdf_store_datum(store, 0, 1, &isnull), false, -1);
}

/*
 * vedfolnir_add_mirror(relation regclass, mirror regclass, columns jsonb, subject name): 22004, 22023, 42501, 42703, 42704,
 * 42804, 42809.
 */
VDF_FUNCTION(vedfolnir_add_mirror)
{
    VdfStore store;
    Oid relation, mirror, types[9] = {NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, JSONBOID, JSONBOID};
    Datum values[9];

    vdf_require_duty("admin");
    for (int i = 0; i < 4; i++)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation, mirror, columns and subject must not be null")));
    relation = PG_GETARG_OID(0);
    mirror = PG_GETARG_OID(1);
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(3)));
    vdf_require_table(relation);
    vdf_require_table(mirror);
    vdf_require_owner(relation);
    vdf_require_owner(mirror);
    if (relation == mirror)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a table cannot be its own mirror")));
    values[0] = PG_GETARG_DATUM(3);
    values[1] = ObjectIdGetDatum(relation);
    values[2] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(relation))));
    values[3] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(relation)));
    values[4] = ObjectIdGetDatum(mirror);
    values[5] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(mirror))));
    values[6] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(mirror)));
    values[7] = PointerGetDatum(PG_DETOAST_DATUM(PG_GETARG_DATUM(2)));
    if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(values[7])))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("columns must be a JSON object"),
                        errhint("For example: '{\"email\": \"NULL\"}'.")));
    vdf_store_open(&store);
    check_columns(&store, mirror, values[7]);
    values[8] = compile_columns(&store, relation, mirror, values[7]);
    vdf_store_run(&store,
                  "INSERT INTO vedfolnir.mirror VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (subject, relation, mirror) "
                  "DO UPDATE SET relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                  "mirror_schema = excluded.mirror_schema, mirror_name = excluded.mirror_name, columns = excluded.columns, "
                  "parsed = excluded.parsed",
                  9, types, values, NULL, false);
    vdf_store_close(&store);
    PG_RETURN_VOID();
}
