/*
 * check_copies.cpp: where personal data stays although its row went: history tables, materialised views, columns of
 * rows that stay.
 */
#include "ext/check.h"
#include "ext/expression.h"
#include "ext/report.h"

/* Tables whose name says history and which have most columns of a table of the walk, and no way of their own to it. */
static const char *const HISTORIES =
    "WITH walked AS (SELECT unnest($1::oid[] || $2::oid[]) AS oid), "
    "base AS (SELECT w.oid, a.attname, a.atttypid, count(*) OVER (PARTITION BY w.oid) AS columns "
    "         FROM (SELECT DISTINCT oid FROM walked) w JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped), "
    "history AS (SELECT c.oid FROM pg_class c "
    "            WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' "
    "            AND " VDF_APPLICATION_RELATION
    "            AND c.relname ~* '(^|_)(audit|log|logs|history|hist|journal|archived?|backup|bak|copy|old|trail|versions?)([0-9_]|$)' "
    "            AND c.oid <> ALL ($1) AND c.oid <> ALL ($2) "
    "            AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid = ANY ($1 || $2))) "
    "SELECT DISTINCT ON (h.oid) h.oid, b.oid "
    "FROM history h JOIN pg_attribute a ON a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN base b ON b.attname = a.attname "
    "GROUP BY h.oid, b.oid, b.columns HAVING b.columns >= 2 AND count(*) * 5 >= b.columns * 4 "
    "ORDER BY h.oid, count(*) DESC, b.oid";

/* Materialised views that read a table of the walk, directly or through views. */
static const char *const VIEWS =
    "WITH RECURSIVE reads AS ("
    "  SELECT r.ev_class AS view, d.refobjid AS source FROM pg_rewrite r "
    "  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass "
    "  AND d.refobjid <> r.ev_class AND r.ev_type = '1'), "
    "reached AS (SELECT view FROM reads WHERE source = ANY ($1) UNION SELECT d.view FROM reads d JOIN reached e ON d.source = e.view) "
    "SELECT c.oid FROM reached e JOIN pg_class c ON c.oid = e.view AND c.relkind = 'm' ORDER BY 1";

/* Columns by whose name they hold personal data. */
#define PERSONAL_NAMES                                                                                               \
    "(^|_)(e?mail|first_?name|last_?name|sur_?name|full_?name|display_?name|nick_?name|user_?name|phone|mobile|"           \
    "street|birth(day|date)?|date_of_birth|ip_?address|ip_?addr|user_?agent|last_?login|password|passport|iban|avatar)(_|$)"

/*
 * With what may stand there instead: NULL where that is allowed, else a value of the type, one for each row where it must
 * be unique; nothing when no value comes to mind.
 */
static const char *const REPLACEMENT =
    "SELECT CASE WHEN NOT a.attnotnull AND NOT t.typnotnull THEN 'NULL' "
    "  WHEN t.typcategory = 'S' AND a.atttypmod BETWEEN 0 AND 40 THEN CASE WHEN u.alone THEN NULL ELSE $$''$$ END "
    "  WHEN t.typcategory = 'S' AND u.alone AND a.attname ~* 'mail' THEN format($$'deleted-' || %I || '@example.invalid'$$, k.attname) "
    "  WHEN t.typcategory = 'S' AND u.alone THEN format($$'deleted-' || %I$$, k.attname) "
    "  WHEN t.typcategory = 'S' AND a.attname ~* 'mail' THEN $$'deleted@example.invalid'$$ "
    "  WHEN t.typcategory = 'S' THEN $$'deleted'$$ "
    "  WHEN u.alone THEN NULL WHEN t.typcategory = 'D' THEN $$'epoch'$$ WHEN t.typname IN ('inet', 'cidr') THEN $$'0.0.0.0'$$ "
    "  WHEN t.typname = 'bytea' THEN $$''$$ END "
    "FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid CROSS JOIN LATERAL ("
    "  SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS alone) u "
    "LEFT JOIN LATERAL (SELECT b.attname FROM pg_constraint p JOIN pg_attribute b ON b.attrelid = p.conrelid AND p.conkey = ARRAY[b.attnum] "
    "  WHERE p.conrelid = a.attrelid AND p.contype = 'p') k ON true "
    "WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped";

static const char *const PERSONAL =
    "SELECT a.attname FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
    "AND a.attname ~* '" PERSONAL_NAMES "' "
    "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND a.attnum = ANY (k.conkey)) "
    "ORDER BY a.attnum";

char *vdf_replacement(Oid relation, const char *column)
{
    VdfStore store;
    Oid types[2] = {OIDOID, NAMEOID};
    Datum values[2] = {ObjectIdGetDatum(relation), DirectFunctionCall1(namein, CStringGetDatum(column))};
    char *value = NULL;

    vdf_store_open(&store);
    if (vdf_store_run(&store, REPLACEMENT, 2, types, values, NULL, true) > 0)
        value = vdf_store_text(&store, 0, 1);
    vdf_store_close(&store);
    return value;
}

static void review_histories(VdfReview *review)
{
    VdfStore store;
    Oid types[2] = {OIDARRAYOID, OIDARRAYOID};
    Datum values[2] = {review->goes, review->persons};
    const VdfConfiguration *c = review->plan->configuration;
    bool isnull;

    vdf_store_open(&store);
    vdf_store_run(&store, HISTORIES, 2, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        Oid history = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        Oid base = DatumGetObjectId(vdf_store_datum(&store, i, 2, &isnull));
        bool person = false, linked = false;
        char *name = vdf_relation_name(history);
        ArrayType *persons = DatumGetArrayTypeP(review->persons);

        for (int j = 0; j < ArrayGetNItems(ARR_NDIM(persons), ARR_DIMS(persons)); j++)
            person = person || ((Oid *) ARR_DATA_PTR(persons))[j] == base;
        for (int j = 0; j < c->nlinks; j++)
            linked = linked || c->links[j].relation == history;
        if (linked)
            continue;
        person = person && get_attnum(history, c->key_column) != InvalidAttrNumber;
        vdf_find(review, VDF_SEVERITY_WARNING, "keeps_copies", name,
                 psprintf("looks like it keeps copies of rows of %s", vdf_relation_name(base)),
                 person ? vdf_link_call(review, history,
                                        vdf_link_name(review, history, NULL, psprintf("%s_of", vdf_clipped(get_rel_name(history), 50))), InvalidOid,
                                        vdf_columns_argument("columns", c->key_column), VDF_ACTION_RETAIN, "")
                        : NULL);
    }
    vdf_store_close(&store);
}

static void review_views(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {OIDARRAYOID};
    Datum values[1] = {review->goes};
    bool isnull;

    vdf_store_open(&store);
    vdf_store_run(&store, VIEWS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *name = vdf_relation_name(DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull)));

        vdf_find(review, VDF_SEVERITY_NOTICE, "keeps_copies", name,
                 "a materialised view keeps copies of rows that go until it is refreshed",
                 psprintf("REFRESH MATERIALIZED VIEW %s;", name));
    }
    vdf_store_close(&store);
}

static bool has_rule(const VdfConfiguration *c, Oid relation, const char *edge, const char *column)
{
    for (int i = 0; i < c->ncolumns; i++)
        if (c->columns[i].relation == relation && strcmp(c->columns[i].edge, edge) == 0 &&
            strcmp(c->columns[i].column, column) == 0)
            return true;
    return false;
}

static bool is_address(const char *column)
{
    static const char *const ends[] = {"mail", "mail_address", "mailaddress"};
    size_t length = strlen(column);

    for (size_t i = 0; i < lengthof(ends); i++)
        if (length >= strlen(ends[i]) && pg_strcasecmp(column + length - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* A row that is found by one of its addresses: another address in it may be somebody else's. */
static bool speaks_of_others(const VdfConfiguration *c, Oid relation, const char *edge, const char *column)
{
    Relation table;
    bool by_address = false, by_column = false;

    for (int i = 0; i < c->nlinks; i++) {
        VdfLink *link = &c->links[i];

        if (link->relation != relation || strcmp(link->link, edge) != 0)
            continue;
        table = relation_open(relation, AccessShareLock);
        for (int j = 0; j < RelationGetNumberOfAttributes(table); j++) {
            const char *name = NameStr(TupleDescAttr(RelationGetDescr(table), j)->attname);
            bool named = link->columns == NULL && vdf_expression_names_column(link->expression, name);

            for (int k = 0; link->columns != NULL && k < link->npairs; k++)
                named = named || strcmp(link->columns[k], name) == 0;
            by_address = by_address || (named && is_address(name));
            by_column = by_column || (named && strcmp(name, column) == 0);
        }
        relation_close(table, AccessShareLock);
    }
    return by_address && !by_column;
}

static void review_personal(VdfReview *review, Oid relation, const char *edge)
{
    const VdfConfiguration *c = review->plan->configuration;
    VdfStore store;
    Oid types[1] = {OIDOID};
    Datum values[1] = {ObjectIdGetDatum(relation)};

    vdf_store_open(&store);
    vdf_store_run(&store, PERSONAL, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *column = vdf_store_text(&store, i, 1), *value;

        if (has_rule(c, relation, edge, column) || (is_address(column) && speaks_of_others(c, relation, edge, column)))
            continue;
        value = vdf_replacement(relation, column);
        vdf_find(review, VDF_SEVERITY_WARNING, "personal_column", vdf_column_object(relation, column),
                 edge[0] ? psprintf("the row stays with \"%s\" and its personal data as well", edge)
                         : "the root row stays as a tombstone and its personal data as well",
                 value ? psprintf("SELECT vedfolnir_set_column(%s, %s, %s%s%s%s);", quote_literal_cstr(vdf_relation_name(relation)),
                                  quote_literal_cstr(column), quote_literal_cstr(value), edge[0] ? ", edge => " : "",
                                  edge[0] ? quote_literal_cstr(edge) : "", vdf_subject_argument(c->subject))
                       : NULL);
    }
    vdf_store_close(&store);
}

/* Rows that stay: the tombstone itself, its other half, and what is kept by policy or loses its reference. */
static void review_staying_rows(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;

    if (plan->configuration->tombstone)
        review_personal(review, plan->configuration->relation, "");
    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];
        char action = vdf_action(plan, i);
        bool stays = action == VDF_ACTION_RETAIN || action == VDF_ACTION_NULLIFY || action == VDF_ACTION_REASSIGN;

        AttrNumber column = plan->edges[i].attributes[0];

        /* Where the person only acted, the row's columns speak of somebody else. */
        if (stays && e->child != plan->graph.root && e->parent == plan->graph.root &&
            (action == VDF_ACTION_RETAIN || plan->view->component_of[e->child] < 0) &&
            !(column > 0 && vdf_is_actors_name(get_attname(plan->edges[i].relation, column, false))))
            review_personal(review, plan->edges[i].relation, e->name);
    }
}

/* Columns that mirrors fill from columns with personal data; the remedy is the same mirror without them. */
static const char *const MIRRORED =
    "SELECT format('%I.%I', m.mirror_schema, m.mirror_name), p.key, format('%I.%I', m.relation_schema, m.relation_name), "
    "m.columns || jsonb_build_object(p.key, 'NULL') FROM vedfolnir.mirror m, jsonb_each_text(m.parsed) p "
    "WHERE m.subject = $1 AND p.key ~* $2 AND p.value !~* '^NULL(::|$)' ORDER BY 1, 2, 3";

static void review_mirrors(VdfReview *review)
{
    VdfStore store;
    Oid types[2] = {NAMEOID, TEXTOID};
    Datum values[2];

    values[0] = DirectFunctionCall1(namein, CStringGetDatum(review->plan->configuration->subject));
    values[1] = CStringGetTextDatum(PERSONAL_NAMES);
    vdf_store_open(&store);
    vdf_store_run(&store, MIRRORED, 2, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++)
        vdf_find(review, VDF_SEVERITY_WARNING, "personal_column",
                 psprintf("%s.%s", vdf_store_text(&store, i, 1), quote_identifier(vdf_store_text(&store, i, 2))),
                 psprintf("the mirror keeps personal data of rows of %s that went", vdf_store_text(&store, i, 3)),
                 psprintf("SELECT vedfolnir_add_mirror(%s, %s, columns => %s%s);", quote_literal_cstr(vdf_store_text(&store, i, 3)),
                          quote_literal_cstr(vdf_store_text(&store, i, 1)), quote_literal_cstr(vdf_store_text(&store, i, 4)),
                          vdf_subject_argument(review->plan->configuration->subject)));
    vdf_store_close(&store);
}

void vdf_review_copies(VdfReview *review)
{
    review_mirrors(review);
    review_histories(review);
    review_views(review);
    review_staying_rows(review);
}
