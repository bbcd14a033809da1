#include "ext/row_version.h"

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
    return copy;
}

/* Was the row version there when the look was had? In doubt not: then the row waits for the last transaction. */
static bool look_saw(HeapTupleHeader row, Snapshot look)
{
    TransactionId xmin = HeapTupleHeaderGetRawXmin(row);

    if (!TransactionIdIsNormal(xmin))
        return true;
    /* Frozen long ago, so that its number seems to lie ahead. */
    if (HeapTupleHeaderXminFrozen(row) && TransactionIdFollowsOrEquals(xmin, XidFromFullTransactionId(ReadNextFullTransactionId())))
        return true;
    if (TransactionIdPrecedes(xmin, look->xmin))
        return true;
    return !look->suboverflowed && !XidInMVCCSnapshot(xmin, look);
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
    return look_saw(row->t_data, look) && HeapTupleSatisfiesVisibility(row, now, buffer);
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
    Page page;
    XLogRecPtr where;
    bool same = true, settled = RelationNeedsWAL(table);

    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    page = BufferGetPage(buffer);
    where = BufferGetLSNAtomic(buffer);
    if (!settled || versions->clean[number] == InvalidXLogRecPtr || versions->clean[number] != where) {
        for (int offset = 1; same && offset <= MaxHeapTuplesPerPage; offset++) {
            HeapTupleData row;

            if (!(at->rows[offset / 64] & (UINT64CONST(1) << (offset % 64))))
                continue;
            same = is_same(buffer, page, at->relation, at->block, offset, look, now, &row);
            settled = settled && same && !is_being_changed(row.t_data);
        }
        versions->clean[number] = same && settled ? where : InvalidXLogRecPtr;
    }
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

static void start_keys(VdfKeys *keys)
{
    keys->desc = CreateTemplateTupleDesc(3);
    TupleDescInitEntry(keys->desc, 1, "vdf_t", OIDOID, -1, 0);
    TupleDescInitEntry(keys->desc, 2, "vdf_i", TIDOID, -1, 0);
    TupleDescInitEntry(keys->desc, 3, "vdf_x", XIDOID, -1, 0);
    keys->store = vdf_keys_store();
    keys->count = 0;
}

/* A row version, copied while its page is locked. */
typedef struct Version
{
    ItemPointerData tid;
    TransactionId xmin;
} Version;

static void add_row(VdfKeys *keys, Oid relation, Version *row)
{
    Datum values[3] = {ObjectIdGetDatum(relation), PointerGetDatum(&row->tid), TransactionIdGetDatum(row->xmin)};
    bool nulls[3] = {false, false, false};

    tuplestore_putvalues(keys->store, keys->desc, values, nulls);
    keys->count++;
}

/* Rows of one block from the offset on, at most so many. */
static int read_block(Relation table, VdfRowBlock *at, bool there, OffsetNumber *offset, Snapshot look, Snapshot now,
                      uint64 limit, Version *versions, uint64 *changed)
{
    Buffer buffer = InvalidBuffer;
    int n = 0;

    if (there) {
        buffer = ReadBuffer(table, at->block);
        LockBuffer(buffer, BUFFER_LOCK_SHARE);
    }
    for (; *offset <= MaxHeapTuplesPerPage && (uint64) n < limit; (*offset)++) {
        HeapTupleData row;

        if (!(at->rows[*offset / 64] & (UINT64CONST(1) << (*offset % 64))))
            continue;
        if (!there || !is_same(buffer, BufferGetPage(buffer), at->relation, at->block, *offset, look, now, &row)) {
            (*changed)++;
            continue;
        }
        versions[n].tid = row.t_self;
        versions[n++].xmin = HeapTupleHeaderGetRawXmin(row.t_data);
    }
    if (there)
        UnlockReleaseBuffer(buffer);
    return n;
}

bool vdf_versions_take(VdfVersions *versions, VdfVersionCursor *cursor, Snapshot look, Snapshot now, uint64 limit,
                       VdfKeys *keys, Oid *relation, ItemPointer first, ItemPointer last, uint64 *changed)
{
    Relation table;
    BlockNumber blocks;

    *relation = versions->blocks[cursor->block].relation;
    table = open_table(versions, *relation);
    if (table == NULL)
        return false;
    start_keys(keys);
    blocks = RelationGetNumberOfBlocks(table);
    while (!vdf_versions_over(versions, cursor) && versions->blocks[cursor->block].relation == *relation && keys->count < limit) {
        VdfRowBlock *at = &versions->blocks[cursor->block];
        Version rows[MaxHeapTuplesPerPage];
        int n;

        CHECK_FOR_INTERRUPTS();
        n = read_block(table, at, at->block < blocks, &cursor->offset, look, now, limit - keys->count, rows, changed);
        for (int i = 0; i < n; i++) {
            if (keys->count == 0)
                *first = rows[i].tid;
            *last = rows[i].tid;
            add_row(keys, *relation, &rows[i]);
        }
        if (cursor->offset > MaxHeapTuplesPerPage) {
            cursor->block++;
            cursor->offset = 0;
        }
    }
    relation_close(table, NoLock);
    return true;
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
    for (int offset = 1; offset <= MaxHeapTuplesPerPage && (!RelationNeedsWAL(table) || BufferGetLSNAtomic(buffer) >= since); offset++)
        if ((at->rows[offset / 64] & (UINT64CONST(1) << (offset % 64))) &&
            is_deleted(page, at->block, offset))
            deleted++;
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
