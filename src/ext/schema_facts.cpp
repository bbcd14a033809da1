#include "ext/schema_facts.h"

#include "ext/catalog.h"
#include "ext/duty.h"
#include "ext/report.h"
#include "ext/store.h"

/*
 * Foreign keys with what a suggestion needs to know of their columns. All functions that come here have search_path set
 * to pg_catalog, so that names and operators need no schema.
 */
static const char *const EDGES =
    "SELECT k.conrelid, k.confrelid, k.conname, k.confdeltype, "
    "       array_agg(a.attname ORDER BY u.ord) AS columns, "
    "       bool_or(NOT a.attnotnull AND NOT t.typnotnull AND a.attgenerated = '') AS nullable, "
    "       coalesce(p.conkey @> k.conkey AND p.conkey <@ k.conkey, false) AS shared_key, bool_and(a.atthasdef) AS defaulted "
    "FROM pg_constraint k CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u(attnum, ord) "
    "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum "
    "JOIN pg_type t ON t.oid = a.atttypid "
    "JOIN pg_class c ON c.oid = k.conrelid AND NOT pg_is_other_temp_schema(c.relnamespace) "
    "LEFT JOIN pg_constraint p ON p.conrelid = k.conrelid AND p.contype = 'p' "
    "WHERE k.contype = 'f' AND k.conparentid = 0 "
    "GROUP BY k.oid, k.conrelid, k.confrelid, k.conname, k.confdeltype, k.conkey, p.conkey ORDER BY k.oid";

/* Tables without content of their own: keys, references, times, flags, enumerations and numbers only. */
static const char *const CONTENT_FREE =
    "SELECT DISTINCT k.conrelid FROM pg_constraint k WHERE k.contype = 'f' AND NOT EXISTS ("
    "  SELECT FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
    "  WHERE a.attrelid = k.conrelid AND a.attnum > 0 AND NOT a.attisdropped "
    "  AND t.typcategory NOT IN ('D', 'T', 'B', 'E', 'N') "
    "  AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conrelid = k.conrelid AND o.contype IN ('f', 'p') "
    "                  AND a.attnum = ANY (o.conkey)))";

typedef struct TableEntry
{
    Oid relation; /* hash key */
    int number;
} TableEntry;

typedef struct Gatherer
{
    VdfSchema *schema;
    HTAB *numbers;
    VdfTableFacts *tables;
    int room;
} Gatherer;

static int table_number(Gatherer *g, Oid relation)
{
    Oid root = vdf_partition_root(relation);
    bool found;
    TableEntry *entry = (TableEntry *) hash_search(g->numbers, &root, HASH_ENTER, &found);
    VdfTableFacts *table;

    if (found)
        return entry->number;
    entry->number = g->schema->facts.ntables++;
    if (entry->number == g->room) {
        g->room *= 2;
        g->tables = (VdfTableFacts *) repalloc(g->tables, sizeof(VdfTableFacts) * g->room);
        g->schema->tables = (Oid *) repalloc(g->schema->tables, sizeof(Oid) * g->room);
    }
    g->schema->tables[entry->number] = root;
    table = &g->tables[entry->number];
    memset(table, 0, sizeof(VdfTableFacts));
    table->relation = get_rel_name(root);
    table->schema = get_namespace_name(get_rel_namespace(root));
    table->display = vdf_relation_name(root);
    return entry->number;
}

static char declared_of(char type)
{
    switch (type) {
    case FKCONSTR_ACTION_CASCADE: return VDF_ACTION_DELETE;
    case FKCONSTR_ACTION_SETNULL: return VDF_ACTION_NULLIFY;
    case FKCONSTR_ACTION_SETDEFAULT: return VDF_ACTION_DEFAULT;
    default: return VDF_ACTION_NONE;
    }
}

static const char *const *column_names(Datum array, int *n)
{
    Datum *items;
    bool *nulls;
    const char **names;

    deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &items, &nulls, n);
    names = (const char **) palloc(sizeof(char *) * (*n + 1));
    for (int i = 0; i < *n; i++)
        names[i] = pstrdup(NameStr(*DatumGetName(items[i])));
    return names;
}

static void read_edges(Gatherer *g, VdfStore *store, VdfEdgeFacts *edges)
{
    VdfSchema *schema = g->schema;
    bool isnull;

    for (uint64 i = 0; i < store->count; i++) {
        VdfEdgeFacts *e = &edges[schema->facts.nedges];
        Oid relation = DatumGetObjectId(vdf_store_datum(store, i, 1, &isnull));
        Oid parent = DatumGetObjectId(vdf_store_datum(store, i, 2, &isnull));

        e->child = table_number(g, relation);
        e->parent = table_number(g, parent);
        g->tables[e->parent].referenced = g->tables[e->parent].referenced || e->child != e->parent;
        e->name = vdf_store_text(store, i, 3);
        e->declared = declared_of(DatumGetChar(vdf_store_datum(store, i, 4, &isnull)));
        e->columns = column_names(vdf_store_datum(store, i, 5, &isnull), &e->ncolumns);
        e->nullable = DatumGetBool(vdf_store_datum(store, i, 6, &isnull));
        e->shared_key = DatumGetBool(vdf_store_datum(store, i, 7, &isnull));
        e->defaulted = DatumGetBool(vdf_store_datum(store, i, 8, &isnull));
        e->foreign_key = true;
        schema->relations[schema->facts.nedges] = relation;
        schema->displays[schema->facts.nedges++] = vdf_relation_name(relation);
    }
}

static bool can_be_null(Oid relation, const char *column)
{
    HeapTuple tuple = SearchSysCacheAttName(relation, column);
    bool nullable = HeapTupleIsValid(tuple) && !((Form_pg_attribute) GETSTRUCT(tuple))->attnotnull;

    if (HeapTupleIsValid(tuple))
        ReleaseSysCache(tuple);
    return nullable;
}

static void add_links(Gatherer *g, VdfEdgeFacts *edges)
{
    VdfSchema *schema = g->schema;
    VdfConfiguration *c = schema->configuration;

    for (int i = 0; i < c->nlinks; i++) {
        VdfLink *link = &c->links[i];
        VdfEdgeFacts *e = &edges[schema->facts.nedges];

        e->child = table_number(g, link->relation);
        e->parent = table_number(g, link->parent);
        e->name = link->link;
        e->declared = link->action == VDF_ACTION_BLOCK ? VDF_ACTION_NONE : link->action;
        if (link->columns != NULL) {
            e->columns = (const char *const *) link->columns;
            e->ncolumns = link->npairs;
        }
        for (int j = 0; j < e->ncolumns; j++) {
            e->nullable = e->nullable || can_be_null(link->relation, link->columns[j]);
            e->listed = e->listed ||
                        (OidIsValid(get_base_element_type(get_atttype(link->relation, get_attnum(link->relation, link->columns[j])))) &&
                         !OidIsValid(get_base_element_type(get_atttype(link->parent, get_attnum(link->parent, link->parent_columns[j])))));
        }
        schema->relations[schema->facts.nedges] = link->relation;
        schema->displays[schema->facts.nedges++] = vdf_relation_name(link->relation);
    }
}

static void apply_policies(VdfSchema *schema, VdfEdgeFacts *edges)
{
    VdfConfiguration *c = schema->configuration;

    for (int i = 0; i < c->npolicies; i++)
        for (int j = 0; j < schema->facts.nedges; j++)
            if (schema->relations[j] == c->policies[i].relation && strcmp(edges[j].name, c->policies[i].edge) == 0)
                edges[j].policy = c->policies[i].action;
}

static void mark_tables(Gatherer *g, VdfStore *store)
{
    bool isnull;

    vdf_store_run(store, CONTENT_FREE, 0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < store->count; i++) {
        Oid relation = DatumGetObjectId(vdf_store_datum(store, i, 1, &isnull));

        g->tables[table_number(g, relation)].content_free = true;
    }
    vdf_store_run(store, "SELECT relation::oid FROM vedfolnir.subject", 0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < store->count; i++) {
        Oid relation = DatumGetObjectId(vdf_store_datum(store, i, 1, &isnull));

        if (get_rel_name(relation) != NULL)
            g->tables[table_number(g, relation)].subject = true;
    }
}

static void find_halves(VdfSchema *schema)
{
    bool more = schema->facts.tombstone;

    schema->halves = (bool *) palloc0(sizeof(bool) * (schema->facts.ntables + 1));
    for (int i = 0; i < schema->nsuggestions; i++)
        if (schema->suggestions[i].as_link)
            schema->halves[schema->facts.edges[schema->suggestions[i].edge].parent] = true;
    /* Those that were retained by policy. */
    while (more) {
        more = false;
        for (int i = 0; i < schema->facts.nedges; i++) {
            const VdfEdgeFacts *e = &schema->facts.edges[i];

            if (e->shared_key && e->policy == VDF_ACTION_RETAIN && e->child != schema->facts.root && !schema->halves[e->child] &&
                (e->parent == schema->facts.root || schema->halves[e->parent]))
                schema->halves[e->child] = more = true;
        }
    }
}

VdfSchema *vdf_schema_of(const char *subject)
{
    VdfSchema *schema = (VdfSchema *) palloc0(sizeof(VdfSchema));
    VdfEdgeFacts *edges;
    Gatherer g;
    HASHCTL control;
    VdfStore store;
    VdfError error;
    int room, level = NewGUCNestLevel();

    schema->configuration = vdf_configuration_read(subject);
    memset(&control, 0, sizeof(control));
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(TableEntry);
    control.hcxt = CurrentMemoryContext;
    g.schema = schema;
    g.numbers = hash_create("vedfolnir tables", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    g.room = 256;
    g.tables = (VdfTableFacts *) palloc(sizeof(VdfTableFacts) * g.room);
    schema->tables = (Oid *) palloc(sizeof(Oid) * g.room);

    schema->facts.root = table_number(&g, schema->configuration->relation);
    schema->facts.tombstone = schema->configuration->tombstone;
    /* Few rows, however large the planner thinks they are: compiling the queries would take longer. */
    (void) set_config_option("jit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    vdf_store_open(&store);
    vdf_store_run(&store, EDGES, 0, NULL, NULL, NULL, true);
    room = (int) store.count + schema->configuration->nlinks + 1;
    edges = (VdfEdgeFacts *) palloc0(sizeof(VdfEdgeFacts) * room);
    schema->relations = (Oid *) palloc0(sizeof(Oid) * room);
    schema->displays = (char **) palloc0(sizeof(char *) * room);
    read_edges(&g, &store, edges);
    mark_tables(&g, &store);
    vdf_store_close(&store);
    AtEOXact_GUC(true, level);
    add_links(&g, edges);
    apply_policies(schema, edges);

    schema->facts.tables = g.tables;
    schema->facts.edges = edges;
    schema->suggestions = (VdfSuggestion *) palloc(sizeof(VdfSuggestion) * room);
    if (!vdf_suggest(&schema->facts, schema->suggestions, &schema->nsuggestions, &error))
        vdf_raise(&error);
    find_halves(schema);
    return schema;
}

const char *vdf_subject_argument(const char *subject)
{
    return strcmp(subject, "user") == 0 ? "" : psprintf(", subject => %s", quote_literal_cstr(subject));
}

char *vdf_name_array(const char *const *names, int n)
{
    Datum *items = (Datum *) palloc(sizeof(Datum) * (n + 1));
    Oid output;
    bool varlena;

    for (int i = 0; i < n; i++)
        items[i] = CStringGetTextDatum(names[i]);
    getTypeOutputInfo(TEXTARRAYOID, &output, &varlena);
    return OidOutputFunctionCall(output, PointerGetDatum(construct_array(items, n, TEXTOID, -1, false, TYPALIGN_INT)));
}

char *vdf_suggested_call(const VdfSchema *schema, const VdfSuggestion *s)
{
    const VdfEdgeFacts *e = &schema->facts.edges[s->edge];
    char *relation = quote_literal_cstr(schema->displays[s->edge]);
    const char *subject = vdf_subject_argument(schema->configuration->subject);

    return psprintf("SELECT vedfolnir_set_policy(%s, %s, '%s'%s%s);", relation, quote_literal_cstr(e->name),
                    vdf_action_name(s->action), s->collateral ? ", collateral => 'delete'" : "", subject);
}

static bool is_suggestion_for(const VdfSchema *schema, const VdfSuggestion *s, bool as_link, Oid relation, const char *edge)
{
    return (s->as_link != 0) == as_link && schema->relations[s->edge] == relation &&
           strcmp(schema->facts.edges[s->edge].name, edge) == 0;
}

const VdfSuggestion *vdf_suggestion_for(const VdfSchema *schema, Oid relation, const char *edge)
{
    for (int i = 0; i < schema->nsuggestions; i++)
        if (is_suggestion_for(schema, &schema->suggestions[i], false, relation, edge))
            return &schema->suggestions[i];
    return NULL;
}

char *vdf_suggested_above(const VdfSchema *schema, Oid relation, const char *edge, const char **stays)
{
    int half = -1;

    for (int i = 0; i < schema->nsuggestions; i++)
        if (is_suggestion_for(schema, &schema->suggestions[i], true, relation, edge))
            half = schema->facts.edges[schema->suggestions[i].edge].parent;
    for (int i = 0; i < schema->nsuggestions && half >= 0; i++) {
        const VdfSuggestion *s = &schema->suggestions[i];

        if (!s->as_link && schema->facts.edges[s->edge].child == half && s->action == VDF_ACTION_RETAIN &&
            schema->facts.edges[s->edge].shared_key) {
            *stays = schema->facts.tables[half].display;
            return vdf_suggested_call(schema, s);
        }
    }
    return NULL;
}

void vdf_require_review(Oid root)
{
    if (pg_class_aclcheck(root, GetUserId(), ACL_DELETE) != ACLCHECK_OK && !vdf_has_duty("viewer") &&
        !vdf_has_duty("operator") && !vdf_has_duty("admin"))
        vdf_require_duty("viewer");
}
