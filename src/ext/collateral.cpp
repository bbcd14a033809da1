/*
 * collateral.cpp: rows of other people among those that go (design: "collateral").
 *
 * A row is a source of collateral when it is another row of the root table, or when another delete edge ties it to a
 * row that stays. What is reached only through such rows is collateral too. All of it is told from the key sets, which
 * are the same in dry run and run.
 */
#include "ext/catalog.h"
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

static VdfRowSet *find_sources(VdfRun *run, int node, uint64 *found)
{
    VdfNodeState *state = &run->nodes[node];
    const VdfPlanView *view = run->plan->view;
    SourceSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, source_row);
    s.run = run;
    s.sources = vdf_rowset_create();
    if (node == run->plan->graph.root)
        each_row(&state->all, other_root_row, &s);
    /* Found through its only edge, a row cannot be tied to a row that stays. */
    for (int i = 0; view->ninto[node] > 1 && i < view->ninto[node]; i++) {
        int edge = view->into[node][i];
        VdfKeys *parent = &run->nodes[run->plan->graph.edges[edge].parent].all;
        VdfStatement statement;

        vdf_statement_of(run, &statement, VDF_SQL_FIND_FOREIGN, edge, parent->count > 0 ? VDF_KEYS : 0,
                         vdf_relation_owner(run->plan->edges[edge].parent_relation));
        vdf_statement_input(&statement, "vdf_a", &state->all);
        if (parent->count > 0)
            vdf_statement_input(&statement, "vdf_d", parent);
        statement.sink = &s.sink;
        (void) vdf_execute(&run->executor, &statement);
    }
    *found += s.found;
    return s.sources;
}

/* Rows that the person reaches without passing through somebody else's. */
typedef struct OwnSink
{
    VdfSink sink;
    VdfRun *run;
    VdfRowSet *sources;
    VdfRowSet *own;
    VdfKeys *next;
    TupleDesc desc;
} OwnSink;

static void own_row(VdfSink *sink, TupleTableSlot *slot)
{
    OwnSink *s = (OwnSink *) sink;
    Oid relation;
    ItemPointer tid;

    slot_getallattrs(slot);
    relation = DatumGetObjectId(slot->tts_values[0]);
    tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    if (!vdf_rowset_has(s->sources, relation, tid) && vdf_rowset_add(s->own, relation, tid))
        vdf_keys_add(s->run, s->next, s->desc, slot, s->desc->natts);
}

static void own_root(void *arg, TupleTableSlot *slot)
{
    OwnSink *s = (OwnSink *) arg;

    if (DatumGetInt32(slot->tts_values[edge_column(s->run)]) < 0)
        own_row(&s->sink, slot);
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

static void follow_own(VdfRun *run, int edge, VdfKeys *parents, OwnSink *sink)
{
    VdfStatement statement;
    VdfKeys *child = &run->nodes[run->plan->graph.edges[edge].child].all;

    if (parents->count == 0 || child->count == 0)
        return;
    vdf_statement_of(run, &statement, VDF_SQL_FOLLOW_OWN, edge, 0, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_a", child);
    vdf_statement_input(&statement, "vdf_d", parents);
    statement.sink = &sink->sink;
    (void) vdf_execute(&run->executor, &statement);
}

static int position_of(const VdfComponent *component, int node)
{
    for (int i = 0; i < component->nnodes; i++)
        if (component->nodes[i] == node)
            return i;
    elog(ERROR, "node %d is not in its component", node);
    return -1;
}

static void divide(VdfRun *run, const VdfComponent *component, VdfRowSet **sources)
{
    const VdfGraph *graph = &run->plan->graph;
    OwnSink *sinks = (OwnSink *) palloc0(sizeof(OwnSink) * component->nnodes);
    bool any = true;

    for (int i = 0; i < component->nnodes; i++) {
        vdf_sink_init(&sinks[i].sink, NULL, own_row);
        sinks[i].run = run;
        sinks[i].sources = sources[i];
        sinks[i].own = vdf_rowset_create();
        sinks[i].desc = run->nodes[component->nodes[i]].all.desc;
        sinks[i].next = &run->nodes[component->nodes[i]].next;
        if (component->nodes[i] == graph->root)
            each_row(&run->nodes[graph->root].all, own_root, &sinks[i]);
    }
    for (int i = 0; i < component->nouter; i++) {
        VdfNodeState *parent = &run->nodes[graph->edges[component->outer[i]].parent];

        follow_own(run, component->outer[i], parent->foreign.count > 0 ? &parent->own : &parent->all,
                   &sinks[position_of(component, graph->edges[component->outer[i]].child)]);
    }
    while (component->loop && any) {
        any = false;
        for (int i = 0; i < component->nnodes; i++) {
            VdfNodeState *node = &run->nodes[component->nodes[i]];

            vdf_keys_free(&node->delta);
            node->delta = node->next;
            node->next.store = NULL;
            node->next.count = 0;
            any = any || node->delta.count > 0;
        }
        for (int i = 0; any && i < component->ninner; i++)
            follow_own(run, component->inner[i], &run->nodes[graph->edges[component->inner[i]].parent].delta,
                       &sinks[position_of(component, graph->edges[component->inner[i]].child)]);
    }
    for (int i = 0; i < component->nnodes; i++) {
        Division d = {run, &run->nodes[component->nodes[i]], sinks[i].own};

        vdf_keys_free(&d.node->next);
        if (d.node->shape & VDF_COLLATERAL)
            each_row(&d.node->all, divide_row, &d);
    }
}

void vdf_find_collateral(VdfRun *run, const VdfComponent *component)
{
    VdfRowSet **sources = (VdfRowSet **) palloc0(sizeof(VdfRowSet *) * component->nnodes);
    uint64 found = 0;
    bool inherited = false;

    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *node = &run->nodes[component->nodes[i]];

        if (!(node->shape & VDF_COLLATERAL) || node->all.count == 0)
            sources[i] = vdf_rowset_create();
        else
            sources[i] = find_sources(run, component->nodes[i], &found);
    }
    for (int i = 0; i < component->nouter; i++)
        inherited = inherited || run->nodes[run->plan->graph.edges[component->outer[i]].parent].foreign.count > 0;
    if (found > 0 || inherited)
        divide(run, component, sources);
}
