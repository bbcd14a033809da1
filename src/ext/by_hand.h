/*
 * by_hand.h: rows that a trigger of the application removes before the walk comes to them.
 */
#ifndef VEDFOLNIR_BY_HAND_H
#define VEDFOLNIR_BY_HAND_H

#include "ext/run.h"

/*
 * A BEFORE DELETE trigger may delete rows of the walk by itself; their targets would be forgotten. So where there is
 * one, all rows are looked at, level by level, and locked before the first goes. NULL when there is no such trigger.
 */
VdfRun *vdf_by_hand_look(VdfRun *run);
/* Adds the targets that the walk did not meet, and ends the look. */
void vdf_by_hand_add(VdfRun *run, VdfRun *look);

#endif
