#include "ext/key_probe.h"

#include "ext/partial_index.h"

#define FIRST_PLACES 64
#define PAGES_AHEAD 8

typedef struct ArmScan
{
    const VdfProbeArm *arm;
    Relation index;
    int column[VDF_KEY_COLUMNS]; /* of the set, per column of the index */
} ArmScan;

struct VdfKeyProbe
{
    Relation relation;
    Snapshot snapshot;
    IndexFetchTableData *fetch; /* NULL: rows of a heap are read here, without pruning */
    Buffer pages[PAGES_AHEAD];  /* of the places from first_page on */
    int first_page;
    int npages;
    bool ask_disk;                  /* as effective_io_concurrency has it */
    int asked;                      /* places whose pages were asked for */
    Buffer recent[2 * PAGES_AHEAD]; /* where those were found in memory, by place */
    int narms;
    ArmScan *arms;
    int arm;            /* that is looked up */
    IndexScanDesc scan; /* of it; NULL: not begun */
    uint32 key;         /* of its set: where the next one is looked for */
    bool open;          /* the index has more places for the key before that */
    int done;           /* arms whose places were all visited before those at hand were collected */
    ItemPointerData *places;
    int nplaces;
    int room;
    int at;
};

/* A row address is 6 bytes: the visits of one large key stay in the order of the heap, in a share of work_mem. */
static int most_places(void)
{
    return Max(work_mem * (1024 / 8) / (int) sizeof(ItemPointerData), FIRST_PLACES);
}

bool vdf_probe_serves(Relation index, int ncolumns, const AttrNumber *columns, const Oid *types, int *order)
{
    Form_pg_index form = index->rd_index;

    if (index->rd_rel->relam != BTREE_AM_OID || !form->indisvalid || form->indnkeyatts < ncolumns)
        return false;
    for (int i = 0; i < ncolumns; i++) {
        int c = 0;

        while (c < ncolumns && columns[c] != form->indkey.values[i])
            c++;
        if (c == ncolumns || index->rd_opcintype[i] != (types[c] == VARCHAROID ? TEXTOID : types[c]) ||
            (OidIsValid(index->rd_indcollation[i]) && !get_collation_isdeterministic(index->rd_indcollation[i])) ||
            index->rd_opfamily[i] != lookup_type_cache(types[c], TYPECACHE_BTREE_OPFAMILY)->btree_opf)
            return false;
        for (int j = 0; j < i; j++)
            if (order[j] == c)
                return false;
        order[i] = c;
    }
    return vdf_index_holds_values(index, ncolumns, columns);
}

/* Built while rows were changed, an index may not lead an older snapshot to some of them. */
static bool leads_snapshot(Relation index)
{
    return !index->rd_index->indcheckxmin ||
           TransactionIdPrecedes(HeapTupleHeaderGetXmin(index->rd_indextuple->t_data), TransactionXmin);
}

static bool try_index(Oid number, ArmScan *scan)
{
    Relation index = index_open(number, AccessShareLock);

    if (vdf_probe_serves(index, scan->arm->ncolumns, scan->arm->columns, scan->arm->types, scan->column) &&
        leads_snapshot(index)) {
        scan->index = index;
        return true;
    }
    index_close(index, NoLock);
    return false;
}

static bool find_index(Relation relation, ArmScan *scan)
{
    List *indexes = RelationGetIndexList(relation);
    Oid *known = scan->arm->index;
    ListCell *cell;

    /* The one that served before may be gone, or never have been of this partition. */
    if (known != NULL && list_member_oid(indexes, *known) && try_index(*known, scan)) {
        list_free(indexes);
        return true;
    }
    foreach (cell, indexes)
        if (try_index(lfirst_oid(cell), scan)) {
            if (known != NULL)
                *known = lfirst_oid(cell);
            break;
        }
    list_free(indexes);
    return scan->index != NULL;
}

VdfKeyProbe *vdf_key_probe_begin(Relation relation, Snapshot snapshot, bool prune, int narms, const VdfProbeArm *arms)
{
    VdfKeyProbe *probe = (VdfKeyProbe *) palloc0(sizeof(VdfKeyProbe));
    bool found = true;

    probe->relation = relation;
    probe->snapshot = snapshot;
    probe->narms = narms;
    probe->arms = (ArmScan *) palloc0(sizeof(ArmScan) * narms);
    for (int i = 0; i < narms && found; i++) {
        probe->arms[i].arm = &arms[i];
        found = find_index(relation, &probe->arms[i]);
    }
    if (!found) {
        vdf_key_probe_end(probe);
        return NULL;
    }
    probe->room = FIRST_PLACES;
    probe->places = (ItemPointerData *) palloc(sizeof(ItemPointerData) * probe->room);
    if (prune || relation->rd_tableam != GetHeapamTableAmRoutine())
        probe->fetch = table_index_fetch_begin(relation);
    probe->ask_disk = get_tablespace_io_concurrency(relation->rd_rel->reltablespace) > 0;
    return probe;
}

/* A key of the set as the column has it; false where it is beyond the column's range: then nothing refers to it. */
static bool narrow(Oid type, Datum *value)
{
    int64 key = DatumGetInt64(*value);

    if (type == INT4OID) {
        *value = Int32GetDatum((int32) key);
        return key == (int32) key;
    }
    if (type == INT2OID) {
        *value = Int16GetDatum((int16) key);
        return key == (int16) key;
    }
    return true;
}

/* Begins the look-up of the next key of an arm; false: there is none. */
static bool next_key(VdfKeyProbe *probe, ArmScan *scan)
{
    const VdfProbeArm *arm = scan->arm;
    Datum values[VDF_KEY_COLUMNS];
    ScanKeyData keys[VDF_KEY_COLUMNS];
    bool within;

    do {
        if (!vdf_key_set_next(arm->set, &probe->key, values))
            return false;
        within = true;
        for (int c = 0; c < arm->ncolumns; c++)
            within = narrow(arm->types[c], &values[c]) && within;
    } while (!within);
    for (int i = 0; i < arm->ncolumns; i++) {
        int c = scan->column[i];

        ScanKeyEntryInitializeWithInfo(&keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid, scan->index->rd_indcollation[i],
                                       &lookup_type_cache(arm->types[c], TYPECACHE_EQ_OPR_FINFO)->eq_opr_finfo, values[c]);
    }
    if (probe->scan == NULL)
        probe->scan = vdf_index_beginscan(probe->relation, scan->index, probe->snapshot, arm->ncolumns);
    index_rescan(probe->scan, keys, arm->ncolumns, NULL, 0);
    return true;
}

static void leave_pages(VdfKeyProbe *probe)
{
    for (int i = 0; i < probe->npages; i++)
        ReleaseBuffer(probe->pages[i]);
    probe->npages = 0;
}

static bool room_for_place(VdfKeyProbe *probe)
{
    if (probe->nplaces < probe->room)
        return true;
    if (probe->room >= most_places())
        return false;
    probe->room = Min(probe->room * 2, most_places());
    probe->places = (ItemPointerData *) repalloc(probe->places, sizeof(ItemPointerData) * probe->room);
    return true;
}

/* The places behind the rest of an arm; false: there are more than fit. */
static bool collect_arm(VdfKeyProbe *probe)
{
    ArmScan *scan = &probe->arms[probe->arm];

    while (probe->open || next_key(probe, scan)) {
        ItemPointer place;

        probe->open = true;
        for (;;) {
            CHECK_FOR_INTERRUPTS();
            if (!room_for_place(probe))
                return false;
            place = index_getnext_tid(probe->scan, ForwardScanDirection);
            if (place == NULL)
                break;
            probe->places[probe->nplaces++] = *place;
        }
        probe->open = false;
    }
    if (probe->scan != NULL)
        index_endscan(probe->scan);
    probe->scan = NULL;
    probe->key = 0;
    return true;
}

static int compare_places(const void *a, const void *b)
{
    return ItemPointerCompare((ItemPointer) a, (ItemPointer) b);
}

/*
 * Collects places, as many as fit. What begins within an arm ends with it: its places are new unless an arm before it
 * led there, while those of a later arm could be known from either part.
 */
static bool collect(VdfKeyProbe *probe)
{
    bool within = probe->scan != NULL;
    int kept = 0;

    probe->done = probe->arm;
    probe->nplaces = probe->at = probe->asked = 0;
    leave_pages(probe);
    while (probe->arm < probe->narms && collect_arm(probe)) {
        probe->arm++;
        if (within)
            break;
    }
    if (probe->nplaces > 1) {
        qsort(probe->places, probe->nplaces, sizeof(ItemPointerData), compare_places);
        for (int i = 0; i < probe->nplaces; i++)
            if (kept == 0 || !ItemPointerEquals(&probe->places[kept - 1], &probe->places[i]))
                probe->places[kept++] = probe->places[i];
        probe->nplaces = kept;
    }
    return probe->nplaces > 0;
}

bool vdf_key_probe_leads(VdfKeyProbe *probe)
{
    while (probe->at == probe->nplaces && probe->arm < probe->narms)
        (void) collect(probe);
    return probe->at < probe->nplaces;
}

/* Reading goes on while others are dealt with. A look at what is in memory already is not lost. */
static void ask_for_pages(VdfKeyProbe *probe, int end)
{
    for (; probe->asked < Min(end, probe->nplaces); probe->asked++)
        probe->recent[probe->asked % lengthof(probe->recent)] =
            PrefetchBuffer(probe->relation, MAIN_FORKNUM, ItemPointerGetBlockNumber(&probe->places[probe->asked])).recent_buffer;
}

static Buffer read_page(VdfKeyProbe *probe, int at)
{
    BlockNumber block = ItemPointerGetBlockNumber(&probe->places[at]);
    Buffer recent = at < probe->asked ? probe->recent[at % lengthof(probe->recent)] : InvalidBuffer;

    return BufferIsValid(recent) && vdf_read_recent_buffer(probe->relation, block, recent) ? recent
                                                                                           : ReadBuffer(probe->relation, block);
}

/* Rows lie apart, on the disk and in memory, and each is waited for unless it was asked for before. */
static void read_pages(VdfKeyProbe *probe, int first)
{
    leave_pages(probe);
    probe->first_page = first;
    if (probe->ask_disk && probe->nplaces > 1)
        ask_for_pages(probe, first + 2 * PAGES_AHEAD);
    while (probe->npages < PAGES_AHEAD && first + probe->npages < probe->nplaces) {
        Buffer buffer = read_page(probe, first + probe->npages);
        Page page = BufferGetPage(buffer);

        __builtin_prefetch(page);
        __builtin_prefetch(PageGetItemId(page, ItemPointerGetOffsetNumber(&probe->places[first + probe->npages])));
        probe->pages[probe->npages++] = buffer;
    }
    for (int i = 0; i < probe->npages; i++) {
        Page page = BufferGetPage(probe->pages[i]);

        __builtin_prefetch((char *) page + ItemIdGetOffset(PageGetItemId(page, ItemPointerGetOffsetNumber(&probe->places[first + i]))));
    }
}

/* The visible row of a chain of versions. */
static bool fetch_row(VdfKeyProbe *probe, int at, TupleTableSlot *slot)
{
    HeapTuple row = &((BufferHeapTupleTableSlot *) slot)->base.tupdata;
    ItemPointerData place = probe->places[at];
    bool again = false;
    Buffer buffer;
    bool found;

    if (probe->fetch != NULL)
        return table_index_fetch_tuple(probe->fetch, &place, probe->snapshot, slot, &again, NULL);
    if (at >= probe->first_page + probe->npages || at < probe->first_page)
        read_pages(probe, at);
    buffer = probe->pages[at - probe->first_page];
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    found = heap_hot_search_buffer(&place, probe->relation, buffer, probe->snapshot, row, NULL, true);
    LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    if (found) {
        slot->tts_tableOid = RelationGetRelid(probe->relation);
        ExecStoreBufferHeapTuple(row, slot, buffer);
    }
    return found;
}

bool vdf_key_probe_next(VdfKeyProbe *probe, TupleTableSlot *slot, int *done)
{
    while (vdf_key_probe_leads(probe)) {
        if (fetch_row(probe, probe->at++, slot)) {
            *done = probe->done;
            return true;
        }
    }
    leave_pages(probe); /* scans of many partitions stay open together */
    return false;
}

void vdf_key_probe_end(VdfKeyProbe *probe)
{
    if (probe->scan != NULL)
        index_endscan(probe->scan);
    if (probe->fetch != NULL)
        table_index_fetch_end(probe->fetch);
    leave_pages(probe);
    for (int i = 0; i < probe->narms; i++)
        if (probe->arms[i].index != NULL)
            index_close(probe->arms[i].index, NoLock); /* the lock stays, as after any scan of an index */
}
