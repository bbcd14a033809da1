/*
 * check_values.cpp: candidates for links by a sample of the values: keys and e-mail addresses of people in columns of
 * any name, and in JSON objects. Values are compared in the database and never shown.
 */
#include "ext/catalog.h"
#include "ext/check.h"
#include "ext/report.h"

#define SAMPLE 200

/* Columns that no key, no link and no walk explains, with a type whose text form can be compared. */
static const char *const COLUMNS =
    "SELECT c.oid, a.attname, t.typname, NOT a.attnotnull FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_type t ON t.oid = a.atttypid "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND c.oid <> $1 "
    "AND " VDF_APPLICATION_RELATION
    "AND (t.typname IN ('int4', 'int8', 'uuid', 'text', 'varchar', 'bpchar', 'json', 'jsonb')) "
    "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "AND (t.typname NOT IN ('int4', 'int8') OR NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid "
    "     AND k.contype = 'p' AND k.conkey = ARRAY[a.attnum])) "
    "ORDER BY " VDF_SCHEMA_NAME ", c.relname, a.attnum";

typedef struct ValueColumn
{
    Oid relation;
    char *column;
    bool json;
    bool number;
    bool text;
    bool nullable;
} ValueColumn;

static bool already_found(const VdfReview *review, const char *object)
{
    ListCell *cell;

    foreach (cell, review->findings) {
        VdfFinding *f = (VdfFinding *) lfirst(cell);

        if (strcmp(f->code, "link_candidate") == 0 && strcmp(f->object, object) == 0)
            return true;
    }
    return false;
}

/* Of a sample of values: how many there are, how many differ, and how many are found in a column of the root table. */
static void count_hits(VdfReview *review, VdfStore *store, const char *sample, const char *root_column, int64 *n, int64 *distinct,
                       int64 *hits)
{
    bool isnull;

    vdf_store_run(store,
                  psprintf("SELECT count(*), count(DISTINCT s.v), count(*) FILTER (WHERE s.v IN (SELECT r.%s::text FROM %s r)) "
                           "FROM (%s) s",
                           quote_identifier(root_column), vdf_relation_name(review->plan->configuration->relation), sample),
                  0, NULL, NULL, NULL, true);
    *n = DatumGetInt64(vdf_store_datum(store, 0, 1, &isnull));
    *distinct = DatumGetInt64(vdf_store_datum(store, 0, 2, &isnull));
    *hits = DatumGetInt64(vdf_store_datum(store, 0, 3, &isnull));
}

/* Small numbers meet by chance: of them all must be keys, and there must be several. */
static bool convincing(bool number, int64 n, int64 distinct, int64 hits)
{
    return number ? hits == n && distinct >= 3 : hits > 0;
}

/* A link that is found by its values gets the action that its column's name suggests. */
static char *call_for(VdfReview *review, const ValueColumn *c, const char *parent_column)
{
    VdfCandidate candidate;

    memset(&candidate, 0, sizeof(candidate));
    candidate.relation = c->relation;
    candidate.column = c->column;
    candidate.nullable = c->nullable;
    return vdf_candidate_call(review, &candidate, InvalidOid,
                              parent_column ? psprintf(", %s", vdf_columns_argument("parent_columns", parent_column)) : "");
}

static void look_at_column(VdfReview *review, VdfStore *store, const ValueColumn *c)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    char *object = vdf_column_object(c->relation, c->column);
    char *sample = psprintf("SELECT c.%s::text AS v FROM %s c WHERE c.%s IS NOT NULL LIMIT %d", quote_identifier(c->column),
                            vdf_relation_name(c->relation), quote_identifier(c->column), SAMPLE);
    int64 n, distinct, hits;
    bool numeric_key = TypeCategory(getBaseType(review->plan->key_type)) == TYPCATEGORY_NUMERIC;

    if (already_found(review, object) || vdf_column_settled(review, c->relation, c->column))
        return;
    count_hits(review, store, sample, configuration->key_column, &n, &distinct, &hits);
    if (convincing(numeric_key, n, distinct, hits)) {
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", object,
                 psprintf("%lld of %lld sampled values are keys of a %s, and there is no foreign key", (long long) hits,
                          (long long) n, configuration->subject),
                 call_for(review, c, NULL));
        return;
    }
    if (c->number || configuration->label_column == NULL)
        return;
    count_hits(review, store, sample, configuration->label_column, &n, &distinct, &hits);
    if (hits > 0)
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", object,
                 psprintf("%lld of %lld sampled values equal column \"%s\" of a %s", (long long) hits, (long long) n,
                          configuration->label_column, configuration->subject),
                 call_for(review, c, configuration->label_column));
}

/*
 * The members of sampled JSON objects, two levels deep, and the elements of arrays in them. $1 is the text of the sample,
 * one document v a row; what does not look like an object is passed over, and so is what fails to be one.
 */
static const char *const MEMBERS =
    "WITH s AS MATERIALIZED (SELECT vedfolnir.json_object_of(x.v) AS j FROM (%s) x), "
    "m AS (SELECT ARRAY[e.key] AS path, e.value FROM s, jsonb_each(s.j) e UNION ALL "
    "      SELECT ARRAY[e.key, f.key], f.value FROM s, jsonb_each(s.j) e, "
    "      jsonb_each(CASE WHEN jsonb_typeof(e.value) = 'object' THEN e.value END) f), "
    "v AS (SELECT m.path, false AS listed, m.value #>> '{}' AS v FROM m WHERE jsonb_typeof(m.value) IN ('string', 'number') UNION ALL "
    "      SELECT m.path, true, a.value #>> '{}' FROM m, "
    "      jsonb_array_elements(CASE WHEN jsonb_typeof(m.value) = 'array' THEN m.value END) a WHERE jsonb_typeof(a.value) IN ('string', 'number')) "
    "SELECT v.path, v.listed, count(*), count(DISTINCT v.v), count(*) FILTER (WHERE lower(v.v) IN (SELECT lower(r.%s::text) FROM %s r)) "
    "FROM v GROUP BY v.path, v.listed ORDER BY v.path, v.listed LIMIT 200";

/*
 * Reads a member as text: a document in which it is no key must not make a deletion fail. Text that holds JSON is read by
 * a pattern, since not all of it may be JSON.
 */
static char *member_expression(const ValueColumn *c, char **path, int depth, bool listed, bool exact)
{
    const char *column = quote_identifier(c->column), *lower = exact ? "" : "lower";
    char *member = psprintf("%s #>> %s", column, quote_literal_cstr(vdf_name_array((const char *const *) path, depth)));

    if (depth == 1)
        member = psprintf("%s->>%s", column, quote_literal_cstr(path[0]));
    if (!c->json) {
        StringInfoData key;

        if (depth > 1)
            return NULL; /* no pattern tells objects apart */
        initStringInfo(&key);
        for (const char *at = path[0]; *at; at++) {
            if (!isalnum((unsigned char) *at) && !IS_HIGHBIT_SET(*at) && *at != '_')
                appendStringInfoChar(&key, '\\');
            appendStringInfoChar(&key, *at);
        }
        member = psprintf("substring(%s FROM %s)", column,
                          quote_literal_cstr(psprintf(listed ? "\"%s\"\\s*:\\s*\\[([^]]*)\\]" : "\"%s\"\\s*:\\s*\"?([^\",}]+)", key.data)));
        if (listed)
            return psprintf("string_to_array(translate(%s(%s), ' \"', ''), ',')", lower, member);
    } else if (listed)
        return psprintf("string_to_array(translate(%s(%s), '[] \"', ''), ',')", lower, member);
    return psprintf("%s(%s)", lower, member);
}

/* "user.id" */
static char *path_text(char **path, int depth)
{
    return depth > 1 ? psprintf("%s.%s", path[0], path[1]) : path[0];
}

static void look_into_json(VdfReview *review, VdfStore *store, const ValueColumn *c)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    const char *column = quote_identifier(c->column), *root = get_rel_name(configuration->relation);
    bool numeric_key = TypeCategory(getBaseType(review->plan->key_type)) == TYPCATEGORY_NUMERIC, isnull;
    uint64 rows;

    if (vdf_column_settled(review, c->relation, c->column))
        return;
    rows = vdf_store_run(store,
                         psprintf(MEMBERS,
                                  psprintf("SELECT c.%s::text AS v FROM %s c WHERE c.%s IS NOT NULL LIMIT %d", column,
                                           vdf_relation_name(c->relation), column, SAMPLE),
                                  quote_identifier(configuration->key_column), vdf_relation_name(configuration->relation)),
                         0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < rows; i++) {
        Datum *items;
        bool *nulls, listed = DatumGetBool(vdf_store_datum(store, i, 2, &isnull));
        char *path[2], *expression;
        int depth;
        int64 n = DatumGetInt64(vdf_store_datum(store, i, 3, &isnull)), distinct = DatumGetInt64(vdf_store_datum(store, i, 4, &isnull));
        int64 hits = DatumGetInt64(vdf_store_datum(store, i, 5, &isnull));

        deconstruct_array(DatumGetArrayTypeP(vdf_store_datum(store, i, 1, &isnull)), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls,
                          &depth);
        for (int j = 0; j < depth; j++)
            path[j] = TextDatumGetCString(items[j]);
        if (hits == 0 || !(convincing(numeric_key, n, distinct, hits) || vdf_is_persons_name(path[depth - 1], root)))
            continue;
        expression = member_expression(c, path, depth, listed,
                                       TypeCategory(getBaseType(review->plan->key_type)) == TYPCATEGORY_STRING);
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c->relation, c->column),
                 psprintf("%lld of %lld sampled %s \"%s\" are keys of a %s", (long long) hits, (long long) n,
                          listed ? "elements of members" : "members", path_text(path, depth), configuration->subject),
                 expression ? vdf_link_call(review, c->relation,
                                            vdf_link_name(review, c->relation, c->column, path_text(path, depth)), InvalidOid,
                                            psprintf("expression => %s", quote_literal_cstr(expression)), VDF_ACTION_NONE, "")
                            : NULL);
    }
}

void vdf_review_values(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {OIDOID};
    Datum values[1] = {ObjectIdGetDatum(review->plan->configuration->relation)};
    ValueColumn *columns;
    uint64 n;
    bool isnull;

    vdf_store_open(&store);
    n = vdf_store_run(&store, COLUMNS, 1, types, values, NULL, true);
    columns = (ValueColumn *) palloc0(sizeof(ValueColumn) * (n + 1));
    for (uint64 i = 0; i < n; i++) {
        char *type = vdf_store_text(&store, i, 3);

        columns[i].relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        columns[i].column = vdf_store_text(&store, i, 2);
        columns[i].json = strncmp(type, "json", 4) == 0;
        columns[i].number = strncmp(type, "int", 3) == 0;
        columns[i].text = strcmp(type, "text") == 0 || strcmp(type, "varchar") == 0;
        columns[i].nullable = DatumGetBool(vdf_store_datum(&store, i, 4, &isnull));
    }
    for (uint64 i = 0; i < n; i++) {
        CHECK_FOR_INTERRUPTS();
        if (!columns[i].json)
            look_at_column(review, &store, &columns[i]);
        if (columns[i].json || columns[i].text)
            look_into_json(review, &store, &columns[i]);
    }
    vdf_store_close(&store);
}
