#include "ext/key_ahead.h"

#include "ext/key_words.h"

#define ROWS_AHEAD 32

/* Where the columns of a reference are in a row that has values in all columns up to its last one. */
typedef struct ColumnPlace
{
    int offset;
    int length;
    bool by_value;
} ColumnPlace;

typedef struct ArmPlaces
{
    bool known;
    ColumnPlace columns[VDF_KEY_COLUMNS];
} ArmPlaces;

struct VdfKeyAhead
{
    TableScanDesc scan;
    int narms;
    const VdfProbeArm *arms;
    ArmPlaces *places; /* per arm */
    bool heap;
    int room; /* rows that are read at once */
    int nrows;
    int at;
    bool ended;
    int likely[ROWS_AHEAD]; /* the first arm that may lead to the row; as many as there are: none does */
    HeapTupleData tuples[ROWS_AHEAD];
    TupleTableSlot *slots[ROWS_AHEAD]; /* empty where nobody asked for the row in this form yet */
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

/* The offset of a column, -1 where values of differing length precede it: as the server itself keeps them. */
static int column_offset(TupleDesc descriptor, AttrNumber column)
{
    int offset = 0;

    for (int i = 0; i < column; i++) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
        int aligned = att_align_nominal(offset, attribute->attalign);

        /* A short varlena is not aligned, a long one is. */
        if (i == column - 1)
            return attribute->attlen > 0 || (attribute->attlen == -1 && aligned == offset) ? aligned : -1;
        if (attribute->attlen <= 0)
            return -1;
        offset = aligned + attribute->attlen;
    }
    return -1;
}

static ArmPlaces *arm_places(TupleDesc descriptor, int narms, const VdfProbeArm *arms)
{
    ArmPlaces *places = (ArmPlaces *) palloc0(sizeof(ArmPlaces) * narms);

    for (int a = 0; a < narms; a++) {
        places[a].known = true;
        for (int c = 0; c < arms[a].ncolumns; c++) {
            AttrNumber column = arms[a].columns[c];
            Form_pg_attribute attribute = TupleDescAttr(descriptor, column - 1);
            ColumnPlace place = {column_offset(descriptor, column), attribute->attlen, attribute->attbyval};

            places[a].columns[c] = place;
            places[a].known = places[a].known && place.offset >= 0;
        }
    }
    return places;
}

VdfKeyAhead *vdf_key_ahead_begin(Relation relation, EState *estate, int narms, const VdfProbeArm *arms)
{
    MemoryContext caller = MemoryContextSwitchTo(estate->es_query_cxt);
    VdfKeyAhead *ahead = (VdfKeyAhead *) palloc0(sizeof(VdfKeyAhead));

    ahead->scan = table_beginscan(relation, estate->es_snapshot, 0, NULL);
    ahead->narms = narms;
    ahead->arms = arms;
    /* Without the list of a page's visible rows the end of the page is not known before the next one. */
    ahead->heap = relation->rd_tableam == GetHeapamTableAmRoutine() && (ahead->scan->rs_flags & SO_ALLOW_PAGEMODE) != 0;
    ahead->room = ahead->heap ? ROWS_AHEAD : 1;
    for (int i = 0; i < ahead->room; i++)
        ahead->slots[i] = table_slot_create(relation, &estate->es_tupleTable);
    ahead->places = arm_places(RelationGetDescr(relation), narms, arms);
    MemoryContextSwitchTo(caller);
    return ahead;
}

/* Rows of one page: the scan keeps it pinned, and a heap leaves rows where they are while it is. */
static int read_rows(VdfKeyAhead *ahead)
{
    HeapScanDesc heap = (HeapScanDesc) ahead->scan;
    int n = 0;

    if (!ahead->heap) {
        ahead->ended = !table_scan_getnextslot(ahead->scan, ForwardScanDirection, ahead->slots[0]);
        return ahead->ended ? 0 : 1;
    }
    do {
        HeapTuple tuple = heap_getnext(ahead->scan, ForwardScanDirection);

        ahead->ended = tuple == NULL;
        if (!ahead->ended)
            ahead->tuples[n++] = *tuple;
    } while (!ahead->ended && n < ahead->room && (uint32) heap->rs_cindex + 1 < (uint32) heap->rs_ntuples);
    return n;
}

static TupleTableSlot *slot_of(VdfKeyAhead *ahead, int n)
{
    TupleTableSlot *slot = ahead->slots[n];

    if (TTS_EMPTY(slot))
        (void) ExecStoreBufferHeapTuple(&ahead->tuples[n], slot, ((HeapScanDesc) ahead->scan)->rs_cbuf);
    return slot;
}

static inline bool has_values(const HeapTupleHeaderData *row, int ncolumns)
{
    const bits8 *bits = row->t_bits;

    for (; ncolumns >= 8; ncolumns -= 8)
        if (*bits++ != 0xff)
            return false;
    return ncolumns == 0 || (*bits | (0xff << ncolumns & 0xff)) == 0xff;
}

/* As reference_of(), without taking the row apart where the places of the columns are known. */
static inline bool reference_ahead(VdfKeyAhead *ahead, int n, int a, Datum *values)
{
    const VdfProbeArm *arm = &ahead->arms[a];
    const ArmPlaces *places = &ahead->places[a];
    const HeapTupleHeaderData *row = ahead->tuples[n].t_data;

    if (!ahead->heap || !places->known || HeapTupleHeaderGetNatts(row) < arm->last_column)
        return reference_of(slot_of(ahead, n), arm, values);
    if ((row->t_infomask & HEAP_HASNULL) != 0) {
        for (int c = 0; c < arm->ncolumns; c++)
            if (att_isnull(arm->columns[c] - 1, row->t_bits))
                return false;
        if (!has_values(row, arm->last_column))
            return reference_of(slot_of(ahead, n), arm, values);
    }
    for (int c = 0; c < arm->ncolumns; c++) {
        const ColumnPlace *place = &places->columns[c];

        values[c] = fetch_att((const char *) row + row->t_hoff + place->offset, place->by_value, place->length);
    }
    return true;
}

/* The hash of a reference. The tags where it may be found are fetched from memory meanwhile. */
static inline uint64 ask(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS], hash;

    vdf_key_pack(set, values, types, words);
    hash = vdf_key_hash(set, words);
    __builtin_prefetch(set->tags + ((uint32) (hash >> 32) & set->mask));
    if (set->places != 0)
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

static void forget_rows(VdfKeyAhead *ahead)
{
    for (int i = 0; i < ahead->nrows; i++)
        if (!TTS_EMPTY(ahead->slots[i]))
            ExecClearTuple(ahead->slots[i]);
    ahead->nrows = ahead->at = 0;
}

static void read_ahead(VdfKeyAhead *ahead)
{
    uint64 hashes[ROWS_AHEAD];
    bool given[ROWS_AHEAD];

    CHECK_FOR_INTERRUPTS();
    forget_rows(ahead);
    ahead->nrows = read_rows(ahead);
    for (int i = 0; i < ahead->nrows; i++)
        ahead->likely[i] = ahead->narms;
    for (int a = ahead->narms - 1; a >= 0; a--) {
        const VdfProbeArm *arm = &ahead->arms[a];

        for (int i = 0; i < ahead->nrows; i++) {
            Datum values[VDF_KEY_COLUMNS];

            given[i] = reference_ahead(ahead, i, a, values);
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

            if (ahead->likely[i] < ahead->narms &&
                leading_arm(slot_of(ahead, i), ahead->likely[i], ahead->narms, ahead->arms) >= 0)
                return ahead->slots[i];
        }
        if (ahead->ended)
            return NULL;
        read_ahead(ahead);
    }
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
