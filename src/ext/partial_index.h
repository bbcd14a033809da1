/*
 * partial_index.h: whether an index leads to every row that can refer to something.
 */
#ifndef VEDFOLNIR_PARTIAL_INDEX_H
#define VEDFOLNIR_PARTIAL_INDEX_H

#include "ext/pg.h"

/* Does the index hold every row that has values in these columns of its table? The whole of it, or WHERE they IS NOT NULL. */
bool vdf_index_holds_values(Relation index, int ncolumns, const AttrNumber *columns);

#endif
