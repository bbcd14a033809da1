/*
 * walk.cpp: phase D, the closure over delete edges, one statement per edge and round.
 */
#include "ext/guc.h"
#include "ext/progress.h"
#include "ext/report.h"
#include "ext/run.h"
#include "ext/targets.h"

/* Where the rows of a statement go. */
typedef struct TakeSink
{
    VdfSink sink;
    VdfRun *run;
    int node;
    int edge; /* -1: the root */
    unsigned shape;
    int columns;     /* of the key set; the targets follow */
    int user_column; /* vdf_u */
    bool loop;
    uint64 rows;
} TakeSink;

void vdf_keys_add(VdfRun *run, VdfKeys *keys, TupleDesc desc, TupleTableSlot *slot, int columns)
{
    if (keys->store == NULL) {
        MemoryContext caller = MemoryContextSwitchTo(run->context);

        if (keys->desc == NULL) {
            keys->desc = CreateTemplateTupleDesc(columns);
            for (int i = 1; i <= columns; i++)
                TupleDescCopyEntry(keys->desc, i, desc, i);
        }
        keys->store = vdf_keys_store();
        MemoryContextSwitchTo(caller);
    }
    slot_getallattrs(slot);
    tuplestore_putvalues(keys->store, keys->desc, slot->tts_values, slot->tts_isnull);
    keys->count++;
}

void vdf_count_user(VdfRun *run, int user, int edge, uint64 rows)
{
    VdfUserCounts *counts = &run->user_counts[edge + 1];

    if (user >= counts->room) {
        int room = Max(user, run->nusers) + 1;
        uint64 *grown = (uint64 *) MemoryContextAllocExtended(run->context, sizeof(uint64) * room,
                                                              MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

        if (counts->rows != NULL) {
            memcpy(grown, counts->rows, sizeof(uint64) * counts->room);
            pfree(counts->rows);
        }
        counts->rows = grown;
        counts->room = room;
    }
    counts->rows[user] += rows;
}

void vdf_forget_users(VdfRun *run, int edge)
{
    VdfUserCounts *counts = &run->user_counts[edge + 1];

    if (counts->rows != NULL)
        memset(counts->rows, 0, sizeof(uint64) * counts->room);
}

static void take_row(VdfSink *sink, TupleTableSlot *slot)
{
    TakeSink *take = (TakeSink *) sink;
    VdfRun *run = take->run;
    VdfNodeState *node = &run->nodes[take->node];
    int user = 1;

    slot_getallattrs(slot);
    /*
     * A dry run meets the same row again through another edge, or through a link twice. The tombstone is met once and
     * stays, so its references to itself count as in a run.
     */
    if (run->dry && !(run->tombstone && take->edge < 0) &&
        !vdf_rowset_add(node->goes, DatumGetObjectId(slot->tts_values[0]),
                        (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        return;
    take->rows++;
    if (!run->look)
        vdf_progress_rows(1);
    if (run->tombstone && take->edge < 0) {
        if (run->tombstones == NULL) {
            MemoryContext caller = MemoryContextSwitchTo(run->context);

            run->tombstones = vdf_rowset_create();
            MemoryContextSwitchTo(caller);
        }
        (void) vdf_rowset_add(run->tombstones, DatumGetObjectId(slot->tts_values[0]),
                              (ItemPointer) DatumGetPointer(slot->tts_values[1]));
        if (take->shape & (VDF_KEYS | VDF_COLLATERAL))
            vdf_keys_add(run, &run->tombstone_keys, sink->desc, slot, take->columns);
    }
    if (run->many) {
        user = DatumGetInt32(slot->tts_values[take->user_column]);
        vdf_count_user(run, user, take->edge, 1);
    }
    if (take->shape & VDF_TARGETS)
        vdf_targets_take(run, take->node, slot, take->columns, user, !(run->tombstone && take->edge < 0));
    if (take->shape & (VDF_KEYS | VDF_COLLATERAL)) {
        vdf_keys_add(run, &node->all, sink->desc, slot, take->columns);
        if (take->loop)
            vdf_keys_add(run, &node->next, sink->desc, slot, take->columns);
    }
}

static void take_start(VdfSink *sink, TupleDesc desc)
{
    TakeSink *take = (TakeSink *) sink;
    int targets = (take->shape & VDF_TARGETS) ? take->run->plan->view->ntargets[take->node] : 0;

    take->columns = desc->natts - targets;
    for (int i = 0; i < desc->natts; i++)
        if (strcmp(NameStr(TupleDescAttr(desc, i)->attname), "vdf_u") == 0)
            take->user_column = i;
}

void vdf_statement_of(VdfRun *run, VdfStatement *statement, VdfSql kind, int number, unsigned flags, Oid owner)
{
    memset(statement, 0, sizeof(VdfStatement));
    statement->sql = vdf_plan_text(run->plan, kind, number, flags, 0, NULL, &statement->cache);
    statement->owner = owner;
}

void vdf_require_limit(uint64 rows)
{
    if (vdf_max_rows > 0 && rows > (uint64) vdf_max_rows)
        ereport(ERROR, (errcode(ERRCODE_VDF_TOO_MANY_ROWS),
                        errmsg("the deletion is larger than vedfolnir.max_rows (%d)", vdf_max_rows),
                        errdetail("Nothing was changed."),
                        errhint("Look at the dry run; raise vedfolnir.max_rows if all of it is meant.")));
}

void vdf_check_limit(VdfRun *run)
{
    if (!run->dry)
        vdf_require_limit(run->changed);
}

static void execute_take(VdfRun *run, VdfStatement *statement, int node, int edge, bool loop)
{
    TakeSink take;
    VdfNodeState *state = &run->nodes[node];

    memset(&take, 0, sizeof(take));
    vdf_sink_init(&take.sink, take_start, take_row);
    take.run = run;
    take.node = node;
    take.edge = edge;
    take.shape = state->shape;
    take.loop = loop;
    /* A leaf that nobody asks anything of is only counted. */
    if (state->shape || !statement->change) {
        statement->sink = &take.sink;
        (void) vdf_execute(&run->executor, statement);
    } else {
        take.rows = vdf_execute(&run->executor, statement);
        vdf_progress_rows(take.rows);
    }
    state->rows += take.rows;
    run->changed += take.rows;
    if (edge >= 0)
        run->edges[edge].rows += take.rows;
    else
        run->root_rows += take.rows;
    vdf_check_limit(run);
}

static uint64 count_only(VdfRun *run, int edge, VdfKeys *parents)
{
    VdfStatement statement;

    vdf_statement_of(run, &statement, VDF_SQL_FIND_LEFT, edge, 0, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_d", parents);
    if (run->tombstone && run->plan->graph.edges[edge].child == run->plan->graph.root)
        vdf_statement_input(&statement, "vdf_root", &run->root);
    return vdf_execute(&run->executor, &statement);
}

static void refuse_rule(VdfRun *run, int edge, uint64 rows, VdfFacts *facts)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];

    ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                    errmsg("%s of %s would be left: %s", vdf_rows(rows), e->display, facts->delete_keeper),
                    errdetail("The rule changes what DELETE does to the table. Nothing was changed."),
                    errhint("Drop or disable the rule."), err_generic_string(PG_DIAG_SCHEMA_NAME, e->schema),
                    err_generic_string(PG_DIAG_TABLE_NAME, e->relation), err_generic_string(PG_DIAG_CONSTRAINT_NAME, e->name)));
}

void vdf_walk_edge(VdfRun *run, int edge, VdfKeys *parents, bool del)
{
    VdfStatement statement;
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfNodeState *child = &run->nodes[e->child];
    bool loop = run->plan->view->components[run->plan->view->component_of[e->child]].loop;
    unsigned flags = child->shape | (run->many ? VDF_USERS : 0);

    if (parents->count == 0 || (run->needed != NULL && !run->needed[e->child]))
        return;
    if (del) {
        VdfFacts *facts = vdf_facts(run->plan, run->plan->edges[edge].relation);

        /* DELETE would do something else or fail: what stands behind the edge is only counted. */
        if (facts->delete_rule || facts->no_replica || facts->foreign) {
            uint64 rows = count_only(run, edge, parents);

            if (rows > 0 && facts->delete_rule)
                refuse_rule(run, edge, rows, facts);
            run->edges[edge].rows += rows;
            return;
        }
    }
    if (del)
        flags |= VDF_DELETE;
    else if (run->look && !vdf_facts(run->plan, run->plan->edges[edge].relation)->foreign)
        flags |= VDF_LOCK;
    vdf_statement_of(run, &statement, VDF_SQL_TAKE_EDGE, edge, flags, run->plan->edges[edge].owner);
    statement.change = del;
    vdf_statement_input(&statement, "vdf_d", parents);
    if (run->tombstone && e->child == run->plan->graph.root)
        vdf_statement_input(&statement, "vdf_root", &run->root);
    execute_take(run, &statement, e->child, edge, loop);
}

void vdf_take_rows(VdfRun *run, int node, VdfStatement *statement)
{
    execute_take(run, statement, node, run->plan->view->into[node][0], false);
}

/* The key of a root row that is gone: what still refers to it can be found. */
static void take_ghost(VdfRun *run)
{
    VdfStatement statement;
    int root = run->plan->graph.root;
    VdfNodeState *state = &run->nodes[root];

    state->shape = (state->shape | VDF_IDENTITY) & ~VDF_TARGETS;
    vdf_statement_of(run, &statement, VDF_SQL_TAKE_GHOST, -1, state->shape | (run->many ? VDF_USERS : 0),
                     run->plan->nodes[root].owner);
    vdf_statement_input(&statement, "vdf_root", &run->root);
    execute_take(run, &statement, root, -1, run->plan->view->components[run->plan->view->component_of[root]].loop);
    run->root_rows = run->changed = state->rows = 0;
}

static void take_root(VdfRun *run)
{
    VdfStatement statement;
    int root = run->plan->graph.root;
    VdfFacts *facts = vdf_facts(run->plan, run->plan->nodes[root].relation);
    const VdfNode *node = &run->plan->graph.nodes[root];
    /* A table that the server will refuse to delete from is a blocker, told with all others at the end. */
    bool del = !run->dry && !run->tombstone && !facts->no_replica;
    unsigned flags = run->nodes[root].shape | (run->many ? VDF_USERS : 0) | (del ? VDF_DELETE : 0);

    if (del && facts->delete_rule)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT), errmsg("the root row would be left: %s", facts->delete_keeper),
                        errdetail("Nothing was changed."), errhint("Drop or disable the rule."),
                        err_generic_string(PG_DIAG_SCHEMA_NAME, node->schema), err_generic_string(PG_DIAG_TABLE_NAME, node->relation)));
    vdf_statement_of(run, &statement, VDF_SQL_TAKE_ROOT, -1, flags, run->plan->nodes[root].owner);
    statement.change = del;
    vdf_statement_input(&statement, "vdf_root", &run->root);
    execute_take(run, &statement, root, -1, run->plan->view->components[run->plan->view->component_of[root]].loop);
    if (run->root_rows != run->root.count)
        ereport(ERROR,
                (errcode(ERRCODE_VDF_ROWS_LEFT), errmsg("the root row is still there after its deletion"),
                 errdetail("%s of %s kept it back. Nothing was changed.",
                           facts->delete_keeper ? facts->delete_keeper : "A trigger", vdf_relation_name(run->plan->nodes[root].relation)),
                 errhint("Drop or disable the trigger."), err_generic_string(PG_DIAG_SCHEMA_NAME, node->schema),
                 err_generic_string(PG_DIAG_TABLE_NAME, node->relation)));
}

bool vdf_parents_hold_foreign(VdfRun *run, int node)
{
    for (int i = 0; i < run->plan->view->ninto[node]; i++)
        if (run->nodes[run->plan->graph.edges[run->plan->view->into[node][i]].parent].foreign.count > 0)
            return true;
    return false;
}

static bool may_have_many_parents(VdfRun *run, int node)
{
    for (int i = 0; i < run->plan->view->ninto[node]; i++)
        if (run->plan->edges[run->plan->view->into[node][i]].many)
            return true;
    return false;
}

/* What the key set of a node must carry, decided once, before its first rows come. */
static void choose_shape(VdfRun *run, int node, bool loop)
{
    const VdfPlanView *view = run->plan->view;
    VdfNodeState *state = &run->nodes[node];

    state->shape = 0;
    if (view->nkeys[node] > 0)
        state->shape |= VDF_KEYS;
    if (view->ntargets[node] > 0)
        state->shape |= VDF_TARGETS;
    if (run->needed == NULL && run->seed == NULL && !run->look &&
        (view->ninto[node] > 1 || loop || may_have_many_parents(run, node) || vdf_parents_hold_foreign(run, node)))
        state->shape |= VDF_COLLATERAL | VDF_IDENTITY;
    if (run->tombstone && node == run->plan->graph.root)
        state->shape |= VDF_IDENTITY;
    if (run->dry) {
        state->shape |= VDF_IDENTITY;
        state->goes = vdf_rowset_create();
    }
    /* A run that asks for nothing else still needs the person of each row. */
    if (run->many && state->shape == 0)
        state->shape = VDF_USERS;
}

static bool take_deltas(VdfRun *run, const VdfComponent *component)
{
    bool any = false;

    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *node = &run->nodes[component->nodes[i]];

        vdf_keys_free(&node->delta);
        node->delta = node->next;
        node->next.store = NULL;
        node->next.count = 0;
        any = any || node->delta.count > 0;
    }
    return any;
}

static void start_from_seed(VdfRun *run, const VdfComponent *component)
{
    const VdfPlanView *view = run->plan->view;

    for (int i = 0; i < component->nnodes; i++) {
        int node = component->nodes[i];

        for (int j = 0; run->seeded[node] && j < view->ninto[node]; j++)
            vdf_walk_edge(run, view->into[node][j], &run->seed->nodes[run->plan->graph.edges[view->into[node][j]].parent].all,
                          !run->dry);
    }
}

void vdf_walk_component(VdfRun *run, int number)
{
    const VdfComponent *component = &run->plan->view->components[number];
    const VdfGraph *graph = &run->plan->graph;

    if (run->needed == NULL && run->seed == NULL && !run->look && vdf_sweep(run, number)) {
        vdf_sweep_release(run, number);
        return;
    }
    for (int i = 0; i < component->nnodes; i++)
        choose_shape(run, component->nodes[i], component->loop);
    if (run->seed != NULL)
        start_from_seed(run, component);
    else if (run->plan->view->component_of[graph->root] == number) {
        if (run->ghost)
            take_ghost(run);
        else
            take_root(run);
    }
    for (int i = 0; i < component->nouter; i++)
        vdf_walk_edge(run, component->outer[i], &run->nodes[graph->edges[component->outer[i]].parent].all, !run->dry);
    /* Each round follows the rows that the round before found: a row counts for the first round that reaches it. */
    while (component->loop && take_deltas(run, component))
        for (int i = 0; i < component->ninner; i++)
            vdf_walk_edge(run, component->inner[i], &run->nodes[graph->edges[component->inner[i]].parent].delta,
                          !run->dry);
    if (run->needed == NULL && run->seed == NULL && !run->look) {
        vdf_find_collateral(run, component);
        vdf_sweep_pack(run, number);
        vdf_sweep_release(run, number);
    }
}

void vdf_walk(VdfRun *run)
{
    for (int i = 0; i < run->plan->view->ncomponents; i++)
        vdf_walk_component(run, i);
}
