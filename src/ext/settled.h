/*
 * settled.h: has everything been done already for a person who was deleted before, with a tombstone?
 */
#ifndef VEDFOLNIR_SETTLED_H
#define VEDFOLNIR_SETTLED_H

#include "ext/run.h"

/* Rows of a node in which column rules would set something else than what is there; found are the rows that were reached. */
uint64 vdf_unsettled_rows(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);

#endif
