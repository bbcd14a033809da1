/*
 * deletion_plan.h: the plan of a subject: graph and configuration on this side of the wall, core's plan on the other.
 */
#ifndef VEDFOLNIR_DELETION_PLAN_H
#define VEDFOLNIR_DELETION_PLAN_H

#include "bridge/wall.h"
#include "ext/configuration.h"
#include "ext/execute.h"
#include "ext/pg.h"

/* What only PostgreSQL knows about an edge; VdfGraph.edges has the rest, under the same number. */
typedef struct VdfEdgeInfo
{
    Oid constraint; /* InvalidOid: a link */
    Oid relation;
    Oid parent_relation;
    Oid owner;
    int nattributes;
    AttrNumber attributes[INDEX_MAX_KEYS]; /* referring columns, 0 for an expression */
    bool on_key;                           /* one column pair, on the subject's key column */
    char *reason;                          /* of the policy */
    char *reassign_to;
    Oid reassign_type;
    int32 reassign_typmod;
    bool deferrable;
    Oid declared_on; /* whose key or link it is: another relation for a table that inherits the columns and has no key */
    bool many;       /* a row may refer to several parents: an array, or columns that are not unique */
    bool rule_fault; /* what is in the way is a column rule */
} VdfEdgeInfo;

typedef struct VdfNodeInfo
{
    Oid relation; /* the partition root */
    Oid owner;
    int nrules;
    int *rules; /* numbers of target rules, in the order of vdf_x */
} VdfNodeInfo;

typedef struct VdfDeletionPlan
{
    MemoryContext context;
    VdfConfiguration *configuration;
    Oid key_type;
    int32 key_typmod;
    Oid key_collation;
    VdfGraph graph;
    VdfNodeInfo *nodes;
    VdfEdgeInfo *edges;
    VdfCleanup **rules; /* per target rule of the graph */
    signed char by_hand; /* 1: triggers may remove rows that name targets, -1 not so, 0 not asked yet */
    signed char *rule_indexed; /* per target rule: 1 an index finds who else names a target, -1 none, 0 not asked yet */
    signed char *rule_unique; /* per target rule: 1 each target has one row, -1 not so, 0 not asked yet */
    char **missing_index; /* per edge: what vdf_missing_index has found, NULL: not asked yet */
    char *description; /* see vdf_describe_plan, NULL: not asked yet */
    char *digest;      /* of the description, for the plan hash; NULL: not asked yet */
    VdfPlan *core;
    const VdfPlanView *view;
    Oid *walked; /* sorted */
    int nwalked;
    List *deferrable; /* relations that deferrable constraints of the database are about */
    HTAB *statements;
    HTAB *texts; /* statements that are put together for a call */
    HTAB *facts;
    HTAB *relations; /* a change of one of these makes the plan invalid */
    uint64 serial;   /* no other plan of the session has it */
    bool kept;       /* for the session */
    struct VdfSweep **sweeps; /* per node: what sweep_facts.cpp has learned */
    struct SweepEdge **swept; /* per edge */
    struct SweepLists **lists; /* per node */
    struct VdfAuditTitles *titles; /* what the audit counts by: evidence.cpp */
    bool valid;
    bool pinned;
    SubTransactionId pinned_in;
} VdfDeletionPlan;

/* Makes a plan in a context below parent, without statements. */
VdfDeletionPlan *vdf_plan_make(const char *subject, MemoryContext parent);
HTAB *vdf_make_hash(const char *name, Size key, Size entry, MemoryContext context);
void vdf_plan_cache_init(void);
/* Raises VF006 when catalogue or configuration moved since the plan was handed out. */
void vdf_plan_check(VdfDeletionPlan *plan);
/* The plan of a subject, made anew or from the session's cache; pinned until vdf_plan_release or the transaction's end. */
VdfDeletionPlan *vdf_plan_for(const char *subject);
void vdf_plan_release(VdfDeletionPlan *plan);
/* The table whose relcache invalidation stands for a change of the configuration. */
Oid vdf_plan_configuration_relation(void);

/* The SQL of a statement and, for vdf_execute, where its cached plan goes. */
const char *vdf_plan_text(VdfDeletionPlan *plan, VdfSql kind, int number, unsigned flags, int nedges, const int *edges,
                          VdfKeptPlan **cache);
/*
 * Where the plan goes of a statement that was put together for a call. No value may be in its text, and the types of
 * its parameters must be given. NULL: it is planned anew.
 */
VdfKeptPlan *vdf_plan_kept_for(VdfDeletionPlan *plan, const char *sql, int nparams, const Oid *types);

/* The node of a relation or of one of its partitions; -1 when the graph has none. */
int vdf_plan_node(VdfDeletionPlan *plan, Oid relation);
/* The edge of that name of a relation; -1 when the walk does not come there. */
int vdf_plan_edge(VdfDeletionPlan *plan, Oid relation, const char *name);
/* Fills in what is known of an edge: a foreign key, or where that is NULL a link. policy is NULL where none was set. */
void vdf_edge_details(VdfDeletionPlan *plan, const struct VdfForeignKey *key, VdfLink *link, const VdfPolicy *policy, VdfEdge *edge,
                      VdfEdgeInfo *info);
/* Fills in the column rules and clean-up rules; the nodes and edges must be there. */
void vdf_plan_rules(VdfDeletionPlan *plan, VdfEdge *edges);
/* The relation and the tables that inherit from it: their rows are rows of it, for a column rule and a clean-up rule too. */
List *vdf_with_heirs(Oid relation);

/* Why a column rule fails in every run that applies it to a row of the relation; NULL when it need not. */
const char *vdf_rule_fault(const VdfColumnSetting *setting, Oid relation);
/* The same of the rules for the root row; NULL when there is none. */
const char *vdf_fault_in_tombstone(const VdfDeletionPlan *plan);
/* Is a text a key of the subject's root table? */
bool vdf_is_key(VdfDeletionPlan *plan, const char *text);
/* The canonical form of a text that may be no key at all; NULL when it cannot be one. */
char *vdf_key_canonical_if_any(VdfDeletionPlan *plan, const char *text);

static inline char vdf_action(const VdfDeletionPlan *plan, int edge)
{
    return vdf_edge_action(plan->graph.edges[edge].declared, plan->graph.edges[edge].policy);
}

/* What is retained stays as it is unless a column rule says otherwise. */
static inline bool vdf_changes_rows(const VdfDeletionPlan *plan, int edge)
{
    for (int i = 0; i < plan->graph.ncolumn_rules; i++)
        if (plan->graph.column_rules[i].edge == edge)
            return true;
    return vdf_action(plan, edge) != VDF_ACTION_RETAIN;
}

#endif
