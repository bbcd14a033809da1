/*
 * template_text.h: the target of a clean-up rule as a SQL expression over one row (alias c).
 */
#ifndef VEDFOLNIR_TEMPLATE_TEXT_H
#define VEDFOLNIR_TEMPLATE_TEXT_H

#include "ext/pg.h"

/* A template or "= expression"; 22023, 42703, 42501 (expressions need ownership of the relation). */
char *vdf_target_compile(Oid relation, const char *kind, const char *target);

#endif
