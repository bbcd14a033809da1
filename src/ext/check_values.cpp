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
    "SELECT c.oid, a.attname, t.typname, t.typcategory FROM pg_class c "
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

static bool linked_column(const VdfConfiguration *c, Oid relation, const char *column)
{
    for (int i = 0; i < c->nlinks; i++) {
        if (c->links[i].relation != relation)
            continue;
        if (c->links[i].columns == NULL && strstr(c->links[i].expression, column) != NULL)
            return true;
        for (int j = 0; c->links[i].columns != NULL && j < c->links[i].npairs; j++)
            if (strcmp(c->links[i].columns[j], column) == 0)
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

static char *call_for(VdfReview *review, const ValueColumn *c, const char *reference, const char *parent_column)
{
    const VdfConfiguration *configuration = review->plan->configuration;

    return psprintf("SELECT vedfolnir_add_link(%s, %s, %s, %s%s%s);",
                    quote_literal_cstr(psprintf("%.40s_%.20s", get_rel_name(c->relation), c->column)),
                    quote_literal_cstr(vdf_relation_name(c->relation)), quote_literal_cstr(vdf_relation_name(configuration->relation)),
                    reference,
                    parent_column ? psprintf(", parent_columns => %s", quote_literal_cstr(psprintf("{%s}", quote_identifier(parent_column))))
                                  : "",
                    vdf_subject_argument(configuration->subject));
}

static void look_at_column(VdfReview *review, VdfStore *store, const ValueColumn *c)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    char *object = vdf_column_object(c->relation, c->column);
    char *sample = psprintf("SELECT c.%s::text AS v FROM %s c WHERE c.%s IS NOT NULL LIMIT %d", quote_identifier(c->column),
                            vdf_relation_name(c->relation), quote_identifier(c->column), SAMPLE);
    char *reference = psprintf("columns => %s", quote_literal_cstr(psprintf("{%s}", quote_identifier(c->column))));
    int64 n, distinct, hits;
    bool numeric_key = TypeCategory(getBaseType(review->plan->key_type)) == TYPCATEGORY_NUMERIC;

    if (already_found(review, object) || linked_column(configuration, c->relation, c->column))
        return;
    count_hits(review, store, sample, configuration->key_column, &n, &distinct, &hits);
    if (convincing(numeric_key, n, distinct, hits)) {
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", object,
                 psprintf("%lld of %lld sampled values are keys of a %s, and there is no foreign key", (long long) hits,
                          (long long) n, configuration->subject),
                 call_for(review, c, reference, NULL));
        return;
    }
    if (c->number || configuration->label_column == NULL)
        return;
    count_hits(review, store, sample, configuration->label_column, &n, &distinct, &hits);
    if (hits > 0)
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", object,
                 psprintf("%lld of %lld sampled values equal column \"%s\" of a %s", (long long) hits, (long long) n,
                          configuration->label_column, configuration->subject),
                 call_for(review, c, reference, configuration->label_column));
}

/* The members of sampled JSON objects, one level deep. */
static void look_into_json(VdfReview *review, VdfStore *store, const ValueColumn *c)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    char *column = quote_identifier(c->column)[0] ? pstrdup(quote_identifier(c->column)) : NULL;
    char *members = psprintf("SELECT e.key, e.value FROM (SELECT c.%s::jsonb AS j FROM %s c WHERE c.%s IS NOT NULL LIMIT %d) s, "
                             "LATERAL jsonb_each_text(CASE WHEN jsonb_typeof(s.j) = 'object' THEN s.j END) e "
                             "WHERE e.value IS NOT NULL",
                             column, vdf_relation_name(c->relation), column, SAMPLE);
    bool numeric_key = TypeCategory(getBaseType(review->plan->key_type)) == TYPCATEGORY_NUMERIC, isnull;
    const char *root = get_rel_name(configuration->relation);
    uint64 rows;

    if (linked_column(configuration, c->relation, c->column))
        return;
    rows = vdf_store_run(store,
                         psprintf("SELECT m.key, count(*), count(DISTINCT m.value), count(*) FILTER (WHERE m.value IN "
                                  "(SELECT r.%s::text FROM %s r)) FROM (%s) m GROUP BY m.key ORDER BY m.key LIMIT 100",
                                  quote_identifier(configuration->key_column), vdf_relation_name(configuration->relation), members),
                         0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < rows; i++) {
        char *key = vdf_store_text(store, i, 1);
        int64 n = DatumGetInt64(vdf_store_datum(store, i, 2, &isnull));
        int64 distinct = DatumGetInt64(vdf_store_datum(store, i, 3, &isnull));
        int64 hits = DatumGetInt64(vdf_store_datum(store, i, 4, &isnull));
        char *expression;

        if (hits == 0 || !(convincing(numeric_key, n, distinct, hits) || vdf_names_person(key, root)))
            continue;
        expression = psprintf("(%s->>%s)%s", column, quote_literal_cstr(key),
                              TypeCategory(getBaseType(review->plan->key_type)) == TYPCATEGORY_STRING
                                  ? ""
                                  : psprintf("::%s", format_type_be(review->plan->key_type)));
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c->relation, c->column),
                 psprintf("%lld of %lld sampled members \"%s\" are keys of a %s", (long long) hits, (long long) n, key,
                          configuration->subject),
                 call_for(review, c, psprintf("expression => %s", quote_literal_cstr(expression)), NULL));
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
    }
    for (uint64 i = 0; i < n; i++) {
        CHECK_FOR_INTERRUPTS();
        if (columns[i].json)
            look_into_json(review, &store, &columns[i]);
        else
            look_at_column(review, &store, &columns[i]);
    }
    vdf_store_close(&store);
}
