#include "ext/foresight.h"

#include "ext/catalog.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/schema_facts.h"

static void add_claim(List **claims, Oid relation, const char *column, int edge, const char *expression, bool given, bool rule)
{
    VdfClaim *c = (VdfClaim *) palloc0(sizeof(VdfClaim));

    c->column = column;
    c->number = get_attnum(relation, vdf_unquoted(column));
    c->edge = edge;
    c->null = !given && (expression == NULL || vdf_expression_is_null(expression));
    c->expression = c->null ? NULL : expression;
    c->given = given;
    c->rule = rule;
    *claims = lappend(*claims, c);
}

static void add_rules(VdfRun *run, List **claims, int node, int edge)
{
    const VdfGraph *graph = &run->plan->graph;

    for (int i = 0; i < graph->ncolumn_rules; i++)
        if (graph->column_rules[i].edge == edge && graph->column_rules[i].node == node)
            add_claim(claims, run->plan->nodes[node].relation, graph->column_rules[i].column, edge, graph->column_rules[i].expression, false, true);
}

List *vdf_claims(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    Oid relation = run->plan->nodes[node].relation;
    List *claims = NIL;

    for (int i = 0; i < nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[edges[i]];
        char action = vdf_action(run->plan, edges[i]);

        for (int j = 0; j < e->nsets && action != VDF_ACTION_RETAIN; j++)
            if (action == VDF_ACTION_NULLIFY)
                add_claim(&claims, relation, e->sets[j].column, edges[i], NULL, e->pairs[0].any, false); /* of an array, the others stay */
            else if (action == VDF_ACTION_REASSIGN)
                add_claim(&claims, relation, e->sets[j].column, edges[i], e->reassign_expression, e->reassign_expression == NULL, false);
            else
                add_claim(&claims, relation, e->sets[j].column, edges[i], e->sets[j].defaults, false, false);
        add_rules(run, &claims, node, edges[i]);
    }
    if (tombstone)
        add_rules(run, &claims, node, -1);
    return claims;
}

bool vdf_is_volatile(Oid relation, const char *expression)
{
    int level = vdf_set_path();
    bool answer = contain_volatile_functions(vdf_expression_parse(relation, expression, true));

    vdf_unset_path(level);
    return answer;
}

void vdf_foresight_open(VdfForesight *f, VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    ListCell *cell;

    memset(f, 0, sizeof(VdfForesight));
    f->run = run;
    f->node = node;
    f->edges = edges;
    f->nedges = nedges;
    f->tombstone = tombstone;
    f->found = found;
    f->table = table_open(run->plan->nodes[node].relation, AccessShareLock);
    f->claims = vdf_claims(run, node, edges, nedges, tombstone);
    foreach (cell, f->claims)
        f->changed = bms_add_member(f->changed, ((VdfClaim *) lfirst(cell))->number);
}

const Bitmapset *vdf_foresight_changing(VdfForesight *f)
{
    ListCell *cell;

    if (f->run->fixed != NULL)
        return NULL;
    foreach (cell, f->changing_known ? NIL : f->claims) {
        VdfClaim *c = (VdfClaim *) lfirst(cell);

        if (c->expression != NULL && vdf_is_volatile(RelationGetRelid(f->table), c->expression))
            f->changing = bms_add_member(f->changing, c->number);
    }
    f->changing_known = true;
    return f->changing;
}

void vdf_foresight_close(VdfForesight *f)
{
    table_close(f->table, AccessShareLock);
}

char *vdf_foresight_rows(const VdfForesight *f, const Bitmapset *columns, const Bitmapset *old)
{
    VdfSqlRequest request = {VDF_SQL_NEW_ROWS, f->node, f->tombstone ? (unsigned) VDF_TOMBSTONE : 0u, f->nedges, f->edges, NULL, NULL};
    StringInfoData sql, others;
    const char *text;
    VdfError error;
    const Bitmapset *routing = vdf_facts_routing(f->run->plan, RelationGetRelid(f->table));
    int number = -1;

    initStringInfo(&sql);
    initStringInfo(&others);
    while ((number = bms_next_member(old, number)) >= 0) {
        Form_pg_attribute a = TupleDescAttr(RelationGetDescr(f->table), number - 1);

        appendStringInfo(&others, ", c.%s%s AS vdf_o%d", quote_identifier(NameStr(a->attname)), vdf_cast(getBaseType(a->atttypid)), number);
        appendStringInfo(&sql, ", v.vdf_o%d", number);
    }
    number = -1;
    while ((number = bms_next_member(columns, number)) >= 0) {
        Form_pg_attribute a = TupleDescAttr(RelationGetDescr(f->table), number - 1);
        const char *name = quote_identifier(NameStr(a->attname));

        if (!bms_is_member(number, f->changed)) {
            appendStringInfo(&others, ", c.%s AS %s", name, name);
            appendStringInfo(&sql, ", v.%s", name);
        } else /* as UPDATE would store it, but for the domain, which is looked at apart; a partition is told by it */
            appendStringInfo(&sql, ", v.%s%s%s AS %s", name, vdf_cast(bms_is_member(number, routing) ? a->atttypid : getBaseType(a->atttypid)),
                             OidIsValid(a->attcollation) ? vdf_collate(a->attcollation) : "", name);
    }
    if (f->run->fixed != NULL)
        return psprintf("(SELECT v.vdf_t, v.vdf_i, v.vdf_w%s FROM (SELECT n.*%s FROM vdf_n n, %s c WHERE c.ctid OPERATOR(pg_catalog.=) n.vdf_i "
                        "AND c.tableoid OPERATOR(pg_catalog.=) n.vdf_t) v)",
                        sql.data, others.data, f->run->plan->graph.nodes[f->node].from);
    request.others = others.data;
    if (!vdf_plan_sql(f->run->plan->core, &request, &text, &error))
        vdf_raise(&error);
    return psprintf("(SELECT v.vdf_t, v.vdf_i, v.vdf_w%s FROM (%s) v)", sql.data, text);
}

void vdf_foresight_ask(const VdfForesight *f, const char *sql, VdfKeys *parents, VdfSink *sink)
{
    VdfStatement statement;

    memset(&statement, 0, sizeof(statement));
    statement.sql = sql;
    statement.owner = f->run->plan->nodes[f->node].owner;
    statement.sink = sink;
    vdf_detach_inputs(f->run, &statement, f->edges, f->nedges, f->found);
    if (parents != NULL)
        vdf_statement_input(&statement, "vdf_d", parents);
    if (f->tombstone)
        vdf_statement_input(&statement, "vdf_root", &f->run->root);
    statement.cache = vdf_plan_kept_for(f->run->plan, sql, statement.nparams, statement.types);
    (void) vdf_execute(&f->run->executor, &statement);
}

void vdf_foresight_note(VdfRun *run, int edge, char *text)
{
    MemoryContext caller = MemoryContextSwitchTo(run->context);
    char **note = edge >= 0 ? &run->edges[edge].note : &run->root_note;

    run->doubtful = true;
    *note = *note ? psprintf("%s; %s", *note, text) : pstrdup(text);
    MemoryContextSwitchTo(caller);
}

static char *remedy(const VdfForesight *f, const VdfClaim *c)
{
    if (!c->rule)
        return vdf_policy_call(f->run, c->edge, "'delete'");
    return psprintf("SELECT vedfolnir_set_column(%s, %s, '...'%s%s);", quote_literal_cstr(f->run->plan->graph.nodes[f->node].display),
                    quote_literal_cstr(get_attname(RelationGetRelid(f->table), c->number, false)),
                    c->edge < 0 ? "" : psprintf(", edge => %s", quote_literal_cstr(f->run->plan->graph.edges[c->edge].name)),
                    vdf_subject_argument(f->run->plan->configuration->subject));
}

void vdf_foresight_refuse(const VdfForesight *f, const VdfClaim *claim, uint64 rows, char *phrase)
{
    const char *keeper = vdf_facts(f->run->plan, RelationGetRelid(f->table))->update_keeper;
    int edge = claim->edge;

    if (keeper != NULL)
        vdf_foresight_note(f->run, edge, psprintf("%s by %s unless %s prevents it", phrase, vdf_rows(rows), keeper));
    else if (edge < 0)
        vdf_block_root(f->run, rows, phrase, remedy(f, claim));
    else {
        f->run->edges[edge].failed = f->run->edges[edge].failed || !claim->rule;
        vdf_block(f->run, edge, rows, phrase, remedy(f, claim), true);
    }
}
