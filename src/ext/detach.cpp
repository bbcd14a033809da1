/*
 * detach.cpp: phase N. References of rows that stay to rows that go are cleared, reassigned or retained, in one UPDATE
 * per row with all its columns: a second UPDATE of the same row would make RI check every key of it again.
 */
#include "ext/catalog.h"
#include "ext/report.h"
#include "ext/run.h"

typedef struct ReferenceSink
{
    VdfSink sink;
    VdfRun *run;
    int node;
    int edge; /* -1: the tombstone */
    VdfKeys *found;
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

/* Do two edges lie on a common column? */
static bool overlap(const VdfEdgeInfo *a, const VdfEdgeInfo *b)
{
    for (int i = 0; i < a->nattributes; i++)
        for (int j = 0; j < b->nattributes; j++)
            if (a->attributes[i] != InvalidAttrNumber && a->attributes[i] == b->attributes[j])
                return true;
    return false;
}

/* Is the row's reference through this edge changed by a stronger edge on the same columns? */
bool vdf_is_cleared(VdfRun *run, int edge, Oid relation, ItemPointer tid)
{
    const VdfPlanView *view = run->plan->view;
    int own_rank = rank_of(vdf_action(run->plan, edge));

    for (int i = 0; i < view->ndetach; i++) {
        int other = view->detach[i];
        char action = vdf_action(run->plan, other);

        if (other != edge && run->edges[other].set != NULL && action != VDF_ACTION_RETAIN &&
            run->plan->graph.edges[other].child == run->plan->graph.edges[edge].child &&
            rank_of(action) < own_rank &&
            overlap(&run->plan->edges[other], &run->plan->edges[edge]) &&
            vdf_rowset_has(run->edges[other].set, relation, tid))
            return true;
    }
    return false;
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
    if (run->dry && run->nodes[s->node].goes != NULL && vdf_rowset_has(run->nodes[s->node].goes, relation, tid) &&
        !(run->tombstone && s->edge < 0))
        return;
    if (s->edge >= 0) {
        if (vdf_is_cleared(run, s->edge, relation, tid) || !vdf_rowset_add(run->edges[s->edge].set, relation, tid))
            return;
        if (run->many)
            vdf_count_user(run, DatumGetInt32(slot->tts_values[3]), s->edge, 1);
    }
    s->rows++;
    if (!run->dry)
        vdf_keys_add(run, s->found, slot, slot->tts_tupleDescriptor->natts);
}

/* A reassignment needs a parent row that exists and stays. */
typedef struct SuccessorSink
{
    VdfSink sink;
    VdfRun *run;
    int parent;
    bool found;
} SuccessorSink;

static void successor_row(VdfSink *sink, TupleTableSlot *slot)
{
    SuccessorSink *s = (SuccessorSink *) sink;

    slot_getallattrs(slot);
    if (s->run->nodes[s->parent].goes == NULL ||
        !vdf_rowset_has(s->run->nodes[s->parent].goes, DatumGetObjectId(slot->tts_values[0]),
                        (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        s->found = true;
}

static Datum successor_value(VdfRun *run, int edge)
{
    VdfEdgeInfo *info = &run->plan->edges[edge];
    Oid input, parameter;

    getTypeInputInfo(info->reassign_type, &input, &parameter);
    return OidInputFunctionCall(input, info->reassign_to, parameter, info->reassign_typmod);
}

static bool successor_exists(VdfRun *run, int edge)
{
    VdfEdgeInfo *info = &run->plan->edges[edge];
    VdfStatement statement;
    SuccessorSink s;
    Datum value = successor_value(run, edge);

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, successor_row);
    s.run = run;
    s.parent = run->plan->graph.edges[edge].parent;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_SUCCESSOR, edge, 0, vdf_relation_owner(info->parent_relation));
    statement.nparams = 1;
    statement.types = &info->reassign_type;
    statement.values = &value;
    statement.cache = NULL;
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    return s.found;
}

/* The tombstoned root row is a parent that does not go, and yet its references are dealt with. */
static VdfKeys *parents_of(VdfRun *run, int edge)
{
    return &run->nodes[run->plan->graph.edges[edge].parent].all;
}

static void find_references(VdfRun *run, int edge, VdfKeys *found)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfEdgeInfo *info = &run->plan->edges[edge];
    VdfStatement statement;
    ReferenceSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, reference_row);
    s.run = run;
    s.node = e->child;
    s.edge = edge;
    s.found = found;
    run->edges[edge].set = vdf_rowset_create();
    vdf_statement_of(run, &statement, VDF_SQL_FIND_REFERENCES, edge,
                     (run->many ? VDF_USERS : 0) | (run->dry ? 0 : VDF_LOCK), info->owner);
    vdf_statement_input(&statement, "vdf_d", parents_of(run, edge));
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    run->edges[edge].rows = s.rows;
    if (vdf_action(run->plan, edge) != VDF_ACTION_RETAIN)
        run->changed += s.rows;
    if (s.rows > 0 && vdf_action(run->plan, edge) == VDF_ACTION_REASSIGN && e->reassign_expression == NULL &&
        !successor_exists(run, edge))
        vdf_block(run, edge, s.rows, pstrdup("the row to reassign to does not exist or is deleted too"),
                  psprintf("SELECT vedfolnir_set_policy(%s, %s, 'reassign', reassign_to => '...');",
                           quote_literal_cstr(e->display), quote_literal_cstr(e->name)),
                  true);
}

static void find_tombstone(VdfRun *run, VdfKeys *found)
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
    vdf_statement_of(run, &statement, VDF_SQL_FIND_TOMBSTONE, -1,
                     (run->many ? VDF_USERS : 0) | (run->dry ? 0 : VDF_LOCK), run->plan->nodes[root].owner);
    vdf_statement_input(&statement, "vdf_root", &run->root);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
}

static void update_rows(VdfRun *run, int node, int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfStatement statement;
    Oid *types = (Oid *) palloc(sizeof(Oid) * (nedges + 1));
    Datum *values = (Datum *) palloc(sizeof(Datum) * (nedges + 1));
    VdfFacts *facts = vdf_facts(run->plan, run->plan->nodes[node].relation);

    memset(&statement, 0, sizeof(statement));
    statement.sql = vdf_plan_text(run->plan, VDF_SQL_DETACH, node, tombstone ? VDF_TOMBSTONE : 0, nedges, edges,
                                  &statement.cache);
    if (statement.sql[0] == '\0')
        return; /* only retained rows without column rules */
    if (facts->update_rule)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                        errmsg("references in %s would be left: %s", run->plan->graph.nodes[node].display, facts->update_keeper),
                        errdetail("The rule changes what UPDATE does to the table. Nothing was changed."),
                        errhint("Drop or disable the rule.")));
    statement.owner = run->plan->nodes[node].owner;
    statement.change = true;
    vdf_statement_input(&statement, "vdf_m", found);
    for (int i = 0; i < nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[edges[i]];

        if (vdf_action(run->plan, edges[i]) == VDF_ACTION_REASSIGN && e->reassign_expression == NULL) {
            types[statement.nparams] = run->plan->edges[edges[i]].reassign_type;
            values[statement.nparams++] = successor_value(run, edges[i]);
        }
        if (e->npairs > 0 && e->pairs[0].any)
            vdf_statement_input(&statement, psprintf("vdf_p%d", edges[i]), parents_of(run, edges[i]));
    }
    statement.types = types;
    statement.values = values;
    (void) vdf_execute(&run->executor, &statement);
}

static int by_rank(const void *a, const void *b, void *arg)
{
    VdfRun *run = (VdfRun *) arg;
    int left = *(const int *) a, right = *(const int *) b;
    int difference = rank_of(vdf_action(run->plan, left)) - rank_of(vdf_action(run->plan, right));

    return difference ? difference : left - right;
}

static void detach_node(VdfRun *run, int node, int *edges, int nedges)
{
    VdfKeys found;
    bool tombstone = run->tombstone && node == run->plan->graph.root;
    int active = 0;

    memset(&found, 0, sizeof(found));
    qsort_arg(edges, nedges, sizeof(int), by_rank, run);
    for (int i = 0; i < nedges; i++) {
        if (parents_of(run, edges[i])->count == 0)
            continue;
        find_references(run, edges[i], &found);
        if (run->edges[edges[i]].rows > 0)
            edges[active++] = edges[i];
    }
    if (tombstone)
        find_tombstone(run, &found);
    if (found.count > 0)
        update_rows(run, node, edges, active, tombstone, &found);
    vdf_keys_free(&found);
}

void vdf_detach(VdfRun *run)
{
    const VdfPlanView *view = run->plan->view;
    int *edges = (int *) palloc(sizeof(int) * (view->ndetach + 1));

    for (int node = 0; node < run->plan->graph.nnodes; node++) {
        int n = 0;

        for (int i = 0; i < view->ndetach; i++)
            if (run->plan->graph.edges[view->detach[i]].child == node)
                edges[n++] = view->detach[i];
        if (n > 0 || (run->tombstone && node == run->plan->graph.root))
            detach_node(run, node, edges, n);
    }
}
