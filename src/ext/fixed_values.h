/*
 * fixed_values.h: new values that are asked for before the UPDATE of phase N and kept (vdf_n): those that are others each
 * time, so that what is looked at is what is written, and those that a trigger may keep back, to be compared afterwards.
 */
#ifndef VEDFOLNIR_FIXED_VALUES_H
#define VEDFOLNIR_FIXED_VALUES_H

#include "ext/run.h"

/* NULL: there are none. In a run only, since asking may change something. */
VdfKeys *vdf_fix_values(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);
/* Writes them; VF003 where a trigger leaves in a row what a column rule was to replace. */
void vdf_write_fixed(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);

#endif
