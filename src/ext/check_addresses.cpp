/*
 * check_addresses.cpp: columns that hold e-mail addresses in rows to which nothing leads. The person's own address is in
 * the root table, or in the other half of a tombstone.
 */
#include "ext/check.h"
#include "ext/report.h"

#define ADDRESS "e?_?mail(_?address)?$"

/* In tables whose rows do not go anyway. */
static const char *const ADDRESSES =
    "SELECT c.oid, a.attname, NOT a.attnotnull FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_type t ON t.oid = a.atttypid AND t.typcategory = 'S' "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' "
    "AND " VDF_APPLICATION_RELATION
    "AND a.attname ~* '(^|_)" ADDRESS "' AND c.oid <> ALL ($1) AND c.oid <> ALL ($2) "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "ORDER BY " VDF_SCHEMA_NAME ", c.relname, a.attnum";

/* The person's own: the root's before that of another table with its key. */
static const char *const OWN_ADDRESS =
    "SELECT a.attrelid, a.attname, (SELECT k.attname FROM pg_constraint p JOIN pg_attribute k ON k.attrelid = p.conrelid "
    "  AND ARRAY[k.attnum] = p.conkey WHERE p.conrelid = a.attrelid AND p.contype = 'p') AS key "
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid AND t.typcategory = 'S' "
    "WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~* '^" ADDRESS "' "
    "ORDER BY array_position($1, a.attrelid), a.attnum LIMIT 1";

typedef struct OwnAddress
{
    Oid relation; /* InvalidOid: none */
    char *column;
    char *key;   /* of the relation; may be NULL */
    bool walked; /* the walk goes on behind its rows */
} OwnAddress;

static bool is_set(const VdfConfiguration *c, Oid relation, const char *column)
{
    for (int i = 0; i < c->ncolumns; i++)
        if (c->columns[i].relation == relation && strcmp(c->columns[i].column, column) == 0)
            return true;
    return false;
}

/* A link has no column to look the address up with, so a function does; it is made once. */
static char *lookup_call(VdfReview *review, const VdfCandidate *c, const OwnAddress *own)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    const char *schema = quote_identifier(get_namespace_name(get_rel_namespace(own->relation)));
    const char *function = quote_identifier(psprintf("%s_of_address", vdf_clipped(get_rel_name(configuration->relation), 50)));
    char action = vdf_candidate_action(review, c) == VDF_ACTION_DELETE ? VDF_ACTION_DELETE : VDF_ACTION_RETAIN;
    char *name = vdf_link_name(review, c->relation, get_rel_name(c->relation), c->column);

    return psprintf("CREATE OR REPLACE FUNCTION %s.%s(address text) RETURNS %s[] LANGUAGE sql STABLE AS "
                    "'SELECT pg_catalog.array_agg(p.%s) FROM %s p WHERE p.%s OPERATOR(pg_catalog.=) address'; %s",
                    schema, function, format_type_be(review->plan->key_type), quote_identifier(own->key),
                    vdf_relation_name(own->relation), quote_identifier(own->column),
                    vdf_link_call(review, c->relation, name, InvalidOid,
                                  psprintf("expression => %s", quote_literal_cstr(psprintf("%s.%s(%s::text)", schema, function,
                                                                                           quote_identifier(c->column)))),
                                  action, ""));
}

static char *remedy(VdfReview *review, const VdfCandidate *c, const OwnAddress *own)
{
    if (!OidIsValid(own->relation))
        return NULL;
    if (own->walked)
        return vdf_candidate_call(review, c, own->relation, psprintf(", %s", vdf_columns_argument("parent_columns", own->column)));
    return own->key ? lookup_call(review, c, own) : NULL;
}

/* The root and every table that has its key, row by row: together they are the person. */
static Datum tables_of_person(const VdfSchema *schema)
{
    bool *same = (bool *) palloc0(sizeof(bool) * (schema->facts.ntables + 1)), more = true;
    Datum *oids = (Datum *) palloc(sizeof(Datum) * (schema->facts.ntables + 1));
    int n = 0;

    same[schema->facts.root] = true;
    oids[n++] = ObjectIdGetDatum(schema->tables[schema->facts.root]);
    while (more) {
        more = false;
        for (int i = 0; i < schema->facts.nedges; i++) {
            const VdfEdgeFacts *e = &schema->facts.edges[i];

            if (e->foreign_key && e->shared_key && same[e->parent] && !same[e->child]) {
                same[e->child] = more = true;
                oids[n++] = ObjectIdGetDatum(schema->tables[e->child]);
            }
        }
    }
    return PointerGetDatum(construct_array(oids, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

void vdf_review_addresses(VdfReview *review)
{
    VdfStore store;
    Oid types[2] = {OIDARRAYOID, OIDARRAYOID};
    Datum values[2];
    OwnAddress own = {InvalidOid, NULL, NULL, false};
    bool isnull;
    int node;

    values[0] = values[1] = tables_of_person(review->schema);

    vdf_store_open(&store);
    if (vdf_store_run(&store, OWN_ADDRESS, 1, types, values, NULL, true) > 0) {
        own.relation = DatumGetObjectId(vdf_store_datum(&store, 0, 1, &isnull));
        own.column = vdf_store_text(&store, 0, 2);
        own.key = vdf_store_text(&store, 0, 3);
        node = vdf_plan_node(review->plan, own.relation);
        own.walked = node >= 0 && review->plan->view->component_of[node] >= 0;
    }
    values[0] = review->goes;
    vdf_store_run(&store, ADDRESSES, 2, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        VdfCandidate c;

        memset(&c, 0, sizeof(c));
        c.relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        c.column = vdf_store_text(&store, i, 2);
        c.nullable = DatumGetBool(vdf_store_datum(&store, i, 3, &isnull));
        if (is_set(review->plan->configuration, c.relation, c.column) || vdf_column_settled(review, c.relation, c.column))
            continue;
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c.relation, c.column),
                 psprintf("may hold the e-mail address of a %s, and nothing leads to the row",
                          review->plan->configuration->subject),
                 remedy(review, &c, &own));
    }
    vdf_store_close(&store);
}
