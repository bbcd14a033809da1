#include "ext/key_ahead.h"

#include "ext/key_words.h"

#define ROWS_AHEAD 32

struct VdfKeyAhead
{
    TableScanDesc scan;
    int narms;
    const VdfProbeArm *arms;
    bool heap;
    int room; /* rows that are read at once */
    int nrows;
    int at;
    bool ended;
    int likely[ROWS_AHEAD]; /* the first arm that may lead to the row; as many as there are: none does */
    HeapTupleData tuples[ROWS_AHEAD];
    TupleTableSlot *slots[ROWS_AHEAD];
};

/* False where a column is NULL: then the row refers to nothing. */
static inline bool reference_of(TupleTableSlot *slot, const VdfProbeArm *arm, Datum *values)
{
    slot_getsomeattrs(slot, arm->last_column);
    for (int c = 0; c < arm->ncolumns; c++) {
        if (slot->tts_isnull[arm->columns[c] - 1])
            return false;
        values[c] = slot->tts_values[arm->columns[c] - 1];
    }
    return true;
}

static int leading_arm(TupleTableSlot *slot, int first, int narms, const VdfProbeArm *arms)
{
    for (int i = first; i < narms; i++) {
        Datum values[VDF_KEY_COLUMNS];

        if (reference_of(slot, &arms[i], values) && vdf_key_set_place(arms[i].set, values, arms[i].types) >= 0)
            return i;
    }
    return -1;
}

int vdf_leading_arm(TupleTableSlot *slot, int narms, const VdfProbeArm *arms)
{
    return leading_arm(slot, 0, narms, arms);
}

VdfKeyAhead *vdf_key_ahead_begin(Relation relation, EState *estate, int narms, const VdfProbeArm *arms)
{
    MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
    VdfKeyAhead *ahead = (VdfKeyAhead *) palloc0(sizeof(VdfKeyAhead));

    ahead->scan = table_beginscan(relation, estate->es_snapshot, 0, NULL);
    ahead->narms = narms;
    ahead->arms = arms;
    ahead->heap = relation->rd_tableam == GetHeapamTableAmRoutine();
    ahead->room = ahead->heap ? ROWS_AHEAD : 1;
    for (int i = 0; i < ahead->room; i++)
        ahead->slots[i] = table_slot_create(relation, &estate->es_tupleTable);
    MemoryContextSwitchTo(caller);
    return ahead;
}

/*
 * A heap leaves rows where they are while their page is pinned; of other kinds of tables nobody knows. The scan itself
 * remembers one row only, so that each slot is given a header of its own.
 */
static bool read_row(VdfKeyAhead *ahead, int n)
{
    HeapTuple tuple;

    if (!ahead->heap)
        return table_scan_getnextslot(ahead->scan, ForwardScanDirection, ahead->slots[n]);
    tuple = heap_getnext(ahead->scan, ForwardScanDirection);
    if (tuple == NULL)
        return false;
    ahead->tuples[n] = *tuple;
    (void) ExecStoreBufferHeapTuple(&ahead->tuples[n], ahead->slots[n], ((HeapScanDesc) ahead->scan)->rs_cbuf);
    return true;
}

/* Rows of a page, and the first of the next one: no more pages than that are pinned. */
static int read_rows(VdfKeyAhead *ahead)
{
    int n = 0;

    while (n < ahead->room && !ahead->ended) {
        ahead->ended = !read_row(ahead, n);
        n += ahead->ended ? 0 : 1;
        if (n > 1 && ItemPointerGetBlockNumber(&ahead->tuples[n - 1].t_self) != ItemPointerGetBlockNumber(&ahead->tuples[0].t_self))
            break;
    }
    return n;
}

/* The hash of a reference. The tags where it may be found are fetched from memory meanwhile. */
static inline uint64 ask(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS], hash;

    vdf_key_pack(set, values, types, words);
    hash = vdf_key_hash(set, words);
    __builtin_prefetch(set->tags + ((uint32) (hash >> 32) & set->mask));
    if (set->texts != 0)
        vdf_key_release(set, values, words);
    return hash;
}

/* False: no key with this hash is in the set. Else the first one with its tag is fetched from memory meanwhile. */
static inline bool may_have(const VdfKeySet *set, uint64 hash)
{
    const uint64 wanted = VDF_EACH_BYTE((uint64) vdf_key_tag(hash));

    for (uint32 slot = (uint32) (hash >> 32) & set->mask;; slot = (slot + sizeof(uint64)) & set->mask) {
        uint64 tags = vdf_tags_at(set, slot), empty = vdf_zero_bytes(tags);
        uint64 equal = vdf_zero_bytes(tags ^ wanted) & ((empty & -empty) - 1);

        if (equal != 0) {
            slot = vdf_byte_slot(set, slot, equal);
            __builtin_prefetch(set->keys + (Size) slot * set->words);
            if (set->marks != NULL)
                __builtin_prefetch(set->marks + slot);
            return true;
        }
        if (empty != 0)
            return false;
    }
}

static void read_ahead(VdfKeyAhead *ahead)
{
    uint64 hashes[ROWS_AHEAD];
    bool given[ROWS_AHEAD];

    CHECK_FOR_INTERRUPTS();
    ahead->at = 0;
    ahead->nrows = read_rows(ahead);
    for (int i = 0; i < ahead->nrows; i++)
        ahead->likely[i] = ahead->narms;
    for (int a = ahead->narms - 1; a >= 0; a--) {
        const VdfProbeArm *arm = &ahead->arms[a];

        for (int i = 0; i < ahead->nrows; i++) {
            Datum values[VDF_KEY_COLUMNS];

            given[i] = reference_of(ahead->slots[i], arm, values);
            if (given[i])
                hashes[i] = ask(arm->set, values, arm->types);
        }
        for (int i = 0; i < ahead->nrows; i++)
            if (given[i] && may_have(arm->set, hashes[i]))
                ahead->likely[i] = a;
    }
}

TupleTableSlot *vdf_key_ahead_next(VdfKeyAhead *ahead)
{
    for (;;) {
        while (ahead->at < ahead->nrows) {
            int i = ahead->at++;

            if (leading_arm(ahead->slots[i], ahead->likely[i], ahead->narms, ahead->arms) >= 0)
                return ahead->slots[i];
        }
        if (ahead->ended)
            return NULL;
        read_ahead(ahead);
    }
}

static void forget_rows(VdfKeyAhead *ahead)
{
    for (int i = 0; i < ahead->room; i++)
        ExecClearTuple(ahead->slots[i]);
    ahead->nrows = ahead->at = 0;
}

void vdf_key_ahead_rescan(VdfKeyAhead *ahead)
{
    forget_rows(ahead);
    ahead->ended = false;
    table_rescan(ahead->scan, NULL);
}

void vdf_key_ahead_end(VdfKeyAhead *ahead)
{
    forget_rows(ahead);
    table_endscan(ahead->scan);
}
