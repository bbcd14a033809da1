/*
 * expire.h: ends a person's sessions and deletes nothing else of them.
 */
#ifndef VEDFOLNIR_EXPIRE_H
#define VEDFOLNIR_EXPIRE_H

#include "ext/run.h"

/* Collects the targets of the clean-up rules that are marked for it, and deletes the rows of those that say so. */
void vdf_expire(VdfRun *run);

#endif
