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
    scan.updated = !run->dry;
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
    vdf_check_limit(run);
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
    if (facts->no_replica_update || (tombstone && vdf_fault_in_tombstone(run->plan) != NULL))
        return; /* the server will refuse it: a blocker, told with all others */
    if (facts->update_rule)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                        errmsg("references in %s would be left: %s", run->plan->graph.nodes[node].display, facts->update_keeper),
                        errdetail("The rule changes what UPDATE does to the table. Nothing was changed."),
                        errhint("Drop or disable the rule."),
                        err_generic_string(PG_DIAG_SCHEMA_NAME, run->plan->graph.nodes[node].schema),
                        err_generic_string(PG_DIAG_TABLE_NAME, run->plan->graph.nodes[node].relation)));
    if (run->fixed != NULL) {
        vdf_write_fixed(run, node, edges, nedges, tombstone, found);
        return;
    }
    statement.owner = run->plan->nodes[node].owner;
    statement.change = true;
    statement.by_lookup = true;
    vdf_detach_inputs(run, &statement, edges, nedges, found);
    if (statement.cache == NULL)
        statement.cache = vdf_plan_kept_for(run->plan, statement.sql, statement.nparams, statement.types);
    (void) vdf_execute(&run->executor, &statement);
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

    vdf_foresee_arrays(run, able, n, found);
    n = able_edges(run, edges, nedges, able);
    if (!run->dry && !run->untouched && run->blockers == NIL)
        run->fixed = vdf_fix_values(run, node, able, n, tombstone, found);
    vdf_foresee(run, node, able, n, tombstone, found);
    vdf_foresee_references(run, node, able, n, tombstone, found);
    n = able_edges(run, edges, nedges, able);
    vdf_foresee_blocks(run, node, able, n, tombstone, found);
    vdf_foresee_targets(run, node, able, n, tombstone, found);
    pfree(able);
}

static int *edges_into(const VdfRun *run, int node, int *nedges)
{
    const VdfPlanView *view = run->plan->view;
    int *edges = (int *) palloc(sizeof(int) * (view->ndetach + 1));

    *nedges = 0;
    for (int i = 0; i < view->ndetach; i++)
        if (run->plan->graph.edges[view->detach[i]].child == node)
            edges[(*nedges)++] = view->detach[i];
    return edges;
}

static void detach_node(VdfRun *run, const int *order, int n);

/*
 * The next UPDATE may fail in a way that cannot be told beforehand. So that it does not hide what else is in the way, that is
 * asked for first, as a dry run does: the other rows are found, left as they are, and forgotten when nothing is in the way.
 */
static void look_ahead(VdfRun *run, const int *order, int n)
{
    size_t size = sizeof(VdfEdgeState) * run->plan->graph.nedges;
    VdfEdgeState *edges = (VdfEdgeState *) palloc(size + 1);
    VdfKeys *fixed = run->fixed;
    char *root_note = run->root_note;
    uint64 changed = run->changed;

    memcpy(edges, run->edges, size);
    run->fixed = NULL;
    run->ahead = run->untouched = true;
    for (int i = 0; i < n; i++)
        detach_node(run, order + i, n - i);
    vdf_find_blockers(run);
    run->fixed = fixed;
    run->untouched = run->blockers != NIL;
    run->judged = run->untouched;
    if (!run->judged)
        memcpy(run->edges, edges, size);
    pfree(edges);
    if (run->judged)
        return;
    run->root_note = root_note;
    run->changed = changed;
    for (int i = 0; i < n; i++) {
        int ninto, *into = edges_into(run, order[i], &ninto);

        for (int j = 0; j < ninto; j++)
            vdf_forget_users(run, into[j]);
        pfree(into);
    }
}

static void detach_node(VdfRun *run, const int *order, int n)
{
    VdfKeys found;
    int node = order[0], nedges, *edges = edges_into(run, node, &nedges);
    bool tombstone = run->tombstone && node == run->plan->graph.root;
    int active = 0, asked = 0;
    Keeping keeping = {NULL, 0, tombstone, 0};
    int *all;

    memset(&found, 0, sizeof(found));
    qsort_arg(edges, nedges, sizeof(int), vdf_by_strength, run);
    for (int i = 0; i < nedges; i++)
        if (parents_of(run, edges[i])->count > 0)
            edges[asked++] = edges[i];
    if (asked == 0 && !tombstone) {
        pfree(edges);
        return;
    }
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
    if (found.count > 0 && run->doubtful && !run->ahead && !run->untouched && !run->dry)
        look_ahead(run, order + 1, n - 1);
    if (found.count > 0 && !run->untouched && !run->dry)
        update_rows(run, node, edges, active, tombstone, &found);
    if (run->fixed != NULL)
        vdf_keys_free(run->fixed);
    run->fixed = NULL;
    vdf_keys_free(&found);
    pfree(all);
    pfree(edges);
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
    int *order = (int *) palloc(sizeof(int) * (run->plan->graph.nnodes + 1)), root = run->plan->graph.root, n = 0;

    vdf_look_at_blocks(run);
    /* The root comes last: until then the tombstone is where it was found. */
    for (int pass = 0; pass < 3; pass++)
        for (int node = 0; node < run->plan->graph.nnodes; node++) {
            int nedges, *edges;

            if ((node == root) != (pass == 2))
                continue;
            edges = edges_into(run, node, &nedges);
            if ((node == root || reads_elsewhere(run, edges, nedges) == (pass == 0)) && (nedges > 0 || (run->tombstone && node == root)))
                order[n++] = node;
            pfree(edges);
        }
    for (int i = 0; i < n && !run->judged; i++)
        detach_node(run, order + i, n - i);
    pfree(order);
}
