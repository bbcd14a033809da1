/*
 * row_change.cpp: what the header of a row says about a newer version of it.
 */
#include "ext/row_change.h"

TransactionId vdf_row_change(Oid relation, ItemPointer tid)
{
    Relation table = table_open(relation, NoLock);
    HeapTupleData row;
    Buffer buffer;
    TransactionId by = InvalidTransactionId;

    row.t_self = *tid;
    if (table->rd_rel->relkind == RELKIND_RELATION && table->rd_tableam == GetHeapamTableAmRoutine() &&
        heap_fetch(table, SnapshotAny, &row, &buffer, false)) {
        LockBuffer(buffer, BUFFER_LOCK_SHARE);
        if (!(row.t_data->t_infomask & HEAP_XMAX_INVALID) && !HEAP_XMAX_IS_LOCKED_ONLY(row.t_data->t_infomask))
            by = HeapTupleHeaderGetUpdateXid(row.t_data);
        UnlockReleaseBuffer(buffer);
    }
    table_close(table, NoLock);
    if (!TransactionIdIsValid(by) || TransactionIdIsCurrentTransactionId(by) || TransactionIdDidAbort(by))
        return InvalidTransactionId;
    return by;
}
