#include "ext/row_version.h"

/* With room for one more. */
static TransactionId *xids_copy(const TransactionId *xids, int n)
{
    TransactionId *copy = (TransactionId *) palloc(sizeof(TransactionId) * (n + 1));

    if (n > 0) /* without any there may be no array */
        memcpy(copy, xids, sizeof(TransactionId) * n);
    return copy;
}

/* The server's own copies live in the memory of the transaction. */
Snapshot vdf_snapshot_copy(Snapshot snapshot)
{
    Snapshot copy = (Snapshot) palloc(sizeof(SnapshotData));

    *copy = *snapshot;
    copy->xip = xids_copy(snapshot->xip, snapshot->xcnt);
    copy->subxip = xids_copy(snapshot->subxip, snapshot->subxcnt);
    copy->copied = true;
    copy->active_count = copy->regd_count = 0;
    /* What this transaction has yet to write was not seen, though a snapshot of its own does not count it as running. */
    if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
        copy->xip[copy->xcnt++] = GetTopTransactionIdIfAny();
    return copy;
}

bool vdf_look_saw(HeapTupleHeader row, Snapshot look)
{
    TransactionId xmin = HeapTupleHeaderGetRawXmin(row);

    if (!TransactionIdIsNormal(xmin))
        return true;
    if (TransactionIdPrecedes(xmin, look->xmin))
        return true;
    /* Frozen long ago, so that its number seems to lie ahead. */
    if (HeapTupleHeaderXminFrozen(row) && TransactionIdFollowsOrEquals(xmin, XidFromFullTransactionId(ReadNextFullTransactionId())))
        return true;
    return !look->suboverflowed && !XidInMVCCSnapshot(xmin, look);
}

/* The first row of a block from the offset on; -1: there is none. */
static inline int next_row(const VdfRowBlock *block, int offset)
{
    int word = offset / 64;
    uint64 rows;

    if (word >= VDF_ROWSET_WORDS)
        return -1;
    rows = block->rows[word] & (~UINT64CONST(0) << (offset % 64));
    while (rows == 0 && ++word < VDF_ROWSET_WORDS)
        rows = block->rows[word];
    return rows == 0 ? -1 : word * 64 + pg_rightmost_one_pos64(rows);
}

static bool is_same(Buffer buffer, Page page, Oid relation, BlockNumber block, OffsetNumber offset, Snapshot look,
                    Snapshot now, HeapTupleData *row)
{
    ItemId item;

    if (offset > PageGetMaxOffsetNumber(page))
        return false;
    item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item))
        return false;
    row->t_tableOid = relation;
    row->t_data = (HeapTupleHeader) PageGetItem(page, item);
    row->t_len = ItemIdGetLength(item);
    ItemPointerSet(&row->t_self, block, offset);
    return vdf_look_saw(row->t_data, look) && HeapTupleSatisfiesVisibility(row, now, buffer);
}

/* Somebody changes the row and has not committed yet: the page will not say when that is done. */
static bool is_being_changed(HeapTupleHeader row)
{
    return !(row->t_infomask & HEAP_XMAX_INVALID) && !HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask);
}

void vdf_versions_learn(VdfVersions *versions, VdfRowSet *rows)
{
    Oid last = InvalidOid;

    versions->tables = NIL;
    versions->opaque = false;
    versions->blocks = vdf_rowset_blocks(rows, &versions->n);
    versions->clean = (XLogRecPtr *) MemoryContextAllocExtended(CurrentMemoryContext, sizeof(XLogRecPtr) * (versions->n + 1),
                                                               MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    versions->buffers = (Buffer *) MemoryContextAllocExtended(CurrentMemoryContext, sizeof(Buffer) * (versions->n + 1),
                                                              MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    for (int i = 0; i < versions->n; i++) {
        VdfTableFile *file;
        Relation table;

        if (versions->blocks[i].relation == last)
            continue;
        last = versions->blocks[i].relation;
        table = table_open(last, AccessShareLock);
        file = (VdfTableFile *) palloc(sizeof(VdfTableFile));
        file->relation = last;
        file->file = table->rd_rel->relfilenode;
        versions->opaque = versions->opaque || table->rd_rel->relam != HEAP_TABLE_AM_OID;
        versions->tables = lappend(versions->tables, file);
        table_close(table, NoLock);
    }
}

/* The lock is kept until the transaction ends, so that nobody writes the table anew meanwhile. NULL when somebody has. */
static Relation open_table(VdfVersions *versions, Oid relation)
{
    Relation table = try_relation_open(relation, AccessShareLock);
    ListCell *cell;

    if (table == NULL)
        return NULL;
    foreach (cell, versions->tables) {
        VdfTableFile *file = (VdfTableFile *) lfirst(cell);

        if (file->relation == relation && file->file == table->rd_rel->relfilenode)
            return table;
    }
    relation_close(table, NoLock);
    return NULL;
}

/* Each batch asks for the same pages: where they were last they mostly still are. */
static Buffer read_again(VdfVersions *versions, int number, Relation table)
{
    BlockNumber block = versions->blocks[number].block;
    Buffer *last = &versions->buffers[number];

    if (!BufferIsValid(*last) || !vdf_read_recent_buffer(table, block, *last))
        *last = ReadBuffer(table, block);
    return *last;
}

static bool block_stands(VdfVersions *versions, int number, Relation table, Snapshot look, Snapshot now)
{
    VdfRowBlock *at = &versions->blocks[number];
    Buffer buffer = read_again(versions, number, table);
    Page page = BufferGetPage(buffer);
    XLogRecPtr where;
    bool same = true, settled = RelationNeedsWAL(table);

    /* Without the lock: who is changing the page at this moment may as well do it right after this question. */
    if (settled && versions->clean[number] != InvalidXLogRecPtr && versions->clean[number] == BufferGetLSNAtomic(buffer)) {
        ReleaseBuffer(buffer);
        return true;
    }
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    where = BufferGetLSNAtomic(buffer);
    for (int offset = next_row(at, 0); same && offset >= 0; offset = next_row(at, offset + 1)) {
        HeapTupleData row;

        same = is_same(buffer, page, at->relation, at->block, offset, look, now, &row);
        settled = settled && same && !is_being_changed(row.t_data);
    }
    versions->clean[number] = same && settled ? where : InvalidXLogRecPtr;
    UnlockReleaseBuffer(buffer);
    return same;
}

bool vdf_versions_stand(VdfVersions *versions, Snapshot look, Snapshot now)
{
    Relation table = NULL;
    BlockNumber blocks = 0;
    bool stand = true;

    for (int i = 0; stand && i < versions->n; i++) {
        VdfRowBlock *at = &versions->blocks[i];

        if (table == NULL || RelationGetRelid(table) != at->relation) {
            if (table != NULL)
                relation_close(table, NoLock);
            table = open_table(versions, at->relation);
            if (table == NULL)
                return false;
            blocks = RelationGetNumberOfBlocks(table);
        }
        CHECK_FOR_INTERRUPTS();
        stand = at->block < blocks && block_stands(versions, i, table, look, now);
    }
    if (table != NULL)
        relation_close(table, NoLock);
    return stand;
}

Oid vdf_versions_table(VdfVersions *versions, const VdfVersionCursor *cursor)
{
    Oid relation = versions->blocks[cursor->block].relation;
    Relation table = open_table(versions, relation);

    if (table == NULL)
        return InvalidOid;
    relation_close(table, NoLock);
    return relation;
}

int vdf_versions_read(VdfVersionReader *reader, int most, HeapTupleData *rows, Buffer *buffer)
{
    VdfRowBlock *at = &reader->versions->blocks[reader->cursor->block];
    bool there = at->block < reader->blocks;
    int offset, n = 0;

    *buffer = InvalidBuffer;
    if (there) {
        *buffer = ReadBuffer(reader->table, at->block);
        LockBuffer(*buffer, BUFFER_LOCK_SHARE);
    }
    for (offset = next_row(at, reader->cursor->offset); offset >= 0 && n < most; offset = next_row(at, offset + 1)) {
        if (there && is_same(*buffer, BufferGetPage(*buffer), at->relation, at->block, offset, reader->look, reader->now, &rows[n]))
            n++;
        else
            reader->changed++;
    }
    if (there)
        LockBuffer(*buffer, BUFFER_LOCK_UNLOCK);
    if (there && n == 0) {
        ReleaseBuffer(*buffer);
        *buffer = InvalidBuffer;
    }
    if (offset < 0)
        reader->cursor->block++;
    reader->cursor->offset = Max(offset, 0);
    return n;
}

/* By this transaction; an update leaves a link to the next version. */
static bool is_deleted(Page page, BlockNumber block, OffsetNumber offset)
{
    ItemId item;
    HeapTupleHeader row;

    if (offset > PageGetMaxOffsetNumber(page))
        return false;
    item = PageGetItemId(page, offset);
    if (!ItemIdIsNormal(item))
        return false;
    row = (HeapTupleHeader) PageGetItem(page, item);
    return (row->t_infomask & HEAP_XMAX_INVALID) == 0 && !HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask) &&
           TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetUpdateXid(row)) &&
           ItemPointerGetBlockNumberNoCheck(&row->t_ctid) == block && ItemPointerGetOffsetNumberNoCheck(&row->t_ctid) == offset;
}

static uint64 deleted_in_block(Relation table, VdfRowBlock *at, XLogRecPtr since)
{
    Buffer buffer = ReadBuffer(table, at->block);
    Page page;
    uint64 deleted = 0;

    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    page = BufferGetPage(buffer);
    if (!RelationNeedsWAL(table) || BufferGetLSNAtomic(buffer) >= since)
        for (int offset = next_row(at, 0); offset >= 0; offset = next_row(at, offset + 1))
            deleted += is_deleted(page, at->block, offset);
    UnlockReleaseBuffer(buffer);
    return deleted;
}

uint64 vdf_versions_deleted(VdfVersions *versions, XLogRecPtr since)
{
    Relation table = NULL;
    BlockNumber blocks = 0;
    uint64 deleted = 0;

    for (int i = 0; i < versions->n; i++) {
        VdfRowBlock *at = &versions->blocks[i];

        if (table == NULL || RelationGetRelid(table) != at->relation) {
            if (table != NULL)
                relation_close(table, NoLock);
            table = try_relation_open(at->relation, AccessShareLock);
            if (table == NULL)
                return deleted;
            blocks = RelationGetNumberOfBlocks(table);
        }
        CHECK_FOR_INTERRUPTS();
        if (at->block < blocks)
            deleted += deleted_in_block(table, at, since);
    }
    if (table != NULL)
        relation_close(table, NoLock);
    return deleted;
}
