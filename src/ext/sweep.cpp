#include "ext/sweep.h"

#include "ext/catalog.h"
#include "ext/facts.h"

/* Up to this many parents an index is asked, if there is one. */
#define FEW_PARENTS 1000
/* A scan reads about this many rows in the time of one look-up in an index. */
#define ROWS_PER_LOOKUP 10

/* The attributes and operators of a foreign key. */
static bool referenced_columns(Oid constraint, int count, AttrNumber *referenced)
{
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
    int n;
    AttrNumber referring[INDEX_MAX_KEYS];
    AttrNumber keys[INDEX_MAX_KEYS];
    Oid equal[INDEX_MAX_KEYS];
    bool plain = HeapTupleIsValid(tuple);

    if (!plain)
        return false;
    DeconstructFkConstraintRow(tuple, &n, referring, keys, equal, NULL, NULL, NULL, NULL);
    ReleaseSysCache(tuple);
    for (int i = 0; i < n; i++)
        plain = plain && equal[i] < FirstNormalObjectId; /* equality as the server defines it for these types */
    memcpy(referenced, keys, sizeof(AttrNumber) * n);
    return plain && n == count;
}

static bool learn_edge(VdfDeletionPlan *plan, int number, SweepEdge *out)
{
    const VdfEdge *edge = &plan->graph.edges[number];
    const VdfEdgeInfo *info = &plan->edges[number];
    AttrNumber referenced[INDEX_MAX_KEYS];

    if (edge->link || !edge->validated || edge->condition || edge->parent_leaves || edge->child_leaves ||
        edge->npairs < 1 || edge->npairs > VDF_KEY_COLUMNS || edge->npairs != plan->view->nkeys[edge->parent] ||
        strcmp(edge->from, plan->graph.nodes[edge->child].from) != 0 ||
        !referenced_columns(info->constraint, edge->npairs, referenced))
        return false;
    out->edge = number;
    out->ncolumns = edge->npairs;
    for (int k = 0; k < edge->npairs; k++) {
        int pair = 0;

        while (pair < edge->npairs && strcmp(edge->pairs[pair].parent_column, plan->view->keys[edge->parent][k]) != 0)
            pair++;
        if (pair == edge->npairs || edge->pairs[pair].any || !edge->pairs[pair].child_is_column)
            return false;
        out->pairs[k] = pair;
        out->types[k] = get_atttype(info->relation, info->attributes[pair]);
        out->columns[k] = get_attname(info->relation, info->attributes[pair], false);
        if (!vdf_key_comparable(get_atttype(info->parent_relation, referenced[pair]), out->types[k]))
            return false;
    }
    out->inner = plan->view->component_of[edge->child] == plan->view->component_of[edge->parent];
    out->indexed = vdf_missing_index(plan, number)[0] == '\0';
    return true;
}

VdfSweep *vdf_sweep_of(VdfDeletionPlan *plan, int node)
{
    VdfSweep *sweep = plan->sweeps[node];
    MemoryContext caller;

    if (sweep != NULL)
        return sweep;
    caller = MemoryContextSwitchTo(plan->context);
    sweep = (VdfSweep *) palloc0(sizeof(VdfSweep));
    sweep->nedges = plan->view->ninto[node];
    sweep->edges = (SweepEdge *) palloc0(sizeof(SweepEdge) * (sweep->nedges + 1));
    sweep->possible = sweep->nedges > 0;
    /* A key that references one partition needs the tableoid beside the keys. */
    for (int i = 0; sweep->possible && i < plan->graph.nedges; i++)
        sweep->possible = plan->graph.edges[i].parent != node || plan->graph.edges[i].parent_leaves == NULL;
    for (int i = 0; sweep->possible && i < sweep->nedges; i++)
        sweep->possible = learn_edge(plan, plan->view->into[node][i], &sweep->edges[i]);
    plan->sweeps[node] = sweep;
    MemoryContextSwitchTo(caller);
    return sweep;
}

static VdfKeys *parents_of(VdfRun *run, const SweepEdge *edge)
{
    VdfNodeState *parent = &run->nodes[run->plan->graph.edges[edge->edge].parent];

    return edge->inner ? &parent->delta : &parent->all;
}

static const VdfKeySet *packed_parents(VdfRun *run, const SweepEdge *edge)
{
    VdfNodeState *parent = &run->nodes[run->plan->graph.edges[edge->edge].parent];

    return edge->inner ? parent->delta.packed : parent->packed;
}

/* One scan, or a look-up in indexes for each parent? */
static bool scan_pays(VdfRun *run, VdfSweep *sweep, int node, bool inside)
{
    uint64 most = 0;
    HeapTuple tuple;
    double rows;

    for (int i = 0; i < sweep->nedges; i++) {
        uint64 parents = sweep->edges[i].inner == inside ? parents_of(run, &sweep->edges[i])->count : 0;

        if (parents > 0 && !sweep->edges[i].indexed)
            return true;
        most = Max(most, parents);
    }
    if (most <= FEW_PARENTS)
        return false;
    tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(run->plan->nodes[node].relation));
    if (!HeapTupleIsValid(tuple))
        return false;
    rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
    ReleaseSysCache(tuple);
    return rows < 0 || (double) most * ROWS_PER_LOOKUP > rows;
}

static void take(VdfRun *run, SweepSink *sink, VdfStatement *statement)
{
    VdfNodeState *state = &run->nodes[sink->node];
    uint64 before = sink->rows;

    statement->change = !run->dry;
    if (state->shape || !statement->change) {
        statement->sink = &sink->sink;
        (void) vdf_execute(&run->executor, statement);
    } else {
        uint64 rows = vdf_execute(&run->executor, statement);

        sink->rows += rows;
        run->edges[sink->edge >= 0 ? sink->edge : sink->sweep->edges[0].edge].rows += rows;
    }
    state->rows += sink->rows - before;
    run->changed += sink->rows - before;
    vdf_check_limit(run);
}

static void sweep_scan(VdfRun *run, SweepSink *sink, unsigned flags)
{
    VdfSweep *sweep = sink->sweep;
    VdfKeyArm *arms = (VdfKeyArm *) palloc0(sizeof(VdfKeyArm) * sweep->nedges);
    VdfKeyScan scan = {0, arms};
    VdfStatement statement;

    for (int i = 0; i < sweep->nedges; i++) {
        VdfKeyArm *arm = &arms[scan.narms];

        if (sweep->edges[i].inner != sink->inside)
            continue;
        arm->set = packed_parents(run, &sweep->edges[i]);
        arm->ncolumns = sweep->edges[i].ncolumns;
        memcpy(arm->columns, sweep->edges[i].columns, sizeof(arm->columns));
        if (arm->set != NULL && arm->set->count > 0)
            scan.narms++;
    }
    sink->edge = -1;
    vdf_statement_of(run, &statement, VDF_SQL_TAKE_NODE, sink->node, flags, run->plan->nodes[sink->node].owner);
    statement.scan = &scan;
    take(run, sink, &statement);
    pfree(arms);
}

static void sweep_edges(VdfRun *run, SweepSink *sink, unsigned flags)
{
    for (int i = 0; i < sink->sweep->nedges; i++) {
        int edge = sink->sweep->edges[i].edge;
        VdfKeys *parents = parents_of(run, &sink->sweep->edges[i]);
        VdfStatement statement;

        if (parents->count == 0 || sink->sweep->edges[i].inner != sink->inside)
            continue;
        sink->edge = edge;
        vdf_statement_of(run, &statement, VDF_SQL_TAKE_EDGE, edge, flags, run->plan->edges[edge].owner);
        vdf_statement_input(&statement, "vdf_d", parents);
        take(run, sink, &statement);
    }
}

/* Are the keys of all parents that have rows at hand? And does DELETE do what it says? */
static bool ready(VdfRun *run, VdfSweep *sweep, int node, bool *any)
{
    VdfFacts *facts;

    *any = false;
    for (int i = 0; i < sweep->nedges; i++) {
        VdfNodeState *parent = &run->nodes[run->plan->graph.edges[sweep->edges[i].edge].parent];

        if (sweep->edges[i].inner)
            continue;
        if (parent->all.count > 0 && parent->packed == NULL)
            return false;
        *any = *any || parent->all.count > 0;
    }
    if (!*any)
        return true;
    facts = vdf_facts(run->plan, run->plan->nodes[node].relation);
    return !facts->delete_rule && !facts->no_replica && !facts->foreign;
}

static void prepare(VdfRun *run, SweepSink *sink, int node, bool loop)
{
    VdfNodeState *state = &run->nodes[node];
    const VdfPlanView *view = run->plan->view;

    memset(sink, 0, sizeof(SweepSink));
    vdf_sink_init(&sink->sink, vdf_sweep_start, vdf_sweep_row);
    sink->run = run;
    sink->sweep = run->plan->sweeps[node];
    sink->node = node;
    sink->loop = loop;
    sink->look = loop || sink->sweep->nedges > 1 || run->many || vdf_parents_hold_foreign(run, node);
    sink->ncolumns = view->nkeys[node];
    state->shape = (view->nkeys[node] > 0 ? VDF_KEYS : 0) | (view->ntargets[node] > 0 ? VDF_TARGETS : 0) |
                   (sink->look ? VDF_COLLATERAL : 0) | (run->dry ? VDF_IDENTITY : 0);
    if (run->dry && state->goes == NULL)
        state->goes = vdf_rowset_create();
}

void vdf_sweep_rows(VdfRun *run, int node, bool loop, bool inside)
{
    SweepSink sink;
    int references[VDF_KEY_COLUMNS * SWEEP_EDGES], columns[VDF_KEY_COLUMNS];
    unsigned flags;

    prepare(run, &sink, node, loop);
    sink.references = references;
    sink.columns = columns;
    sink.inside = inside;
    flags = run->nodes[node].shape | (run->dry ? 0 : VDF_DELETE);
    if (scan_pays(run, sink.sweep, node, inside))
        sweep_scan(run, &sink, flags);
    else
        sweep_edges(run, &sink, flags);
}

/* Can all nodes of the component be swept, now that their parents are known? */
static bool can_sweep(VdfRun *run, const VdfComponent *component, bool *any)
{
    *any = false;
    for (int i = 0; i < component->nnodes; i++) {
        int node = component->nodes[i];
        VdfSweep *sweep;
        bool reached;

        if (node == run->plan->graph.root || run->plan->view->nkeys[node] > VDF_KEY_COLUMNS)
            return false;
        sweep = vdf_sweep_of(run->plan, node);
        if (!sweep->possible || sweep->nedges > SWEEP_EDGES || !ready(run, sweep, node, &reached))
            return false;
        *any = *any || reached;
    }
    /* A node that only the cycle leads to has not been asked yet whether DELETE does what it says. */
    for (int i = 0; *any && component->nnodes > 1 && i < component->nnodes; i++) {
        VdfFacts *facts = vdf_facts(run->plan, run->plan->nodes[component->nodes[i]].relation);

        if (facts->delete_rule || facts->no_replica || facts->foreign)
            return false;
    }
    return true;
}

bool vdf_sweep(VdfRun *run, int number)
{
    const VdfComponent *component = &run->plan->view->components[number];
    bool any;

    if (!can_sweep(run, component, &any))
        return false;
    for (int i = 0; i < component->nnodes; i++) {
        VdfNodeState *state = &run->nodes[component->nodes[i]];

        state->shape = run->dry ? VDF_IDENTITY : 0;
        if (run->dry)
            state->goes = vdf_rowset_create();
        if (any)
            vdf_sweep_rows(run, component->nodes[i], component->loop, false);
    }
    if (any && component->loop)
        vdf_sweep_cycle(run, component);
    return true;
}
