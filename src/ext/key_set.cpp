#include "ext/key_set.h"

#define FIRST_SLOTS 64

static bool kind_of(Oid type, VdfKeyKind *kind)
{
    switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID: *kind = VDF_KEY_INTEGER; return true;
    case OIDOID:
    case DATEOID: *kind = VDF_KEY_FIXED4; return true;
    case TIMESTAMPOID:
    case TIMESTAMPTZOID: *kind = VDF_KEY_FIXED8; return true;
    case UUIDOID: *kind = VDF_KEY_UUID; return true;
    default: return false;
    }
}

bool vdf_key_comparable(Oid key_type, Oid reference_type)
{
    VdfKeyKind key, reference;

    if (!kind_of(key_type, &key) || !kind_of(reference_type, &reference))
        return false;
    return key_type == reference_type || (key == VDF_KEY_INTEGER && reference == VDF_KEY_INTEGER);
}

static inline uint64 integer_of(Datum value, Oid type)
{
    if (type == INT8OID)
        return (uint64) DatumGetInt64(value);
    return type == INT4OID ? (uint64) (int64) DatumGetInt32(value) : (uint64) (int64) DatumGetInt16(value);
}

static inline void pack(const VdfKeySet *set, const Datum *values, const Oid *types, uint64 *words)
{
    for (int i = 0; i < set->ncolumns; i++)
        switch (set->kind[i]) {
        case VDF_KEY_INTEGER: *words++ = integer_of(values[i], types[i]); break;
        case VDF_KEY_FIXED4: *words++ = (uint64) DatumGetUInt32(values[i]); break;
        case VDF_KEY_FIXED8: *words++ = (uint64) DatumGetInt64(values[i]); break;
        case VDF_KEY_UUID:
            memcpy(words, DatumGetPointer(values[i]), UUID_LEN);
            words += 2;
            break;
        }
}

static inline uint32 slot_of(const VdfKeySet *set, const uint64 *words)
{
    uint64 h = words[0];

    for (int i = 1; i < set->words; i++)
        h = (h ^ (h >> 29)) * UINT64CONST(0xBF58476D1CE4E5B9) + words[i];
    h *= UINT64CONST(0x9E3779B97F4A7C15);
    return (uint32) (h >> 32) & set->mask;
}

static inline bool same(const uint64 *a, const uint64 *b, int words)
{
    uint64 difference = a[0] ^ b[0];

    for (int i = 1; i < words; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

/* The slot that holds the key, or the empty one where it belongs. */
static inline uint32 probe(const VdfKeySet *set, const uint64 *words)
{
    uint32 slot = slot_of(set, words);

    while (set->marks[slot] != 0 && !same(set->keys + (Size) slot * set->words, words, set->words))
        slot = (slot + 1) & set->mask;
    return slot;
}

static Size bytes_of(const VdfKeySet *set, uint32 slots)
{
    return (Size) slots * (set->words * sizeof(uint64) + sizeof(uint32));
}

static void allocate(VdfKeySet *set, uint32 slots)
{
    set->mask = slots - 1;
    *set->used += bytes_of(set, slots);
    set->keys = (uint64 *) MemoryContextAllocHuge(set->context, (Size) slots * set->words * sizeof(uint64));
    set->marks = (uint32 *) MemoryContextAllocExtended(set->context, (Size) slots * sizeof(uint32),
                                                       MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

static void grow(VdfKeySet *set)
{
    VdfKeySet old = *set;

    allocate(set, (old.mask + 1) * 2);
    for (uint32 i = 0; i <= old.mask; i++) {
        const uint64 *words = old.keys + (Size) i * old.words;
        uint32 slot;

        if (old.marks[i] == 0)
            continue;
        slot = probe(set, words);
        memcpy(set->keys + (Size) slot * set->words, words, set->words * sizeof(uint64));
        set->marks[slot] = old.marks[i];
    }
    *set->used -= bytes_of(&old, old.mask + 1);
    pfree(old.keys);
    pfree(old.marks);
}

/* How many words a key takes, 0 where it cannot be packed. */
static int words_of(int ncolumns, const Oid *types, VdfKeyKind *kinds)
{
    int words = 0;

    if (ncolumns < 1 || ncolumns > VDF_KEY_COLUMNS)
        return 0;
    for (int i = 0; i < ncolumns; i++) {
        if (!kind_of(types[i], &kinds[i]))
            return 0;
        words += kinds[i] == VDF_KEY_UUID ? 2 : 1;
    }
    return words > VDF_KEY_WORDS ? 0 : words;
}

bool vdf_key_packs(int ncolumns, const Oid *types)
{
    VdfKeyKind kinds[VDF_KEY_COLUMNS];

    return words_of(ncolumns, types, kinds) > 0;
}

VdfKeySet *vdf_key_set_create(TupleDesc desc, int ncolumns, const int *columns, Size *used, Size limit)
{
    VdfKeySet *set;
    int words;
    VdfKeyKind kinds[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS];

    if (ncolumns > VDF_KEY_COLUMNS)
        return NULL;
    for (int i = 0; i < ncolumns; i++)
        types[i] = TupleDescAttr(desc, columns[i])->atttypid;
    words = words_of(ncolumns, types, kinds);
    if (words == 0)
        return NULL;
    set = (VdfKeySet *) palloc0(sizeof(VdfKeySet));
    set->context = CurrentMemoryContext;
    set->used = used;
    set->limit = limit;
    set->ncolumns = ncolumns;
    set->words = words;
    memcpy(set->kind, kinds, sizeof(kinds));
    memcpy(set->column, columns, ncolumns * sizeof(int));
    allocate(set, FIRST_SLOTS);
    return set;
}

bool vdf_key_set_add(VdfKeySet *set, TupleTableSlot *slot, int person, bool own)
{
    uint64 words[VDF_KEY_WORDS];
    Datum values[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS];
    uint32 at;

    for (int i = 0; i < set->ncolumns; i++) {
        if (slot->tts_isnull[set->column[i]])
            return true;
        values[i] = slot->tts_values[set->column[i]];
        types[i] = TupleDescAttr(slot->tts_tupleDescriptor, set->column[i])->atttypid;
    }
    /* Three quarters full; while it grows, the old array stands beside the new one. */
    if (set->count >= set->mask / 4 * 3) {
        if (*set->used + bytes_of(set, set->mask + 1) * 2 > set->limit)
            return false;
        grow(set);
    }
    pack(set, values, types, words);
    at = probe(set, words);
    if (set->marks[at] != 0)
        return true;
    memcpy(set->keys + (Size) at * set->words, words, set->words * sizeof(uint64));
    set->marks[at] = ((uint32) person + 1) * 2 + (own ? 1 : 0);
    set->count++;
    if (!own)
        set->foreign++;
    return true;
}

uint32 vdf_key_set_find(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS];

    pack(set, values, types, words);
    return set->marks[probe(set, words)];
}

/* The values of the key in a slot; those by reference point into the set. */
static void unpack(const VdfKeySet *set, uint32 slot, Datum *values)
{
    uint64 *words = set->keys + (Size) slot * set->words;

    for (int c = 0; c < set->ncolumns; c++)
        switch (set->kind[c]) {
        case VDF_KEY_INTEGER: values[c] = Int64GetDatum((int64) *words++); break; /* the low bits are the narrower types */
        case VDF_KEY_FIXED4: values[c] = UInt32GetDatum((uint32) *words++); break;
        case VDF_KEY_FIXED8: values[c] = Int64GetDatum((int64) *words++); break;
        case VDF_KEY_UUID:
            values[c] = PointerGetDatum(words);
            words += 2;
            break;
        }
}

void vdf_key_set_each(const VdfKeySet *set, int which, void (*row)(void *arg, const Datum *values, int person), void *arg)
{
    for (uint32 i = 0; i <= set->mask; i++) {
        uint32 mark = set->marks[i];
        Datum values[VDF_KEY_COLUMNS];

        if (mark == 0 || (which >= 0 && VDF_KEY_OWN(mark) != (which == 1)))
            continue;
        unpack(set, i, values);
        row(arg, values, VDF_KEY_PERSON(mark));
    }
}

bool vdf_key_set_next(const VdfKeySet *set, uint32 *slot, Datum *values)
{
    for (; *slot <= set->mask; (*slot)++)
        if (set->marks[*slot] != 0) {
            unpack(set, (*slot)++, values);
            return true;
        }
    return false;
}

bool vdf_key_set_takes(const VdfKeySet *set, int column, Oid type)
{
    VdfKeyKind kind;

    return column < set->ncolumns && kind_of(type, &kind) && kind == set->kind[column];
}

int64 vdf_key_set_place(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS];
    uint32 slot;

    pack(set, values, types, words);
    slot = probe(set, words);
    return set->marks[slot] == 0 ? -1 : (int64) slot;
}

void vdf_key_set_own(VdfKeySet *set, int64 place, bool own)
{
    uint32 *mark = &set->marks[place];

    if (VDF_KEY_OWN(*mark) == own)
        return;
    *mark ^= 1;
    set->foreign += own ? -1 : 1;
}

void vdf_key_set_free(VdfKeySet *set)
{
    *set->used -= bytes_of(set, set->mask + 1);
    pfree(set->keys);
    pfree(set->marks);
    pfree(set);
}
