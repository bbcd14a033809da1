/*
 * link_candidate.cpp: what is common to the columns that are proposed as links: are they settled already, what would
 * become of their rows, and the call that declares them.
 */
#include "ext/check.h"
#include "ext/expression.h"
#include "ext/report.h"

bool vdf_column_settled(const VdfReview *review, Oid relation, const char *column)
{
    const VdfDeletionPlan *plan = review->plan;
    const VdfConfiguration *c = plan->configuration;
    AttrNumber number = get_attnum(relation, column);

    if (vdf_is_dismissed(review, relation, column))
        return true;
    /* A table that inherits has the edges of keys, and no keys. */
    for (int i = 0; i < plan->graph.nedges; i++)
        for (int j = 0; plan->edges[i].relation == relation && j < plan->edges[i].nattributes; j++)
            if (plan->edges[i].attributes[j] == number)
                return true;
    for (int i = 0; i < c->nlinks; i++) {
        VdfLink *link = &c->links[i];

        if (link->relation != relation)
            continue;
        if (link->columns == NULL && vdf_expression_names_column(link->expression, column))
            return true;
        for (int j = 0; link->columns != NULL && j < link->npairs; j++)
            if (strcmp(link->columns[j], column) == 0)
                return true;
    }
    return false;
}

static int table_of(const VdfSchema *schema, Oid relation)
{
    for (int i = 0; i < schema->facts.ntables; i++)
        if (schema->tables[i] == relation)
            return i;
    return -1;
}

static void describe_table(VdfSchema *schema, VdfTableFacts *tables, int *numbers, int *n, int table)
{
    if (numbers[table] < 0) {
        tables[*n] = schema->facts.tables[table];
        numbers[table] = (*n)++;
    }
}

#define OTHER_EDGES 32

/* The action that the same column would get if it had a key; only the edges of its own table matter to that. */
char vdf_candidate_action(VdfReview *review, const VdfCandidate *candidate)
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
    edges[n].listed = candidate->array;
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

/* Names that this review has proposed, so that two columns of a table do not get the same one. */
typedef struct Proposal
{
    Oid relation;
    char *name;
} Proposal;

static bool is_taken(const VdfReview *review, Oid relation, const char *name)
{
    const VdfConfiguration *c = review->plan->configuration;
    ListCell *cell;

    foreach (cell, review->proposals) {
        Proposal *p = (Proposal *) lfirst(cell);

        if (p->relation == relation && strcmp(p->name, name) == 0)
            return true;
    }
    for (int i = 0; i < c->nlinks; i++)
        if (c->links[i].relation == relation && strcmp(c->links[i].link, name) == 0)
            return true;
    return OidIsValid(get_relation_constraint_oid(relation, name, true));
}

/* As much of a name as fits, whole characters only. */
char *vdf_clipped(const char *name, int length)
{
    return pnstrdup(name, pg_mbcliplen(name, (int) strlen(name), length));
}

char *vdf_link_name(VdfReview *review, Oid relation, const char *table, const char *column)
{
    char *wish = table ? psprintf("%s_%s", vdf_clipped(table, 40), vdf_clipped(column, 20)) : vdf_clipped(column, NAMEDATALEN - 1), *name = wish;
    Proposal *p = (Proposal *) palloc(sizeof(Proposal));

    for (int n = 2; is_taken(review, relation, name); n++)
        name = psprintf("%s_%d", vdf_clipped(wish, NAMEDATALEN - 6), n);
    p->relation = relation;
    p->name = name;
    review->proposals = lappend(review->proposals, p);
    return name;
}

char *vdf_link_call(VdfReview *review, Oid relation, const char *name, Oid parent, const char *reference, char action,
                    const char *more)
{
    const VdfConfiguration *configuration = review->plan->configuration;

    return psprintf("SELECT vedfolnir_add_link(%s, %s, %s, %s%s%s%s);", quote_literal_cstr(name),
                    quote_literal_cstr(vdf_relation_name(relation)),
                    quote_literal_cstr(vdf_relation_name(OidIsValid(parent) ? parent : configuration->relation)),
                    reference, action == VDF_ACTION_NONE ? "" : psprintf(", action => '%s'", vdf_action_name(action)), more,
                    vdf_subject_argument(configuration->subject));
}

char *vdf_columns_argument(const char *argument, const char *column)
{
    return psprintf("%s => %s", argument, quote_literal_cstr(vdf_name_array(&column, 1)));
}

char *vdf_candidate_call(VdfReview *review, const VdfCandidate *c, Oid parent, const char *more)
{
    return vdf_link_call(review, c->relation, vdf_link_name(review, c->relation, get_rel_name(c->relation), c->column), parent,
                         vdf_columns_argument("columns", c->column), vdf_candidate_action(review, c), more);
}
