/*
 * unique.h: what unique indexes say of the rows of a table.
 */
#ifndef VEDFOLNIR_UNIQUE_H
#define VEDFOLNIR_UNIQUE_H

#include "ext/pg.h"

/* Does the index keep two rows with the same values of the columns apart? */
bool vdf_keeps_apart(Oid number, const Bitmapset *columns);
/* Does a unique index over all rows keep the values of one column apart? */
bool vdf_is_unique(Oid relation, AttrNumber column);

#endif
