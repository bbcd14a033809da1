/*
 * sweep_facts.cpp: which relations can be swept, asked of the catalogue once per plan.
 */
#include "ext/catalog.h"
#include "ext/key_probe.h"
#include "ext/sweep.h"
#include "ext/unique.h"

/* The attributes of a foreign key, and its operators. */
static bool referenced_columns(Oid constraint, int count, AttrNumber *referenced, Oid *equal)
{
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
    int n;
    AttrNumber referring[INDEX_MAX_KEYS];
    AttrNumber keys[INDEX_MAX_KEYS];
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

/* Does the operator take the values as they are? The casts from a domain, and from varchar to text, change nothing. */
static bool takes(Oid op, Oid key_type, Oid reference_type)
{
    Oid left, right;

    op_input_types(op, &left, &right);
    key_type = vdf_key_type(key_type);
    reference_type = vdf_key_type(reference_type);
    return (left == key_type || (left == TEXTOID && key_type == VARCHAROID)) &&
           (right == reference_type || (right == TEXTOID && reference_type == VARCHAROID));
}

/* Indexes of other kinds serve a join. */
static bool can_look_up(const VdfDeletionPlan *plan, int node, const SweepEdge *edge)
{
    Relation table = try_relation_open(plan->nodes[node].relation, AccessShareLock);
    List *indexes = table ? RelationGetIndexList(table) : NIL;
    ListCell *cell;
    bool found = false;
    int order[VDF_KEY_COLUMNS];

    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        found = found || vdf_probe_serves(index, edge->ncolumns, edge->numbers, edge->types, order);
        index_close(index, AccessShareLock);
    }
    if (table != NULL)
        relation_close(table, AccessShareLock);
    return found;
}

/* By what it says itself. */
static bool may_be_swept(const VdfDeletionPlan *plan, const VdfEdge *edge)
{
    return !edge->link && edge->validated && !edge->condition && !edge->parent_leaves && !edge->child_leaves && edge->npairs > 0 &&
           edge->npairs <= VDF_KEY_COLUMNS && strcmp(edge->from, plan->graph.nodes[edge->child].from) == 0;
}

/* The pair of an edge that has a key column of its parent; -1: it refers by others. */
static int pair_of(const VdfDeletionPlan *plan, const VdfEdge *edge, int column)
{
    for (int pair = 0; pair < edge->npairs; pair++)
        if (strcmp(edge->pairs[pair].parent_column, plan->view->keys[edge->parent][column]) == 0)
            return pair;
    return -1;
}

static SweepList list_of(const VdfDeletionPlan *plan, const VdfEdge *edge)
{
    SweepList list = {};

    for (int k = 0; k < plan->view->nkeys[edge->parent] && list.ncolumns < VDF_KEY_COLUMNS; k++)
        if (pair_of(plan, edge, k) >= 0)
            list.columns[list.ncolumns++] = k;
    return list;
}

static bool find_list(VdfDeletionPlan *plan, const VdfEdge *edge, const SweepList *list, int *number)
{
    const SweepLists *lists = vdf_sweep_lists(plan, edge->parent);

    *number = WHOLE_KEY;
    if (lists->whole && list->ncolumns == plan->view->nkeys[edge->parent])
        return true;
    for (int l = 0; l < lists->n; l++)
        if (memcmp(&lists->list[l], list, sizeof(SweepList)) == 0) {
            *number = l;
            return true;
        }
    return false;
}

static bool learn_edge(VdfDeletionPlan *plan, int number, SweepEdge *out)
{
    const VdfEdge *edge = &plan->graph.edges[number];
    const VdfEdgeInfo *info = &plan->edges[number];
    AttrNumber referenced[INDEX_MAX_KEYS];
    Oid equal[INDEX_MAX_KEYS];
    SweepList list;

    if (!may_be_swept(plan, edge) || !referenced_columns(info->constraint, edge->npairs, referenced, equal))
        return false;
    list = list_of(plan, edge);
    if (list.ncolumns != edge->npairs || !find_list(plan, edge, &list, &out->list))
        return false;
    out->edge = number;
    out->ncolumns = edge->npairs;
    for (int k = 0; k < edge->npairs; k++) {
        Oid key_type, key_collation, collation;
        int32 typmod;
        int pair = pair_of(plan, edge, list.columns[k]);

        if (edge->pairs[pair].any || !edge->pairs[pair].child_is_column)
            return false;
        out->pairs[k] = pair;
        get_atttypetypmodcoll(info->relation, info->attributes[pair], &out->declared[k], &typmod, &collation);
        get_atttypetypmodcoll(info->parent_relation, referenced[pair], &key_type, &typmod, &key_collation);
        out->types[k] = vdf_key_type(out->declared[k]);
        out->collations[k] = collation;
        out->columns[k] = get_attname(info->relation, info->attributes[pair], false);
        out->numbers[k] = get_attnum(plan->nodes[edge->child].relation, out->columns[k]);
        if (!takes(equal[pair], key_type, out->declared[k]) ||
            !vdf_key_comparable(key_type, key_collation, out->declared[k], collation))
            return false;
    }
    out->inner = plan->view->component_of[edge->child] == plan->view->component_of[edge->parent];
    out->indexed = vdf_missing_index(plan, number)[0] == '\0';
    out->looked_up = out->indexed && can_look_up(plan, edge->child, out);
    out->rows_per_parent = -1;
    return true;
}

SweepEdge *vdf_sweep_edge(VdfDeletionPlan *plan, int number)
{
    if (plan->swept[number] == NULL) {
        MemoryContext caller = MemoryContextSwitchTo(plan->context);
        SweepEdge *edge = (SweepEdge *) palloc0(sizeof(SweepEdge));

        edge->possible = learn_edge(plan, number, edge);
        plan->swept[number] = edge;
        MemoryContextSwitchTo(caller);
    }
    return plan->swept[number]->possible ? plan->swept[number] : NULL;
}

/* Does every edge out of the node compare all of its key columns? Then a key with a NULL has no children. */
static bool compared_whole(const VdfDeletionPlan *plan, int node)
{
    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *edge = &plan->graph.edges[i];

        for (int k = 0; edge->parent == node && k < plan->view->nkeys[node]; k++)
            if (pair_of(plan, edge, k) < 0)
                return false;
    }
    return true;
}

static bool keys_not_null(const VdfDeletionPlan *plan, int node)
{
    Relation table = try_relation_open(plan->nodes[node].relation, AccessShareLock);
    int n = 0;

    if (table == NULL)
        return false;
    for (int i = 0; i < RelationGetDescr(table)->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), i);

        for (int k = 0; !attribute->attisdropped && k < plan->view->nkeys[node]; k++)
            if (strcmp(quote_identifier(NameStr(attribute->attname)), plan->view->keys[node][k]) == 0)
                n += vdf_column_not_null(RelationGetDescr(table), i) ? 1 : 0;
    }
    relation_close(table, AccessShareLock);
    return n == plan->view->nkeys[node];
}

static void add_list(SweepLists *lists, const SweepList *list)
{
    for (int l = 0; l < lists->n; l++)
        if (memcmp(&lists->list[l], list, sizeof(SweepList)) == 0)
            return;
    if (lists->n < VDF_KEY_LISTS)
        lists->list[lists->n++] = *list;
}

/* What refers by a list that has no room goes by joins. */
static void learn_lists(VdfDeletionPlan *plan, int node, SweepLists *lists)
{
    bool complete = compared_whole(plan, node) || keys_not_null(plan, node);

    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *edge = &plan->graph.edges[i];
        SweepList list;

        if (edge->parent != node || !may_be_swept(plan, edge) || vdf_action(plan, i) == VDF_ACTION_RETAIN)
            continue;
        list = list_of(plan, edge);
        if (complete && list.ncolumns == plan->view->nkeys[node])
            lists->whole = true;
        else
            add_list(lists, &list);
    }
}

const SweepLists *vdf_sweep_lists(VdfDeletionPlan *plan, int node)
{
    if (plan->lists[node] == NULL) {
        SweepLists *lists = (SweepLists *) MemoryContextAllocZero(plan->context, sizeof(SweepLists));

        learn_lists(plan, node, lists);
        plan->lists[node] = lists;
    }
    return plan->lists[node];
}

/*
 * A packed set holds a key once and no key with a NULL. So it stands for the rows of a relation only where keys are
 * unique, and where rows with a NULL cannot have children; in a cycle it must also tell the rows themselves apart.
 */
static void learn_keys(VdfDeletionPlan *plan, int node, VdfSweep *sweep)
{
    Relation table = try_relation_open(plan->nodes[node].relation, AccessShareLock);
    TupleDesc desc;
    Oid types[SWEEP_KEYS], collations[SWEEP_KEYS];
    Bitmapset *columns = NULL;
    int n = 0;
    bool unique = false, not_null = true;
    ListCell *cell;

    if (table == NULL)
        return;
    if (plan->view->nkeys[node] > SWEEP_KEYS) {
        relation_close(table, AccessShareLock);
        return;
    }
    desc = RelationGetDescr(table);
    for (int k = 0; k < plan->view->nkeys[node]; k++)
        for (int i = 0; i < desc->natts; i++) {
            Form_pg_attribute attribute = TupleDescAttr(desc, i);

            if (attribute->attisdropped || strcmp(quote_identifier(NameStr(attribute->attname)), plan->view->keys[node][k]) != 0)
                continue;
            sweep->keys[n] = {pstrdup(NameStr(attribute->attname)), attribute->attnum, attribute->atttypid, attribute->atttypmod,
                              attribute->attcollation};
            collations[n] = attribute->attcollation;
            types[n++] = attribute->atttypid;
            columns = bms_add_member(columns, attribute->attnum);
            not_null = not_null && vdf_column_not_null(desc, i);
        }
    sweep->nkeys = n;
    foreach (cell, RelationGetIndexList(table))
        unique = unique || vdf_keeps_apart(lfirst_oid(cell), columns);
    unique = unique && n > 0 && n == plan->view->nkeys[node] && vdf_key_packs(n, types, collations);
    sweep->packs = unique && (not_null || compared_whole(plan, node));
    sweep->identifies = unique && not_null;
    relation_close(table, AccessShareLock);
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
    sweep->edges = (SweepEdge **) palloc0(sizeof(SweepEdge *) * (sweep->nedges + 1));
    sweep->possible = sweep->nedges > 0;
    /* A key that references one partition needs the tableoid beside the keys. */
    for (int i = 0; sweep->possible && i < plan->graph.nedges; i++)
        sweep->possible = plan->graph.edges[i].parent != node || plan->graph.edges[i].parent_leaves == NULL;
    for (int i = 0; sweep->possible && i < sweep->nedges; i++) {
        sweep->edges[i] = vdf_sweep_edge(plan, plan->view->into[node][i]);
        sweep->possible = sweep->edges[i] != NULL;
    }
    if (sweep->possible)
        learn_keys(plan, node, sweep);
    plan->sweeps[node] = sweep;
    MemoryContextSwitchTo(caller);
    return sweep;
}
