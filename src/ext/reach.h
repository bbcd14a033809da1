/*
 * reach.h: which rows are reached from which, when each row that goes is known.
 */
#ifndef VEDFOLNIR_REACH_H
#define VEDFOLNIR_REACH_H

#include "ext/pg.h"
#include "ext/rowset.h"

typedef struct VdfReach VdfReach;

/* Rows are added to a set of the caller's, each once; all else is in a memory context of its own, below the current one. */
VdfReach *vdf_reach_create(VdfRowSet *reached);
/* A row from which others are reached. */
void vdf_reach_start(VdfReach *reach, Oid relation, ItemPointer tid);
/* One row leads to another. */
void vdf_reach_step(VdfReach *reach, Oid relation, ItemPointer tid, Oid to_relation, ItemPointer to_tid);
/* Adds every row that is reached. */
void vdf_reach_follow(VdfReach *reach);
void vdf_reach_free(VdfReach *reach);

#endif
