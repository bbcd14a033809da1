/*
 * execute.h: one statement of a step, in a QueryDesc of our own.
 *
 * Each statement runs as the owner of its table, sees key sets as ephemeral named relations and, when it deletes,
 * leaves out the RI triggers of edges that the walk deals with. AFTER triggers are held until vdf_fire_held.
 */
#ifndef VEDFOLNIR_EXECUTE_H
#define VEDFOLNIR_EXECUTE_H

#include "ext/key_scan.h"
#include "ext/place_scan.h"
#include "ext/pg.h"

/* A set of key values: what the executor sees as an ephemeral named relation. */
typedef struct VdfKeys
{
    Tuplestorestate *store;
    TupleDesc desc;
    uint64 count;
    VdfKeySet *packed; /* where the store is made from when a statement needs it */
    int which;         /* of the packed keys: see vdf_key_set_each */
} VdfKeys;

typedef struct VdfSink VdfSink;
struct VdfSink
{
    DestReceiver pub;
    TupleDesc desc; /* of the statement; a slot's own may name its columns otherwise */
    void (*start)(VdfSink *sink, TupleDesc desc);
    void (*row)(VdfSink *sink, TupleTableSlot *slot);
};

typedef struct VdfInput
{
    const char *name;
    VdfKeys *keys;
} VdfInput;

/* Key sets that a statement has room for without asking for memory; an UPDATE of many array links has more. */
#define VDF_FEW_INPUTS 4

/* Sizes of key sets that share a kept plan: one row, up to 8, 64 and 512; larger ones are planned anew. */
#define VDF_KEPT_SIZES 4

/* A kept plan of the executor, and what its key sets looked like when it was made. */
typedef struct VdfKeptPlan
{
    CachedPlanSource *source;
    uint32 inputs;
} VdfKeptPlan;

typedef struct VdfStatement
{
    const char *sql;
    Oid owner;   /* runs as this role */
    bool change; /* DELETE, UPDATE or INSERT */
    bool by_lookup; /* rows are named by ctids, or known to be few enough for an index */
    VdfInput few[VDF_FEW_INPUTS];
    VdfInput *more; /* all of them, once they are more than a few */
    int ninputs;
    int nparams;
    Oid *types;
    Datum *values;
    VdfSink *sink;            /* NULL: only count */
    VdfKeyScan *scan;         /* which rows of VDF_SQL_TAKE_NODE are meant */
    VdfPlaceScan *places;      /* the same, by the places of the rows; a statement has one of the two at most */
    bool refused;             /* the plan cannot carry the scan: nothing was done */
    VdfKeptPlan *cache;       /* where plans for small key sets are kept, by size; NULL: plan anew */
} VdfStatement;

/* What the statements of one call share. */
typedef struct VdfExecutor
{
    bool dry;          /* SELECT under one snapshot */
    Snapshot snapshot; /* of the dry run */
    bool fast_ri;
    const Oid *walked; /* sorted: constraints whose RI triggers are left out */
    int nwalked;
    List *levels;      /* held AFTER triggers, newest last */
    MemoryContext context;
    MemoryContext statement;
    uint64 statements;
} VdfExecutor;

/* Prepares for the statements of a call; memory that lasts is taken from the current context. */
void vdf_executor_begin(VdfExecutor *executor, bool dry);
/* Runs a statement, returns the number of rows that it processed. */
uint64 vdf_execute(VdfExecutor *executor, VdfStatement *statement);
/* Fires the held AFTER triggers, newest first, each as the owner of its table. */
void vdf_fire_held(VdfExecutor *executor);
void vdf_executor_end(VdfExecutor *executor);

void vdf_statement_input(VdfStatement *statement, const char *name, VdfKeys *keys);
static inline VdfInput *vdf_inputs_of(VdfStatement *statement)
{
    return statement->more ? statement->more : statement->few;
}
/* An empty store for keys in the current memory context; it goes to a temporary file before it takes much memory. */
Tuplestorestate *vdf_keys_store(void);
void vdf_keys_store_end(Tuplestorestate *store);
void vdf_keys_free(VdfKeys *keys);
/* Makes the store of packed keys; memory is taken from the current context. */
void vdf_keys_unpack(VdfKeys *keys);

/* A sink that counts by itself and passes the rows on. */
void vdf_sink_init(VdfSink *sink, void (*start)(VdfSink *, TupleDesc), void (*row)(VdfSink *, TupleTableSlot *));

/* Sets search_path for parsing only; returns the level for vdf_unset_path. */
int vdf_set_path(void);
void vdf_unset_path(int level);

#endif
