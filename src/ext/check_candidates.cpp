/*
 * check_candidates.cpp: columns that look like references to a person and have no key: by name and type, pairs of type
 * and id, arrays, JSON.
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

/* Values of an enumeration, or in a sample of the column, that end as the name of the root table does: "App\\Models\\User". */
static const char *const TYPES_OF_ENUM =
    "SELECT e.enumlabel::text FROM pg_attribute a JOIN pg_enum e ON e.enumtypid = a.atttypid WHERE a.attrelid = $1 AND a.attname = $2 "
    "AND lower(e.enumlabel) ~ ('(^|[^a-z])' || regexp_replace(lower($3), '\\W', '\\\\\\&', 'g') || 's?$') ORDER BY e.enumsortorder LIMIT 1";

/* What the type column says of a person; the framework's spelling when nobody can tell. */
static char *type_value(VdfReview *review, const VdfCandidate *c, bool *known)
{
    VdfStore store;
    char *guess = type_name(review->plan->configuration->relation), *value = NULL;
    Oid types[3] = {OIDOID, NAMEOID, TEXTOID}, type = get_atttype(c->relation, get_attnum(c->relation, c->type_column));
    Datum values[3];

    values[0] = ObjectIdGetDatum(c->relation);
    values[1] = DirectFunctionCall1(namein, CStringGetDatum(c->type_column));
    values[2] = CStringGetTextDatum(guess);
    vdf_store_open(&store);
    if (type_is_enum(type)) {
        if (vdf_store_run(&store, TYPES_OF_ENUM, 3, types, values, NULL, true) > 0)
            value = vdf_store_text(&store, 0, 1);
    } else if (review->sample &&
               vdf_store_run(&store,
                             psprintf("SELECT s.v FROM (SELECT c.%s::text AS v FROM %s c WHERE c.%s IS NOT NULL LIMIT 1000) s "
                                      "WHERE lower(s.v) ~ ('(^|[^a-z])' || regexp_replace(lower($1), '\\W', '\\\\\\&', 'g') || 's?$') "
                                      "GROUP BY s.v ORDER BY count(*) DESC, s.v LIMIT 1",
                                      quote_identifier(c->type_column), vdf_relation_name(c->relation), quote_identifier(c->type_column)),
                             1, &types[2], &values[2], NULL, true) > 0)
        value = vdf_store_text(&store, 0, 1);
    vdf_store_close(&store);
    *known = value != NULL;
    return value ? value : type_is_enum(type) ? NULL : guess;
}

/* A pair of columns that names a table and a row of it. */
static void review_pair(VdfReview *review, const VdfCandidate *c)
{
    const char *subject = review->plan->configuration->subject;
    bool known;
    char *value = type_value(review, c, &known);

    if (value == NULL)
        return; /* none of the values that the enumeration allows is a person's */
    vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c->relation, c->column),
             psprintf("%s and %s refer to rows of any table, perhaps to a %s, and have no foreign key%s", c->type_column, c->column,
                      subject, known ? "" : "; what the type of a person is called is a guess, which sample_values => true looks up"),
             vdf_candidate_call(review, c, InvalidOid,
                                psprintf(", condition => %s", quote_literal_cstr(psprintf("%s = %s", quote_identifier(c->type_column),
                                                                                          quote_literal_cstr(value))))));
}

static void review_column(VdfReview *review, VdfCandidate *c, bool same_name, bool other_table)
{
    const VdfConfiguration *configuration = review->plan->configuration;
    const char *root = get_rel_name(configuration->relation);
    bool text = TypeCategory(getBaseType(c->type)) == TYPCATEGORY_STRING &&
                TypeCategory(getBaseType(review->plan->key_type)) != TYPCATEGORY_STRING;
    bool named = same_name || (!other_table && vdf_is_persons_name(c->column, root));

    if (vdf_column_settled(review, c->relation, c->column) ||
        (c->relation == configuration->relation && strcmp(c->column, configuration->key_column) == 0))
        return;
    if (c->type_column != NULL) {
        review_pair(review, c);
        return;
    }
    if (!named || (text && !ends_with_id(c->column)))
        return;
    vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_column_object(c->relation, c->column),
             c->array ? psprintf("looks like an array of keys of a %s and has no foreign key", configuration->subject)
                      : psprintf("looks like the key of a %s and has no foreign key%s", configuration->subject,
                                 same_name ? "; columns of this name have one elsewhere" : ""),
             vdf_candidate_call(review, c, InvalidOid, ""));
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
        VdfCandidate c;
        Oid element;
        bool same_name = DatumGetBool(vdf_store_datum(&store, i, 4, &isnull));
        bool other_table = DatumGetBool(vdf_store_datum(&store, i, 5, &isnull));

        c.relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        c.column = vdf_store_text(&store, i, 2);
        c.type = DatumGetObjectId(vdf_store_datum(&store, i, 3, &isnull));
        c.type_column = vdf_store_text(&store, i, 6);
        c.nullable = DatumGetBool(vdf_store_datum(&store, i, 7, &isnull));
        element = get_base_element_type(c.type);
        c.array = OidIsValid(element);
        if (fits(review->plan->key_type, c.array ? element : c.type))
            review_column(review, &c, same_name, other_table);
    }
    vdf_store_close(&store);
}

/* Behind the other half of a tombstone nothing is followed: what refers to it is linked to the root. */
static void review_halves(VdfReview *review)
{
    const VdfSchema *schema = review->schema;

    for (int i = 0; i < schema->nsuggestions; i++) {
        const VdfSuggestion *s = &schema->suggestions[i];
        const VdfEdgeFacts *e = &schema->facts.edges[s->edge];

        if (s->as_link && !(e->ncolumns == 1 && vdf_is_dismissed(review, schema->relations[s->edge], e->columns[0])))
            vdf_find(review, VDF_SEVERITY_WARNING, "link_candidate", vdf_edge_object(schema->displays[s->edge], e->name),
                     psprintf("refers to the other half of a %s whose row stays, so no deletion follows it; %s",
                              schema->configuration->subject, s->why),
                     vdf_link_call(review, schema->relations[s->edge],
                                   vdf_link_name(review, schema->relations[s->edge], NULL, psprintf("%s_link", vdf_clipped(e->name, 50))), InvalidOid,
                                   psprintf("columns => %s", quote_literal_cstr(vdf_name_array(e->columns, e->ncolumns))), s->action,
                                   ""));
    }
}

/* Keys inside JSON are not seen in the catalogue. */
static const char *const DOCUMENTS =
    "SELECT c.oid, a.attname FROM pg_class c "
    "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid IN (114, 3802) "
    "WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' "
    "AND " VDF_APPLICATION_RELATION "AND c.oid <> ALL ($1) "
    "AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') "
    "ORDER BY " VDF_SCHEMA_NAME ", c.relname, a.attnum";

static void review_documents(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {OIDARRAYOID};
    Datum values[1] = {review->goes};
    bool isnull;
    const char *subject = review->plan->configuration->subject;

    vdf_store_open(&store);
    vdf_store_run(&store, DOCUMENTS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        Oid relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        char *column = vdf_store_text(&store, i, 2);

        if (!vdf_column_settled(review, relation, column))
            vdf_find(review, VDF_SEVERITY_NOTICE, "link_candidate", vdf_column_object(relation, column),
                     psprintf("holds JSON, in which keys of a %s are found by a sample of the values only", subject),
                     psprintf("SELECT * FROM vedfolnir_check(%s, sample_values => true);", quote_literal_cstr(subject)));
    }
    vdf_store_close(&store);
}

void vdf_review_candidates(VdfReview *review)
{
    review_references(review);
    review_halves(review);
    if (!review->sample)
        review_documents(review);
}
