/*
 * run.h: the state of one deletion, dry or real, while its phases go over the plan.
 */
#ifndef VEDFOLNIR_RUN_H
#define VEDFOLNIR_RUN_H

#include "ext/deletion_plan.h"
#include "ext/execute.h"
#include "ext/facts.h"
#include "ext/rowset.h"

/* Column lists of one relation that edges refer to, other than all of its key columns. */
#define VDF_KEY_LISTS 4

typedef struct VdfNodeState
{
    unsigned shape;    /* VDF_IDENTITY ... of this node's key set */
    VdfKeys all;       /* keys of the rows that go */
    VdfKeys delta;     /* inside a cycle: of the last round */
    VdfKeys next;      /* inside a cycle: of this round */
    VdfKeys foreign;   /* keys of collateral rows */
    VdfKeys own;       /* keys of the other rows, made only where foreign has rows */
    VdfRowSet *goes;   /* dry run: the rows that go */
    VdfKeySet *packed; /* the keys, where they can be packed */
    VdfKeySet *lists[VDF_KEY_LISTS]; /* the columns of a list alone, where edges refer by them: sweep.h */
    VdfKeys cycle;     /* rows of a cycle, until all of it is known: sweep_cycle.cpp */
    bool leads_out;    /* a row of a cycle refers to a row outside that stays */
    bool spilled;      /* the keys of a cycle were too many to be packed */
    uint64 rows;
} VdfNodeState;

typedef struct VdfEdgeState
{
    uint64 rows;       /* that this edge was the first to reach, or whose reference it changes, or that it blocks */
    uint64 collateral; /* of these */
    uint64 sources;    /* of these: brought in here, not further up */
    VdfRowSet *set;    /* rows whose reference the edge changes */
    bool failed;       /* a blocker says that it cannot */
    char *note;        /* foresee.cpp; NULL: none */
    VdfRowSet *before;  /* of an edge that blocks: rows in its way before phase N; NULL: not asked */
    VdfRowSet *touched; /* rows that phase N changes, where it matters to the edge, */
    VdfRowSet *cleared; /* those of them that do not refer any more, */
    uint64 added;       /* and the number of those that refer only then: new_reference.cpp */
} VdfEdgeState;

/* Something that refuses the run. */
typedef struct VdfBlocker
{
    const char *relation;
    const char *via; /* may be NULL */
    const char *schema; /* unquoted, for the order */
    const char *table;
    uint64 rows;
    char *reason; /* a phrase, no full stop */
    char *remedy; /* a call; may be NULL */
    bool listed;  /* has a block row of its own in the result */
} VdfBlocker;

/* Rows of an edge per person, for the audit of several people. */
typedef struct VdfUserCounts
{
    int room;
    uint64 *rows; /* by number of the person */
} VdfUserCounts;

typedef struct VdfTargets VdfTargets; /* targets.h */

typedef struct VdfRun VdfRun;
struct VdfRun
{
    VdfDeletionPlan *plan;
    VdfExecutor executor;
    MemoryContext context;
    bool dry;
    bool tombstone;
    int nusers;
    bool check_shared; /* targets that rows which stay name are left out */
    bool many; /* key sets carry the number of the person */
    VdfKeys root; /* vdf_r, vdf_l, vdf_u of the root rows that were found */
    VdfRowSet *tombstones;  /* the root rows that stay */
    VdfKeys tombstone_keys; /* their keys, as nodes[root].all has them */
    VdfNodeState *nodes;
    VdfEdgeState *edges;
    uint64 root_rows;
    char *root_note; /* foresee.cpp; NULL: none */
    List *blockers; /* of VdfBlocker */
    struct VdfSchema *schema; /* looked up for the remedies of undeclared edges */
    VdfUserCounts *user_counts; /* per edge, the root row first */
    VdfTargets *targets;
    List *pending;        /* relations that had deferred events before the run: leftover.h */
    List *cursors;        /* names of cursors WITH HOLD that were there before */
    bool look;            /* locks what it finds, changes nothing: by_hand.h */
    bool ghost;           /* the root row is gone: only its key is known */
    bool again;           /* the person was deleted before */
    VdfKeys *fixed;       /* the new values of the rows at hand (vdf_n), where asking again would give others; NULL: not so */
    bool untouched;       /* a blocker was found before phase N changed rows: nothing more is changed */
    bool doubtful;        /* what phase N would meet is not known for sure: detach.cpp */
    bool ahead;           /* so it was asked what else is in the way, */
    bool judged;          /* and something is: all of it is known */
    Size key_bytes; /* of all packed keys */
    uint64 changed; /* rows deleted and references changed */
    uint64 unsettled; /* settled.h; a dry run of a person who was deleted before */

    /* Expiry: one run looks for the person's rows, the other deletes the rows of the clean-up rules that say so. */
    const bool *needed; /* the run that looks: nodes on the way to a rule */
    VdfRun *seed;       /* the run that deletes: whose key sets it starts from */
    const bool *seeded; /* the run that deletes: nodes whose rows it starts with */
};

VdfRun *vdf_run_begin(VdfDeletionPlan *plan, bool dry, bool many, bool expire);
void vdf_run_end(VdfRun *run);
/* Phase D. */
void vdf_walk(VdfRun *run);
/* The rows of one edge behind a key set; also the first step of an expiry. */
void vdf_walk_edge(VdfRun *run, int edge, VdfKeys *parents, bool del);
void vdf_walk_component(VdfRun *run, int component);
/* VF011 when more was changed than vedfolnir.max_rows; a dry run may go on. */
void vdf_check_limit(VdfRun *run);
void vdf_require_limit(uint64 rows);
/* Do the parents of a node hold rows of other people? Then its own rows may be such too. */
bool vdf_parents_hold_foreign(VdfRun *run, int node);

/* sweep.cpp: relations whose references can be looked up in packed keys. False: the component is not of that kind. */
bool vdf_sweep(VdfRun *run, int component);
/* Packs the keys of a component that was walked by joins, for the sake of its children. */
void vdf_sweep_pack(VdfRun *run, int component);
/* Gives back key sets that nothing will ask for any more. */
void vdf_sweep_release(VdfRun *run, int component);
/* Deletes rows of a node that a look has found; they count for the first edge into the node. */
void vdf_take_rows(VdfRun *run, int node, VdfStatement *statement);
/* Which of the rows of a component belong to somebody else. */
void vdf_find_collateral(VdfRun *run, const VdfComponent *component);
/* Does an edge bring rows of others in that its policy does not accept? */
bool vdf_collateral_refused(VdfRun *run);
/* Keeps the rows of a statement as a key set. */
void vdf_collect(VdfRun *run, VdfStatement *statement, VdfKeys *keys);
/* Phase N. */
void vdf_detach(VdfRun *run);
/* Says before anything is changed that new references would lead nowhere. */
void vdf_check_successor(VdfRun *run, int edge, uint64 rows);
/* The key that references are reassigned to. */
Datum vdf_successor_value(VdfRun *run, int edge);
/* A row that goes, or the tombstone, which counts as if it went. */
bool vdf_row_goes(VdfRun *run, int node, Datum relation, Datum tid);
/* Is the reference of a row changed by a stronger edge on the same columns? */
bool vdf_is_cleared(VdfRun *run, int edge, Oid relation, ItemPointer tid);
/* The order in which edges have the columns that several of them want; an argument of qsort_arg. */
int vdf_by_strength(const void *a, const void *b, void *run);
/* Before phase N: rows behind delete edges that a trigger kept (VF003). */
void vdf_prove_deletes(VdfRun *run);
/* What refuses the run, on top of what is known already; vdf_prove does it as well, once. */
void vdf_find_blockers(VdfRun *run);
/* Phase B: blockers, and the proof that nothing was kept back (VF003). */
void vdf_prove(VdfRun *run);
/* Rows that refer through an edge to rows that went; kind says whose: those of the tombstone itself are asked for apart. */
uint64 vdf_count_left(VdfRun *run, int edge, VdfSql kind);
/* Rows that were in the way of a blocking edge before phase N, without those that it clears, and those that it brings up. */
uint64 vdf_rows_in_the_way(VdfRun *run, int edge);
/* Links, once the held triggers have fired. */
void vdf_prove_links(VdfRun *run);
/* What triggers of the application brought back after that proof: the root row, or rows behind a tombstone. */
void vdf_prove_after_triggers(VdfRun *run);

/* A dry run says that the run would be larger than vedfolnir.max_rows. */
void vdf_foresee_limit(VdfRun *run);
/* Parameters and key sets of the UPDATE of phase N, and of what looks at its rows before. */
void vdf_detach_inputs(VdfRun *run, VdfStatement *statement, const int *edges, int nedges, VdfKeys *found);
/* A blocker of the root row. */
void vdf_block_root(VdfRun *run, uint64 rows, char *reason, char *remedy);
void vdf_block(VdfRun *run, int edge, uint64 rows, char *reason, char *remedy, bool listed);
/* A call that decides about an edge; action is the last argument, or several. */
char *vdf_policy_call(const VdfRun *run, int edge, const char *action);
/* The call that accepts that rows of other people go with an edge. */
char *vdf_collateral_remedy(const VdfRun *run, int edge);
void vdf_count_user(VdfRun *run, int user, int edge, uint64 rows);
void vdf_forget_users(VdfRun *run, int edge);
/* Prepares a statement of the plan. */
void vdf_statement_of(VdfRun *run, VdfStatement *statement, VdfSql kind, int number, unsigned flags, Oid owner);
/* Adds a row to a key set, making it if need be; desc names its columns, of which the first so many are taken. */
void vdf_keys_add(VdfRun *run, VdfKeys *keys, TupleDesc desc, TupleTableSlot *slot, int columns);

#endif
