/*
 * prove.cpp: phase B. Rows that a trigger kept: they survive and still refer to something deleted.
 */
#include "ext/guc.h"
#include "ext/new_reference.h"
#include "ext/report.h"
#include "ext/run.h"
#include "ext/sweep.h"

typedef struct LeftSink
{
    VdfSink sink;
    VdfRun *run;
    int edge;
    VdfRowSet *seen; /* a link may meet a row twice */
    uint64 rows;
} LeftSink;

static bool is_cleared(VdfRun *run, int edge, Oid relation, ItemPointer tid)
{
    const VdfEdgeState *state = &run->edges[edge];

    if (state->touched != NULL && vdf_rowset_has(state->touched, relation, tid))
        return vdf_rowset_has(state->cleared, relation, tid);
    return vdf_is_cleared(run, edge, relation, tid);
}

static void left_row(VdfSink *sink, TupleTableSlot *slot)
{
    LeftSink *s = (LeftSink *) sink;
    VdfNodeState *child = &s->run->nodes[s->run->plan->graph.edges[s->edge].child];
    Oid relation;
    ItemPointer tid;

    slot_getallattrs(slot);
    relation = DatumGetObjectId(slot->tts_values[0]);
    tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    if (s->run->dry && child->goes != NULL && vdf_rowset_has(child->goes, relation, tid))
        return;
    /* References that phase N changes, or would have changed had nothing been in the way. */
    if ((s->run->dry || s->run->untouched) && is_cleared(s->run, s->edge, relation, tid))
        return;
    if (s->seen == NULL || vdf_rowset_add(s->seen, relation, tid))
        s->rows++;
}

/* By a scan with the packed keys, which costs less than a join. False: there is none, and nothing was counted. */
static bool scan_left(VdfRun *run, LeftSink *s)
{
    const VdfEdge *e = &run->plan->graph.edges[s->edge];
    VdfStatement statement;
    VdfKeyScan scan;
    VdfKeyArm arm;

    if (run->dry || (run->tombstone && e->child == run->plan->graph.root) || !vdf_sweep_scan_of(run, s->edge, &scan, &arm))
        return false;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_REFERENCES, s->edge, VDF_SCAN, run->plan->edges[s->edge].owner);
    statement.scan = &scan;
    statement.sink = &s->sink;
    (void) vdf_execute(&run->executor, &statement);
    return !statement.refused;
}

uint64 vdf_count_left(VdfRun *run, int edge, VdfSql kind)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfKeys *parents = &run->nodes[e->parent].all;
    VdfStatement statement;
    LeftSink s;

    if (parents->count == 0 || e->npairs == 0)
        return 0;
    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, left_row);
    s.run = run;
    s.edge = edge;
    s.seen = e->link ? vdf_rowset_create() : NULL;
    if (kind == VDF_SQL_FIND_LEFT && scan_left(run, &s))
        return s.rows;
    vdf_statement_of(run, &statement, kind, edge, 0, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_d", parents);
    if (run->tombstone && e->child == run->plan->graph.root && vdf_action(run->plan, edge) == VDF_ACTION_DELETE)
        vdf_statement_input(&statement, "vdf_root", &run->root);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    return s.rows;
}

uint64 vdf_rows_in_the_way(VdfRun *run, int edge)
{
    const VdfEdgeState *state = &run->edges[edge];
    VdfRowSet *goes = run->nodes[run->plan->graph.edges[edge].child].goes;
    uint64 rows = state->added;
    int n;
    VdfRowBlock *blocks = vdf_rowset_blocks(state->before, &n);

    for (int i = 0; i < n; i++) {
        CHECK_FOR_INTERRUPTS();
        for (OffsetNumber offset = FirstOffsetNumber; offset <= MaxHeapTuplesPerPage; offset++) {
            ItemPointerData tid;

            ItemPointerSet(&tid, blocks[i].block, offset);
            rows += vdf_rowset_has(state->before, blocks[i].relation, &tid) &&
                    !(goes != NULL && vdf_rowset_has(goes, blocks[i].relation, &tid)) && !is_cleared(run, edge, blocks[i].relation, &tid);
        }
    }
    pfree(blocks);
    return rows;
}

static void raise_left(VdfRun *run, int edge, uint64 rows, const char *keeper)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];

    ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                    errmsg("%s of %s %s left after the deletion", vdf_rows(rows), e->display, rows == 1 ? "is" : "are"),
                    errdetail("What is left still refers through \"%s\" to a row that was deleted; %s kept it. Nothing was changed.",
                              e->name, keeper ? keeper : "a trigger or a concurrent change"),
                    errhint("Drop or disable what kept them, or set a policy for the edge."),
                    err_generic_string(PG_DIAG_SCHEMA_NAME, e->schema),
                    err_generic_string(PG_DIAG_TABLE_NAME, e->relation),
                    err_generic_string(PG_DIAG_CONSTRAINT_NAME, e->name)));
}

/* Could rows have been kept back behind this edge? */
static bool at_risk(VdfRun *run, int edge)
{
    VdfFacts *facts = vdf_facts(run->plan, run->plan->edges[edge].relation);

    /* PostgreSQL does not check a reference again that a column rule leaves as it was. */
    if (vdf_prove_all || run->plan->graph.edges[edge].link || vdf_may_come_up(run->plan, edge))
        return true;
    return vdf_action(run->plan, edge) == VDF_ACTION_DELETE ? facts->delete_keeper != NULL
                                                           : facts->update_keeper != NULL || vdf_action(run->plan, edge) != VDF_ACTION_NULLIFY;
}

static void prove_edge(VdfRun *run, int edge)
{
    VdfFacts *facts;
    uint64 rows;
    char action = vdf_action(run->plan, edge);

    if (run->nodes[run->plan->graph.edges[edge].parent].all.count == 0 || action == VDF_ACTION_RETAIN ||
        !at_risk(run, edge))
        return;
    rows = vdf_count_left(run, edge, VDF_SQL_FIND_LEFT);
    if (rows == 0)
        return;
    facts = vdf_facts(run->plan, run->plan->edges[edge].relation);
    raise_left(run, edge, rows, action == VDF_ACTION_DELETE ? facts->delete_keeper : facts->update_keeper);
}

/*
 * Rows that a trigger kept though a delete edge leads to them, looked for before phase N: it might clear the very
 * reference that tells of them.
 */
void vdf_prove_deletes(VdfRun *run)
{
    for (int i = 0; !run->dry && i < run->plan->graph.nedges; i++) {
        VdfFacts *facts;

        if (vdf_action(run->plan, i) != VDF_ACTION_DELETE ||
            run->nodes[run->plan->graph.edges[i].parent].all.count == 0)
            continue;
        facts = vdf_facts(run->plan, run->plan->edges[i].relation);
        /* Rows that were only counted are a blocker of their own. */
        if (facts->delete_keeper != NULL && facts->no_replica == NULL && !facts->foreign)
            prove_edge(run, i);
    }
}

void vdf_prove(VdfRun *run)
{
    if (!run->judged)
        vdf_find_blockers(run);
    if (run->untouched && run->blockers == NIL)
        elog(ERROR, "references were left alone and nothing is in the way");
    if (run->dry || run->blockers != NIL)
        return;
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (vdf_action(run->plan, i) != VDF_ACTION_BLOCK && run->plan->graph.edges[i].blocker == NULL)
            prove_edge(run, i);
}

void vdf_prove_links(VdfRun *run)
{
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (run->plan->graph.edges[i].link && run->plan->graph.edges[i].blocker == NULL)
            prove_edge(run, i);
}

/* Did a step go to a table with triggers of the application? */
static bool triggers_fired(VdfRun *run)
{
    VdfDeletionPlan *plan = run->plan;
    VdfFacts *facts = vdf_facts(plan, plan->nodes[plan->graph.root].relation);

    if ((run->tombstone ? facts->update_trigger : facts->delete_trigger) != NULL)
        return true;
    for (int i = 0; i < plan->graph.nedges; i++) {
        if (run->nodes[plan->graph.edges[i].parent].all.count == 0)
            continue;
        facts = vdf_facts(plan, plan->edges[i].relation);
        if ((vdf_action(plan, i) == VDF_ACTION_DELETE ? facts->delete_trigger : facts->update_trigger) != NULL)
            return true;
    }
    return false;
}

static void prove_root(VdfRun *run)
{
    VdfDeletionPlan *plan = run->plan;
    int root = plan->graph.root;
    const VdfNode *node = &plan->graph.nodes[root];
    VdfStatement statement;

    vdf_statement_of(run, &statement, VDF_SQL_FIND_TOMBSTONE, -1, 0, plan->nodes[root].owner);
    vdf_statement_input(&statement, "vdf_root", &run->root);
    if (vdf_execute(&run->executor, &statement) > 0)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT), errmsg("the root row is there again after its deletion"),
                        errdetail("A trigger inserted it into %s. Nothing was changed.", node->display),
                        errhint("Drop or disable the trigger."), err_generic_string(PG_DIAG_SCHEMA_NAME, node->schema),
                        err_generic_string(PG_DIAG_TABLE_NAME, node->relation)));
}

/* Elsewhere a row that comes back has no parent, and its foreign key refuses it. */
void vdf_prove_after_triggers(VdfRun *run)
{
    if (run->ghost || !triggers_fired(run))
        return;
    if (!run->tombstone)
        prove_root(run);
    for (int i = 0; run->tombstone && i < run->plan->graph.nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[i];
        uint64 rows;

        if (e->parent != run->plan->graph.root || e->link || e->blocker != NULL || vdf_action(run->plan, i) == VDF_ACTION_RETAIN)
            continue;
        rows = vdf_count_left(run, i, VDF_SQL_FIND_LEFT);
        if (rows > 0)
            raise_left(run, i, rows, "a trigger");
    }
}
