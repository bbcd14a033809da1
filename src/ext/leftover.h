/*
 * leftover.h: nothing that a table's owner wrote may run after the call, with the rights of its caller.
 */
#ifndef VEDFOLNIR_LEFTOVER_H
#define VEDFOLNIR_LEFTOVER_H

#include "ext/run.h"

/* Notes what is the caller's own. */
void vdf_leftovers_before(VdfRun *run);
/* Deferred constraint triggers that triggers of the run have brought about fire now, as the owners of their tables. */
void vdf_leftovers_fire(VdfRun *run);
/* Refuses cursors WITH HOLD that a trigger declared: the end of the transaction would run their queries. */
void vdf_leftovers_refuse(VdfRun *run);

#endif
