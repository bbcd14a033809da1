/*
 * collateral.cpp: rows of other people among those that go (design: "collateral").
 *
 * A row is a source of collateral when it is another row of the root table, or when a delete edge ties it to a row that
 * stays: another one, or the same, by which it may have several parents. What is reached only through such rows is collateral too. All of it is told from the key sets, which
 * are the same in dry run and run.
 */
#include "ext/catalog.h"
#include "ext/reach.h"
#include "ext/report.h"
#include "ext/run.h"

/* Positions in a key set that has VDF_IDENTITY and VDF_COLLATERAL. */
static int edge_column(const VdfRun *run)
{
    return run->many ? 3 : 2;
}

typedef struct SourceSink
{
    VdfSink sink;
    VdfRun *run;
    VdfRowSet *sources;
    uint64 found;
    int parent;
} SourceSink;

static void mark_source(VdfRun *run, VdfRowSet *sources, int edge, Datum relation, Datum tid, uint64 *found)
{
    /* The root row itself is the person's, whatever it refers to. */
    if (edge < 0 || !vdf_rowset_add(sources, DatumGetObjectId(relation), (ItemPointer) DatumGetPointer(tid)))
        return;
    (*found)++;
    run->edges[edge].sources++;
}

static void source_row(VdfSink *sink, TupleTableSlot *slot)
{
    SourceSink *s = (SourceSink *) sink;

    slot_getallattrs(slot);
    mark_source(s->run, s->sources, DatumGetInt32(slot->tts_values[2]), slot->tts_values[0], slot->tts_values[1],
                &s->found);
}

/* The row refers to this parent, too, by an edge by which it refers to one that goes. */
static void other_parent(VdfSink *sink, TupleTableSlot *slot)
{
    SourceSink *s = (SourceSink *) sink;

    slot_getallattrs(slot);
    if (!vdf_row_goes(s->run, s->parent, slot->tts_values[3], slot->tts_values[4]))
        source_row(sink, slot);
}

/* Calls for each row of a key set. */
static void each_row(VdfKeys *keys, void (*row)(void *arg, TupleTableSlot *slot), void *arg)
{
    TupleTableSlot *slot;

    if (keys->count == 0)
        return;
    slot = MakeSingleTupleTableSlot(keys->desc, &TTSOpsMinimalTuple);
    tuplestore_rescan(keys->store);
    while (tuplestore_gettupleslot(keys->store, true, false, slot)) {
        slot_getallattrs(slot);
        row(arg, slot);
    }
    ExecDropSingleTupleTableSlot(slot);
}

static void other_root_row(void *arg, TupleTableSlot *slot)
{
    SourceSink *s = (SourceSink *) arg;
    int edge = DatumGetInt32(slot->tts_values[edge_column(s->run)]);

    if (edge >= 0)
        mark_source(s->run, s->sources, edge, slot->tts_values[0], slot->tts_values[1], &s->found);
}

static void find_sources(VdfRun *run, int node, VdfRowSet *sources, uint64 *found)
{
    VdfNodeState *state = &run->nodes[node];
    const VdfPlanView *view = run->plan->view;
    SourceSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, source_row);
    s.run = run;
    s.sources = sources;
    if (node == run->plan->graph.root)
        each_row(&state->all, other_root_row, &s);
    for (int i = 0; i < view->ninto[node]; i++) {
        int edge = view->into[node][i];
        bool many = run->plan->edges[edge].many;
        VdfKeys *parent = &run->nodes[run->plan->graph.edges[edge].parent].all;
        VdfStatement statement;

        /* Found through its only edge, a row with one parent cannot be tied to a row that stays. */
        if (!many && view->ninto[node] < 2)
            continue;
        vdf_statement_of(run, &statement, many ? VDF_SQL_FIND_OTHER_PARENTS : VDF_SQL_FIND_FOREIGN, edge,
                         !many && parent->count > 0 ? VDF_KEYS : 0, vdf_relation_owner(run->plan->edges[edge].parent_relation));
        vdf_statement_input(&statement, "vdf_a", &state->all);
        if (!many && parent->count > 0)
            vdf_statement_input(&statement, "vdf_d", parent);
        s.parent = run->plan->graph.edges[edge].parent;
        s.sink.row = many ? other_parent : source_row;
        statement.sink = &s.sink;
        (void) vdf_execute(&run->executor, &statement);
    }
    *found += s.found;
}

/* Rows that the person reaches without passing through somebody else's. */
typedef struct OwnSink
{
    VdfSink sink;
    VdfRun *run;
    VdfRowSet *sources;
    VdfReach *reach;
} OwnSink;

/* The row at hand; false where it belongs to somebody else as well. */
static bool may_be_own(OwnSink *s, TupleTableSlot *slot, Oid *relation, ItemPointer *tid)
{
    slot_getallattrs(slot);
    *relation = DatumGetObjectId(slot->tts_values[0]);
    *tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    return !vdf_rowset_has(s->sources, *relation, *tid);
}

/* A row that one of the person's rows outside the component, or the root row, leads to. */
static void own_row(VdfSink *sink, TupleTableSlot *slot)
{
    OwnSink *s = (OwnSink *) sink;
    Oid relation;
    ItemPointer tid;

    if (may_be_own(s, slot, &relation, &tid))
        vdf_reach_start(s->reach, relation, tid);
}

static void own_root(void *arg, TupleTableSlot *slot)
{
    OwnSink *s = (OwnSink *) arg;

    if (DatumGetInt32(slot->tts_values[edge_column(s->run)]) < 0)
        own_row(&s->sink, slot);
}

/* A row of a cycle that another one leads to. */
static void own_step(VdfSink *sink, TupleTableSlot *slot)
{
    OwnSink *s = (OwnSink *) sink;
    Oid relation;
    ItemPointer tid;

    if (may_be_own(s, slot, &relation, &tid))
        vdf_reach_step(s->reach, DatumGetObjectId(slot->tts_values[2]),
                       (ItemPointer) DatumGetPointer(slot->tts_values[3]), relation, tid);
}

/* Divides the rows of a node, when all that is its person's own is known. */
typedef struct Division
{
    VdfRun *run;
    VdfNodeState *node;
    VdfRowSet *own;
} Division;

static void divide_row(void *arg, TupleTableSlot *slot)
{
    Division *d = (Division *) arg;
    int edge = DatumGetInt32(slot->tts_values[edge_column(d->run)]);
    bool own = vdf_rowset_has(d->own, DatumGetObjectId(slot->tts_values[0]),
                              (ItemPointer) DatumGetPointer(slot->tts_values[1]));

    vdf_keys_add(d->run, own ? &d->node->own : &d->node->foreign, d->node->all.desc, slot, d->node->all.desc->natts);
    if (!own && edge >= 0)
        d->run->edges[edge].collateral++;
}

static void follow_own(VdfRun *run, int edge, VdfKeys *parents, unsigned flags, OwnSink *sink)
{
    VdfStatement statement;
    VdfKeys *child = &run->nodes[run->plan->graph.edges[edge].child].all;

    if (parents->count == 0 || child->count == 0)
        return;
    vdf_statement_of(run, &statement, VDF_SQL_FOLLOW_OWN, edge, flags, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_a", child);
    vdf_statement_input(&statement, "vdf_d", parents);
    statement.sink = &sink->sink;
    (void) vdf_execute(&run->executor, &statement);
}

/*
 * Each edge is joined once, whatever the depth: inside a cycle the join says which row leads to which, and that is
 * followed in memory. A join per round would read all rows of the component as often as it is deep.
 */
static void divide(VdfRun *run, const VdfComponent *component, VdfRowSet *sources)
{
    const VdfGraph *graph = &run->plan->graph;
    VdfRowSet *own = vdf_rowset_create();
    OwnSink starts, steps;

    memset(&starts, 0, sizeof(starts));
    vdf_sink_init(&starts.sink, NULL, own_row);
    starts.run = run;
    starts.sources = sources;
    starts.reach = vdf_reach_create(own);
    steps = starts;
    vdf_sink_init(&steps.sink, NULL, own_step);
    if (run->plan->view->component_of[graph->root] == component - run->plan->view->components)
        each_row(&run->nodes[graph->root].all, own_root, &starts);
    for (int i = 0; i < component->nouter; i++) {
        VdfNodeState *parent = &run->nodes[graph->edges[component->outer[i]].parent];

        follow_own(run, component->outer[i], parent->foreign.count > 0 ? &parent->own : &parent->all, 0, &starts);
    }
    for (int i = 0; component->loop && i < component->ninner; i++)
        follow_own(run, component->inner[i], &run->nodes[graph->edges[component->inner[i]].parent].all, VDF_IDENTITY,
                   &steps);
    vdf_reach_follow(starts.reach);
    vdf_reach_free(starts.reach);
    for (int i = 0; i < component->nnodes; i++) {
        Division d = {run, &run->nodes[component->nodes[i]], own};

        if (d.node->shape & VDF_COLLATERAL)
            each_row(&d.node->all, divide_row, &d);
    }
    vdf_rowset_free(own);
}

void vdf_find_collateral(VdfRun *run, const VdfComponent *component)
{
    VdfRowSet *sources = vdf_rowset_create();
    uint64 found = 0;
    bool inherited = false;

    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *node = &run->nodes[component->nodes[i]];

        if ((node->shape & VDF_COLLATERAL) && node->all.count > 0)
            find_sources(run, component->nodes[i], sources, &found);
    }
    for (int i = 0; i < component->nouter; i++)
        inherited = inherited || run->nodes[run->plan->graph.edges[component->outer[i]].parent].foreign.count > 0;
    if (found > 0 || inherited)
        divide(run, component, sources);
    vdf_rowset_free(sources);
}

bool vdf_collateral_refused(VdfRun *run)
{
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (run->seed == NULL && run->edges[i].sources > 0 && !run->plan->graph.edges[i].collateral_ok)
            return true;
    return false;
}
