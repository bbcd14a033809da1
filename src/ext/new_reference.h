/*
 * new_reference.h: whom the rows that phase N changes will refer to. What they are given may lead to a row that goes or to
 * nothing, and may clear or bring up what other edges ask for.
 */
#ifndef VEDFOLNIR_NEW_REFERENCE_H
#define VEDFOLNIR_NEW_REFERENCE_H

#include "ext/run.h"

/* Could phase N write something into a column that the edge refers by? Then the keys of its parents are asked for. */
bool vdf_may_come_up(const VdfDeletionPlan *plan, int edge);
/* Can these edges change who is referred to through others? Then the rows must be kept, in a dry run too. */
bool vdf_may_refer(VdfRun *run, int node, const int *edges, int nedges, bool tombstone);
/* New references to rows that go, and keys that lead to nothing: blockers. */
void vdf_foresee_references(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);
/* Before phase N: the rows in the way of edges that block by a condition or an expression. */
void vdf_look_at_blocks(VdfRun *run);
/* Edges that block: the references that are cleared and those that come up. */
void vdf_foresee_blocks(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);

#endif
