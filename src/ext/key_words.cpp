#include "ext/key_words.h"

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

int vdf_key_words_of(int ncolumns, const Oid *types, const Oid *collations, VdfKeyKind *kinds, unsigned *texts)
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

    return vdf_key_words_of(ncolumns, types, collations, kinds, &texts) > 0;
}

bool vdf_key_set_takes(const VdfKeySet *set, int column, Oid type, Oid collation)
{
    VdfKeyKind kind;

    return column < set->ncolumns && kind_of(type, collation, &kind) && kind == set->kind[column];
}

void vdf_key_release(const VdfKeySet *set, const Datum *values, const uint64 *words)
{
    for (int i = 0; i < set->ncolumns; i++) {
        if (set->kind[i] == VDF_KEY_TEXT && (uintptr_t) words[1] != (uintptr_t) DatumGetPointer(values[i]))
            pfree((void *) (uintptr_t) words[1]);
        words += words_of_kind(set->kind[i]);
    }
}

bool vdf_same_text(uint64 a, uint64 b)
{
    const struct varlena *left = (const struct varlena *) (uintptr_t) a, *right = (const struct varlena *) (uintptr_t) b;
    Size length = VARSIZE_ANY_EXHDR(left);

    return length == VARSIZE_ANY_EXHDR(right) && memcmp(VARDATA_ANY(left), VARDATA_ANY(right), length) == 0;
}

void vdf_key_unpack(const VdfKeySet *set, uint32 slot, Datum *values)
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
