/*
 * batch.h: a deletion in several transactions.
 *
 * A look (the dry run) says what goes and checks all that a run checks. Batches then empty relations from the leaves up,
 * on the word of the look as long as it stands; each commits with its own audit and tasks. The last transaction is an
 * ordinary run over what is left.
 */
#ifndef VEDFOLNIR_BATCH_H
#define VEDFOLNIR_BATCH_H

#include "ext/place_scan.h"
#include "ext/work.h"

typedef struct VdfBatchPages VdfBatchPages;

/* A relation of the walk, as the look has found it. */
typedef struct VdfBatchNode
{
    VdfVersions versions;
    uint64 rows;
    bool emptied; /* batches went over all of its rows; where none was left, they are gone */
    bool left; /* some of its rows must wait for the last transaction, and so must what they refer to */
} VdfBatchNode;

typedef struct VdfBatches
{
    VdfCall *call;
    pg_uuid_t id;
    uint64 batch_rows;
    uint64 rows;   /* deleted by the batches of this call */
    int batches;

    /* What the look has found; made anew when it does not stand any more. */
    MemoryContext memory;
    uint64 plan; /* serial number of the plan of the look; 0: no look yet */
    Snapshot look;
    VdfBatchNode *nodes;
    List **pages; /* per edge: of VdfBatchPages */
    int *order; /* from the leaves up */
    int norder;
    int at; /* in order */
    VdfVersionCursor cursor;
    uint64 found; /* rows and references of the look, less what batches took since */
} VdfBatches;

typedef enum VdfBatchEnd
{
    VDF_BATCH_DONE,    /* one more may follow */
    VDF_BATCH_UNDO,    /* the same, but the transaction must be rolled back: its rows are for the last one */
    VDF_BATCH_NO_MORE, /* what is left is for the last transaction */
    VDF_BATCH_OTHER    /* another call has finished the deletion */
} VdfBatchEnd;

/* batch_look.cpp: the dry run under its own snapshot; raises VF007 and VF011 as a run would. */
void vdf_batch_look(VdfBatches *b, VdfDeletionPlan *plan);
/* Do all rows still stand through which the look came to those of a node? */
bool vdf_batch_stands(VdfBatches *b, VdfDeletionPlan *plan, int node, Snapshot now);
/* The node at hand, or -1 when no batch can take anything more. */
int vdf_batch_node(VdfBatches *b, VdfDeletionPlan *plan);

/* Goes on with the next node. */
static inline void vdf_batch_skip(VdfBatches *b)
{
    b->at++;
    b->cursor.block = 0;
    b->cursor.offset = 0;
}

/*
 * batch_delete.cpp: deletes the rows of a node that the places name; they count for the first edge into it. False: the
 * statement cannot be led by places, and nothing was done.
 */
bool vdf_batch_delete(VdfRun *run, int node, VdfPlaceScan *places);

/*
 * batch_referred.cpp: rows that refer to what went: they came since the look, or stay for the last transaction. Looked for
 * after the deletion, as in every step of a run: who inserts one later waits, and fails.
 */
bool vdf_batch_referred(VdfBatches *b, VdfRun *run, int node);

/* batch_take.cpp: the first transaction. False when there is nothing for batches to do. */
bool vdf_batch_begin(VdfBatches *b);
/* One batch, inside a transaction of its own. */
VdfBatchEnd vdf_batch_take(VdfBatches *b, uint64 limit);

/* standby_lag.cpp: how far the standbys are behind, in microseconds; 0 without standbys. 42501 when it cannot be seen. */
int64 vdf_standby_lag(void);

#endif
