/*
 * row_version.h: are rows that a look has found still what they were?
 *
 * A batch deletes on the word of a look that an earlier transaction had. That word stands as long as the rows through
 * which it came to the rows of the batch are the same versions. They are told from the heap pages, and a page that no
 * WAL record has touched since it was looked at last is not looked at again.
 */
#ifndef VEDFOLNIR_ROW_VERSION_H
#define VEDFOLNIR_ROW_VERSION_H

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
/* Was the row version there when the look was had? In doubt not. */
bool vdf_look_saw(HeapTupleHeader row, Snapshot look);
/* To be called in the transaction of the look, which holds locks on the tables. */
void vdf_versions_learn(VdfVersions *versions, VdfRowSet *rows);
/* Are all rows the versions that the look saw? */
bool vdf_versions_stand(VdfVersions *versions, Snapshot look, Snapshot now);
/*
 * The table of the rows at the cursor; it can neither be written anew nor dropped until the transaction ends. InvalidOid
 * when that has happened.
 */
Oid vdf_versions_table(VdfVersions *versions, const VdfVersionCursor *cursor);
/* Reads one page after the other. */
typedef struct VdfVersionReader
{
    VdfVersions *versions;
    VdfVersionCursor *cursor;
    Relation table;
    BlockNumber blocks; /* that the table has */
    Snapshot look;
    Snapshot now;
    uint64 changed; /* rows that are not the versions that the look saw */
} VdfVersionReader;

/*
 * The rows of the page at the cursor that are still what the look saw, at most so many. Moves the cursor. Where there are
 * any, the page is pinned.
 */
int vdf_versions_read(VdfVersionReader *reader, int most, HeapTupleData *rows, Buffer *buffer);
/* Are there more pages of the table? */
static inline bool vdf_versions_more(const VdfVersionReader *reader)
{
    return reader->cursor->block < reader->versions->n &&
           reader->versions->blocks[reader->cursor->block].relation == RelationGetRelid(reader->table);
}
/* How many of the rows has this transaction deleted? Looks at pages that changed since the given place in the WAL. */
uint64 vdf_versions_deleted(VdfVersions *versions, XLogRecPtr since);
static inline bool vdf_versions_over(const VdfVersions *versions, const VdfVersionCursor *cursor)
{
    return cursor->block >= versions->n;
}

#endif
