/*
 * define.cpp: the functions that write the configuration. All need the duty admin; all can be called again.
 */
#include "ext/catalog.h"
#include "ext/configuration.h"
#include "ext/definition.h"
#include "ext/deletion_plan.h"
#include "ext/duty.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"
#include "ext/unique.h"
#include "ext/value.h"

/* The primary key's only column; 0A000 for a composite one. */
static char *primary_key_column(Oid relation)
{
    Relation table = table_open(relation, AccessShareLock);
    Oid index = vdf_primary_key_index(table);
    char *column = NULL;

    if (OidIsValid(index)) {
        Relation key = index_open(index, AccessShareLock);

        if (key->rd_index->indnkeyatts > 1)
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                            errmsg("the primary key of %s has several columns", vdf_relation_name(relation)),
                            errhint("Name a column with a unique index: SELECT vedfolnir_register_subject(%s, '...');",
                                    quote_literal_cstr(vdf_relation_name(relation)))));
        column = get_attname(relation, key->rd_index->indkey.values[0], false);
        index_close(key, AccessShareLock);
    }
    table_close(table, AccessShareLock);
    if (column == NULL)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s has no primary key", vdf_relation_name(relation)),
                        errhint("Name a column with a unique index: SELECT vedfolnir_register_subject(%s, '...');",
                                quote_literal_cstr(vdf_relation_name(relation)))));
    return column;
}

/* A label is compared. */
static void require_equality(Oid relation, AttrNumber column)
{
    Oid type, collation;
    int32 typmod;

    get_atttypetypmodcoll(relation, column, &type, &typmod, &collation);
    if (!OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("values of column \"%s\" cannot be compared", get_attname(relation, column, false)),
                        errdetail("Type %s has no equality operator.", format_type_be(type))));
}

/* A key must name one row. */
static void require_unique(Oid relation, AttrNumber column)
{
    if (!vdf_is_unique(relation, column))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("column \"%s\" of %s is not unique", get_attname(relation, column, false), vdf_relation_name(relation)),
                        errdetail("A key must name one row.")));
}

/* A call counts as a whole: what it does not give is reset, and somebody should know. */
static void tell_changes(const char *subject, Oid relation, const char *key, const char *label, const char *mode)
{
    VdfStore store;
    Oid types[1] = {NAMEOID};
    Datum values[1] = {DirectFunctionCall1(namein, CStringGetDatum(subject))};
    StringInfoData text;

    initStringInfo(&text);
    vdf_store_open(&store);
    if (vdf_store_run(&store,
                      "SELECT pg_catalog.format('%I.%I', relation_schema, relation_name), key_column, label_column, mode "
                      "FROM vedfolnir.subject WHERE subject OPERATOR(pg_catalog.=) $1",
                      1, types, values, NULL, true) > 0) {
        const char *names[] = {"root table", "key column", "label column", "mode"};
        const char *now[] = {vdf_relation_name(relation), key, label, mode};

        for (int i = 0; i < 4; i++) {
            char *before = vdf_store_text(&store, 0, i + 1);

            if (strcmp(before ? before : "", now[i] ? now[i] : "") != 0)
                appendStringInfo(&text, "%s%s was %s and is %s", text.len ? ", " : "", names[i], before ? before : "none",
                                 now[i] ? now[i] : "none");
        }
    }
    vdf_store_close(&store);
    if (text.len > 0)
        ereport(NOTICE, (errmsg_internal("subject \"%s\" changed: %s", subject, text.data)));
}

/*
 * vedfolnir_register_subject(relation regclass, key_column name, label_column name, mode text, subject name):
 * 22004, 22023, 42501, 42703, 42809, 0A000.
 */
VDF_FUNCTION(vedfolnir_register_subject)
{
    static const char *const required[] = {"relation", NULL, NULL, "mode", "subject"};
    Oid relation;
    char *key, *label, *mode;
    VdfRow row = {0};

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, lengthof(required), required);
    relation = PG_GETARG_OID(0);
    key = vdf_name_argument(fcinfo, 1);
    label = vdf_name_argument(fcinfo, 2);
    mode = vdf_text_argument(fcinfo, 3);
    vdf_require_table(relation);
    if (get_rel_relispartition(relation))
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is a partition", vdf_relation_name(relation)),
                        errhint("Register %s.", vdf_relation_name(vdf_partition_root(relation)))));
    if (strcmp(mode, "delete") != 0 && strcmp(mode, "tombstone") != 0)
        vdf_invalid_value("mode", mode, "delete and tombstone");
    if (key == NULL)
        key = primary_key_column(relation);
    require_unique(relation, vdf_column_number(relation, key));
    if (label != NULL)
        require_equality(relation, vdf_column_number(relation, label));
    tell_changes(vdf_name_argument(fcinfo, 4), relation, key, label, mode);
    vdf_row_name(&row, vdf_name_argument(fcinfo, 4));
    vdf_row_relation(&row, relation);
    vdf_row_name(&row, key);
    vdf_row_name(&row, label);
    vdf_row_text(&row, mode);
    vdf_row_write(&row, "INSERT INTO vedfolnir.subject VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject) DO UPDATE SET "
                    "relation = excluded.relation, relation_schema = excluded.relation_schema, "
                    "relation_name = excluded.relation_name, key_column = excluded.key_column, "
                    "label_column = excluded.label_column, mode = excluded.mode");
    PG_RETURN_VOID();
}

/* The referring column of an edge, when it has just one, and the column that it refers to. The key may be inherited. */
static AttrNumber only_column(const char *subject, Oid relation, const char *edge, Oid *parent, AttrNumber *referred)
{
    VdfStore store;
    Oid types[3] = {OIDOID, NAMEOID, NAMEOID};
    Datum values[3] = {ObjectIdGetDatum(relation), DirectFunctionCall1(namein, CStringGetDatum(edge)),
                       DirectFunctionCall1(namein, CStringGetDatum(subject))};
    AttrNumber number = InvalidAttrNumber;
    bool isnull;

    vdf_store_open(&store);
    vdf_store_run(&store,
                  "(SELECT a.attnum, k.confrelid, k.confkey[1] FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_attribute d "
                  "ON d.attrelid OPERATOR(pg_catalog.=) k.conrelid AND d.attnum OPERATOR(pg_catalog.=) k.conkey[1] "
                  "JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) $1 AND a.attname OPERATOR(pg_catalog.=) d.attname "
                  "WHERE k.conrelid OPERATOR(pg_catalog.=) ANY (ARRAY(WITH RECURSIVE up(oid) AS (SELECT $1 UNION SELECT i.inhparent "
                  "FROM pg_catalog.pg_inherits i JOIN up u ON i.inhrelid OPERATOR(pg_catalog.=) u.oid) SELECT up.oid FROM up)) "
                  "AND k.conname OPERATOR(pg_catalog.=) $2 AND k.contype OPERATOR(pg_catalog.=) 'f' "
                  "AND pg_catalog.cardinality(k.conkey) OPERATOR(pg_catalog.=) 1 ORDER BY k.conrelid OPERATOR(pg_catalog.=) $1 DESC) UNION ALL "
                  "SELECT a.attnum, l.parent::pg_catalog.oid, p.attnum FROM vedfolnir.link l JOIN pg_catalog.pg_attribute p "
                  "ON p.attrelid OPERATOR(pg_catalog.=) l.parent::pg_catalog.oid AND p.attname OPERATOR(pg_catalog.=) l.parent_columns[1] "
                  "JOIN pg_catalog.pg_attribute a "
                  "ON a.attrelid OPERATOR(pg_catalog.=) l.relation::pg_catalog.oid AND a.attname OPERATOR(pg_catalog.=) l.columns[1] "
                  "WHERE l.relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1 AND l.link OPERATOR(pg_catalog.=) $2 "
                  "AND l.subject OPERATOR(pg_catalog.=) $3 AND pg_catalog.cardinality(l.columns) OPERATOR(pg_catalog.=) 1",
                  3, types, values, NULL, true);
    if (store.count > 0) {
        number = DatumGetInt16(vdf_store_datum(&store, 0, 1, &isnull));
        *parent = DatumGetObjectId(vdf_store_datum(&store, 0, 2, &isnull));
        *referred = DatumGetInt16(vdf_store_datum(&store, 0, 3, &isnull));
    }
    vdf_store_close(&store);
    return number;
}

/* "= expression" is compiled; a key is read once, to see that the column takes it, and kept in a form for all sessions. */
static char *compile_successor(const char *subject, Oid relation, const char *edge, char **reassign_to)
{
    Oid type, collation, parent = InvalidOid;
    AttrNumber referred = InvalidAttrNumber, number = only_column(subject, relation, edge, &parent, &referred);
    int32 typmod;

    if (number == InvalidAttrNumber)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("only a reference of one column can be reassigned")));
    get_atttypetypmodcoll(relation, number, &type, &typmod, &collation);
    if (OidIsValid(get_base_element_type(type)) && !OidIsValid(get_base_element_type(get_atttype(parent, referred))))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("references in an array cannot be reassigned"),
                        errhint("The action nullify takes the element out.")));
    if (**reassign_to == '=') {
        vdf_require_owner(relation);
        return vdf_expression_compile(relation, *reassign_to + 1, false, type, typmod);
    }
    get_atttypetypmodcoll(parent, referred, &type, &typmod, &collation);
    *reassign_to = vdf_value_text(type, vdf_read_value(parent, type, typmod, *reassign_to), *reassign_to);
    return NULL;
}

/*
 * vedfolnir_set_policy(relation regclass, edge name, action text, reason text, collateral text, reassign_to text,
 * subject name): 22004, 22023, 22P02, 42501, 42704, 0A000.
 */
VDF_FUNCTION(vedfolnir_set_policy)
{
    static const char *const required[] = {"relation", "edge", "action", NULL, "collateral", NULL, "subject"};
    Oid relation;
    char *edge, *action, *collateral, *reassign_to, *compiled = NULL, *subject;
    VdfRow row = {0};

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, lengthof(required), required);
    relation = PG_GETARG_OID(0);
    edge = vdf_name_argument(fcinfo, 1);
    action = vdf_text_argument(fcinfo, 2);
    collateral = vdf_text_argument(fcinfo, 4);
    reassign_to = vdf_text_argument(fcinfo, 5);
    subject = vdf_name_argument(fcinfo, 6);
    (void) vdf_require_subject(subject);
    vdf_require_table(relation);
    vdf_require_edge(subject, relation, edge);
    if (vdf_action_of(action) == VDF_ACTION_NONE)
        vdf_invalid_value("action", action, "delete, nullify, default, reassign, retain and block");
    if (strcmp(collateral, "refuse") != 0 && strcmp(collateral, "delete") != 0)
        vdf_invalid_value("collateral", collateral, "refuse and delete");
    if ((vdf_action_of(action) == VDF_ACTION_REASSIGN) != (reassign_to != NULL))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("reassign_to goes with the action reassign, and only with it")));
    if (reassign_to != NULL)
        compiled = compile_successor(subject, relation, edge, &reassign_to);
    vdf_row_name(&row, subject);
    vdf_row_relation(&row, relation);
    vdf_row_name(&row, edge);
    vdf_row_text(&row, action);
    vdf_row_text(&row, vdf_text_argument(fcinfo, 3));
    vdf_row_text(&row, collateral);
    vdf_row_text(&row, reassign_to);
    vdf_row_text(&row, compiled);
    vdf_row_write(&row, "INSERT INTO vedfolnir.policy VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                    "ON CONFLICT (subject, relation, edge) DO UPDATE SET relation_schema = excluded.relation_schema, "
                    "relation_name = excluded.relation_name, action = excluded.action, reason = excluded.reason, "
                    "collateral = excluded.collateral, reassign_to = excluded.reassign_to, "
                    "reassign_parsed = excluded.reassign_parsed");
    PG_RETURN_VOID();
}

/*
 * vedfolnir_set_column(relation regclass, column_name name, expression text, edge name, subject name): 22004, 22023,
 * 42501, 42703, 42704, 42804, 428C9, 0A000. A NULL expression removes the rule.
 */
VDF_FUNCTION(vedfolnir_set_column)
{
    static const char *const required[] = {"relation", "column_name", NULL, NULL, "subject"};
    Oid relation, root, type, collation;
    int32 typmod;
    char *column, *expression, *edge, *subject;
    VdfRow row = {0};
    AttrNumber number;

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, lengthof(required), required);
    relation = PG_GETARG_OID(0);
    column = vdf_name_argument(fcinfo, 1);
    expression = vdf_text_argument(fcinfo, 2);
    edge = vdf_name_argument(fcinfo, 3);
    subject = vdf_name_argument(fcinfo, 4);
    root = vdf_require_subject(subject);
    vdf_require_table(relation);
    vdf_require_owner(relation);
    number = vdf_column_number(relation, column);
    if (edge == NULL && relation != root)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("an edge is needed: %s is not the root table", vdf_relation_name(relation)),
                        errdetail("The rule applies to rows that stay and were reached through that edge."),
                        errhint("SELECT relation, edge FROM vedfolnir_suggest_policies();")));
    if (edge != NULL)
        vdf_require_edge(subject, relation, edge);
    vdf_row_name(&row, subject);
    vdf_row_relation(&row, relation);
    vdf_row_name(&row, edge ? edge : "");
    vdf_row_name(&row, column);
    if (expression == NULL) {
        vdf_row_write(&row, "DELETE FROM vedfolnir.column_rule WHERE subject OPERATOR(pg_catalog.=) $1 "
                        "AND relation::pg_catalog.oid OPERATOR(pg_catalog.=) $2::pg_catalog.oid AND $3 IS NOT NULL AND $4 IS NOT NULL "
                        "AND edge OPERATOR(pg_catalog.=) $5 AND column_name OPERATOR(pg_catalog.=) $6");
        PG_RETURN_VOID();
    }
    if (vdf_is_computed(relation, number))
        ereport(ERROR, (errcode(ERRCODE_GENERATED_ALWAYS),
                        errmsg("column \"%s\" of %s cannot be set: the server computes it", column, vdf_relation_name(relation)),
                        errdetail("It is a generated column, or an identity column that is GENERATED ALWAYS."),
                        errhint("Set the columns that it is made of, or declare the identity column GENERATED BY DEFAULT.")));
    get_atttypetypmodcoll(relation, number, &type, &typmod, &collation);
    vdf_row_text(&row, expression);
    vdf_row_text(&row, vdf_expression_compile(relation, expression, false, type, typmod));
    vdf_row_write(&row, "INSERT INTO vedfolnir.column_rule VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                    "ON CONFLICT (subject, relation, edge, column_name) DO UPDATE SET "
                    "relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                    "expression = excluded.expression, parsed = excluded.parsed");
    PG_RETURN_VOID();
}
