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
/* Adds a row; false when it was there already. */
bool vdf_rowset_add(VdfRowSet *set, Oid relation, ItemPointer tid);
bool vdf_rowset_has(VdfRowSet *set, Oid relation, ItemPointer tid);

#endif
