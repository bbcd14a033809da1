/*
 * execute.h: one statement of a step, in a QueryDesc of our own.
 *
 * Each statement runs as the owner of its table, sees key sets as ephemeral named relations and, when it deletes,
 * leaves out the RI triggers of edges that the walk deals with. AFTER triggers are held until vdf_fire_held.
 */
#ifndef VEDFOLNIR_EXECUTE_H
#define VEDFOLNIR_EXECUTE_H

#include "ext/pg.h"

/* A set of key values: what the executor sees as an ephemeral named relation. */
typedef struct VdfKeys
{
    Tuplestorestate *store;
    TupleDesc desc;
    uint64 count;
} VdfKeys;

typedef struct VdfSink VdfSink;
struct VdfSink
{
    DestReceiver pub;
    void (*start)(VdfSink *sink, TupleDesc desc);
    void (*row)(VdfSink *sink, TupleTableSlot *slot);
};

typedef struct VdfInput
{
    const char *name;
    VdfKeys *keys;
} VdfInput;

#define VDF_MAX_INPUTS 4

typedef struct VdfStatement
{
    const char *sql;
    Oid owner;   /* runs as this role */
    bool change; /* DELETE, UPDATE or INSERT */
    VdfInput inputs[VDF_MAX_INPUTS];
    int ninputs;
    int nparams;
    Oid *types;
    Datum *values;
    VdfSink *sink;            /* NULL: only count */
    CachedPlanSource **cache; /* where a plan for small key sets is kept; NULL: plan anew */
} VdfStatement;

/* What the statements of one call share. */
typedef struct VdfExecutor
{
    bool dry;          /* SELECT under one snapshot */
    Snapshot snapshot; /* of the dry run */
    bool fast_ri;
    const Oid *walked; /* sorted: constraints whose RI triggers are left out */
    int nwalked;
    List *levels;      /* held AFTER triggers, newest first */
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
void vdf_keys_free(VdfKeys *keys);

/* A sink that counts by itself and passes the rows on. */
void vdf_sink_init(VdfSink *sink, void (*start)(VdfSink *, TupleDesc), void (*row)(VdfSink *, TupleTableSlot *));

/* Sets search_path for parsing only; returns the level for vdf_unset_path. */
int vdf_set_path(void);
void vdf_unset_path(int level);

#endif
