/*
 * canonical_key.cpp: one text for all spellings of a key that its type calls equal, and for no other key.
 *
 * Pseudonyms, holds and locks go by it, since the root row may be gone and its spelling with it. Nothing of it is stored
 * but under HMAC.
 */
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/pseudonym.h"

/* Are equal values of the type the same bytes? As the server asks before it stores equal index keys once. */
static bool equal_is_same(TypeCacheEntry *type, Oid collation)
{
    Oid function = InvalidOid;

    if (OidIsValid(type->btree_opf))
        function = get_opfamily_proc(type->btree_opf, type->btree_opintype, type->btree_opintype, BTEQUALIMAGE_PROC);
    return OidIsValid(function) &&
           DatumGetBool(OidFunctionCall1Coll(function, collation, ObjectIdGetDatum(type->btree_opintype)));
}

static bool is_citext(Oid type)
{
    Oid extension = getExtensionOfObject(TypeRelationId, type);
    char *name = OidIsValid(extension) ? get_extension_name(extension) : NULL;

    return name != NULL && strcmp(name, "citext") == 0;
}

/* The binary form: the text of a date or of bytes depends on settings. */
static char *sent(Oid type, Datum key)
{
    Oid function;
    bool varlena;
    bytea *bytes;

    getTypeBinaryOutputInfo(type, &function, &varlena);
    bytes = OidSendFunctionCall(function, key);
    return vdf_hex(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
}

/* 256 bits of the type's own hash, which is the same for equal keys; NULL when the type has none. */
static char *hashed(TypeCacheEntry *type, Oid collation, Datum key)
{
    uint64 words[4];

    if (!OidIsValid(type->hash_extended_proc))
        return NULL;
    for (int i = 0; i < (int) lengthof(words); i++)
        words[i] = DatumGetUInt64(FunctionCall2Coll(&type->hash_extended_proc_finfo, collation, key,
                                                    Int64GetDatum(INT64CONST(0x76646b65) + i)));
    return psprintf("=%s", vdf_hex(words, sizeof(words)));
}

static char *text_of(Oid type, Datum key)
{
    Oid output;
    bool varlena;

    getTypeOutputInfo(type, &output, &varlena);
    return OidOutputFunctionCall(output, key);
}

char *vdf_key_canonical(VdfDeletionPlan *plan, Datum key)
{
    return vdf_canonical_key(plan->key_type, plan->key_collation, key);
}

char *vdf_canonical_key(Oid key_type, Oid collation, Datum key)
{
    Oid base = getBaseType(key_type);
    TypeCacheEntry *type = lookup_type_cache(base, TYPECACHE_BTREE_OPFAMILY | TYPECACHE_HASH_EXTENDED_PROC_FINFO);
    bool deterministic = !OidIsValid(collation) || get_collation_isdeterministic(collation);
    char *text;

    switch (base) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case UUIDOID:
        return text_of(base, key);
    case NUMERICOID:
        return text_of(base, DirectFunctionCall1(numeric_trim_scale, key));
    case BPCHAROID:
        key = DirectFunctionCall1(rtrim1, key); /* a text */
        if (deterministic)
            return text_of(TEXTOID, key);
        base = TEXTOID;
        type = lookup_type_cache(base, TYPECACHE_HASH_EXTENDED_PROC_FINFO);
        break;
    default:
        /* Its own comparison is of lower case under the database's collation. */
        if (is_citext(base))
            return text_of(TEXTOID, DirectFunctionCall1Coll(lower, DEFAULT_COLLATION_OID, key));
        if (!equal_is_same(type, collation))
            break;
        if (TypeCategory(base) == TYPCATEGORY_STRING || get_typtype(base) == TYPTYPE_ENUM)
            return text_of(base, key);
        return sent(base, key);
    }
    text = hashed(type, collation, key);
    return text ? text : text_of(base, key);
}
