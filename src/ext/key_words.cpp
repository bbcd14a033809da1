#include "ext/key_words.h"

Oid vdf_key_type(Oid type)
{
    /* The server's own types are no domains, but for those that initdb makes by SQL. */
    return type < FirstGenbkiObjectId ? type : getBaseType(type);
}

/* Texts are equal where their bytes are, unless the collation says otherwise. */
static bool kind_of(Oid type, Oid collation, VdfKeyKind *kind)
{
    switch (type) {
    case TEXTOID:
    case VARCHAROID: *kind = VDF_KEY_TEXT; return OidIsValid(collation) && get_collation_isdeterministic(collation);
    case BPCHAROID: *kind = VDF_KEY_PADDED; return OidIsValid(collation) && get_collation_isdeterministic(collation);
    case BYTEAOID: *kind = VDF_KEY_BYTES; return true;
    case NUMERICOID: *kind = VDF_KEY_NUMERIC; return true;
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

    key_type = vdf_key_type(key_type);
    reference_type = vdf_key_type(reference_type);
    if (!kind_of(key_type, key_collation, &key) || !kind_of(reference_type, reference_collation, &reference))
        return false;
    return key_type == reference_type || (key == reference && (key == VDF_KEY_INTEGER || key == VDF_KEY_TEXT));
}

int vdf_key_words_of_kind(VdfKeyKind kind)
{
    return kind >= VDF_KEY_UUID ? 2 : 1;
}

int vdf_key_words_of(int ncolumns, const Oid *types, const Oid *collations, VdfKeyKind *kinds)
{
    int words = 0;

    if (ncolumns < 1 || ncolumns > VDF_KEY_COLUMNS)
        return 0;
    for (int i = 0; i < ncolumns; i++) {
        if (!kind_of(vdf_key_type(types[i]), collations[i], &kinds[i]))
            return 0;
        words += vdf_key_words_of_kind(kinds[i]);
    }
    return words > VDF_KEY_WORDS ? 0 : words;
}

bool vdf_key_packs(int ncolumns, const Oid *types, const Oid *collations)
{
    VdfKeyKind kinds[VDF_KEY_COLUMNS];

    return vdf_key_words_of(ncolumns, types, collations, kinds) > 0;
}

bool vdf_key_set_takes(const VdfKeySet *set, int column, Oid type, Oid collation)
{
    VdfKeyKind kind;

    return column < set->ncolumns && kind_of(vdf_key_type(type), collation, &kind) && kind == set->kind[column];
}

void vdf_key_release(const VdfKeySet *set, const Datum *values, const uint64 *words)
{
    for (int i = 0; i < set->ncolumns; i++) {
        if (set->kind[i] >= VDF_KEY_TEXT && (uintptr_t) words[1] != (uintptr_t) DatumGetPointer(values[i]))
            pfree((void *) (uintptr_t) words[1]);
        words += vdf_key_words_of_kind(set->kind[i]);
    }
}

static int length_of(VdfKeyKind kind, const struct varlena *value)
{
    int length = (int) VARSIZE_ANY_EXHDR(value);

    return kind == VDF_KEY_PADDED ? bpchartruelen((char *) VARDATA_ANY(value), length) : length;
}

void vdf_value_pack(VdfKeyKind kind, Datum value, uint64 *words)
{
    struct varlena *datum = (struct varlena *) DatumGetPointer(value);

    if (kind == VDF_KEY_NUMERIC) {
        /* With a long header: the server's functions would copy any other each time. */
        datum = pg_detoast_datum(datum);
        words[0] = DatumGetUInt64(DirectFunctionCall2(hash_numeric_extended, PointerGetDatum(datum), Int64GetDatum(0)));
    } else {
        datum = pg_detoast_datum_packed(datum);
        words[0] = DatumGetUInt64(hash_any_extended((unsigned char *) VARDATA_ANY(datum), length_of(kind, datum), 0));
    }
    words[1] = (uint64) (uintptr_t) datum;
}

bool vdf_same_value(VdfKeyKind kind, uint64 a, uint64 b)
{
    const struct varlena *left = (const struct varlena *) (uintptr_t) a, *right = (const struct varlena *) (uintptr_t) b;
    int length;

    if (kind == VDF_KEY_NUMERIC)
        return DatumGetBool(DirectFunctionCall2(numeric_eq, PointerGetDatum(left), PointerGetDatum(right)));
    length = length_of(kind, left);
    return length == length_of(kind, right) && memcmp(VARDATA_ANY(left), VARDATA_ANY(right), length) == 0;
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
        case VDF_KEY_PADDED:
        case VDF_KEY_BYTES:
        case VDF_KEY_NUMERIC:
            values[c] = PointerGetDatum((void *) (uintptr_t) words[1]);
            words += 2;
            break;
        }
}
