/*
 * strength.cpp: several edges may want the same column of a row; which of them has it.
 */
#include "ext/run.h"

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

int vdf_by_strength(const void *a, const void *b, void *arg)
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
