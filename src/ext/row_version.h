/*
 * row_version.h: are rows that a look has found still what they were?
 *
 * A batch deletes on the word of a look that an earlier transaction had. That word stands as long as the rows through
 * which it came to the rows of the batch are the same versions. They are told from the heap pages, and a page that no
 * WAL record has touched since it was looked at last is not looked at again.
 */
#ifndef VEDFOLNIR_ROW_VERSION_H
#define VEDFOLNIR_ROW_VERSION_H

#include "ext/execute.h"
#include "ext/rowset.h"

/* The rows of one relation of the walk, by block. */
typedef struct VdfVersions
{
    VdfRowBlock *blocks;
    XLogRecPtr *clean; /* per block: where its page stood when all rows were found unchanged */
    Buffer *buffers;   /* per block: which buffer held its page last */
    int n;
    List *tables; /* of VdfTableFile */
    bool opaque;  /* some of the rows are not in heap pages */
} VdfVersions;

/* A table that is written anew (VACUUM FULL, CLUSTER, TRUNCATE) has other rows at the same places. */
typedef struct VdfTableFile
{
    Oid relation;
    Oid file;
} VdfTableFile;

/* Where a batch goes on. */
typedef struct VdfVersionCursor
{
    int block;
    OffsetNumber offset;
} VdfVersionCursor;

/* A copy of a snapshot in the current memory context, for asking what it saw; it holds back nobody's vacuum. */
Snapshot vdf_snapshot_copy(Snapshot snapshot);
/* To be called in the transaction of the look, which holds locks on the tables. */
void vdf_versions_learn(VdfVersions *versions, VdfRowSet *rows);
/* Are all rows the versions that the look saw? */
bool vdf_versions_stand(VdfVersions *versions, Snapshot look, Snapshot now);
/*
 * Adds up to limit rows of one table to a key set (vdf_t, vdf_i, vdf_x), from the cursor on; those that changed are left
 * out and counted. The first and the last of their ctids come back. False when the table was written anew or dropped.
 */
bool vdf_versions_take(VdfVersions *versions, VdfVersionCursor *cursor, Snapshot look, Snapshot now, uint64 limit,
                       VdfKeys *keys, Oid *relation, ItemPointer first, ItemPointer last, uint64 *changed);
/* How many of the rows has this transaction deleted? Looks at pages that changed since the given place in the WAL. */
uint64 vdf_versions_deleted(VdfVersions *versions, XLogRecPtr since);
static inline bool vdf_versions_over(const VdfVersions *versions, const VdfVersionCursor *cursor)
{
    return cursor->block >= versions->n;
}

#endif
