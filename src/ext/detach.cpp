/*
 * detach.cpp: phase N. References of rows that stay to rows that go are cleared, reassigned or retained, in one UPDATE
 * per row with all its columns: a second UPDATE of the same row would make RI check every key of it again.
 */
#include "ext/catalog.h"
#include "ext/fixed_values.h"
#include "ext/foresee.h"
#include "ext/new_reference.h"
#include "ext/report.h"
#include "ext/run.h"
#include "ext/settled.h"
#include "ext/sweep.h"
#include "ext/targets.h"

/* Must a dry run keep the rows of a node? Asked when the first one is met: most edges have none. */
typedef struct Keeping
{
    const int *edges;
    int nedges;
    bool tombstone;
    signed char answer; /* 1 yes, -1 no, 0 not asked yet */
} Keeping;

typedef struct ReferenceSink
{
    VdfSink sink;
    VdfRun *run;
    int node;
    int edge; /* -1: the tombstone */
    VdfKeys *found;
    Keeping *keeping;
    uint64 rows;
} ReferenceSink;

/* The stronger action wins a column that several edges want; design 2.1. */
static int rank_of(char action)
{
    static const char order[] = {VDF_ACTION_REASSIGN, VDF_ACTION_NULLIFY, VDF_ACTION_DEFAULT, VDF_ACTION_RETAIN};

    for (size_t i = 0; i < lengthof(order); i++)
        if (order[i] == action)
            return (int) i;
    return (int) lengthof(order);
}

/*
 * Does one edge set a column that another refers by? Told by name: the edges may lie on a partitioned table and on its
 * partitions, which number their columns otherwise.
 */
static bool sets_column_of(const VdfEdge *setting, const VdfEdge *referring)
{
    for (int i = 0; i < setting->nsets; i++)
        for (int j = 0; j < referring->npairs; j++)
            if (referring->pairs[j].child_is_column && strcmp(setting->sets[i].column, referring->pairs[j].child) == 0)
                return true;
    return false;
}

/* Is the row's reference through this edge changed by a stronger edge on the same columns? */
bool vdf_is_cleared(VdfRun *run, int edge, Oid relation, ItemPointer tid)
{
    const VdfPlanView *view = run->plan->view;
    /* An edge that cannot do what its policy says changes nothing. */
    int own_rank = run->plan->graph.edges[edge].blocker ? INT_MAX : rank_of(vdf_action(run->plan, edge));

    for (int i = 0; i < view->ndetach; i++) {
        int other = view->detach[i];
        char action = vdf_action(run->plan, other);

        if (other != edge && run->edges[other].set != NULL && !run->edges[other].failed && action != VDF_ACTION_RETAIN &&
            run->plan->graph.edges[other].child == run->plan->graph.edges[edge].child &&
            rank_of(action) < own_rank &&
            sets_column_of(&run->plan->graph.edges[other], &run->plan->graph.edges[edge]) &&
            vdf_rowset_has(run->edges[other].set, relation, tid))
            return true;
    }
    return false;
}

static bool keeps(VdfRun *run, int node, Keeping *k)
{
    if (!run->dry || run->again)
        return true;
    if (k->answer == 0) {
        MemoryContext caller = MemoryContextSwitchTo(run->context);

        k->answer = vdf_may_be_refused(run, node, k->edges, k->nedges, k->tombstone) ||
                            vdf_may_refer(run, node, k->edges, k->nedges, k->tombstone) ||
                            vdf_may_rename(run, node, k->edges, k->nedges)
                        ? 1
                        : -1;
        MemoryContextSwitchTo(caller);
    }
    return k->answer > 0;
}

static void reference_row(VdfSink *sink, TupleTableSlot *slot)
{
    ReferenceSink *s = (ReferenceSink *) sink;
    VdfRun *run = s->run;
    Oid relation;
    ItemPointer tid;

    slot_getallattrs(slot);
    relation = DatumGetObjectId(slot->tts_values[0]);
    tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    if (run->dry && run->nodes[s->node].goes != NULL && vdf_rowset_has(run->nodes[s->node].goes, relation, tid))
        return;
    if (s->edge >= 0) {
        if (vdf_is_cleared(run, s->edge, relation, tid) || !vdf_rowset_add(run->edges[s->edge].set, relation, tid))
            return;
        if (run->many)
            vdf_count_user(run, DatumGetInt32(slot->tts_values[3]), s->edge, 1);
    }
    s->rows++;
    /* A dry run keeps the rows only where it must foresee what their UPDATE would meet. */
    if (keeps(run, s->node, s->keeping))
        vdf_keys_add(run, s->found, sink->desc, slot, sink->desc->natts);
}

/* Rows are retained behind a tombstone only, not behind other root rows, which go. */
static VdfKeys *parents_of(VdfRun *run, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];

    if (run->tombstone && e->parent == run->plan->graph.root && vdf_action(run->plan, edge) == VDF_ACTION_RETAIN && !e->link)
        return &run->tombstone_keys;
    return &run->nodes[e->parent].all;
}

/* By one scan that looks the keys up; false: by a join, which alone tells whose person's a row is. */
static bool scan_references(VdfRun *run, int edge, ReferenceSink *s)
{
    VdfStatement statement;
    VdfKeyScan scan;
    VdfKeyArm arm;

    if (run->many || parents_of(run, edge) != &run->nodes[run->plan->graph.edges[edge].parent].all ||
        !vdf_sweep_scan_of(run, edge, &scan, &arm))
        return false;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_REFERENCES, edge, (run->dry ? 0 : VDF_LOCK) | VDF_SCAN,
                     run->plan->edges[edge].owner);
    statement.scan = &scan;
    statement.sink = &s->sink;
    (void) vdf_execute(&run->executor, &statement);
    return !statement.refused;
}

static void join_references(VdfRun *run, int edge, ReferenceSink *s)
{
    VdfStatement statement;

    vdf_statement_of(run, &statement, VDF_SQL_FIND_REFERENCES, edge,
                     (run->many ? VDF_USERS : 0) | (run->dry ? 0 : VDF_LOCK), run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_d", parents_of(run, edge));
    statement.sink = &s->sink;
    (void) vdf_execute(&run->executor, &statement);
}

static void find_references(VdfRun *run, int edge, Keeping *keeping, VdfKeys *found)
{
    ReferenceSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, reference_row);
    s.run = run;
    s.node = run->plan->graph.edges[edge].child;
    s.edge = edge;
    s.found = found;
    s.keeping = keeping;
    run->edges[edge].set = vdf_rowset_create();
    if (!scan_references(run, edge, &s))
        join_references(run, edge, &s);
    run->edges[edge].rows = s.rows;
    if (vdf_action(run->plan, edge) != VDF_ACTION_RETAIN)
        run->changed += s.rows;
    if (s.rows > 0)
        vdf_check_successor(run, edge, s.rows);
}

static void find_tombstone(VdfRun *run, Keeping *keeping, VdfKeys *found)
{
    int root = run->plan->graph.root;
    VdfStatement statement;
    ReferenceSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, reference_row);
    s.run = run;
    s.node = root;
    s.edge = -1;
    s.found = found;
    s.keeping = keeping;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_TOMBSTONE, -1,
                     (run->many ? VDF_USERS : 0) | (run->dry ? 0 : VDF_LOCK), run->plan->nodes[root].owner);
    vdf_statement_input(&statement, "vdf_root", &run->root);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
}

static bool changes_references(VdfRun *run, const int *edges, int nedges)
{
    for (int i = 0; i < nedges; i++)
        if (vdf_action(run->plan, edges[i]) != VDF_ACTION_RETAIN)
            return true;
    return false;
}

void vdf_detach_inputs(VdfRun *run, VdfStatement *statement, const int *edges, int nedges, VdfKeys *found)
{
    statement->types = (Oid *) palloc(sizeof(Oid) * (nedges + 1));
    statement->values = (Datum *) palloc(sizeof(Datum) * (nedges + 1));
    vdf_statement_input(statement, "vdf_m", found);
    if (run->fixed != NULL)
        vdf_statement_input(statement, "vdf_n", run->fixed);
    for (int i = 0; i < nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[edges[i]];

        if (vdf_action(run->plan, edges[i]) == VDF_ACTION_REASSIGN && e->reassign_expression == NULL) {
            statement->types[statement->nparams] = run->plan->edges[edges[i]].reassign_type;
            statement->values[statement->nparams++] = vdf_successor_value(run, edges[i]);
        }
        if (e->npairs > 0 && e->pairs[0].any)
            vdf_statement_input(statement, psprintf("vdf_p%d", edges[i]), parents_of(run, edges[i]));
    }
}

static void update_rows(VdfRun *run, int node, int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfStatement statement;
    VdfFacts *facts = vdf_facts(run->plan, run->plan->nodes[node].relation);

    memset(&statement, 0, sizeof(statement));
    statement.sql = vdf_plan_text(run->plan, VDF_SQL_DETACH, node, tombstone ? VDF_TOMBSTONE : 0, nedges, edges,
                                  &statement.cache);
    if (statement.sql[0] == '\0')
        return; /* only retained rows without column rules */
    if ((facts->no_replica_update && (tombstone || changes_references(run, edges, nedges))) ||
        (tombstone && vdf_fault_in_tombstone(run->plan) != NULL))
        return; /* the server will refuse it: a blocker, told with all others */
    if (facts->update_rule)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                        errmsg("references in %s would be left: %s", run->plan->graph.nodes[node].display, facts->update_keeper),
                        errdetail("The rule changes what UPDATE does to the table. Nothing was changed."),
                        errhint("Drop or disable the rule.")));
    if (run->fixed != NULL) {
        vdf_write_fixed(run, node, edges, nedges, tombstone, found);
        return;
    }
    statement.owner = run->plan->nodes[node].owner;
    statement.change = true;
    statement.by_place = true;
    vdf_detach_inputs(run, &statement, edges, nedges, found);
    (void) vdf_execute(&run->executor, &statement);
}

static int by_rank(const void *a, const void *b, void *arg)
{
    VdfRun *run = (VdfRun *) arg;
    int left = *(const int *) a, right = *(const int *) b;
    const VdfEdge *l = &run->plan->graph.edges[left], *r = &run->plan->graph.edges[right];
    int order = rank_of(vdf_action(run->plan, left)) - rank_of(vdf_action(run->plan, right));

    /* Names decide between equals, never the order of creation. */
    if (order == 0)
        order = strcmp(l->schema, r->schema);
    if (order == 0)
        order = strcmp(l->relation, r->relation);
    return order ? order : strcmp(l->name, r->name);
}

/* Edges that cannot do what their policy says change nothing. */
static int able_edges(const VdfRun *run, const int *edges, int nedges, int *able)
{
    int n = 0;

    for (int i = 0; i < nedges; i++)
        if (!run->edges[edges[i]].failed && run->plan->graph.edges[edges[i]].blocker == NULL)
            able[n++] = edges[i];
    return n;
}

static void foresee(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    int *able = (int *) palloc(sizeof(int) * (nedges + 1)), n = able_edges(run, edges, nedges, able);

    if (!run->dry && run->blockers == NIL)
        run->fixed = vdf_fix_values(run, node, able, n, tombstone, found);
    vdf_foresee(run, node, able, n, tombstone, found);
    vdf_foresee_references(run, node, able, n, tombstone, found);
    n = able_edges(run, edges, nedges, able);
    vdf_foresee_blocks(run, node, able, n, tombstone, found);
    vdf_foresee_targets(run, node, able, n, tombstone, found);
    pfree(able);
}

static void detach_node(VdfRun *run, int node, int *edges, int nedges)
{
    VdfKeys found;
    bool tombstone = run->tombstone && node == run->plan->graph.root;
    int active = 0, asked = 0;
    Keeping keeping = {NULL, 0, tombstone, 0};
    int *all;

    memset(&found, 0, sizeof(found));
    qsort_arg(edges, nedges, sizeof(int), by_rank, run);
    for (int i = 0; i < nedges; i++)
        if (parents_of(run, edges[i])->count > 0)
            edges[asked++] = edges[i];
    if (asked == 0 && !tombstone)
        return;
    all = (int *) palloc(sizeof(int) * (asked + 1));
    memcpy(all, edges, sizeof(int) * asked);
    keeping.edges = all;
    keeping.nedges = asked;
    for (int i = 0; i < asked; i++) {
        find_references(run, all[i], &keeping, &found);
        if (run->edges[all[i]].rows > 0)
            edges[active++] = all[i];
    }
    if (tombstone)
        find_tombstone(run, &keeping, &found);
    foresee(run, node, edges, active, tombstone, &found);
    if (run->dry && run->again)
        run->unsettled += vdf_unsettled_rows(run, node, edges, active, tombstone, &found);
    /* What refuses the run is told with everything else, not hidden behind an UPDATE that fails. */
    run->untouched = run->untouched || run->blockers != NIL || vdf_collateral_refused(run);
    if (found.count > 0 && !run->untouched && !run->dry)
        update_rows(run, node, edges, active, tombstone, &found);
    if (run->fixed != NULL)
        vdf_keys_free(run->fixed);
    run->fixed = NULL;
    vdf_keys_free(&found);
}

/* An expression may read other tables, so it is looked at before they change. */
static bool reads_elsewhere(const VdfRun *run, const int *edges, int nedges)
{
    for (int i = 0; i < nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[edges[i]];

        if (e->condition || e->reassign_expression)
            return true;
        for (int j = 0; j < e->npairs; j++)
            if (!e->pairs[j].child_is_column)
                return true;
    }
    return false;
}

void vdf_detach(VdfRun *run)
{
    const VdfPlanView *view = run->plan->view;
    int *edges = (int *) palloc(sizeof(int) * (view->ndetach + 1)), root = run->plan->graph.root;

    vdf_look_at_blocks(run);
    /* The root comes last: until then the tombstone is where it was found. */
    for (int pass = 0; pass < 3; pass++)
        for (int node = 0; node < run->plan->graph.nnodes; node++) {
            int n = 0;

            if ((node == root) != (pass == 2))
                continue;
            for (int j = 0; j < view->ndetach; j++)
                if (run->plan->graph.edges[view->detach[j]].child == node)
                    edges[n++] = view->detach[j];
            if (node != root && reads_elsewhere(run, edges, n) != (pass == 0))
                continue;
            if (n > 0 || (run->tombstone && node == root))
                detach_node(run, node, edges, n);
        }
}
