#include "ext/target_set.h"

#include "bridge/wall.h"

#define FIRST_SLOTS 64
#define CHUNK (64 * 1024)

typedef struct TargetText
{
    text *value;
    uint32 hash;
    int group;
} TargetText;

struct VdfTargetSet
{
    MemoryContext memory;
    Size used;
    Size limit;
    TargetText *texts;
    VdfTargetEntry *entries;
    int ntexts;
    int nentries;
    uint32 *text_slots;  /* number of a text, 0: empty */
    uint32 *entry_slots; /* number of an entry, 0: empty */
    uint32 mask;         /* of both; there are at least as many entries as texts */
    char *chunk;         /* room for texts */
    Size left;
};

static void make_room(VdfTargetSet *set, uint32 slots)
{
    set->mask = slots - 1;
    set->text_slots = (uint32 *) MemoryContextAllocExtended(set->memory, sizeof(uint32) * slots, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    set->entry_slots = (uint32 *) MemoryContextAllocExtended(set->memory, sizeof(uint32) * slots, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Slots are half full at most. */
static Size bytes_of(uint32 slots)
{
    return (Size) slots * 2 * sizeof(uint32) + (Size) slots / 2 * (sizeof(TargetText) + sizeof(VdfTargetEntry));
}

VdfTargetSet *vdf_target_set_create(void)
{
    MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir targets", ALLOCSET_DEFAULT_SIZES);
    VdfTargetSet *set = (VdfTargetSet *) MemoryContextAllocZero(memory, sizeof(VdfTargetSet));

    set->memory = memory;
    set->limit = get_hash_memory_limit();
    set->used = bytes_of(FIRST_SLOTS);
    set->texts = (TargetText *) MemoryContextAlloc(memory, sizeof(TargetText) * FIRST_SLOTS / 2);
    set->entries = (VdfTargetEntry *) MemoryContextAlloc(memory, sizeof(VdfTargetEntry) * FIRST_SLOTS / 2);
    make_room(set, FIRST_SLOTS);
    return set;
}

void vdf_target_set_free(VdfTargetSet *set)
{
    MemoryContextDelete(set->memory);
}

static uint32 hash_of_text(int group, const char *data, int length)
{
    return hash_combine(DatumGetUInt32(hash_any((const unsigned char *) data, length)), (uint32) group * 0x9e3779b9);
}

static uint32 hash_of_entry(int number, int person)
{
    return murmurhash32((uint32) number ^ murmurhash32((uint32) person));
}

/* The slot of a text, or the empty one where it belongs. */
static uint32 text_slot(const VdfTargetSet *set, uint32 hash, int group, const char *data, int length)
{
    uint32 slot = hash & set->mask;

    for (; set->text_slots[slot] != 0; slot = (slot + 1) & set->mask) {
        const TargetText *t = &set->texts[set->text_slots[slot] - 1];

        if (t->hash == hash && t->group == group && VARSIZE(t->value) - VARHDRSZ == (Size) length &&
            memcmp(VARDATA(t->value), data, length) == 0)
            break;
    }
    return slot;
}

static uint32 entry_slot(const VdfTargetSet *set, int number, int person)
{
    uint32 slot = hash_of_entry(number, person) & set->mask;

    for (; set->entry_slots[slot] != 0; slot = (slot + 1) & set->mask) {
        const VdfTargetEntry *e = &set->entries[set->entry_slots[slot] - 1];

        if (e->number == number && e->person == person)
            break;
    }
    return slot;
}

static bool grow(VdfTargetSet *set)
{
    uint32 slots = (set->mask + 1) * 2;
    uint32 *old_texts = set->text_slots, *old_entries = set->entry_slots;

    /* While it grows, the old arrays stand beside the new ones. */
    if (set->used + bytes_of(slots) > set->limit)
        return false;
    set->used += bytes_of(slots) - bytes_of(slots / 2);
    make_room(set, slots);
    set->texts = (TargetText *) repalloc_huge(set->texts, sizeof(TargetText) * slots / 2);
    set->entries = (VdfTargetEntry *) repalloc_huge(set->entries, sizeof(VdfTargetEntry) * slots / 2);
    for (int i = 0; i < set->ntexts; i++) {
        const TargetText *t = &set->texts[i];

        set->text_slots[text_slot(set, t->hash, t->group, VARDATA(t->value), VARSIZE(t->value) - VARHDRSZ)] = i + 1;
    }
    for (int i = 0; i < set->nentries; i++)
        set->entry_slots[entry_slot(set, set->entries[i].number, set->entries[i].person)] = i + 1;
    pfree(old_texts);
    pfree(old_entries);
    return true;
}

static text *new_text(VdfTargetSet *set, const char *data, int length)
{
    Size size = INTALIGN(VARHDRSZ + length);
    text *value;

    if (size > set->left) {
        Size chunk = Max(size, CHUNK);

        if (set->used + chunk > set->limit)
            return NULL;
        set->chunk = (char *) MemoryContextAllocHuge(set->memory, chunk);
        set->left = chunk;
        set->used += chunk;
    }
    value = (text *) set->chunk;
    SET_VARSIZE(value, VARHDRSZ + length);
    memcpy(VARDATA(value), data, length);
    set->chunk += size;
    set->left -= size;
    return value;
}

/* Most paths are spelled normally; others are rewritten in a copy. */
static const char *spelled(bool path, const char *data, int *length)
{
    bool normal = !path || *length == 0 || (data[0] != '.' && data[*length - 1] != '/' && data[*length - 1] != '.');
    const char *end = data + *length, *at = data;
    char *copy;

    while (normal && path && (at = (const char *) memchr(at, '/', end - at)) != NULL && ++at < end)
        normal = *at != '/' && *at != '.';
    if (normal)
        return data;
    copy = (char *) palloc(*length + 1);
    memcpy(copy, data, *length);
    *length = (int) vdf_path_as_sql(copy, *length);
    return copy;
}

/* Copies that were made to read a target: a scan asks for many. */
static void forget(Datum target, text *given, const char *data)
{
    if (data != VARDATA_ANY(given))
        pfree((void *) data);
    if (PointerGetDatum(given) != target)
        pfree(given);
}

bool vdf_target_set_add(VdfTargetSet *set, int group, bool path, Datum target, int person, bool shared,
                        int rule)
{
    text *given = DatumGetTextPP(target);
    int length = VARSIZE_ANY_EXHDR(given);
    const char *data = spelled(path, VARDATA_ANY(given), &length);
    uint32 hash = hash_of_text(group, data, length), slot;
    int number;

    if ((uint32) set->nentries > set->mask / 2 - 1 && !grow(set))
        return false;
    slot = text_slot(set, hash, group, data, length);
    if (set->text_slots[slot] == 0) {
        TargetText *t = &set->texts[set->ntexts];

        t->value = new_text(set, data, length);
        if (t->value == NULL)
            return false;
        t->hash = hash;
        t->group = group;
        set->text_slots[slot] = ++set->ntexts;
    }
    forget(target, given, data);
    number = (int) set->text_slots[slot];
    slot = entry_slot(set, number, person);
    if (set->entry_slots[slot] == 0) {
        set->entries[set->nentries] = {number, person, shared, rule};
        set->entry_slots[slot] = ++set->nentries;
    } else {
        VdfTargetEntry *entry = &set->entries[set->entry_slots[slot] - 1];

        entry->shared &= shared;
        entry->rule = Min(entry->rule, rule);
    }
    return true;
}

int vdf_target_set_find(const VdfTargetSet *set, int group, bool path, Datum target)
{
    text *given = DatumGetTextPP(target);
    int length = VARSIZE_ANY_EXHDR(given);
    const char *data = spelled(path, VARDATA_ANY(given), &length);
    int number = (int) set->text_slots[text_slot(set, hash_of_text(group, data, length), group, data, length)];

    forget(target, given, data);
    return number;
}

/* Sorted by counting, which keeps the order within a person. */
const VdfTargetEntry *vdf_target_set_sorted(VdfTargetSet *set, int persons, int *n)
{
    VdfTargetEntry *sorted;
    int *starts;

    *n = set->nentries;
    if (persons < 2)
        return set->entries;
    sorted = (VdfTargetEntry *) MemoryContextAllocHuge(set->memory, sizeof(VdfTargetEntry) * (set->nentries + 1));
    starts = (int *) MemoryContextAllocZero(set->memory, sizeof(int) * (persons + 2));
    for (int i = 0; i < set->nentries; i++)
        starts[set->entries[i].person + 1]++;
    for (int i = 1; i <= persons + 1; i++)
        starts[i] += starts[i - 1];
    for (int i = 0; i < set->nentries; i++)
        sorted[starts[set->entries[i].person]++] = set->entries[i];
    pfree(set->entries);
    pfree(starts);
    return set->entries = sorted;
}

Datum vdf_target_set_text(const VdfTargetSet *set, int number)
{
    return PointerGetDatum(set->texts[number - 1].value);
}

int vdf_target_set_group(const VdfTargetSet *set, int number)
{
    return set->texts[number - 1].group;
}
