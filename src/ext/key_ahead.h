/*
 * key_ahead.h: a few rows of a scan at a time, so that the places where their references may be found are on the way
 * from memory while the rows before them are looked at.
 */
#ifndef VEDFOLNIR_KEY_AHEAD_H
#define VEDFOLNIR_KEY_AHEAD_H

#include "ext/key_probe.h"

typedef struct VdfKeyAhead VdfKeyAhead;

/* The first arm that leads to the row, -1: none does. */
int vdf_leading_arm(TupleTableSlot *slot, int narms, const VdfProbeArm *arms);

VdfKeyAhead *vdf_key_ahead_begin(Relation relation, EState *estate, int narms, const VdfProbeArm *arms);
/* The next row that an arm leads to; NULL: there is none. It is good until the next call. */
TupleTableSlot *vdf_key_ahead_next(VdfKeyAhead *ahead);
void vdf_key_ahead_rescan(VdfKeyAhead *ahead);
void vdf_key_ahead_end(VdfKeyAhead *ahead);

#endif
