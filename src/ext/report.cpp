#include "ext/report.h"

/* vdf_raise turns an error of core into an ereport. */
void vdf_raise(const VdfError *error)
{
    ereport(ERROR, (errcode(MAKE_SQLSTATE(error->sqlstate[0], error->sqlstate[1], error->sqlstate[2],
                                          error->sqlstate[3], error->sqlstate[4])),
                    errmsg_internal("%s", error->message),
                    error->detail[0] ? errdetail_internal("%s", error->detail) : 0,
                    error->hint[0] ? errhint("%s", error->hint) : 0));
    pg_unreachable();
}

/* vdf_number groups the digits by thousands. */
char *vdf_number(uint64 n)
{
    char digits[32], *out = (char *) palloc(48), *to = out;
    int length = snprintf(digits, sizeof(digits), UINT64_FORMAT, n);

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return out;
}

char *vdf_rows(uint64 n)
{
    return psprintf("%s %s", vdf_number(n), n == 1 ? "row" : "rows");
}

char *vdf_relation_name(Oid relation)
{
    char *name = get_rel_name(relation);

    if (name == NULL)
        return pstrdup("(dropped)");
    return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

char *vdf_quote(const char *text)
{
    return quote_literal_cstr(text);
}
