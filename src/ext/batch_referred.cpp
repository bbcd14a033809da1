/*
 * batch_referred.cpp: does anything refer to the rows that a batch has deleted?
 *
 * Whatever did when the look was had, the look has found, and the batches before have deleted it. So only a row version
 * that the look did not see can. Those are looked for page by page, whether anybody sees them yet or not; a page without
 * any has none until a WAL record touches it again, so that later batches need not read its rows.
 */
#include "ext/batch.h"
#include "ext/facts.h"
#include "ext/guc.h"
#include "ext/key_ahead.h"
#include "ext/sweep.h"

/* About this many pages are looked at in the time of one look-up in an index. */
#define PAGES_PER_LOOKUP 4

/* What is known of a table behind an edge. */
struct VdfBatchPages
{
    Oid table;
    Oid file;         /* written anew, it may have other rows in pages that look old */
    XLogRecPtr since; /* pages that were changed last before have no version that the look did not see; 0: nothing is known */
};

/* Rows behind the edge that the look has found are all gone, and it would have found them. */
static bool is_emptied(VdfBatches *b, VdfDeletionPlan *plan, int edge)
{
    const VdfBatchNode *child = &b->nodes[plan->graph.edges[edge].child];
    VdfFacts *facts = vdf_facts(plan, plan->edges[edge].relation);

    return vdf_action(plan, edge) == VDF_ACTION_DELETE && !child->left && (child->rows == 0 || child->emptied) &&
           !facts->delete_rule && !facts->no_replica && !facts->foreign;
}

static bool may_refer(HeapTupleHeader row, Size length, Relation table, const VdfProbeArm *arm, TupleTableSlot *slot)
{
    HeapTupleData tuple;
    bool refers;

    tuple.t_data = row;
    tuple.t_len = length;
    tuple.t_tableOid = RelationGetRelid(table);
    ItemPointerSetInvalid(&tuple.t_self);
    /* What a dead row keeps elsewhere may be gone. */
    if (HeapTupleHasExternal(&tuple))
        return true;
    (void) ExecStoreHeapTuple(&tuple, slot, false);
    refers = vdf_leading_arm(slot, 1, arm) >= 0;
    ExecClearTuple(slot);
    return refers;
}

/* True: a row version that the look did not see may refer to a key. */
static bool page_refers(Page page, Relation table, const VdfProbeArm *arm, Snapshot look, TupleTableSlot *slot, bool *unseen)
{
    OffsetNumber last = PageIsNew(page) ? InvalidOffsetNumber : PageGetMaxOffsetNumber(page);

    for (OffsetNumber offset = FirstOffsetNumber; offset <= last; offset++) {
        ItemId item = PageGetItemId(page, offset);
        HeapTupleHeader row;

        if (!ItemIdIsNormal(item))
            continue;
        row = (HeapTupleHeader) PageGetItem(page, item);
        if (HeapTupleHeaderXminInvalid(row) || vdf_look_saw(row, look))
            continue;
        *unseen = true;
        if (may_refer(row, ItemIdGetLength(item), table, arm, slot))
            return true;
    }
    return false;
}

static bool pages_refer(VdfBatchPages *pages, Relation table, const VdfProbeArm *arm, Snapshot look)
{
    XLogRecPtr now = GetXLogInsertRecPtr(); /* before the pages are counted: what fills a later one lies behind */
    BlockNumber blocks = RelationGetNumberOfBlocks(table);
    BufferAccessStrategy strategy = blocks > (BlockNumber) NBuffers / 4 ? GetAccessStrategy(BAS_BULKREAD) : NULL;
    TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(table), &TTSOpsHeapTuple);
    bool refers = false, unseen = false;

    for (BlockNumber block = 0; block < blocks && !refers; block++) {
        Buffer buffer;

        CHECK_FOR_INTERRUPTS();
        buffer = ReadBufferExtended(table, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
        /* With the lock: a change whose record lies before "now" has left its position in the page by then. */
        LockBuffer(buffer, BUFFER_LOCK_SHARE);
        if (pages->since == InvalidXLogRecPtr || BufferGetLSNAtomic(buffer) > pages->since)
            refers = page_refers(BufferGetPage(buffer), table, arm, look, slot, &unseen);
        UnlockReleaseBuffer(buffer);
    }
    ExecDropSingleTupleTableSlot(slot);
    if (strategy != NULL)
        FreeAccessStrategy(strategy);
    if (!unseen)
        pages->since = now;
    return refers;
}

static VdfBatchPages *pages_of(VdfBatches *b, int edge, Relation table)
{
    VdfBatchPages *pages;
    ListCell *cell;
    MemoryContext caller;

    foreach (cell, b->pages[edge]) {
        pages = (VdfBatchPages *) lfirst(cell);
        if (pages->table != RelationGetRelid(table))
            continue;
        if (pages->file != table->rd_rel->relfilenode || !RelationNeedsWAL(table))
            pages->since = InvalidXLogRecPtr;
        pages->file = table->rd_rel->relfilenode;
        return pages;
    }
    caller = MemoryContextSwitchTo(b->memory);
    pages = (VdfBatchPages *) palloc0(sizeof(VdfBatchPages));
    pages->table = RelationGetRelid(table);
    pages->file = table->rd_rel->relfilenode;
    b->pages[edge] = lappend(b->pages[edge], pages);
    MemoryContextSwitchTo(caller);
    return pages;
}

/* The heaps behind an edge; none where one of them is something else, or they have more pages than can be looked at. */
static List *tables_of(Oid relation, BlockNumber most)
{
    List *tables = NIL, *all = find_all_inheritors(relation, AccessShareLock, NULL);
    ListCell *cell;
    bool fits = true;
    uint64 blocks = 0;

    foreach (cell, all) {
        Relation table = table_open(lfirst_oid(cell), NoLock);

        /* A partition; what inherits otherwise has no part in the key of its parent. */
        if (table->rd_rel->relkind != RELKIND_PARTITIONED_TABLE &&
            (lfirst_oid(cell) == relation || table->rd_rel->relispartition)) {
            fits = fits && table->rd_tableam == GetHeapamTableAmRoutine();
            blocks += fits ? RelationGetNumberOfBlocks(table) : 0;
            tables = lappend_oid(tables, lfirst_oid(cell));
        }
        table_close(table, NoLock);
    }
    list_free(all);
    return fits && blocks <= most ? tables : NIL;
}

/* True: nothing refers through the edge. False: it is not known. */
static bool nothing_refers(VdfBatches *b, VdfRun *run, int edge)
{
    uint64 keys = run->nodes[run->plan->graph.edges[edge].parent].all.count;
    VdfKeyScan scan;
    VdfKeyArm keyed;
    List *tables;
    ListCell *cell;
    bool refers = false;

    if (keys == 0)
        return true;
    if (vdf_prove_all || !is_emptied(b, run->plan, edge) || !vdf_sweep_scan_of(run, edge, &scan, &keyed))
        return false;
    tables = tables_of(scan.relation, scan.probe ? (BlockNumber) Min(keys * PAGES_PER_LOOKUP, MaxBlockNumber) : MaxBlockNumber);
    for (cell = list_head(tables); cell != NULL && !refers; cell = lnext(tables, cell)) {
        Relation table = table_open(lfirst_oid(cell), NoLock);
        VdfProbeArm arm = vdf_key_arm_in(table, &keyed);

        refers = pages_refer(pages_of(b, edge, table), table, &arm, b->look);
        table_close(table, NoLock);
    }
    return tables != NIL && !refers;
}

bool vdf_batch_referred(VdfBatches *b, VdfRun *run, int node)
{
    /* So that they can be looked for by a scan. */
    if (run->nodes[node].all.count > 0)
        vdf_sweep_pack(run, run->plan->view->component_of[node]);
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (run->plan->graph.edges[i].parent == node && !nothing_refers(b, run, i) &&
            vdf_count_left(run, i, VDF_SQL_FIND_LEFT) > 0)
            return true;
    return false;
}
