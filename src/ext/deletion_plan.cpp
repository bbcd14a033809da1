#include "ext/deletion_plan.h"

#include "ext/catalog.h"
#include "ext/facts.h"
#include "ext/fault.h"
#include "ext/report.h"

typedef struct NodeEntry
{
    Oid relation; /* hash key */
    int number;
} NodeEntry;

/* What the edges of the whole database are, before the walk says which of them matter. */
typedef struct Gathering
{
    VdfDeletionPlan *plan;
    HTAB *node_numbers;
    int nnodes;
    Oid *node_relations;
    int room;
    VdfForeignKey *keys;
    int nkeys;
    VdfEdge *edges; /* keys, then links */
    int nedges;
    int *policies; /* per edge, -1: none */
} Gathering;

static int node_of(Gathering *g, Oid relation)
{
    Oid root = vdf_partition_root(relation);
    bool found;
    NodeEntry *entry = (NodeEntry *) hash_search(g->node_numbers, &root, HASH_ENTER, &found);

    if (!found) {
        if (g->nnodes == g->room) {
            g->room *= 2;
            g->node_relations = (Oid *) repalloc(g->node_relations, sizeof(Oid) * g->room);
        }
        entry->number = g->nnodes;
        g->node_relations[g->nnodes++] = root;
    }
    return entry->number;
}

static int policy_of(VdfConfiguration *c, Oid relation, const char *edge)
{
    for (int i = 0; i < c->npolicies; i++)
        if (c->policies[i].relation == relation && strcmp(c->policies[i].edge, edge) == 0)
            return i;
    return -1;
}

static char declared_action(const VdfForeignKey *key)
{
    if (key->period)
        return VDF_ACTION_NONE;
    switch (key->delete_type) {
    case FKCONSTR_ACTION_CASCADE: return VDF_ACTION_DELETE;
    case FKCONSTR_ACTION_SETNULL: return VDF_ACTION_NULLIFY;
    case FKCONSTR_ACTION_SETDEFAULT: return VDF_ACTION_DEFAULT;
    default: return VDF_ACTION_NONE;
    }
}

/* declared_on: where the key is; a table that inherits its columns takes its policy unless it has one of its own. */
static void apply_policy(Gathering *g, int edge, Oid relation, Oid declared_on, const char *name)
{
    VdfConfiguration *c = g->plan->configuration;
    int policy = policy_of(c, relation, name);

    if (policy < 0 && relation != declared_on)
        policy = policy_of(c, declared_on, name);
    g->policies[edge] = policy;
    if (policy < 0)
        return;
    c->policies[policy].used = true;
    g->edges[edge].policy = c->policies[policy].action;
    g->edges[edge].collateral_ok = c->policies[policy].collateral_ok;
}

/* All edges with just what reachability needs. */
static void gather_edges(Gathering *g)
{
    VdfConfiguration *c = g->plan->configuration;

    g->keys = vdf_foreign_keys(&g->nkeys, &g->plan->deferrable);
    g->nedges = g->nkeys + c->nlinks;
    g->edges = (VdfEdge *) palloc0(sizeof(VdfEdge) * (g->nedges + 1));
    g->policies = (int *) palloc(sizeof(int) * (g->nedges + 1));
    for (int i = 0; i < g->nkeys; i++) {
        VdfForeignKey *key = &g->keys[i];

        g->edges[i].child = node_of(g, key->relation);
        g->edges[i].parent = node_of(g, key->referenced);
        g->edges[i].name = NameStr(key->name);
        g->edges[i].declared = declared_action(key);
        g->edges[i].validated = key->validated;
        g->edges[i].link = !key->enforced;
        apply_policy(g, i, key->relation, key->declared_on, NameStr(key->name));
    }
    for (int i = 0; i < c->nlinks; i++) {
        VdfLink *link = &c->links[i];
        VdfEdge *edge = &g->edges[g->nkeys + i];

        edge->child = node_of(g, link->relation);
        edge->parent = node_of(g, link->parent);
        edge->name = link->link;
        edge->declared = link->action == VDF_ACTION_BLOCK ? VDF_ACTION_NONE : link->action;
        edge->link = true;
        apply_policy(g, g->nkeys + i, link->relation, link->relation, link->link);
    }
}

/* A policy whose constraint or link is gone must not fall back to the declared action. */
static void find_stale_policies(VdfConfiguration *c)
{
    for (int i = 0; i < c->npolicies; i++)
        if (!c->policies[i].used)
            vdf_configuration_stale(c, c->policies[i].schema, c->policies[i].table, c->policies[i].edge,
                                    "a policy names a foreign key or link that does not exist (any more)");
}

/* Whole details for the edges whose parent the walk can reach. */
static VdfEdge *detail_edges(Gathering *g, const unsigned char *reachable)
{
    VdfDeletionPlan *plan = g->plan;
    VdfConfiguration *c = plan->configuration;
    VdfEdge *edges = (VdfEdge *) palloc0(sizeof(VdfEdge) * (g->nedges + 1));
    int n = 0;

    plan->edges = (VdfEdgeInfo *) palloc0(sizeof(VdfEdgeInfo) * (g->nedges + 1));
    for (int i = 0; i < g->nedges; i++) {
        bool link = i >= g->nkeys;
        VdfEdgeInfo *info = &plan->edges[n];
        VdfEdge *edge = &edges[n];

        if (!reachable[i])
            continue;
        CHECK_FOR_INTERRUPTS();
        *edge = g->edges[i];
        vdf_edge_details(plan, link ? NULL : &g->keys[i], link ? &c->links[i - g->nkeys] : NULL,
                         g->policies[i] >= 0 ? &c->policies[g->policies[i]] : NULL, edge, info);
        n++;
    }
    vdf_foreign_keys_end(g->keys, g->nkeys);
    plan->graph.edges = edges;
    plan->graph.nedges = n;
    return edges;
}

static void detail_nodes(Gathering *g)
{
    VdfDeletionPlan *plan = g->plan;
    VdfNode *nodes = (VdfNode *) palloc0(sizeof(VdfNode) * (g->nnodes + 1));

    plan->nodes = (VdfNodeInfo *) palloc0(sizeof(VdfNodeInfo) * (g->nnodes + 1));
    for (int i = 0; i < g->nnodes; i++) {
        Oid relation = g->node_relations[i];

        nodes[i].schema = get_namespace_name(get_rel_namespace(relation));
        nodes[i].relation = get_rel_name(relation);
        nodes[i].display = vdf_relation_name(relation);
        nodes[i].from = vdf_from_clause(relation);
        plan->nodes[i].relation = relation;
        plan->nodes[i].owner = vdf_relation_owner(relation);
    }
    plan->graph.nodes = nodes;
    plan->graph.nnodes = g->nnodes;
}

int vdf_plan_node(VdfDeletionPlan *plan, Oid relation)
{
    Oid root = vdf_partition_root(relation);

    for (int i = 0; i < plan->graph.nnodes; i++)
        if (plan->nodes[i].relation == root)
            return i;
    return -1;
}

int vdf_plan_edge(VdfDeletionPlan *plan, Oid relation, const char *name)
{
    for (int i = 0; i < plan->graph.nedges; i++)
        if (plan->edges[i].relation == relation && strcmp(plan->graph.edges[i].name, name) == 0)
            return i;
    return -1;
}

static void free_core(void *arg)
{
    VdfDeletionPlan *plan = (VdfDeletionPlan *) arg;

    if (plan->core)
        vdf_plan_free(plan->core);
    plan->core = NULL;
}

static void make_core(VdfDeletionPlan *plan)
{
    MemoryContextCallback *callback = (MemoryContextCallback *) palloc0(sizeof(MemoryContextCallback));
    VdfError error;

    /* Armed before the plan exists, so that no error can lose it. */
    callback->func = free_core;
    callback->arg = plan;
    MemoryContextRegisterResetCallback(plan->context, callback);
    if (!vdf_plan_create(&plan->graph, &plan->core, &error))
        vdf_raise(&error);
    VDF_PLACE("plan");
    plan->view = vdf_plan_view(plan->core);
}

static int compare_oids(const void *a, const void *b)
{
    Oid left = *(const Oid *) a, right = *(const Oid *) b;

    return left < right ? -1 : left > right ? 1 : 0;
}

HTAB *vdf_make_hash(const char *name, Size key, Size entry, MemoryContext context)
{
    HASHCTL control;

    memset(&control, 0, sizeof(control));
    control.keysize = key;
    control.entrysize = entry;
    control.hcxt = context;
    return hash_create(name, 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* The relations whose change makes the plan invalid, partitions too. */
static void learn_relations(VdfDeletionPlan *plan)
{
    Oid configuration = vdf_plan_configuration_relation();

    plan->relations = vdf_make_hash("vedfolnir relations", sizeof(Oid), sizeof(Oid), plan->context);
    (void) hash_search(plan->relations, &configuration, HASH_ENTER, NULL);
    for (int i = 0; i < plan->graph.nnodes; i++) {
        bool found, reached = plan->view->component_of[i] >= 0;
        List *all = list_make1_oid(plan->nodes[i].relation);
        ListCell *cell;

        for (int j = 0; !reached && j < plan->graph.nedges; j++)
            reached = plan->graph.edges[j].child == i;
        if (reached && get_rel_relkind(plan->nodes[i].relation) == RELKIND_PARTITIONED_TABLE)
            all = find_all_inheritors(plan->nodes[i].relation, NoLock, NULL);
        foreach (cell, all)
            (void) hash_search(plan->relations, &lfirst_oid(cell), HASH_ENTER, &found);
    }
    for (int i = 0; i < plan->graph.ntarget_rules; i++)
        if (OidIsValid(plan->rules[i]->mirror))
            (void) hash_search(plan->relations, &plan->rules[i]->mirror, HASH_ENTER, NULL);
}

VdfDeletionPlan *vdf_plan_make(const char *subject, MemoryContext parent)
{
    MemoryContext context = AllocSetContextCreate(parent, "vedfolnir plan", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    VdfDeletionPlan *plan = (VdfDeletionPlan *) palloc0(sizeof(VdfDeletionPlan));
    Gathering g;
    VdfGraph whole;
    VdfError error;
    unsigned char *reachable;
    AttrNumber key_number;

    plan->context = context;
    plan->configuration = vdf_configuration_read(subject);
    memset(&g, 0, sizeof(g));
    g.plan = plan;
    g.room = 256;
    g.node_relations = (Oid *) palloc(sizeof(Oid) * g.room);
    g.node_numbers = vdf_make_hash("vedfolnir nodes", sizeof(Oid), sizeof(NodeEntry), context);

    key_number = get_attnum(plan->configuration->relation, plan->configuration->key_column);
    get_atttypetypmodcoll(plan->configuration->relation, key_number, &plan->key_type, &plan->key_typmod,
                          &plan->key_collation);
    plan->graph.root = node_of(&g, plan->configuration->relation);
    plan->graph.key_column = quote_identifier(plan->configuration->key_column);
    plan->graph.key_op = vdf_operator(lookup_type_cache(plan->key_type, TYPECACHE_EQ_OPR)->eq_opr);
    plan->graph.label_column =
        plan->configuration->label_column ? quote_identifier(plan->configuration->label_column) : NULL;
    plan->graph.tombstone = plan->configuration->tombstone;

    gather_edges(&g);
    find_stale_policies(plan->configuration);
    for (int i = 0; i < plan->configuration->ncleanups; i++) {
        ListCell *cell;

        foreach (cell, vdf_with_heirs(plan->configuration->cleanups[i].relation))
            (void) node_of(&g, lfirst_oid(cell));
    }
    memset(&whole, 0, sizeof(whole));
    whole.root = plan->graph.root;
    whole.nnodes = g.nnodes;
    whole.nodes = (VdfNode *) palloc0(sizeof(VdfNode) * (g.nnodes + 1));
    whole.nedges = g.nedges;
    whole.edges = g.edges;
    reachable = (unsigned char *) palloc0(g.nedges + 1);
    if (!vdf_reachable(&whole, reachable, &error))
        vdf_raise(&error);

    detail_nodes(&g);
    vdf_plan_rules(plan, detail_edges(&g, reachable));
    make_core(plan);

    plan->walked = (Oid *) palloc(sizeof(Oid) * (plan->graph.nedges + 1));
    for (int i = 0; i < plan->graph.nedges; i++)
        if (OidIsValid(plan->edges[i].constraint))
            plan->walked[plan->nwalked++] = plan->edges[i].constraint;
    qsort(plan->walked, plan->nwalked, sizeof(Oid), compare_oids);
    plan->facts = vdf_make_hash("vedfolnir facts", sizeof(Oid), sizeof(VdfFacts), context);
    learn_relations(plan);
    plan->sweeps = (struct VdfSweep **) palloc0(sizeof(struct VdfSweep *) * (plan->graph.nnodes + 1));
    plan->swept = (struct SweepEdge **) palloc0(sizeof(struct SweepEdge *) * (plan->graph.nedges + 1));
    plan->lists = (struct SweepLists **) palloc0(sizeof(struct SweepLists *) * (plan->graph.nnodes + 1));
    MemoryContextSwitchTo(caller);
    return plan;
}

