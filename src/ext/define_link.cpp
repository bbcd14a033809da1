/*
 * define_link.cpp: vedfolnir_add_link, references that have no foreign key.
 */
#include "bridge/wall.h"
#include "ext/configuration.h"
#include "ext/deletion_plan.h"
#include "ext/duty.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/schema_facts.h"
#include "ext/store.h"

static void invalid(const char *message, const char *hint)
{
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s", message), hint ? errhint("%s", hint) : 0));
}

/* Checks the columns of an array of names and returns how many there are. */
static int check_columns(Oid relation, Datum array)
{
    Datum *names;
    bool *nulls;
    int n;

    deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &names, &nulls, &n);
    for (int i = 0; i < n; i++) {
        if (nulls[i])
            invalid("a column name must not be null", NULL);
        (void) vdf_column_number(relation, NameStr(*DatumGetName(names[i])));
    }
    return n;
}

/* The parent's primary key, as name[]. */
static Datum primary_key(Oid parent, int *n)
{
    Relation table = table_open(parent, AccessShareLock);
    Oid index = vdf_primary_key_index(table);
    Relation key;
    Datum names[INDEX_MAX_KEYS];

    if (!OidIsValid(index))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s has no primary key", vdf_relation_name(parent)),
                        errhint("Name the columns with parent_columns.")));
    key = index_open(index, AccessShareLock);
    *n = key->rd_index->indnkeyatts;
    for (int i = 0; i < *n; i++)
        names[i] = DirectFunctionCall1(namein, CStringGetDatum(get_attname(parent, key->rd_index->indkey.values[i], false)));
    index_close(key, AccessShareLock);
    table_close(table, AccessShareLock);
    return PointerGetDatum(construct_array(names, *n, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR));
}

static void require_free_name(const char *subject, Oid relation, const char *link)
{
    VdfStore store;
    Oid types[2] = {OIDOID, NAMEOID};
    Datum values[2] = {ObjectIdGetDatum(relation), DirectFunctionCall1(namein, CStringGetDatum(link))};
    bool taken;

    vdf_store_open(&store);
    taken = vdf_store_run(&store,
                          "SELECT FROM pg_catalog.pg_constraint WHERE conrelid OPERATOR(pg_catalog.=) ANY (ARRAY(WITH RECURSIVE up(oid) AS "
                          "(SELECT $1 UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN up u "
                          "ON i.inhrelid OPERATOR(pg_catalog.=) u.oid) SELECT up.oid FROM up)) "
                          "AND conname OPERATOR(pg_catalog.=) $2 AND contype OPERATOR(pg_catalog.=) 'f'",
                          2, types, values, NULL, true) > 0;
    vdf_store_close(&store);
    if (taken)
        ereport(ERROR, (errcode(ERRCODE_DUPLICATE_OBJECT),
                        errmsg("%s has a foreign key \"%s\"", vdf_relation_name(relation), link),
                        errhint("Choose another name for the link.")));
}

/*
 * vedfolnir_add_link(link name, relation regclass, parent regclass, columns name[], expression text, parent_columns name[],
 * action text, condition text, subject name): 22004, 22023, 42501, 42703, 42704, 42710.
 */
VDF_FUNCTION(vedfolnir_add_link)
{
    static const int required[] = {0, 1, 2, 6, 8};
    Oid relation, parent;
    char *link, *expression, *condition, *subject, *action, *parsed = NULL, *condition_parsed = NULL;
    int n = 1, parents;
    Datum parent_columns;
    VdfStore store;
    Oid types[15] = {NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEOID, REGCLASSOID, NAMEOID, NAMEOID,
                     NAMEARRAYOID, TEXTOID, TEXTOID, NAMEARRAYOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[15];
    char nulls[16];

    vdf_require_duty("admin");
    for (size_t i = 0; i < lengthof(required); i++)
        if (PG_ARGISNULL(required[i]))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("link, relation, parent, action and subject must not be null")));
    link = pstrdup(NameStr(*PG_GETARG_NAME(0)));
    relation = PG_GETARG_OID(1);
    parent = PG_GETARG_OID(2);
    expression = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));
    action = text_to_cstring(PG_GETARG_TEXT_PP(6));
    condition = PG_ARGISNULL(7) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(7));
    subject = pstrdup(NameStr(*PG_GETARG_NAME(8)));
    (void) vdf_require_subject(subject);
    vdf_require_table(relation);
    vdf_require_table(parent);
    if (PG_ARGISNULL(3) == (expression == NULL))
        invalid("a link has either columns or an expression", NULL);
    if (vdf_action_of(action) == VDF_ACTION_NONE)
        invalid(psprintf("invalid action: \"%s\"", action), "Allowed are delete, nullify, default, retain and block.");
    if (vdf_action_of(action) == VDF_ACTION_REASSIGN)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a link does not say to whom its rows are reassigned"),
                        errhint("Declare it with another action, then: SELECT vedfolnir_set_policy(%s, %s, 'reassign', reassign_to => '...'%s);",
                                quote_literal_cstr(vdf_relation_name(relation)), quote_literal_cstr(link),
                                vdf_subject_argument(subject))));
    if (link[0] == '\0')
        invalid("the name of a link must not be empty", NULL);
    require_free_name(subject, relation, link);
    if (expression != NULL) {
        char kind = vdf_action_of(action);

        if (kind == VDF_ACTION_NULLIFY || kind == VDF_ACTION_DEFAULT)
            invalid("a link through an expression has no column to set",
                    "Use delete, retain or block, and vedfolnir_set_column for columns of rows that stay.");
        vdf_require_owner(relation);
        parsed = vdf_expression_compile(relation, expression, false, InvalidOid, -1);
    } else
        n = check_columns(relation, PG_GETARG_DATUM(3));
    if (condition != NULL) {
        vdf_require_owner(relation);
        condition_parsed = vdf_expression_compile(relation, condition, false, BOOLOID, -1);
    }
    if (PG_ARGISNULL(5))
        parent_columns = primary_key(parent, &parents);
    else {
        parent_columns = PG_GETARG_DATUM(5);
        parents = check_columns(parent, parent_columns);
    }
    if (n != parents || n == 0 || n > INDEX_MAX_KEYS)
        invalid("a link needs as many columns as parent columns", NULL);

    memset(nulls, ' ', sizeof(nulls));
    values[0] = DirectFunctionCall1(namein, CStringGetDatum(subject));
    values[1] = ObjectIdGetDatum(relation);
    values[2] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(relation))));
    values[3] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(relation)));
    values[4] = DirectFunctionCall1(namein, CStringGetDatum(link));
    values[5] = ObjectIdGetDatum(parent);
    values[6] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(parent))));
    values[7] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(parent)));
    values[8] = PG_ARGISNULL(3) ? (Datum) 0 : PG_GETARG_DATUM(3);
    nulls[8] = PG_ARGISNULL(3) ? 'n' : ' ';
    values[9] = expression ? CStringGetTextDatum(expression) : (Datum) 0;
    values[10] = parsed ? CStringGetTextDatum(parsed) : (Datum) 0;
    nulls[9] = nulls[10] = expression ? ' ' : 'n';
    values[11] = parent_columns;
    values[12] = CStringGetTextDatum(action);
    values[13] = condition ? CStringGetTextDatum(condition) : (Datum) 0;
    values[14] = condition_parsed ? CStringGetTextDatum(condition_parsed) : (Datum) 0;
    nulls[13] = nulls[14] = condition ? ' ' : 'n';
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "INSERT INTO vedfolnir.link VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
                  "ON CONFLICT (subject, relation, link) DO UPDATE SET relation_schema = excluded.relation_schema, "
                  "relation_name = excluded.relation_name, parent = excluded.parent, parent_schema = excluded.parent_schema, "
                  "parent_name = excluded.parent_name, columns = excluded.columns, expression = excluded.expression, "
                  "parsed = excluded.parsed, parent_columns = excluded.parent_columns, action = excluded.action, "
                  "condition = excluded.condition, condition_parsed = excluded.condition_parsed",
                  lengthof(types), types, values, nulls, false);
    vdf_store_close(&store);
    PG_RETURN_VOID();
}
