#include "ext/new_reference.h"

#include "ext/new_key.h"
#include "ext/old_key.h"
#include "ext/report.h"
#include "ext/way.h"

bool vdf_may_come_up(const VdfDeletionPlan *plan, int edge)
{
    const VdfGraph *graph = &plan->graph;
    const VdfEdge *e = &graph->edges[edge];

    for (int i = 0; i < e->npairs; i++) {
        for (int j = 0; j < graph->ncolumn_rules; j++)
            if (graph->column_rules[j].node == e->child && strcmp(graph->column_rules[j].column, e->pairs[i].child) == 0)
                return true;
        for (int j = 0; j < plan->view->ndetach; j++) {
            const VdfEdge *other = &graph->edges[plan->view->detach[j]];
            char action = vdf_action(plan, plan->view->detach[j]);

            for (int k = 0; other->child == e->child && (action == VDF_ACTION_REASSIGN || action == VDF_ACTION_DEFAULT) && k < other->nsets; k++)
                if (strcmp(other->sets[k].column, e->pairs[i].child) == 0)
                    return true;
        }
    }
    return false;
}

bool vdf_may_refer(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    VdfForesight f;
    bool answer;

    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, NULL);
    answer = vdf_writes_keys(&f) || vdf_writes_old_keys(&f);
    for (int i = 0; f.claims != NIL && !answer && i < run->plan->graph.nedges; i++)
        if (vdf_way_matters(&f, i)) {
            VdfWay w = vdf_way(&f, i);

            answer = vdf_brings_up(&f, &w) != NULL || ((vdf_is_block(run->plan->view, i) || tombstone) && vdf_writes(&f, w.pairs, -1, true) != NULL);
        }
    vdf_foresight_close(&f);
    return answer;
}

/* Of an edge that does not block: rows that refer only since they are changed. PostgreSQL would refuse those of a key. */
static VdfRowSet *foresee_way(VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];
    VdfWay w = vdf_way(f, edge);
    VdfClaim *claim = vdf_brings_up(f, &w);
    VdfRowSet *refer, *apply, *now;
    uint64 rows;
    char *text = psprintf("a row that goes would be referred to through %s \"%s\"", e->link ? "link" : "foreign key", e->name);

    if (claim == NULL)
        return NULL;
    if (vdf_way_changing(f, &w)) {
        vdf_foresight_note(f->run, claim->edge, psprintf("not foreseen: whether %s", text));
        return NULL;
    }
    refer = vdf_rowset_create();
    apply = vdf_rowset_create();
    vdf_ask_way(f, &w, refer, apply);
    now = vdf_ask_now(f->run, edge);
    /* What the edge itself changes is looked at by its old reference, and refers again only by what a rule gives it. */
    for (int i = 0; i < f->nedges; i++)
        if (f->edges[i] == edge)
            now = NULL;
    (void) vdf_rowset_without(apply, now, &rows);
    if (rows > 0)
        vdf_foresight_refuse(f, claim, rows, text);
    return apply;
}

void vdf_foresee_references(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;
    VdfRowSet **known;

    if (found->count == 0)
        return;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    known = (VdfRowSet **) palloc0(sizeof(VdfRowSet *) * (run->plan->graph.nedges + 1));
    for (int i = 0; f.claims != NIL && i < run->plan->graph.nedges; i++)
        if (vdf_way_matters(&f, i)) {
            if (!vdf_is_block(run->plan->view, i))
                known[i] = foresee_way(&f, i);
            else {
                VdfWay w = vdf_way(&f, i);

                if (vdf_brings_up(&f, &w) == NULL || vdf_way_changing(&f, &w))
                    continue;
                known[i] = vdf_rowset_create(); /* told with the edge that blocks */
                vdf_ask_way(&f, &w, known[i], NULL);
            }
        }
    vdf_foresee_keys(&f, known);
    vdf_foresee_old_keys(&f);
    vdf_foresight_close(&f);
}

static void foresee_block(VdfForesight *f, int edge)
{
    VdfEdgeState *state = &f->run->edges[edge];
    VdfWay w = vdf_way(f, edge);
    VdfRowSet *refer, *apply;
    VdfRowSink s;
    uint64 n;

    if ((vdf_writes(f, w.pairs, -1, true) == NULL && vdf_writes(f, w.condition, -1, true) == NULL) || vdf_way_changing(f, &w))
        return;
    refer = vdf_rowset_create();
    apply = vdf_rowset_create();
    vdf_ask_way(f, &w, refer, apply);
    vdf_row_sink(&s, vdf_rowset_create(), NULL);
    vdf_foresight_ask(f, psprintf("SELECT c.vdf_t, c.vdf_i FROM %s c WHERE c.vdf_w", vdf_foresight_rows(f, NULL, NULL)), NULL, &s.sink);
    state->touched = s.rows;
    state->cleared = vdf_rowset_without(s.rows, refer, &n);
    if (!vdf_is_block(f->run->plan->view, edge))
        return; /* the tombstone's own references */
    if (state->before == NULL)
        state->before = vdf_ask_now(f->run, edge);
    (void) vdf_rowset_without(apply, state->before, &state->added);
    if (vdf_rows_in_the_way(f->run, edge) > 0)
        f->run->untouched = true;
}

/* Conditions and expressions may read other tables, which they see as they are before references are cleared. */
void vdf_look_at_blocks(VdfRun *run)
{
    for (int i = 0; i < run->plan->view->nblock; i++) {
        int edge = run->plan->view->block[i];
        const VdfEdge *e = &run->plan->graph.edges[edge];
        bool reads = e->condition != NULL;

        for (int j = 0; j < e->npairs; j++)
            reads = reads || !e->pairs[j].child_is_column;
        if (reads && e->npairs > 0 && run->nodes[e->parent].all.count > 0)
            run->edges[edge].before = vdf_ask_now(run, edge);
    }
}

void vdf_foresee_blocks(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;

    if (found->count == 0)
        return;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    for (int i = 0; f.claims != NIL && i < run->plan->graph.nedges; i++)
        if (vdf_way_matters(&f, i) && (vdf_is_block(run->plan->view, i) || (tombstone && vdf_action(run->plan, i) == VDF_ACTION_DELETE)))
            foresee_block(&f, i);
    vdf_foresight_close(&f);
}
