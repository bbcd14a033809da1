#include "ext/sweep.h"

#include "ext/facts.h"
#include "ext/progress.h"

/* Up to this many parents an index is asked, if there is one: statistics may be old, and so few look-ups never cost much. */
#define FEW_PARENTS 1000
/* A scan reads about this many rows in the time of one look-up in an index, and of one page before its rows. */
#define ROWS_PER_LOOKUP 40
#define ROWS_PER_PAGE 8

static VdfKeys *parents_of(VdfRun *run, const SweepEdge *edge)
{
    VdfNodeState *parent = &run->nodes[run->plan->graph.edges[edge->edge].parent];

    return edge->inner ? &parent->delta : &parent->all;
}

static const VdfKeySet *packed_parents(VdfRun *run, const SweepEdge *edge)
{
    VdfNodeState *parent = &run->nodes[run->plan->graph.edges[edge->edge].parent];

    return edge->inner ? parent->delta.packed : vdf_sweep_set(parent, edge);
}

/* As the statistics know it; negative: nobody has counted. */
static double rows_of(Oid relation, double *pages)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    double rows = -1;

    *pages = 0;
    if (HeapTupleIsValid(tuple)) {
        rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
        *pages = Max(((Form_pg_class) GETSTRUCT(tuple))->relpages, 0); /* a partitioned table has none */
        ReleaseSysCache(tuple);
    }
    return rows;
}

bool vdf_scan_beats_lookups(Oid relation, uint64 keys)
{
    double rows, pages;

    if (keys <= FEW_PARENTS)
        return false;
    rows = rows_of(relation, &pages);
    /* Each partition has an index of its own. */
    if (get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE)
        keys *= list_length(find_all_inheritors(relation, NoLock, NULL));
    return rows < 0 || (double) keys * ROWS_PER_LOOKUP > rows + pages * ROWS_PER_PAGE;
}

typedef enum Means
{
    BY_SCAN,   /* of the relation, for all edges */
    BY_LOOKUP, /* in its indexes, for all edges by one statement */
    BY_JOIN    /* a statement per edge */
} Means;

static Means means_for(VdfRun *run, VdfSweep *sweep, int node, bool inside)
{
    Oid relation = run->plan->nodes[node].relation;
    uint64 most = 0, sum = 0;
    bool looked_up = true;

    for (int i = 0; i < sweep->nedges; i++) {
        uint64 parents = sweep->edges[i]->inner == inside ? parents_of(run, sweep->edges[i])->count : 0;

        if (parents > 0 && !sweep->edges[i]->indexed)
            return BY_SCAN;
        looked_up = looked_up && (parents == 0 || sweep->edges[i]->looked_up);
        most = Max(most, parents);
        sum += parents;
    }
    if (looked_up)
        return most <= FEW_PARENTS || !vdf_scan_beats_lookups(relation, sum) ? BY_LOOKUP : BY_SCAN;
    return vdf_scan_beats_lookups(relation, most) ? BY_SCAN : BY_JOIN;
}

static void take(VdfRun *run, SweepSink *sink, VdfStatement *statement)
{
    VdfNodeState *state = &run->nodes[sink->node];
    uint64 before = sink->rows;

    statement->change = !run->dry;
    if (statement->scan != NULL && statement->scan->watch != NULL) {
        if (vdf_execute(&run->executor, statement) != statement->scan->watch->rows)
            elog(ERROR, "rows were deleted that a scan has not given");
    } else if (state->shape || !statement->change) {
        statement->sink = &sink->sink;
        (void) vdf_execute(&run->executor, statement);
    } else {
        uint64 rows = vdf_execute(&run->executor, statement);

        sink->rows += rows;
        vdf_progress_rows(rows);
        run->edges[sink->edge >= 0 ? sink->edge : sink->sweep->edges[0]->edge].rows += rows;
    }
    state->rows += sink->rows - before;
    run->changed += sink->rows - before;
    vdf_check_limit(run);
}

/* How many rows stand behind so many parents, if all parents have equally many. */
static double rows_behind(VdfRun *run, SweepEdge *edge, uint64 parents)
{
    if (edge->rows_per_parent < 0) {
        double pages;
        double theirs = rows_of(run->plan->edges[edge->edge].parent_relation, &pages);
        double ours = rows_of(run->plan->edges[edge->edge].relation, &pages);

        edge->rows_per_parent = theirs > 0 && ours > 0 ? ours / theirs : 1;
    }
    return edge->rows_per_parent * parents;
}

static void make_arm(SweepEdge *edge, const VdfKeySet *set, VdfKeyArm *arm)
{
    memset(arm, 0, sizeof(VdfKeyArm));
    arm->set = set;
    arm->ncolumns = edge->ncolumns;
    memcpy(arm->columns, edge->columns, sizeof(arm->columns));
    memcpy(arm->numbers, edge->numbers, sizeof(arm->numbers));
    arm->index = &edge->index;
}

bool vdf_sweep_scan_of(VdfRun *run, int number, VdfKeyScan *scan, VdfKeyArm *arm)
{
    const VdfNodeState *parent = &run->nodes[run->plan->graph.edges[number].parent];
    Oid relation = run->plan->nodes[run->plan->graph.edges[number].child].relation;
    SweepEdge *edge = vdf_sweep_edge(run->plan, number);
    const VdfKeySet *set = edge != NULL ? vdf_sweep_set(parent, edge) : NULL;
    bool probe;

    /* Nothing refers to a key with a NULL; where the packed keys are all there is, such a row was not counted. */
    if (set == NULL || set->count == 0 || (set->count != parent->all.count && set->count + set->nulls != parent->all.count))
        return false;
    probe = edge->indexed && !vdf_scan_beats_lookups(relation, parent->all.count);
    if (probe && !edge->looked_up)
        return false;
    make_arm(edge, set, arm);
    memset(scan, 0, sizeof(VdfKeyScan));
    scan->relation = relation;
    scan->expected = rows_behind(run, edge, set->count);
    scan->probe = probe;
    scan->narms = 1;
    scan->arms = arm;
    return true;
}

/* False: the relation cannot be scanned so, and nothing was done. */
static bool sweep_scan(VdfRun *run, SweepSink *sink, unsigned flags, Means means)
{
    VdfSweep *sweep = sink->sweep;
    VdfKeyArm *arms = (VdfKeyArm *) palloc0(sizeof(VdfKeyArm) * sweep->nedges);
    VdfKeyScan scan = {run->plan->nodes[sink->node].relation, 0, means == BY_LOOKUP, false, 0, arms};
    VdfStatement statement;

    for (int i = 0; i < sweep->nedges; i++) {
        SweepEdge *edge = sweep->edges[i];
        const VdfKeySet *set = packed_parents(run, edge);

        if (edge->inner != sink->inside || parents_of(run, edge)->count == 0)
            continue;
        if (set == NULL)
            return false;
        if (set->count == 0)
            continue;
        make_arm(edge, set, &arms[scan.narms]);
        scan.narms++;
        scan.expected += rows_behind(run, edge, set->count);
    }
    if (scan.narms == 0)
        return false;
    sink->edge = -1;
    scan.watch = vdf_sweep_watch(sink);
    vdf_statement_of(run, &statement, VDF_SQL_TAKE_NODE, sink->node, scan.watch != NULL ? VDF_DELETE : flags,
                     run->plan->nodes[sink->node].owner);
    statement.scan = &scan;
    take(run, sink, &statement);
    if (scan.watch != NULL)
        vdf_sweep_watch_end(scan.watch);
    pfree(arms);
    return !statement.refused;
}

static void sweep_edges(VdfRun *run, SweepSink *sink, unsigned flags)
{
    for (int i = 0; i < sink->sweep->nedges; i++) {
        int edge = sink->sweep->edges[i]->edge;
        VdfKeys *parents = parents_of(run, sink->sweep->edges[i]);
        VdfStatement statement;

        if (parents->count == 0 || sink->sweep->edges[i]->inner != sink->inside)
            continue;
        sink->edge = edge;
        /* Keys that are not packed tell the person by the join. */
        sink->user = run->many && packed_parents(run, sink->sweep->edges[i]) == NULL ? 0 : -1;
        vdf_statement_of(run, &statement, VDF_SQL_TAKE_EDGE, edge, flags | (sink->user >= 0 ? VDF_USERS : 0),
                         run->plan->edges[edge].owner);
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
        VdfNodeState *parent = &run->nodes[run->plan->graph.edges[sweep->edges[i]->edge].parent];

        if (sweep->edges[i]->inner)
            continue;
        if (parent->all.count > 0 && vdf_sweep_set(parent, sweep->edges[i]) == NULL)
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
    sink->user = -1;
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
    int references[VDF_KEY_COLUMNS * SWEEP_EDGES], columns[SWEEP_KEYS];
    unsigned flags;
    Means means;

    prepare(run, &sink, node, loop);
    sink.references = references;
    sink.columns = columns;
    sink.inside = inside;
    flags = run->nodes[node].shape | (run->dry ? 0 : VDF_DELETE);
    means = means_for(run, sink.sweep, node, inside);
    if (means == BY_JOIN || !sweep_scan(run, &sink, flags, means))
        sweep_edges(run, &sink, flags);
}

/* Most relations of a large schema hold nothing of a person: nothing is to be learned of them then. */
static bool has_parents(VdfRun *run, const VdfComponent *component)
{
    for (int i = 0; i < component->nouter; i++)
        if (run->nodes[run->plan->graph.edges[component->outer[i]].parent].all.count > 0)
            return true;
    return false;
}

/* The rows of a cycle are told apart by all of their key columns, and its own edges must refer by these. */
static bool can_sweep_cycle(const VdfSweep *sweep)
{
    bool whole = sweep->identifies;

    for (int i = 0; i < sweep->nedges; i++)
        whole = whole && !(sweep->edges[i]->inner && sweep->edges[i]->list != WHOLE_KEY);
    return whole;
}

/* Can all nodes of the component be swept, now that their parents are known? */
static bool can_sweep(VdfRun *run, const VdfComponent *component, bool *any)
{
    *any = false;
    for (int i = 0; i < component->nnodes; i++) {
        int node = component->nodes[i];
        VdfSweep *sweep;
        bool reached;

        if (run->plan->view->nkeys[node] > SWEEP_KEYS)
            return false;
        sweep = vdf_sweep_of(run->plan, node);
        if (!sweep->possible || sweep->nedges > SWEEP_EDGES || (component->loop && !can_sweep_cycle(sweep)) ||
            !ready(run, sweep, node, &reached))
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
    bool any = false;

    if (run->plan->view->component_of[run->plan->graph.root] == number ||
        (has_parents(run, component) && !can_sweep(run, component, &any)))
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
