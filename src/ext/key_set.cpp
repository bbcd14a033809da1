#include "ext/key_set.h"

#define FIRST_SLOTS 64

/* Texts are equal where their bytes are, unless the collation says otherwise. */
static bool kind_of(Oid type, Oid collation, VdfKeyKind *kind)
{
    switch (type) {
    case TEXTOID:
    case VARCHAROID: *kind = VDF_KEY_TEXT; return OidIsValid(collation) && get_collation_isdeterministic(collation);
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

bool vdf_key_comparable(Oid key_type, Oid key_collation, Oid reference_type, Oid reference_collation)
{
    VdfKeyKind key, reference;

    if (!kind_of(key_type, key_collation, &key) || !kind_of(reference_type, reference_collation, &reference))
        return false;
    return key_type == reference_type || (key == reference && (key == VDF_KEY_INTEGER || key == VDF_KEY_TEXT));
}

static int words_of_kind(VdfKeyKind kind)
{
    return kind == VDF_KEY_UUID || kind == VDF_KEY_TEXT ? 2 : 1;
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
        case VDF_KEY_TEXT: {
            struct varlena *value = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(values[i]));

            *words++ = DatumGetUInt64(hash_any_extended((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), 0));
            *words++ = (uint64) (uintptr_t) value;
            break;
        }
        }
}

/* What pack() took out of line, or out of its compression, for one look-up. */
static void release(const VdfKeySet *set, const Datum *values, const uint64 *words)
{
    for (int i = 0; i < set->ncolumns; i++) {
        if (set->kind[i] == VDF_KEY_TEXT && (uintptr_t) words[1] != (uintptr_t) DatumGetPointer(values[i]))
            pfree((void *) (uintptr_t) words[1]);
        words += words_of_kind(set->kind[i]);
    }
}

static inline uint32 slot_of(const VdfKeySet *set, const uint64 *words)
{
    uint64 h = words[0];

    for (int i = 1; i < set->words; i++)
        if ((set->texts & (1U << i)) == 0)
            h = (h ^ (h >> 29)) * UINT64CONST(0xBF58476D1CE4E5B9) + words[i];
    h *= UINT64CONST(0x9E3779B97F4A7C15);
    return (uint32) (h >> 32) & set->mask;
}

static bool same_text(uint64 a, uint64 b)
{
    const struct varlena *left = (const struct varlena *) (uintptr_t) a, *right = (const struct varlena *) (uintptr_t) b;
    Size length = VARSIZE_ANY_EXHDR(left);

    return length == VARSIZE_ANY_EXHDR(right) && memcmp(VARDATA_ANY(left), VARDATA_ANY(right), length) == 0;
}

static inline bool same(const VdfKeySet *set, const uint64 *a, const uint64 *b)
{
    uint64 difference = a[0] ^ b[0];

    for (int i = 1; i < set->words; i++)
        if ((set->texts & (1U << i)) == 0)
            difference |= a[i] ^ b[i];
    for (int i = 1; difference == 0 && set->texts != 0 && i < set->words; i++)
        if ((set->texts & (1U << i)) != 0 && !same_text(a[i], b[i]))
            return false;
    return difference == 0;
}

/* The slot that holds the key, or the empty one where it belongs. */
static inline uint32 probe(const VdfKeySet *set, const uint64 *words)
{
    uint32 slot = slot_of(set, words);

    while (set->marks[slot] != 0 && !same(set, set->keys + (Size) slot * set->words, words))
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
static int words_of(int ncolumns, const Oid *types, const Oid *collations, VdfKeyKind *kinds, unsigned *texts)
{
    int words = 0;

    *texts = 0;
    if (ncolumns < 1 || ncolumns > VDF_KEY_COLUMNS)
        return 0;
    for (int i = 0; i < ncolumns; i++) {
        if (!kind_of(types[i], collations[i], &kinds[i]))
            return 0;
        words += words_of_kind(kinds[i]);
        if (kinds[i] == VDF_KEY_TEXT)
            *texts |= 1U << (words - 1);
    }
    return words > VDF_KEY_WORDS ? 0 : words;
}

bool vdf_key_packs(int ncolumns, const Oid *types, const Oid *collations)
{
    VdfKeyKind kinds[VDF_KEY_COLUMNS];
    unsigned texts;

    return words_of(ncolumns, types, collations, kinds, &texts) > 0;
}

VdfKeySet *vdf_key_set_create(TupleDesc desc, int ncolumns, const int *columns, Size *used, Size limit)
{
    VdfKeySet *set;
    int words;
    VdfKeyKind kinds[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS], collations[VDF_KEY_COLUMNS];
    unsigned texts;

    if (ncolumns > VDF_KEY_COLUMNS)
        return NULL;
    for (int i = 0; i < ncolumns; i++) {
        types[i] = TupleDescAttr(desc, columns[i])->atttypid;
        collations[i] = TupleDescAttr(desc, columns[i])->attcollation;
    }
    words = words_of(ncolumns, types, collations, kinds, &texts);
    if (words == 0)
        return NULL;
    set = (VdfKeySet *) palloc0(sizeof(VdfKeySet));
    set->context = CurrentMemoryContext;
    set->used = used;
    set->limit = limit;
    set->ncolumns = ncolumns;
    set->words = words;
    set->texts = texts;
    if (texts != 0)
        set->arena = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir key texts", ALLOCSET_DEFAULT_SIZES);
    memcpy(set->kind, kinds, sizeof(kinds));
    memcpy(set->column, columns, ncolumns * sizeof(int));
    allocate(set, FIRST_SLOTS);
    return set;
}

/* The texts of a new key become the set's own. False: they would pass its limit. */
static bool keep_texts(VdfKeySet *set, uint64 *words)
{
    Size bytes = 0;

    for (int i = 1; i < set->words; i++)
        if ((set->texts & (1U << i)) != 0)
            bytes += MAXALIGN(VARSIZE_ANY((struct varlena *) (uintptr_t) words[i])) + 2 * sizeof(void *);
    if (*set->used + bytes > set->limit)
        return false;
    for (int i = 1; i < set->words; i++)
        if ((set->texts & (1U << i)) != 0) {
            Size size = VARSIZE_ANY((struct varlena *) (uintptr_t) words[i]);
            void *copy = MemoryContextAlloc(set->arena, size);

            memcpy(copy, (void *) (uintptr_t) words[i], size);
            words[i] = (uint64) (uintptr_t) copy;
        }
    set->text_bytes += bytes;
    *set->used += bytes;
    return true;
}

bool vdf_key_set_add(VdfKeySet *set, TupleTableSlot *slot, int person, bool own)
{
    uint64 words[VDF_KEY_WORDS];
    Datum values[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS];
    uint32 at;
    bool fits = true;

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
    if (set->marks[at] == 0) {
        uint64 *kept = set->keys + (Size) at * set->words;

        memcpy(kept, words, set->words * sizeof(uint64));
        fits = set->texts == 0 || keep_texts(set, kept);
        if (fits) {
            set->marks[at] = ((uint32) person + 1) * 2 + (own ? 1 : 0);
            set->count++;
            set->foreign += own ? 0 : 1;
        }
    }
    if (set->texts != 0)
        release(set, values, words);
    return fits;
}

uint32 vdf_key_set_find(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS];
    uint32 mark;

    pack(set, values, types, words);
    mark = set->marks[probe(set, words)];
    if (set->texts != 0)
        release(set, values, words);
    return mark;
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
        case VDF_KEY_TEXT:
            values[c] = PointerGetDatum((void *) (uintptr_t) words[1]);
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

bool vdf_key_set_takes(const VdfKeySet *set, int column, Oid type, Oid collation)
{
    VdfKeyKind kind;

    return column < set->ncolumns && kind_of(type, collation, &kind) && kind == set->kind[column];
}

int64 vdf_key_set_place(const VdfKeySet *set, const Datum *values, const Oid *types)
{
    uint64 words[VDF_KEY_WORDS];
    uint32 slot;

    pack(set, values, types, words);
    slot = probe(set, words);
    if (set->texts != 0)
        release(set, values, words);
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
    *set->used -= bytes_of(set, set->mask + 1) + set->text_bytes;
    if (set->arena != NULL)
        MemoryContextDelete(set->arena);
    pfree(set->keys);
    pfree(set->marks);
    pfree(set);
}
