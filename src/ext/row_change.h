/*
 * row_change.h: is anybody else about to change a row that this transaction sees?
 */
#ifndef VEDFOLNIR_EXT_ROW_CHANGE_H
#define VEDFOLNIR_EXT_ROW_CHANGE_H

#include "ext/pg.h"

/*
 * The transaction that is about to remove or change the row, or has done so since the caller's began; invalid if there is none
 * or it came to nothing. A row that is only locked stays as it is. The caller's transaction has a lock on the table.
 */
TransactionId vdf_row_change(Oid relation, ItemPointer tid);

#endif
