/*
 * define.cpp: the functions that write the configuration. All need the duty admin; all can be called again.
 */
#include "ext/catalog.h"
#include "ext/configuration.h"
#include "ext/deletion_plan.h"
#include "ext/duty.h"
#include "ext/execute.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"
#include "ext/template_text.h"
#include "ext/value.h"

static void require(FunctionCallInfo fcinfo, int argument, const char *name)
{
    if (PG_ARGISNULL(argument))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
}

static char *name_or_null(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(n)));
}

static char *text_or_null(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

static void invalid(const char *what, const char *given, const char *allowed)
{
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid %s: \"%s\"", what, given),
                    errhint("Allowed are %s.", allowed)));
}

/* Values of a row to write: NULL pointers become NULL. */
typedef struct Row
{
    int n;
    Oid types[16];
    Datum values[16];
    char nulls[17];
} Row;

static void put(Row *row, Oid type, Datum value, bool isnull)
{
    row->types[row->n] = type;
    row->values[row->n] = value;
    row->nulls[row->n++] = isnull ? 'n' : ' ';
}

static void put_text(Row *row, const char *text)
{
    put(row, TEXTOID, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

static void put_name(Row *row, const char *name)
{
    put(row, NAMEOID, name ? DirectFunctionCall1(namein, CStringGetDatum(name)) : (Datum) 0, name == NULL);
}

static void put_relation(Row *row, Oid relation)
{
    put(row, REGCLASSOID, ObjectIdGetDatum(relation), false);
    put_name(row, get_namespace_name(get_rel_namespace(relation)));
    put_name(row, get_rel_name(relation));
}

static void write_row(Row *row, const char *sql)
{
    VdfStore store;

    vdf_store_open(&store);
    vdf_store_run(&store, sql, row->n, row->types, row->values, row->nulls, false);
    vdf_store_close(&store);
}

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
    Relation table = table_open(relation, AccessShareLock);
    List *indexes = RelationGetIndexList(table);
    ListCell *cell;
    bool found = false;

    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        found = found || (index->rd_index->indisunique && index->rd_index->indisvalid && index->rd_index->indnkeyatts == 1 &&
                          index->rd_index->indkey.values[0] == column &&
                          heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL));
        index_close(index, AccessShareLock);
    }
    table_close(table, AccessShareLock);
    if (!found)
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
    Oid relation;
    char *key, *label, *mode;
    Row row = {0};

    vdf_require_duty("admin");
    require(fcinfo, 0, "relation");
    require(fcinfo, 3, "mode");
    require(fcinfo, 4, "subject");
    relation = PG_GETARG_OID(0);
    key = name_or_null(fcinfo, 1);
    label = name_or_null(fcinfo, 2);
    mode = text_or_null(fcinfo, 3);
    vdf_require_table(relation);
    if (get_rel_relispartition(relation))
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is a partition", vdf_relation_name(relation)),
                        errhint("Register %s.", vdf_relation_name(vdf_partition_root(relation)))));
    if (strcmp(mode, "delete") != 0 && strcmp(mode, "tombstone") != 0)
        invalid("mode", mode, "delete and tombstone");
    if (key == NULL)
        key = primary_key_column(relation);
    require_unique(relation, vdf_column_number(relation, key));
    if (label != NULL)
        require_equality(relation, vdf_column_number(relation, label));
    tell_changes(name_or_null(fcinfo, 4), relation, key, label, mode);
    put_name(&row, name_or_null(fcinfo, 4));
    put_relation(&row, relation);
    put_name(&row, key);
    put_name(&row, label);
    put_text(&row, mode);
    write_row(&row, "INSERT INTO vedfolnir.subject VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject) DO UPDATE SET "
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

/* "= expression" is compiled; a key is read once, to see that the column takes it. */
static char *compile_successor(const char *subject, Oid relation, const char *edge, const char *reassign_to)
{
    Oid type, collation, parent = InvalidOid;
    AttrNumber referred = InvalidAttrNumber, number = only_column(subject, relation, edge, &parent, &referred);
    int32 typmod;

    if (number == InvalidAttrNumber)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("only a reference of one column can be reassigned")));
    get_atttypetypmodcoll(relation, number, &type, &typmod, &collation);
    if (reassign_to[0] == '=') {
        vdf_require_owner(relation);
        return vdf_expression_compile(relation, reassign_to + 1, false, type, typmod);
    }
    get_atttypetypmodcoll(parent, referred, &type, &typmod, &collation);
    (void) vdf_read_value(parent, type, typmod, reassign_to);
    return NULL;
}

/*
 * vedfolnir_set_policy(relation regclass, edge name, action text, reason text, collateral text, reassign_to text,
 * subject name): 22004, 22023, 22P02, 42501, 42704, 0A000.
 */
VDF_FUNCTION(vedfolnir_set_policy)
{
    Oid relation;
    char *edge, *action, *collateral, *reassign_to, *compiled = NULL, *subject;
    Row row = {0};

    vdf_require_duty("admin");
    require(fcinfo, 0, "relation");
    require(fcinfo, 1, "edge");
    require(fcinfo, 2, "action");
    require(fcinfo, 4, "collateral");
    require(fcinfo, 6, "subject");
    relation = PG_GETARG_OID(0);
    edge = name_or_null(fcinfo, 1);
    action = text_or_null(fcinfo, 2);
    collateral = text_or_null(fcinfo, 4);
    reassign_to = text_or_null(fcinfo, 5);
    subject = name_or_null(fcinfo, 6);
    (void) vdf_require_subject(subject);
    vdf_require_table(relation);
    vdf_require_edge(subject, relation, edge);
    if (vdf_action_of(action) == VDF_ACTION_NONE)
        invalid("action", action, "delete, nullify, default, reassign, retain and block");
    if (strcmp(collateral, "refuse") != 0 && strcmp(collateral, "delete") != 0)
        invalid("collateral", collateral, "refuse and delete");
    if ((vdf_action_of(action) == VDF_ACTION_REASSIGN) != (reassign_to != NULL))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("reassign_to goes with the action reassign, and only with it")));
    if (reassign_to != NULL)
        compiled = compile_successor(subject, relation, edge, reassign_to);
    put_name(&row, subject);
    put_relation(&row, relation);
    put_name(&row, edge);
    put_text(&row, action);
    put_text(&row, text_or_null(fcinfo, 3));
    put_text(&row, collateral);
    put_text(&row, reassign_to);
    put_text(&row, compiled);
    write_row(&row, "INSERT INTO vedfolnir.policy VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
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
    Oid relation, root, type, collation;
    int32 typmod;
    char *column, *expression, *edge, *subject;
    Row row = {0};
    AttrNumber number;

    vdf_require_duty("admin");
    require(fcinfo, 0, "relation");
    require(fcinfo, 1, "column_name");
    require(fcinfo, 4, "subject");
    relation = PG_GETARG_OID(0);
    column = name_or_null(fcinfo, 1);
    expression = text_or_null(fcinfo, 2);
    edge = name_or_null(fcinfo, 3);
    subject = name_or_null(fcinfo, 4);
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
    put_name(&row, subject);
    put_relation(&row, relation);
    put_name(&row, edge ? edge : "");
    put_name(&row, column);
    if (expression == NULL) {
        write_row(&row, "DELETE FROM vedfolnir.column_rule WHERE subject OPERATOR(pg_catalog.=) $1 "
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
    put_text(&row, expression);
    put_text(&row, vdf_expression_compile(relation, expression, false, type, typmod));
    write_row(&row, "INSERT INTO vedfolnir.column_rule VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                    "ON CONFLICT (subject, relation, edge, column_name) DO UPDATE SET "
                    "relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                    "expression = excluded.expression, parsed = excluded.parsed");
    PG_RETURN_VOID();
}

/*
 * vedfolnir_add_cleanup(relation regclass, kind text, target text, service text, on_expire text, subject name): 22004,
 * 22023, 42501, 42703, 42704.
 */
VDF_FUNCTION(vedfolnir_add_cleanup)
{
    static const char *const kinds[] = {"file", "directory", "redis_key", "redis_pattern", "identity", "webhook"};
    Oid relation, root;
    char *kind, *target, *service, *on_expire, *subject;
    Row row = {0};
    bool known = false;

    vdf_require_duty("admin");
    require(fcinfo, 0, "relation");
    require(fcinfo, 1, "kind");
    require(fcinfo, 2, "target");
    require(fcinfo, 3, "service");
    require(fcinfo, 4, "on_expire");
    require(fcinfo, 5, "subject");
    relation = PG_GETARG_OID(0);
    kind = text_or_null(fcinfo, 1);
    target = text_or_null(fcinfo, 2);
    service = text_or_null(fcinfo, 3);
    on_expire = text_or_null(fcinfo, 4);
    subject = name_or_null(fcinfo, 5);
    root = vdf_require_subject(subject);
    vdf_require_table(relation);
    for (size_t i = 0; i < lengthof(kinds); i++)
        known = known || strcmp(kinds[i], kind) == 0;
    if (!known)
        invalid("kind", kind, "file, directory, redis_key, redis_pattern, identity and webhook");
    if (strcmp(on_expire, "no") != 0 && strcmp(on_expire, "enqueue") != 0 && strcmp(on_expire, "delete") != 0)
        invalid("on_expire", on_expire, "no, enqueue and delete");
    if (strcmp(on_expire, "delete") == 0 && relation == root)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("expiring sessions must not delete the person"),
                        errhint("Use on_expire => 'enqueue' for rules of the root table.")));
    if (service[0] == '\0')
        invalid("service", service, "names of services in the listener's configuration");
    put_name(&row, subject);
    put_relation(&row, relation);
    put_text(&row, kind);
    put_text(&row, target);
    put_text(&row, vdf_target_compile(relation, kind, target));
    put_text(&row, service);
    put_text(&row, on_expire);
    write_row(&row, "INSERT INTO vedfolnir.cleanup_rule (subject, relation, relation_schema, relation_name, kind, target, parsed, "
                    "service, on_expire) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                    "ON CONFLICT (subject, relation, kind, target, service) DO UPDATE SET "
                    "relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                    "parsed = excluded.parsed, on_expire = excluded.on_expire");
    PG_RETURN_VOID();
}
