/*
 * check_candidates.cpp: columns that look like references to a person and have no key: by name and type, pairs of type
 * and id, arrays, e-mail addresses.
 */
#include "ext/check.h"
#include "ext/report.h"

/*
 * Columns without a foreign key whose type could hold a key. same_name: elsewhere a column of this name refers to a
 * person; other_table: the name says another table's.
 */
static const char *const COLUMNS =
    "WITH person AS (SELECT DISTINCT a.attname FROM pg_constraint k JOIN pg_attribute a "
    "  ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "
    "  WHERE k.contype = 'f' AND k.confrelid = ANY ($1) AND cardinality(k.conkey) = 1 AND a.attname !~* '^(id|uuid|key|pk|code)$'), "
    "keyed AS MATERIALIZED (SELECT k.conrelid, u.attnum FROM pg_constraint k, unnest(k.conkey) AS u(attnum) WHERE k.contype = 'f'), "
    "ours AS (SELECT d.objid FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e') "
    "SELECT c.oid, a.attname, a.atttypid, EXISTS (SELECT FROM person p WHERE p.attname = a.attname) AS same_name, "
    "EXISTS (SELECT FROM pg_class o WHERE o.relkind IN ('r', 'p') AND o.oid <> ALL ($1) AND o.relname = ANY (ARRAY[s.stem, s.stem || 's', "
    "  s.stem || 'es', regexp_replace(s.stem, 'y$', 'ies')]::name[]) AND s.stem <> '') AS other_table, "
    "(SELECT t.attname FROM pg_attribute t JOIN pg_type y ON y.oid = t.atttypid AND y.typcategory IN ('S', 'E') "
    "  WHERE t.attrelid = a.attrelid AND t.attname = s.stem || '_type' AND NOT t.attisdropped) AS type_column, "
    "NOT a.attnotnull AS nullable "
    "FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
    "JOIN pg_type t ON t.oid = a.atttypid "
    "CROSS JOIN LATERAL (SELECT regexp_replace(a.attname::text, '_?(id|uuid)$', '', 'i') AS stem) s "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' "
    "AND " VDF_APPLICATION_RELATION "AND c.oid NOT IN (SELECT objid FROM ours) "
    "AND (c.oid, a.attnum) NOT IN (SELECT conrelid, attnum FROM keyed) "
    "AND (t.typcategory IN ('N', 'S') OR t.typname = 'uuid' OR (t.typcategory = 'A' AND t.typelem IN (20, 21, 23, 2950, 25, 1043))) "
    "AND a.attname ~* '(id|ids|by|uid|key|ref|user|owner|author|sender|receiver|recipient|creator|editor|approver|reviewer|assignee)$' "
    "ORDER BY " VDF_SCHEMA_NAME ", c.relname, a.attnum";

typedef struct Candidate
{
    Oid relation;
    char *column;
    Oid type;
    bool array;
    char *type_column; /* of a polymorphic pair; may be NULL */
    bool nullable;
} Candidate;

static bool is_number(Oid type)
{
    return type == INT2OID || type == INT4OID || type == INT8OID || type == NUMERICOID;
}

/* Could a value of the type be a key? Text can, where the name says so. */
static bool fits(Oid key, Oid type)
{
    key = getBaseType(key);
    type = getBaseType(type);
    return key == type || (is_number(key) && is_number(type)) || TypeCategory(type) == TYPCATEGORY_STRING;
}

/* Text that is to hold a number or a uuid says so in its name. */
static bool ends_with_id(const char *column)
{
    size_t length = strlen(column);

    return (length > 2 && pg_strcasecmp(column + length - 2, "id") == 0) ||
           (length > 3 && pg_strcasecmp(column + length - 3, "ids") == 0);
}

static bool is_linked(const VdfConfiguration *c, Oid relation, const char *column)
{
    for (int i = 0; i < c->nlinks; i++) {
        VdfLink *link = &c->links[i];

        if (link->relation != relation)
            continue;
        if (link->columns == NULL && strstr(link->expression, column) != NULL)
            return true;
        for (int j = 0; link->columns != NULL && j < link->npairs; j++)
            if (strcmp(link->columns[j], column) == 0)
                return true;
    }
    return false;
}

static void describe_table(VdfSchema *schema, VdfTableFacts *tables, int *numbers, int *n, int table)
{
    if (numbers[table] < 0) {
        tables[*n] = schema->facts.tables[table];
        numbers[table] = (*n)++;
    }
}

static int table_of(const VdfSchema *schema, Oid relation)
{
    for (int i = 0; i < schema->facts.ntables; i++)
        if (schema->tables[i] == relation)
            return i;
    return -1;
}

#define OTHER_EDGES 32

/* The action that the same column would get if it had a key; only the edges of its own table matter to that. */
static char suggested_action(VdfReview *review, const Candidate *candidate)
{
    VdfSchema *schema = review->schema;
    const VdfSchemaFacts *all = &schema->facts;
    VdfSchemaFacts facts = {0};
    VdfTableFacts tables[OTHER_EDGES + 3];
    VdfEdgeFacts edges[OTHER_EDGES + 1];
    VdfSuggestion suggestions[OTHER_EDGES + 1];
    const char *columns[1] = {candidate->column};
    int *numbers = (int *) palloc(sizeof(int) * (all->ntables + 1));
    int n = 0, found = 0, child = table_of(schema, candidate->relation);
    VdfError error;

    memset(numbers, -1, sizeof(int) * (all->ntables + 1));
    describe_table(schema, tables, numbers, &facts.ntables, all->root);
    if (child >= 0)
        describe_table(schema, tables, numbers, &facts.ntables, child);
    else {
        VdfTableFacts *table = &tables[facts.ntables++];

        memset(table, 0, sizeof(VdfTableFacts));
        table->schema = get_namespace_name(get_rel_namespace(candidate->relation));
        table->relation = get_rel_name(candidate->relation);
        table->display = vdf_relation_name(candidate->relation);
    }
    for (int i = 0; i < all->nedges && n < OTHER_EDGES; i++)
        if (child >= 0 && all->edges[i].child == child) {
            edges[n] = all->edges[i];
            describe_table(schema, tables, numbers, &facts.ntables, edges[n].parent);
            edges[n].child = numbers[child];
            edges[n].parent = numbers[edges[n].parent];
            n++;
        }
    memset(&edges[n], 0, sizeof(VdfEdgeFacts));
    edges[n].child = child >= 0 ? numbers[child] : facts.ntables - 1;
    edges[n].parent = 0;
    edges[n].name = "candidate";
    edges[n].columns = columns;
    edges[n].ncolumns = 1;
    edges[n].nullable = candidate->nullable;
    facts.tables = tables;
    facts.edges = edges;
    facts.nedges = n + 1;
    facts.root = 0;
    facts.tombstone = all->tombstone;
    pfree(numbers);
    if (!vdf_suggest(&facts, suggestions, &found, &error))
        vdf_raise(&error);
    for (int i = 0; i < found; i++)
        if (suggestions[i].edge == n)
            return suggestions[i].action;
    return VDF_ACTION_BLOCK;
}

static char *link_call(VdfReview *review, const Candidate *c, const char *more)
{
    const VdfConfiguration *configuration = review->plan->configuration;

    return psprintf("SELECT vedfolnir_add_link(%s, %s, %s, columns => %s, action => '%s'%s%s);",
                    quote_literal_cstr(psprintf("%.40s_%.20s", get_rel_name(c->relation), c->column)),
                    quote_literal_cstr(vdf_relation_name(c->relation)),
                    quote_literal_cstr(vdf_relation_name(configuration->relation)),
                    quote_literal_cstr(psprintf("{%s}", quote_identifier(c->column))),
                    vdf_action_name(suggested_action(review, c)), more, vdf_subject_argument(configuration->subject));
}

/* "User" for users, as frameworks write it. */
static char *type_name(Oid relation)
{
    char *name = pstrdup(get_rel_name(relation)), *base = strrchr(name, '_') ? strrchr(name, '_') + 1 : name;
    size_t length = strlen(base);

    if (length > 3 && strcmp(base + length - 3, "ies") == 0)
        strcpy(base + length - 3, "y");
    else if (length > 1 && base[length - 1] == 's')
        base[length - 1] = '\0';
    base[0] = pg_toupper((unsigned char) base[0]);
    return base;
}

static void review_column(VdfReview *review, Candidate *c, bool same_name, bool other_table)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    const char *root = get_rel_name(configuration->relation);
    bool text = TypeCategory(getBaseType(c->type)) == TYPCATEGORY_STRING &&
                TypeCategory(getBaseType(review->plan->key_type)) != TYPCATEGORY_STRING;
    bool named = same_name || (!other_table && vdf_names_person(c->column, root));

    if (is_linked(configuration, c->relation, c->column) ||
        (c->relation == configuration->relation && strcmp(c->column, configuration->key_column) == 0))
        return;
    if (c->type_column != NULL) {
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c->relation, c->column),
                 psprintf("%s and %s refer to rows of any table, perhaps to a %s, and have no foreign key", c->type_column, c->column,
                          configuration->subject),
                 link_call(review, c, psprintf(", condition => %s",
                                               quote_literal_cstr(psprintf("%s = %s", quote_identifier(c->type_column),
                                                                           quote_literal_cstr(type_name(configuration->relation)))))));
        return;
    }
    if (!named || (text && !ends_with_id(c->column)))
        return;
    vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c->relation, c->column),
             c->array ? psprintf("looks like an array of keys of a %s and has no foreign key", configuration->subject)
                      : psprintf("looks like the key of a %s and has no foreign key%s", configuration->subject,
                                 same_name ? "; columns of this name have one elsewhere" : ""),
             link_call(review, c, ""));
}

static void review_references(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {OIDARRAYOID};
    Datum values[1] = {review->persons};
    bool isnull;

    vdf_store_open(&store);
    vdf_store_run(&store, COLUMNS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        Candidate c;
        Oid element;
        bool same_name = DatumGetBool(vdf_store_datum(&store, i, 4, &isnull));
        bool other_table = DatumGetBool(vdf_store_datum(&store, i, 5, &isnull));

        c.relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        c.column = vdf_store_text(&store, i, 2);
        c.type = DatumGetObjectId(vdf_store_datum(&store, i, 3, &isnull));
        c.type_column = vdf_store_text(&store, i, 6);
        c.nullable = DatumGetBool(vdf_store_datum(&store, i, 7, &isnull));
        element = get_element_type(c.type);
        c.array = OidIsValid(element);
        if (fits(review->plan->key_type, c.array ? element : c.type))
            review_column(review, &c, same_name, other_table);
    }
    vdf_store_close(&store);
}

/* Columns that hold e-mail addresses, in tables that no deletion reaches; and the root's own. */
static const char *const ADDRESSES =
    "SELECT c.oid, a.attname, NOT a.attnotnull FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_type t ON t.oid = a.atttypid AND t.typcategory = 'S' "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' "
    "AND " VDF_APPLICATION_RELATION
    "AND a.attname ~* '(^|_)e?_?mail(_?address)?$' AND c.oid <> ALL ($1) "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "ORDER BY " VDF_SCHEMA_NAME ", c.relname, a.attnum";

static const char *const ROOT_ADDRESS =
    "SELECT a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid AND t.typcategory = 'S' "
    "WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attname ~* '^e?_?mail(_?address)?$' ORDER BY a.attnum LIMIT 1";

/* A rule of the edge clears the address of a row that stays: see personal_column. */
static bool is_reached(const VdfReview *review, Oid relation)
{
    for (int i = 0; i < review->plan->graph.nedges; i++)
        if (review->plan->edges[i].relation == relation)
            return true;
    return false;
}

static void review_addresses(VdfReview *review)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    VdfStore store;
    Oid types[1] = {OIDOID};
    Datum values[1] = {ObjectIdGetDatum(configuration->relation)};
    char *root_address = NULL;
    bool isnull;

    vdf_store_open(&store);
    if (vdf_store_run(&store, ROOT_ADDRESS, 1, types, values, NULL, true) > 0)
        root_address = vdf_store_text(&store, 0, 1);
    types[0] = OIDARRAYOID;
    values[0] = review->goes;
    vdf_store_run(&store, ADDRESSES, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        Candidate c;

        memset(&c, 0, sizeof(c));
        c.relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        c.column = vdf_store_text(&store, i, 2);
        c.nullable = DatumGetBool(vdf_store_datum(&store, i, 3, &isnull));
        if (is_reached(review, c.relation) || is_linked(configuration, c.relation, c.column))
            continue;
        vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c.relation, c.column),
                 psprintf("may hold the e-mail address of a %s, and nothing leads to the row", configuration->subject),
                 root_address ? link_call(review, &c, psprintf(", parent_columns => %s",
                                                               quote_literal_cstr(psprintf("{%s}", quote_identifier(root_address)))))
                              : NULL);
    }
    vdf_store_close(&store);
}

/* Behind the other half of a tombstone nothing is followed: what refers to it is linked to the root. */
static void review_halves(VdfReview *review)
{
    const VdfSchema *schema = review->schema;

    for (int i = 0; i < schema->nsuggestions; i++) {
        const VdfSuggestion *s = &schema->suggestions[i];

        if (s->as_link)
            vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate",
                     vdf_edge_object(schema->displays[s->edge], schema->facts.edges[s->edge].name),
                     psprintf("refers to the other half of a %s whose row stays, so no deletion follows it; %s",
                              schema->configuration->subject, s->why),
                     vdf_suggested_call(schema, s));
    }
}

void vdf_review_candidates(VdfReview *review)
{
    review_references(review);
    review_addresses(review);
    review_halves(review);
}
