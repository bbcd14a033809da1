#include "ext/key_words.h"

#define FIRST_SLOTS 64

static void put_tag(VdfKeySet *set, uint32 slot, uint8 tag)
{
    set->tags[slot] = tag;
    if (slot < sizeof(uint64))
        set->tags[slot + set->mask + 1] = tag;
}

static Size bytes_of(const VdfKeySet *set, uint32 slots)
{
    return (Size) slots * (set->words * sizeof(uint64) + sizeof(uint8) + (set->marks ? sizeof(uint32) : 0)) + sizeof(uint64);
}

static void allocate(VdfKeySet *set, uint32 slots)
{
    set->mask = slots - 1;
    *set->used += bytes_of(set, slots);
    set->keys = (uint64 *) MemoryContextAllocHuge(set->context, (Size) slots * set->words * sizeof(uint64));
    set->tags = (uint8 *) MemoryContextAllocExtended(set->context, (Size) slots + sizeof(uint64), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    if (set->marks != NULL)
        set->marks = (uint32 *) MemoryContextAllocHuge(set->context, (Size) slots * sizeof(uint32));
}

static void grow(VdfKeySet *set)
{
    VdfKeySet old = *set;

    allocate(set, (old.mask + 1) * 2);
    for (uint32 i = 0; i <= old.mask; i++) {
        const uint64 *words = old.keys + (Size) i * old.words;
        uint64 hash;
        uint32 slot;

        if (old.tags[i] == 0)
            continue;
        hash = vdf_key_hash(set, words);
        slot = vdf_key_probe_slot(set, words, hash);
        vdf_key_copy(set, set->keys + (Size) slot * set->words, words);
        put_tag(set, slot, vdf_key_tag(hash));
        if (set->marks != NULL)
            set->marks[slot] = old.marks[i];
    }
    *set->used -= bytes_of(&old, old.mask + 1);
    pfree(old.keys);
    pfree(old.tags);
    if (old.marks != NULL)
        pfree(old.marks);
}

/* Keys differ in their marks from now on. */
static void part_marks(VdfKeySet *set)
{
    Size slots = (Size) set->mask + 1;

    *set->used += slots * sizeof(uint32);
    set->marks = (uint32 *) MemoryContextAllocHuge(set->context, slots * sizeof(uint32));
    for (Size i = 0; i < slots; i++)
        set->marks[i] = set->mark;
}

static inline uint32 mark_at(const VdfKeySet *set, uint32 slot)
{
    return set->marks != NULL ? set->marks[slot] : set->mark;
}

/* Behind the hash of a value is the word that says where it is. */
static void learn_places(VdfKeySet *set)
{
    for (int i = 0, word = 0; i < set->ncolumns; i++) {
        word += vdf_key_words_of_kind(set->kind[i]);
        if (set->kind[i] >= VDF_KEY_TEXT) {
            set->places |= 1U << (word - 1);
            set->placed[word - 1] = set->kind[i];
        }
    }
}

VdfKeySet *vdf_key_set_create(TupleDesc desc, int ncolumns, const int *columns, Size *used, Size limit)
{
    VdfKeySet *set;
    int words;
    VdfKeyKind kinds[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS] = {0}, collations[VDF_KEY_COLUMNS] = {0};

    if (ncolumns > VDF_KEY_COLUMNS)
        return NULL;
    for (int i = 0; i < ncolumns; i++) {
        types[i] = TupleDescAttr(desc, columns[i])->atttypid;
        collations[i] = TupleDescAttr(desc, columns[i])->attcollation;
    }
    words = vdf_key_words_of(ncolumns, types, collations, kinds);
    if (words == 0)
        return NULL;
    set = (VdfKeySet *) palloc0(sizeof(VdfKeySet));
    set->context = CurrentMemoryContext;
    set->used = used;
    set->limit = limit;
    set->ncolumns = ncolumns;
    set->words = words;
    memcpy(set->kind, kinds, sizeof(kinds));
    learn_places(set);
    for (int i = 0; i < ncolumns; i++)
        set->types[i] = vdf_key_type(types[i]);
    if (set->places != 0)
        set->arena = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir key values", ALLOCSET_DEFAULT_SIZES);
    allocate(set, FIRST_SLOTS);
    return set;
}

/* The values of a new key become the set's own. False: they would pass its limit. */
static bool keep_values(VdfKeySet *set, uint64 *words)
{
    Size bytes = 0;

    for (int i = 1; i < set->words; i++)
        if ((set->places & (1U << i)) != 0)
            bytes += MAXALIGN(VARSIZE_ANY((struct varlena *) (uintptr_t) words[i])) + 2 * sizeof(void *);
    if (*set->used + bytes > set->limit)
        return false;
    for (int i = 1; i < set->words; i++)
        if ((set->places & (1U << i)) != 0) {
            Size size = VARSIZE_ANY((struct varlena *) (uintptr_t) words[i]);
            void *copy = MemoryContextAlloc(set->arena, size);

            memcpy(copy, (void *) (uintptr_t) words[i], size);
            words[i] = (uint64) (uintptr_t) copy;
        }
    set->value_bytes += bytes;
    *set->used += bytes;
    return true;
}

/* Room for one more key with such a mark. While the set grows, the old arrays stand beside the new ones. */
static bool make_room(VdfKeySet *set, uint32 mark)
{
    if (set->count == 0)
        set->mark = mark;
    if (set->marks == NULL && mark != set->mark) {
        if (*set->used + ((Size) set->mask + 1) * sizeof(uint32) > set->limit)
            return false;
        part_marks(set);
    }
    /* Three quarters full */
    if (set->count >= set->mask / 4 * 3) {
        if (*set->used + bytes_of(set, set->mask + 1) * 2 > set->limit)
            return false;
        grow(set);
    }
    return true;
}

bool vdf_key_set_add(VdfKeySet *set, TupleTableSlot *slot, const int *columns, int person, bool own)
{
    uint64 words[VDF_KEY_WORDS], hash;
    Datum values[VDF_KEY_COLUMNS];
    uint32 at, mark = ((uint32) person + 1) * 2 + (own ? 1 : 0);
    bool fits = true;

    for (int i = 0; i < set->ncolumns; i++) {
        if (slot->tts_isnull[columns[i]]) {
            set->nulls++;
            return true;
        }
        values[i] = slot->tts_values[columns[i]];
    }
    if (!make_room(set, mark))
        return false;
    vdf_key_pack(set, values, set->types, words);
    hash = vdf_key_hash(set, words);
    at = vdf_key_probe_slot(set, words, hash);
    if (set->tags[at] == 0) {
        uint64 *kept = set->keys + (Size) at * set->words;

        vdf_key_copy(set, kept, words);
        fits = set->places == 0 || keep_values(set, kept);
        if (fits) {
            put_tag(set, at, vdf_key_tag(hash));
            if (set->marks != NULL)
                set->marks[at] = mark;
            set->count++;
            set->foreign += own ? 0 : 1;
        }
    }
    if (set->places != 0)
        vdf_key_release(set, values, words);
    return fits;
}

int64 vdf_key_set_place(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS];
    uint32 slot;

    vdf_key_pack(set, values, types, words);
    slot = vdf_key_probe_slot(set, words, vdf_key_hash(set, words));
    if (set->places != 0)
        vdf_key_release(set, values, words);
    return set->tags[slot] == 0 ? -1 : (int64) slot;
}

uint32 vdf_key_set_find(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    int64 place = vdf_key_set_place(set, values, types);

    return place < 0 ? 0 : mark_at(set, (uint32) place);
}

void vdf_key_set_each(const VdfKeySet *set, int which, void (*row)(void *arg, const Datum *values, int person), void *arg)
{
    for (uint32 i = 0; i <= set->mask; i++) {
        uint32 mark = mark_at(set, i);
        Datum values[VDF_KEY_COLUMNS];

        if (set->tags[i] == 0 || (which >= 0 && VDF_KEY_OWN(mark) != (which == 1)))
            continue;
        vdf_key_unpack(set, i, values);
        row(arg, values, VDF_KEY_PERSON(mark));
    }
}

bool vdf_key_set_next(const VdfKeySet *set, uint32 *slot, Datum *values)
{
    for (; *slot <= set->mask; (*slot)++)
        if (set->tags[*slot] != 0) {
            vdf_key_unpack(set, (*slot)++, values);
            return true;
        }
    return false;
}

void vdf_key_set_own(VdfKeySet *set, int64 place, bool own)
{
    if (VDF_KEY_OWN(mark_at(set, (uint32) place)) == own)
        return;
    if (set->marks == NULL)
        part_marks(set);
    set->marks[place] ^= 1;
    set->foreign += own ? -1 : 1;
}

void vdf_key_set_free(VdfKeySet *set)
{
    *set->used -= bytes_of(set, set->mask + 1) + set->value_bytes;
    if (set->arena != NULL)
        MemoryContextDelete(set->arena);
    pfree(set->keys);
    pfree(set->tags);
    if (set->marks != NULL)
        pfree(set->marks);
    pfree(set);
}
