/*
 * foresee.h: what the server would refuse of the rows that an UPDATE of phase N changes, asked before it is done.
 */
#ifndef VEDFOLNIR_FORESEE_H
#define VEDFOLNIR_FORESEE_H

#include "ext/run.h"

/* Could a constraint of the node refuse what these edges set? Then the rows must be kept, in a dry run too. */
bool vdf_may_be_refused(VdfRun *run, int node, const int *edges, int nedges, bool tombstone);
/* Counts what would be refused: blockers, or notes where nobody can tell. */
void vdf_foresee(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);
/* Arrays of several dimensions lose no single elements. Asked first, for the new values cannot be computed where there are any. */
void vdf_foresee_arrays(VdfRun *run, const int *edges, int nedges, VdfKeys *found);

#endif
