/*
 * check_edges.cpp: edges without a decision, decisions that cannot work, and rules that no longer fit the schema.
 */
#include "ext/catalog.h"
#include "ext/check.h"
#include "ext/expression.h"
#include "ext/report.h"

/* Other edges by which rows of the same table go: a row on two of them may be in the way of both. */
static char *other_ways(const VdfDeletionPlan *plan, int edge)
{
    const VdfEdge *e = &plan->graph.edges[edge];
    StringInfoData names;

    initStringInfo(&names);
    for (int i = 0; i < plan->view->ninto[e->child]; i++) {
        int other = plan->view->into[e->child][i];
        const VdfEdge *o = &plan->graph.edges[other];
        bool same = o->npairs == e->npairs;

        for (int j = 0; same && j < e->npairs; j++)
            same = strcmp(o->pairs[j].child, e->pairs[j].child) == 0;
        if (other != edge && !same && plan->view->component_of[o->parent] >= 0)
            appendStringInfo(&names, "%s%s", names.len ? ", " : "", quote_identifier(o->name));
    }
    return names.len ? names.data : NULL;
}

/* A run refuses rows that belong to somebody else as well, unless the edge accepts them. */
static void review_collateral(VdfReview *review, int edge, const char *object)
{
    VdfDeletionPlan *plan = review->plan;
    const VdfEdge *e = &plan->graph.edges[edge];
    char *others = other_ways(plan, edge);
    bool root = e->child == plan->graph.root;

    if (vdf_action(plan, edge) != VDF_ACTION_DELETE || e->collateral_ok || plan->view->component_of[e->parent] < 0 ||
        (others == NULL && !root))
        return;
    vdf_find(review, e->policy == VDF_ACTION_NONE ? VDF_SEVERITY_WARNING : VDF_SEVERITY_NOTICE, "collateral", object,
             root ? psprintf("other people's rows behind it refuse a run")
                  : psprintf("rows that are also tied to a row that stays refuse a run (%s)", others),
             psprintf("SELECT vedfolnir_set_policy(%s, %s, 'delete', collateral => 'delete'%s);", quote_literal_cstr(e->display),
                      quote_literal_cstr(e->name), vdf_subject_argument(plan->configuration->subject)));
}

void vdf_review_edges(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;

    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];
        const VdfSuggestion *s = vdf_suggestion_for(review->schema, plan->edges[i].declared_on, e->name);
        char *object = vdf_edge_object(e->display, e->name);
        const char *stays = NULL;
        char *remedy = s ? vdf_suggested_call(review->schema, s)
                         : vdf_suggested_above(review->schema, plan->edges[i].declared_on, e->name, &stays);

        if (plan->edges[i].rule_fault)
            continue; /* the rule is reported, with what would do */
        if (e->blocker != NULL)
            vdf_find(review, VDF_SEVERITY_ERROR, "impossible_action", object,
                     psprintf("%s is asked for and cannot be done: %s", vdf_action_name(vdf_action(plan, i)), e->blocker),
                     remedy ? remedy
                            : psprintf("SELECT vedfolnir_set_policy(%s, %s, 'block'%s);", quote_literal_cstr(e->display),
                                       quote_literal_cstr(e->name), vdf_subject_argument(plan->configuration->subject)));
        else if (vdf_action(plan, i) == VDF_ACTION_BLOCK && e->policy == VDF_ACTION_NONE)
            vdf_find(review, VDF_SEVERITY_ERROR, "undeclared_edge", object,
                     psprintf("rows may refer to a %s and nothing says what to do%s%s", plan->configuration->subject,
                              s || stays ? ": " : "",
                              s       ? s->why
                              : stays ? psprintf("decide first that %s, which has the key of the person, stays", stays)
                                      : ""),
                     remedy);
        else
            review_collateral(review, i, object);
        if (e->blocker == NULL && vdf_action(plan, i) != VDF_ACTION_BLOCK && !e->validated && !e->link)
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

/* The same rule with the value that check proposes for such a column; none for what the server computes. */
static void review_fault(VdfReview *review, const VdfColumnSetting *s, const char *object)
{
    bool computed = vdf_is_computed(s->relation, get_attnum(s->relation, s->column));
    char *value = computed ? NULL : vdf_replacement(s->relation, s->column);

    vdf_find(review, VDF_SEVERITY_ERROR, "impossible_action", object,
             computed ? "the column rule sets what the server computes" : "the column rule sets NULL, which is not allowed there",
             psprintf("SELECT vedfolnir_set_column(%s, %s, %s%s%s%s);", quote_literal_cstr(vdf_relation_name(s->relation)),
                      quote_literal_cstr(s->column), value ? quote_literal_cstr(value) : "NULL", s->edge[0] ? ", edge => " : "",
                      s->edge[0] ? quote_literal_cstr(s->edge) : "", vdf_subject_argument(review->plan->configuration->subject)));
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
        else if (vdf_rule_fault(s, s->relation) != NULL)
            review_fault(review, s, object);
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
                 OidIsValid(c->cleanups[i].mirror)
                     ? psprintf("a mirror to %s is for rows that no deletion removes", c->cleanups[i].service)
                     : psprintf("a clean-up rule of kind %s is for rows that no deletion removes", c->cleanups[i].kind),
                 OidIsValid(c->cleanups[i].mirror)
                     ? psprintf("SELECT vedfolnir_remove_mirror(%s, %s%s);", quote_literal_cstr(vdf_relation_name(c->cleanups[i].relation)),
                                quote_literal_cstr(c->cleanups[i].service), vdf_subject_argument(c->subject))
                     : psprintf("SELECT vedfolnir_remove_cleanup(%s, %s, %s, service => %s%s);",
                                quote_literal_cstr(vdf_relation_name(c->cleanups[i].relation)), quote_literal_cstr(c->cleanups[i].kind),
                                quote_literal_cstr(c->cleanups[i].target), quote_literal_cstr(c->cleanups[i].service),
                                vdf_subject_argument(c->subject)));
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
