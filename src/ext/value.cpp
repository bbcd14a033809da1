/*
 * value.cpp: values that a caller or an administrator wrote as text.
 */
#include "ext/value.h"

#include "ext/catalog.h"

static Datum input_value(Oid type, int32 typmod, const char *text)
{
    Oid input, parameter;

    getTypeInputInfo(type, &input, &parameter);
    return OidInputFunctionCall(input, pstrdup(text), parameter, typmod);
}

/* The length or scale of a column rounds some texts to another value, which may be the key of somebody else. */
static Datum as_written(Oid type, const char *text, Datum value)
{
    Oid base = getBaseType(type);
    TypeCacheEntry *cache = lookup_type_cache(base, TYPECACHE_EQ_OPR_FINFO);
    Datum exact = input_value(base, -1, text);

    if (!OidIsValid(cache->eq_opr) ||
        DatumGetBool(FunctionCall2Coll(&cache->eq_opr_finfo, get_typcollation(base), value, exact)))
        return value;
    return exact;
}

Datum vdf_read_value(Oid relation, Oid type, int32 typmod, const char *text)
{
    Oid user;
    int context;
    Datum value;

    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(vdf_relation_owner(relation), context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    value = input_value(type, typmod, text);
    if (typmod >= 0 || getBaseType(type) != type)
        value = as_written(type, text, value);
    SetUserIdAndSecContext(user, context);
    return value;
}
