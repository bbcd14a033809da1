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

/* A trigger may leave in the row what a column rule was to replace: then that is looked at. */
static bool may_keep(const VdfForesight *f)
{
    ListCell *cell;

    if (vdf_facts(f->run->plan, RelationGetRelid(f->table))->update_keeper == NULL)
        return false;
    foreach (cell, f->claims)
        if (((VdfClaim *) lfirst(cell))->rule)
            return true;
    return false;
}

/* What the columns hold before, as vdf_was<n>. */
static char *values_before(const VdfForesight *f)
{
    StringInfoData list;
    int number = -1;

    initStringInfo(&list);
    while ((number = bms_next_member(f->changed, number)) >= 0)
        appendStringInfo(&list, ", x.%s, x.vdf_o%d AS vdf_was%d",
                         quote_identifier(get_attname(RelationGetRelid(f->table), number, false)), number, number);
    return psprintf("SELECT x.vdf_t, x.vdf_i, x.vdf_w%s FROM %s x", list.data, vdf_foresight_rows(f, f->changed, f->changed));
}

/* Does the row still hold what it held, although something else was to be written? */
static char *kept_columns(const VdfForesight *f)
{
    StringInfoData list;
    int number = -1;

    initStringInfo(&list);
    while ((number = bms_next_member(f->changed, number)) >= 0) {
        Form_pg_attribute a = TupleDescAttr(RelationGetDescr(f->table), number - 1);
        const char *name = quote_identifier(NameStr(a->attname));
        int32 typmod = a->atttypmod;
        Oid type = getBaseTypeAndTypmod(a->atttypid, &typmod);

        appendStringInfo(&list,
                         "%s(c.%s::pg_catalog.text COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=) n.vdf_was%d::pg_catalog.text "
                         "AND n.%s::%s::pg_catalog.text COLLATE pg_catalog.\"C\" IS DISTINCT FROM n.vdf_was%d::pg_catalog.text)",
                         list.len ? " OR " : "", name, number, name,
                         format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY), number);
    }
    return list.data;
}

/*
 * A value that is another each time is asked for once, so that what is looked at is what is written; and so is what a
 * trigger may keep back, to be compared.
 */
VdfKeys *vdf_fix_values(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;
    VdfKeys *fixed = NULL;
    VdfStatement statement;

    if (found->count == 0)
        return NULL;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    if (may_keep(&f) || !bms_is_empty(vdf_foresight_changing(&f))) {
        fixed = (VdfKeys *) palloc0(sizeof(VdfKeys));
        memset(&statement, 0, sizeof(statement));
        statement.sql = may_keep(&f) ? values_before(&f) : psprintf("SELECT x.* FROM %s x", vdf_foresight_rows(&f, f.changed, NULL));
        statement.owner = run->plan->nodes[node].owner;
        vdf_detach_inputs(run, &statement, edges, nedges, found);
        vdf_collect(run, &statement, fixed);
    }
    vdf_foresight_close(&f);
    return fixed;
}

char *vdf_fixed_update(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, bool *compares)
{
    VdfForesight f;
    StringInfoData sets;
    const char *returning;
    int number = -1;

    initStringInfo(&sets);
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, NULL);
    while ((number = bms_next_member(f.changed, number)) >= 0) {
        const char *name = quote_identifier(get_attname(RelationGetRelid(f.table), number, false));

        appendStringInfo(&sets, "%s%s = n.%s", sets.len ? ", " : "", name, name);
    }
    *compares = may_keep(&f);
    returning = *compares ? psprintf(" RETURNING %s AS vdf_kept", kept_columns(&f)) : "";
    vdf_foresight_close(&f);
    return psprintf("UPDATE %s c SET %s FROM vdf_n n WHERE c.ctid OPERATOR(pg_catalog.=) n.vdf_i "
                    "AND c.tableoid OPERATOR(pg_catalog.=) n.vdf_t AND n.vdf_w%s",
                    run->plan->graph.nodes[node].from, sets.data, returning);
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
    (void) vdf_execute(&f->run->executor, &statement);
}

void vdf_foresight_note(VdfRun *run, int edge, char *text)
{
    MemoryContext caller = MemoryContextSwitchTo(run->context);
    char **note = edge >= 0 ? &run->edges[edge].note : &run->root_note;

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
