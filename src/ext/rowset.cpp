#include "ext/rowset.h"

#include "ext/report.h"

typedef struct BlockKey
{
    Oid relation;
    BlockNumber block;
} BlockKey;

typedef struct BlockRows
{
    BlockKey key;
    uint64 rows[VDF_ROWSET_WORDS];
} BlockRows;

struct VdfRowSet
{
    HTAB *blocks;
    BlockRows *last; /* scans meet the rows of a block one after the other */
};

VdfRowSet *vdf_rowset_create(void)
{
    VdfRowSet *set = (VdfRowSet *) palloc0(sizeof(VdfRowSet));
    HASHCTL control;

    memset(&control, 0, sizeof(control));
    control.keysize = sizeof(BlockKey);
    control.entrysize = sizeof(BlockRows);
    control.hcxt = CurrentMemoryContext;
    set->blocks = hash_create("vedfolnir rows", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    return set;
}

void vdf_rowset_free(VdfRowSet *set)
{
    hash_destroy(set->blocks);
    pfree(set);
}

static BlockRows *find_block(VdfRowSet *set, Oid relation, ItemPointer tid, bool add)
{
    BlockKey key;
    bool found;
    BlockRows *entry;

    key.relation = relation;
    key.block = ItemPointerGetBlockNumber(tid);
    if (set->last != NULL && set->last->key.relation == key.relation && set->last->key.block == key.block)
        return set->last;
    entry = (BlockRows *) hash_search(set->blocks, &key, add ? HASH_ENTER : HASH_FIND, &found);
    if (entry == NULL)
        return NULL;
    if (!found)
        memset(entry->rows, 0, sizeof(entry->rows));
    set->last = entry;
    return entry;
}

static uint64 bit_of(ItemPointer tid, int *word)
{
    OffsetNumber offset = ItemPointerGetOffsetNumber(tid);

    if (offset > MaxHeapTuplesPerPage)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("cannot walk a table whose access method is not heap")));
    *word = offset / 64;
    return UINT64CONST(1) << (offset % 64);
}

bool vdf_rowset_add(VdfRowSet *set, Oid relation, ItemPointer tid)
{
    int word;
    uint64 bit = bit_of(tid, &word);
    BlockRows *block = find_block(set, relation, tid, true);

    if (block->rows[word] & bit)
        return false;
    block->rows[word] |= bit;
    return true;
}

bool vdf_rowset_has(VdfRowSet *set, Oid relation, ItemPointer tid)
{
    int word;
    uint64 bit = bit_of(tid, &word);
    BlockRows *block = find_block(set, relation, tid, false);

    return block != NULL && (block->rows[word] & bit) != 0;
}

static int compare_blocks(const void *a, const void *b)
{
    const VdfRowBlock *left = (const VdfRowBlock *) a, *right = (const VdfRowBlock *) b;

    if (left->relation != right->relation)
        return left->relation < right->relation ? -1 : 1;
    return left->block < right->block ? -1 : left->block > right->block ? 1 : 0;
}

VdfRowBlock *vdf_rowset_blocks(VdfRowSet *set, int *n)
{
    long size = hash_get_num_entries(set->blocks);
    VdfRowBlock *blocks = (VdfRowBlock *) MemoryContextAllocHuge(CurrentMemoryContext, sizeof(VdfRowBlock) * (size + 1));
    HASH_SEQ_STATUS scan;
    BlockRows *entry;

    *n = 0;
    hash_seq_init(&scan, set->blocks);
    while ((entry = (BlockRows *) hash_seq_search(&scan)) != NULL) {
        VdfRowBlock *block = &blocks[(*n)++];

        block->relation = entry->key.relation;
        block->block = entry->key.block;
        block->rows = entry->rows;
    }
    qsort(blocks, *n, sizeof(VdfRowBlock), compare_blocks);
    return blocks;
}

VdfRowSet *vdf_rowset_without(VdfRowSet *set, VdfRowSet *other, uint64 *count)
{
    VdfRowSet *left = vdf_rowset_create();
    int n;
    VdfRowBlock *blocks = vdf_rowset_blocks(set, &n);

    *count = 0;
    for (int i = 0; i < n; i++) {
        CHECK_FOR_INTERRUPTS();
        for (OffsetNumber offset = FirstOffsetNumber; offset <= MaxHeapTuplesPerPage; offset++) {
            ItemPointerData tid;

            if (!(blocks[i].rows[offset / 64] & (UINT64CONST(1) << (offset % 64))))
                continue;
            ItemPointerSet(&tid, blocks[i].block, offset);
            if (other == NULL || !vdf_rowset_has(other, blocks[i].relation, &tid))
                *count += vdf_rowset_add(left, blocks[i].relation, &tid);
        }
    }
    pfree(blocks);
    return left;
}
