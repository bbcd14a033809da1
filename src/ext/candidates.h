/*
 * candidates.h: which tables look like users, for the hint of a subject that is not registered.
 */
#ifndef VEDFOLNIR_CANDIDATES_H
#define VEDFOLNIR_CANDIDATES_H

#include "ext/pg.h"

/* Raises 42704; the hint names candidate root tables and the call to type. */
[[noreturn]] extern void vdf_raise_not_registered(const char *subject);

#endif
