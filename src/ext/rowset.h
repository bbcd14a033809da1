/*
 * rowset.h: a set of rows by (tableoid, ctid). One bit a row, so that its size follows the heap blocks touched.
 * Only for rows that this transaction has locked or deleted, or that one snapshot shows.
 */
#ifndef VEDFOLNIR_ROWSET_H
#define VEDFOLNIR_ROWSET_H

#include "ext/pg.h"

typedef struct VdfRowSet VdfRowSet;

/* Makes an empty set in the current memory context. */
VdfRowSet *vdf_rowset_create(void);
void vdf_rowset_free(VdfRowSet *set);
/* Adds a row; false when it was there already. */
bool vdf_rowset_add(VdfRowSet *set, Oid relation, ItemPointer tid);
bool vdf_rowset_has(VdfRowSet *set, Oid relation, ItemPointer tid);

/* The rows of a set that are not in another, which may be NULL, and how many they are; in the current memory context. */
VdfRowSet *vdf_rowset_without(VdfRowSet *set, VdfRowSet *other, uint64 *count);

/* The rows of one heap block; a bit per offset number. */
#define VDF_ROWSET_WORDS ((MaxHeapTuplesPerPage + 64) / 64)
typedef struct VdfRowBlock
{
    Oid relation;
    BlockNumber block;
    const uint64 *rows;
} VdfRowBlock;

/* The blocks of a set by relation and block number, in the current memory context; they point into the set. */
VdfRowBlock *vdf_rowset_blocks(VdfRowSet *set, int *n);

#endif
