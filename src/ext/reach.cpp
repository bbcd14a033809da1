#include "ext/execute.h"
#include "ext/reach.h"

typedef struct Row
{
    Oid relation;
    ItemPointerData tid;
    uint16 unused; /* named, so that copies have it too: a row is hashed as it lies in memory */
} Row;

/* The steps from one row are a list within one array. */
typedef struct Step
{
    Row to;
    int64 next; /* -1: the last one */
} Step;

typedef struct StepsFrom
{
    Row from; /* hash key */
    int64 first;
} StepsFrom;

struct VdfReach
{
    MemoryContext context;
    VdfRowSet *reached;
    TupleDesc desc;
    Tuplestorestate *all; /* every step, in the order in which they were told */
    bool more;            /* the last reading reached rows */
    /* Only for what readings leave open. */
    HTAB *from;
    Step *steps;
    int64 nsteps;
    int64 room;
    Row *todo; /* rows whose steps are still to be followed */
    int64 ntodo;
    int64 todo_room;
};

#define READINGS 8
#define FIRST_ROOM 256

static Row row_of(Oid relation, ItemPointer tid)
{
    Row row;

    row.unused = 0;
    row.relation = relation;
    ItemPointerCopy(tid, &row.tid);
    return row;
}

VdfReach *vdf_reach_create(VdfRowSet *reached)
{
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir reach", ALLOCSET_DEFAULT_SIZES);
    VdfReach *reach = (VdfReach *) MemoryContextAllocZero(context, sizeof(VdfReach));
    MemoryContext caller = MemoryContextSwitchTo(context);

    reach->context = context;
    reach->reached = reached;
    reach->desc = CreateTemplateTupleDesc(4);
    TupleDescInitEntry(reach->desc, 1, "from_relation", OIDOID, -1, 0);
    TupleDescInitEntry(reach->desc, 2, "from_row", TIDOID, -1, 0);
    TupleDescInitEntry(reach->desc, 3, "to_relation", OIDOID, -1, 0);
    TupleDescInitEntry(reach->desc, 4, "to_row", TIDOID, -1, 0);
    reach->all = vdf_keys_store();
    MemoryContextSwitchTo(caller);
    return reach;
}

void vdf_reach_start(VdfReach *reach, Oid relation, ItemPointer tid)
{
    (void) vdf_rowset_add(reach->reached, relation, tid);
}

void vdf_reach_step(VdfReach *reach, Oid relation, ItemPointer tid, Oid to_relation, ItemPointer to_tid)
{
    Datum values[4] = {ObjectIdGetDatum(relation), PointerGetDatum(tid), ObjectIdGetDatum(to_relation),
                       PointerGetDatum(to_tid)};
    bool nulls[4] = {false, false, false, false};

    tuplestore_putvalues(reach->all, reach->desc, values, nulls);
}

static void read_steps(VdfReach *reach, void (*act)(VdfReach *, const Row *, const Row *))
{
    TupleTableSlot *slot = MakeSingleTupleTableSlot(reach->desc, &TTSOpsMinimalTuple);

    tuplestore_rescan(reach->all);
    while (tuplestore_gettupleslot(reach->all, true, false, slot)) {
        Row from, to;

        CHECK_FOR_INTERRUPTS();
        slot_getallattrs(slot);
        from = row_of(DatumGetObjectId(slot->tts_values[0]), (ItemPointer) DatumGetPointer(slot->tts_values[1]));
        to = row_of(DatumGetObjectId(slot->tts_values[2]), (ItemPointer) DatumGetPointer(slot->tts_values[3]));
        act(reach, &from, &to);
    }
    ExecDropSingleTupleTableSlot(slot);
}

static bool is_reached(const VdfReach *reach, const Row *row)
{
    ItemPointerData tid = row->tid;

    return vdf_rowset_has(reach->reached, row->relation, &tid);
}

static bool add(VdfReach *reach, const Row *row)
{
    ItemPointerData tid = row->tid;

    return vdf_rowset_add(reach->reached, row->relation, &tid);
}

static void follow_step(VdfReach *reach, const Row *from, const Row *to)
{
    if (is_reached(reach, from) && add(reach, to))
        reach->more = true;
}

static void push(VdfReach *reach, Row row)
{
    if (reach->ntodo == reach->todo_room) {
        reach->todo_room *= 2;
        reach->todo = (Row *) repalloc_huge(reach->todo, sizeof(Row) * reach->todo_room);
    }
    reach->todo[reach->ntodo++] = row;
}

static void keep_step(VdfReach *reach, const Row *from, const Row *to)
{
    bool found;
    StepsFrom *entry;

    if (is_reached(reach, to))
        return;
    if (is_reached(reach, from)) {
        push(reach, *to);
        return;
    }
    entry = (StepsFrom *) hash_search(reach->from, from, HASH_ENTER, &found);
    if (reach->nsteps == reach->room) {
        reach->room *= 2;
        reach->steps = (Step *) repalloc_huge(reach->steps, sizeof(Step) * reach->room);
    }
    reach->steps[reach->nsteps].to = *to;
    reach->steps[reach->nsteps].next = found ? entry->first : -1;
    entry->first = reach->nsteps++;
}

static void follow_in_memory(VdfReach *reach)
{
    HASHCTL control;

    memset(&control, 0, sizeof(control));
    control.keysize = sizeof(Row);
    control.entrysize = sizeof(StepsFrom);
    control.hcxt = reach->context;
    reach->from = hash_create("vedfolnir steps", FIRST_ROOM, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    reach->room = reach->todo_room = FIRST_ROOM;
    reach->steps = (Step *) MemoryContextAlloc(reach->context, sizeof(Step) * FIRST_ROOM);
    reach->todo = (Row *) MemoryContextAlloc(reach->context, sizeof(Row) * FIRST_ROOM);
    read_steps(reach, keep_step);
    while (reach->ntodo > 0) {
        Row row = reach->todo[--reach->ntodo];
        StepsFrom *entry;

        CHECK_FOR_INTERRUPTS();
        if (!add(reach, &row))
            continue;
        entry = (StepsFrom *) hash_search(reach->from, &row, HASH_FIND, NULL);
        for (int64 i = entry ? entry->first : -1; i >= 0; i = reach->steps[i].next)
            push(reach, reach->steps[i].to);
    }
}

/*
 * The steps lie about in the order in which the walk found the rows, so a few readings tell of nearly all, in a bit each.
 * Only what is still open then, as on a long way to and fro between tables, is followed in memory.
 */
void vdf_reach_follow(VdfReach *reach)
{
    reach->more = true;
    for (int i = 0; reach->more && i < READINGS; i++) {
        reach->more = false;
        read_steps(reach, follow_step);
    }
    if (reach->more)
        follow_in_memory(reach);
}

void vdf_reach_free(VdfReach *reach)
{
    vdf_keys_store_end(reach->all);
    MemoryContextDelete(reach->context);
}
