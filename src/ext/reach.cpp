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
    HTAB *from;
    Step *steps;
    int64 nsteps;
    int64 room;
    Row *todo; /* rows whose steps are still to be followed */
    int64 ntodo;
    int64 todo_room;
};

#define FIRST_ROOM 256

VdfReach *vdf_reach_create(void)
{
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir reach", ALLOCSET_DEFAULT_SIZES);
    VdfReach *reach = (VdfReach *) MemoryContextAllocZero(context, sizeof(VdfReach));
    HASHCTL control;

    memset(&control, 0, sizeof(control));
    control.keysize = sizeof(Row);
    control.entrysize = sizeof(StepsFrom);
    control.hcxt = context;
    reach->context = context;
    reach->from = hash_create("vedfolnir steps", FIRST_ROOM, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    reach->room = reach->todo_room = FIRST_ROOM;
    reach->steps = (Step *) MemoryContextAlloc(context, sizeof(Step) * FIRST_ROOM);
    reach->todo = (Row *) MemoryContextAlloc(context, sizeof(Row) * FIRST_ROOM);
    return reach;
}

static Row row_of(Oid relation, ItemPointer tid)
{
    Row row;

    row.unused = 0;
    row.relation = relation;
    ItemPointerCopy(tid, &row.tid);
    return row;
}

static void push(VdfReach *reach, Row row)
{
    if (reach->ntodo == reach->todo_room) {
        reach->todo_room *= 2;
        reach->todo = (Row *) repalloc_huge(reach->todo, sizeof(Row) * reach->todo_room);
    }
    reach->todo[reach->ntodo++] = row;
}

void vdf_reach_start(VdfReach *reach, Oid relation, ItemPointer tid)
{
    push(reach, row_of(relation, tid));
}

void vdf_reach_step(VdfReach *reach, Oid relation, ItemPointer tid, Oid to_relation, ItemPointer to_tid)
{
    Row from = row_of(relation, tid);
    bool found;
    StepsFrom *entry = (StepsFrom *) hash_search(reach->from, &from, HASH_ENTER, &found);

    if (reach->nsteps == reach->room) {
        reach->room *= 2;
        reach->steps = (Step *) repalloc_huge(reach->steps, sizeof(Step) * reach->room);
    }
    reach->steps[reach->nsteps].to = row_of(to_relation, to_tid);
    reach->steps[reach->nsteps].next = found ? entry->first : -1;
    entry->first = reach->nsteps++;
}

void vdf_reach_follow(VdfReach *reach, VdfRowSet *reached)
{
    while (reach->ntodo > 0) {
        Row row = reach->todo[--reach->ntodo];
        StepsFrom *entry;

        CHECK_FOR_INTERRUPTS();
        if (!vdf_rowset_add(reached, row.relation, &row.tid))
            continue;
        entry = (StepsFrom *) hash_search(reach->from, &row, HASH_FIND, NULL);
        for (int64 i = entry ? entry->first : -1; i >= 0; i = reach->steps[i].next)
            push(reach, reach->steps[i].to);
    }
}

void vdf_reach_free(VdfReach *reach)
{
    MemoryContextDelete(reach->context);
}
