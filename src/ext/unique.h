/*
 * unique.h: reassignments that would meet a unique index.
 */
#ifndef VEDFOLNIR_UNIQUE_H
#define VEDFOLNIR_UNIQUE_H

#include "ext/run.h"

/* Rows among found (vdf_t, vdf_i, vdf_e) that the edge's new value would make doubles of rows that stay. */
uint64 vdf_count_doubles(VdfRun *run, int edge, VdfKeys *found, Oid type, Datum value);
/* Does the index keep two rows with the same values of the columns apart? */
bool vdf_keeps_apart(Oid number, const Bitmapset *columns);

#endif
