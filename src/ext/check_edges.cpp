/*
 * check_edges.cpp: edges without a decision, decisions that cannot work, and rules that no longer fit the schema.
 */
#include "ext/catalog.h"
#include "ext/check.h"
#include "ext/expression.h"
#include "ext/report.h"

const VdfSuggestion *vdf_suggestion_for(const VdfReview *review, Oid relation, const char *edge)
{
    const VdfSchema *schema = review->schema;

    for (int i = 0; i < schema->nsuggestions; i++) {
        const VdfSuggestion *s = &schema->suggestions[i];

        if (!s->as_link && schema->relations[s->edge] == relation && strcmp(schema->facts.edges[s->edge].name, edge) == 0)
            return s;
    }
    return NULL;
}

/* An edge behind a table that had better stay: one decision above settles it. */
static char *remedy_above(const VdfReview *review, Oid relation, const char *edge)
{
    const VdfSchema *schema = review->schema;
    int half = -1;

    for (int i = 0; i < schema->nsuggestions; i++) {
        const VdfSuggestion *s = &schema->suggestions[i];

        if (s->as_link && schema->relations[s->edge] == relation && strcmp(schema->facts.edges[s->edge].name, edge) == 0)
            half = schema->facts.edges[s->edge].parent;
    }
    for (int i = 0; i < schema->nsuggestions && half >= 0; i++) {
        const VdfSuggestion *s = &schema->suggestions[i];

        if (!s->as_link && schema->facts.edges[s->edge].child == half && s->action == VDF_ACTION_RETAIN &&
            schema->facts.edges[s->edge].shared_key)
            return vdf_suggested_call(schema, s);
    }
    return NULL;
}

void vdf_review_edges(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;

    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];
        const VdfSuggestion *s = vdf_suggestion_for(review, plan->edges[i].declared_on, e->name);
        char *object = vdf_edge_object(e->display, e->name);
        char *remedy = s ? vdf_suggested_call(review->schema, s) : remedy_above(review, plan->edges[i].declared_on, e->name);

        if (e->blocker != NULL)
            vdf_find(review, VDF_SEVERITY_ERROR, "impossible_action", object,
                     psprintf("%s is asked for and cannot be done: %s", vdf_action_name(vdf_action(plan, i)), e->blocker),
                     remedy ? remedy
                            : psprintf("SELECT vedfolnir_set_policy(%s, %s, 'block'%s);", quote_literal_cstr(e->display),
                                       quote_literal_cstr(e->name), vdf_subject_argument(plan->configuration->subject)));
        else if (vdf_action(plan, i) == VDF_ACTION_BLOCK && e->policy == VDF_ACTION_NONE)
            vdf_find(review, VDF_SEVERITY_ERROR, "undeclared_edge", object,
                     psprintf("rows may refer to a %s and nothing says what to do%s%s", plan->configuration->subject,
                              s ? ": " : "", s ? s->why : ""),
                     remedy);
        else if (!e->validated && !e->link)
            vdf_find(review, VDF_SEVERITY_WARNING, "not_validated", object,
                     "the foreign key is NOT VALID: older rows may refer to nobody",
                     psprintf("ALTER TABLE %s VALIDATE CONSTRAINT %s;", e->display, quote_identifier(e->name)));
    }
}

static char *forget_call(const VdfReview *review, const char *relation, const char *edge)
{
    return psprintf("SELECT vedfolnir_forget(%s%s%s%s);", quote_literal_cstr(relation), edge ? ", " : "",
                    edge ? quote_literal_cstr(edge) : "", vdf_subject_argument(review->plan->configuration->subject));
}

static void review_stale(VdfReview *review)
{
    ListCell *cell;

    foreach (cell, review->plan->configuration->stale) {
        VdfStale *stale = (VdfStale *) lfirst(cell);

        vdf_find(review, VDF_SEVERITY_ERROR, "stale_rule", vdf_edge_object(stale->relation, stale->edge), stale->message,
                 forget_call(review, stale->relation, stale->edge));
    }
}

static bool edge_exists(const VdfSchema *schema, Oid relation, const char *name)
{
    for (int i = 0; i < schema->facts.nedges; i++)
        if (schema->relations[i] == relation && strcmp(schema->facts.edges[i].name, name) == 0)
            return true;
    return false;
}

static void review_column_rules(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;
    VdfConfiguration *c = plan->configuration;

    for (int i = 0; i < c->ncolumns; i++) {
        VdfColumnSetting *s = &c->columns[i];
        char *object = vdf_column_object(s->relation, s->column);
        int edge = s->edge[0] ? vdf_plan_edge(plan, s->relation, s->edge) : -1;

        if (s->edge[0] && !edge_exists(review->schema, s->relation, s->edge))
            vdf_find(review, VDF_SEVERITY_ERROR, "stale_rule", object,
                     psprintf("a column rule names edge \"%s\", which does not exist any more", s->edge),
                     forget_call(review, quote_qualified_identifier(s->schema, s->table), s->edge));
        else if (s->edge[0] == '\0' && !c->tombstone)
            vdf_find(review, VDF_SEVERITY_WARNING, "unused_rule", object,
                     "a column rule is for the root row of a tombstone, and the root row goes", NULL);
        else if (s->edge[0] && (edge < 0 || vdf_action(plan, edge) == VDF_ACTION_DELETE ||
                                vdf_action(plan, edge) == VDF_ACTION_BLOCK))
            vdf_find(review, VDF_SEVERITY_WARNING, "unused_rule", object,
                     edge < 0 ? psprintf("a column rule is for edge \"%s\", which no deletion reaches", s->edge)
                              : psprintf("a column rule is for edge \"%s\", whose action is %s", s->edge,
                                         vdf_action_name(vdf_action(plan, edge))),
                     NULL);
    }
}

static void review_cleanup_rules(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;
    VdfConfiguration *c = plan->configuration;

    for (int i = 0; i < c->ncleanups; i++) {
        int node = vdf_plan_node(plan, c->cleanups[i].relation);

        if (node >= 0 && plan->view->component_of[node] >= 0)
            continue;
        vdf_find(review, VDF_SEVERITY_WARNING, "unused_rule", vdf_relation_name(c->cleanups[i].relation),
                 psprintf("a clean-up rule of kind %s is for rows that no deletion removes", c->cleanups[i].kind), NULL);
    }
}

static void review_policies(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;
    VdfConfiguration *c = plan->configuration;

    for (int i = 0; i < c->npolicies; i++)
        if (edge_exists(review->schema, c->policies[i].relation, c->policies[i].edge) &&
            vdf_plan_edge(plan, c->policies[i].relation, c->policies[i].edge) < 0)
            vdf_find(review, VDF_SEVERITY_NOTICE, "unused_rule",
                     vdf_edge_object(quote_qualified_identifier(c->policies[i].schema, c->policies[i].table), c->policies[i].edge),
                     "a policy is for an edge that no deletion reaches", NULL);
}

/* Stored expressions are parsed again: a column or function that they name may be gone. */
static const char *const EXPRESSIONS =
    "SELECT format('%I.%I', x.relation_schema, x.relation_name), x.what, x.edge, vedfolnir.expression_error(x.relation, x.parsed) AS error FROM ("
    "SELECT subject, relation, relation_schema, relation_name, 'a clean-up rule of kind ' || kind AS what, NULL::name AS edge, parsed FROM vedfolnir.cleanup_rule "
    "UNION ALL SELECT subject, relation, relation_schema, relation_name, 'the rule of column ' || quote_ident(column_name), nullif(edge, ''), parsed "
    "FROM vedfolnir.column_rule "
    "UNION ALL SELECT subject, relation, relation_schema, relation_name, 'the expression of a link', link, parsed FROM vedfolnir.link WHERE parsed IS NOT NULL "
    "UNION ALL SELECT subject, relation, relation_schema, relation_name, 'the condition of a link', link, condition_parsed FROM vedfolnir.link "
    "WHERE condition_parsed IS NOT NULL "
    "UNION ALL SELECT subject, relation, relation_schema, relation_name, 'the successor of a policy', edge, reassign_parsed FROM vedfolnir.policy "
    "WHERE reassign_parsed IS NOT NULL) x "
    "WHERE x.subject = $1 AND EXISTS (SELECT FROM pg_class c WHERE c.oid = x.relation::oid)";

static void review_expressions(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {NAMEOID};
    Datum values[1] = {DirectFunctionCall1(namein, CStringGetDatum(review->plan->configuration->subject))};

    vdf_store_open(&store);
    vdf_store_run(&store, EXPRESSIONS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *relation = vdf_store_text(&store, i, 1);
        char *edge = vdf_store_text(&store, i, 3), *error = vdf_store_text(&store, i, 4);

        /* A column that is gone was found when the configuration was read. */
        if (error != NULL && !(strncmp(error, "column ", 7) == 0 && strstr(error, "does not exist") != NULL))
            vdf_find(review, VDF_SEVERITY_ERROR, "stale_rule", vdf_edge_object(relation, edge),
                     psprintf("%s cannot be evaluated any more: %s", vdf_store_text(&store, i, 2), error),
                     forget_call(review, relation, edge));
    }
    vdf_store_close(&store);
}

void vdf_review_rules(VdfReview *review)
{
    review_stale(review);
    review_column_rules(review);
    review_cleanup_rules(review);
    review_policies(review);
    review_expressions(review);
}

/* vedfolnir_parse_expression(relation regclass, expression text): raises when it does not fit the relation. */
VDF_FUNCTION(vedfolnir_parse_expression)
{
    (void) vdf_expression_parse(PG_GETARG_OID(0), text_to_cstring(PG_GETARG_TEXT_PP(1)), true);
    PG_RETURN_VOID();
}
