#include "ext/way.h"

#include "ext/execute.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/restriction.h"

/* The columns that an expression of an edge reads, and its text over new rows. */
static char *expression_text(VdfForesight *f, Relation table, Node *node, Bitmapset **columns, bool *unknown)
{
    Bitmapset *read = NULL;
    int number = -1;

    if (!vdf_columns_read(table, node, &read))
        *unknown = true;
    while ((number = bms_next_member(read, number)) >= 0) { /* a partition numbers its columns otherwise */
        const char *name = get_attname(RelationGetRelid(table), number, true);

        if (name != NULL && get_attnum(RelationGetRelid(f->table), name) != InvalidAttrNumber)
            *columns = bms_add_member(*columns, get_attnum(RelationGetRelid(f->table), name));
    }
    return vdf_restriction_text(table, node, "c", true);
}

static Node *parse(Oid relation, const char *text)
{
    int level = vdf_set_path();
    Node *node = vdf_expression_parse(relation, text, true);

    vdf_unset_path(level);
    return node;
}

static int key_number(const VdfPlanView *view, int node, const char *column)
{
    for (int i = 0; i < view->nkeys[node]; i++)
        if (strcmp(view->keys[node][i], column) == 0)
            return i;
    elog(ERROR, "a key column of the plan is missing");
}

VdfWay vdf_way(VdfForesight *f, int edge)
{
    VdfDeletionPlan *plan = f->run->plan;
    const VdfEdge *e = &plan->graph.edges[edge];
    Relation table = table_open(plan->edges[edge].relation, AccessShareLock);
    VdfWay w = {};
    StringInfoData sql;

    w.edge = edge;
    initStringInfo(&sql);
    for (int i = 0; i < e->npairs; i++) {
        const VdfPair *p = &e->pairs[i];
        Node *node;
        char *value;

        if (p->child_is_column) {
            Form_pg_attribute a = TupleDescAttr(RelationGetDescr(table), get_attnum(RelationGetRelid(table), vdf_unquoted(p->child)) - 1);

            node = (Node *) makeVar(1, a->attnum, a->atttypid, a->atttypmod, a->attcollation, 0);
            w.computed = w.computed || a->attgenerated != '\0';
        } else {
            node = parse(plan->edges[edge].relation, p->child);
            w.computed = true;
        }
        value = psprintf("(%s)%s", expression_text(f, table, node, &w.pairs, &w.unknown), p->child_cast);
        appendStringInfo(&sql, "%sd.vdf_k%d%s %s %s", i ? " AND " : "", key_number(plan->view, e->parent, p->parent_column), p->parent_cast,
                         p->op, p->any ? psprintf("ANY (%s)", value) : value);
    }
    if (e->parent_leaves)
        appendStringInfo(&sql, " AND d.vdf_t OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", e->parent_leaves);
    if (e->child_leaves)
        appendStringInfo(&sql, " AND c.vdf_t OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", e->child_leaves);
    w.refers = sql.data;
    if (e->condition != NULL)
        w.applies = expression_text(f, table, parse(plan->edges[edge].relation, e->condition), &w.condition, &w.unknown);
    table_close(table, AccessShareLock);
    return w;
}

/* What an edge does with its own reference was looked at where it was found: a successor that stays. */
static bool is_own(const VdfForesight *f, const VdfClaim *c, int edge)
{
    const VdfEdge *e;

    if (c->edge != edge || edge < 0 || c->rule)
        return false;
    e = &f->run->plan->graph.edges[edge];
    return vdf_action(f->run->plan, edge) != VDF_ACTION_DEFAULT || e->nsets >= e->npairs;
}

VdfClaim *vdf_writes(const VdfForesight *f, const Bitmapset *columns, int edge, bool null)
{
    ListCell *cell;

    foreach (cell, f->claims) {
        VdfClaim *c = (VdfClaim *) lfirst(cell);

        if ((null || !c->null) && bms_is_member(c->number, columns) && !is_own(f, c, edge))
            return c;
    }
    return NULL;
}

bool vdf_is_block(const VdfPlanView *view, int edge)
{
    for (int i = 0; i < view->nblock; i++)
        if (view->block[i] == edge)
            return true;
    return false;
}

VdfClaim *vdf_brings_up(const VdfForesight *f, const VdfWay *w)
{
    VdfClaim *claim = vdf_writes(f, w->pairs, w->edge, w->computed);

    return claim ? claim : vdf_writes(f, w->condition, -1, true);
}

bool vdf_way_changing(VdfForesight *f, const VdfWay *w)
{
    return w->unknown || bms_overlap(bms_union(w->pairs, w->condition), vdf_foresight_changing(f));
}

/* Is it worth to look closer? By names alone: most edges refer by columns that nothing else writes. */
static bool may_matter(const VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];
    TupleConstr *constr = RelationGetDescr(f->table)->constr;
    ListCell *cell;

    if (e->condition != NULL || (constr != NULL && constr->has_generated_stored))
        return true;
    for (int i = 0; i < e->npairs; i++) {
        if (!e->pairs[i].child_is_column)
            return true;
        foreach (cell, f->claims)
            if (!is_own(f, (VdfClaim *) lfirst(cell), edge) && strcmp(((VdfClaim *) lfirst(cell))->column, e->pairs[i].child) == 0)
                return true;
    }
    return false;
}

bool vdf_way_matters(const VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];
    const VdfKeys *parents = &f->run->nodes[e->parent].all;

    return e->child == f->node && e->npairs > 0 && vdf_action(f->run->plan, edge) != VDF_ACTION_RETAIN && parents->count > 0 &&
           (parents->store != NULL || parents->packed != NULL) && may_matter(f, edge);
}

static void found_row(VdfSink *sink, TupleTableSlot *slot)
{
    VdfRowSink *s = (VdfRowSink *) sink;
    Oid relation;
    ItemPointer tid;

    slot_getallattrs(slot);
    relation = DatumGetObjectId(slot->tts_values[0]);
    tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    if (s->stays != NULL && DatumGetBool(slot->tts_values[3]) && vdf_rowset_has(s->stays, relation, tid))
        return;
    (void) vdf_rowset_add(s->rows, relation, tid);
    if (s->chosen != NULL && !slot->tts_isnull[2] && DatumGetBool(slot->tts_values[2]))
        (void) vdf_rowset_add(s->chosen, relation, tid);
}

void vdf_row_sink(VdfRowSink *s, VdfRowSet *rows, VdfRowSet *chosen)
{
    memset(s, 0, sizeof(VdfRowSink));
    vdf_sink_init(&s->sink, NULL, found_row);
    s->rows = rows;
    s->chosen = chosen;
}

/* A tombstone that refers to itself refers to a row that stays. */
static bool refers_to_itself(const VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];

    return f->tombstone && e->parent == e->child && vdf_action(f->run->plan, edge) == VDF_ACTION_DELETE;
}

void vdf_ask_way(VdfForesight *f, const VdfWay *w, VdfRowSet *refer, VdfRowSet *apply)
{
    const VdfGraph *graph = &f->run->plan->graph;
    const char *to_tombstone = "";
    VdfRowSink s;

    vdf_row_sink(&s, refer, apply);
    if (refers_to_itself(f, w->edge)) {
        s.stays = f->run->tombstones;
        to_tombstone = psprintf(", EXISTS (SELECT FROM vdf_root x WHERE d.vdf_k%d %s x.vdf_r)",
                                key_number(f->run->plan->view, graph->root, graph->key_column), graph->key_op);
    }
    vdf_foresight_ask(f,
                      psprintf("SELECT c.vdf_t, c.vdf_i, %s%s FROM %s c, vdf_d d WHERE c.vdf_w AND %s",
                               w->applies ? psprintf("(%s)", w->applies) : "true", to_tombstone,
                               vdf_foresight_rows(f, bms_union(w->pairs, w->condition), NULL), w->refers),
                      &f->run->nodes[f->run->plan->graph.edges[w->edge].parent].all, &s.sink);
}

VdfRowSet *vdf_ask_now(VdfRun *run, int edge)
{
    VdfRowSet *rows = vdf_rowset_create();
    VdfStatement statement;
    VdfRowSink s;

    vdf_row_sink(&s, rows, NULL);
    vdf_statement_of(run, &statement, VDF_SQL_FIND_LEFT, edge, 0, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_d", &run->nodes[run->plan->graph.edges[edge].parent].all);
    if (run->tombstone && run->plan->graph.edges[edge].child == run->plan->graph.root && vdf_action(run->plan, edge) == VDF_ACTION_DELETE)
        vdf_statement_input(&statement, "vdf_root", &run->root);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    /* A tombstone's own references are asked for apart. */
    if (run->tombstone && run->plan->graph.edges[edge].child == run->plan->graph.root && vdf_action(run->plan, edge) == VDF_ACTION_DELETE) {
        statement.sql = vdf_plan_text(run->plan, VDF_SQL_FIND_TOMBSTONE_LEFT, edge, 0, 0, NULL, &statement.cache);
        (void) vdf_execute(&run->executor, &statement);
    }
    return rows;
}
