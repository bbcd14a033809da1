/*
 * target_functions.cpp: the SQL face of core/task.
 */
#include "ext/pg.h"
#include "ext/report.h"

VDF_FUNCTION(vedfolnir_normalise_target)
{
    char *kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
    text *target = PG_GETARG_TEXT_PP(1), *result;
    int length = VARSIZE_ANY_EXHDR(target), written;
    VdfError error;

    if (strcmp(kind, "file") != 0 && strcmp(kind, "directory") != 0)
        PG_RETURN_TEXT_P(target);
    result = (text *) palloc(VARHDRSZ + length);
    written = vdf_normalise_path(VARDATA_ANY(target), length, VARDATA(result), length, &error);
    if (written < 0)
        vdf_raise(&error);
    SET_VARSIZE(result, VARHDRSZ + written);
    PG_RETURN_TEXT_P(result);
}

VDF_FUNCTION(vedfolnir_realm_of_target)
{
    /* A copy, which is changed in place. It is no text any more: an escape may stand for any byte. */
    bytea *realm = PG_GETARG_BYTEA_P_COPY(0);

    SET_VARSIZE(realm, VARHDRSZ + vdf_realm_of_target(VARDATA(realm), VARSIZE(realm) - VARHDRSZ));
    PG_RETURN_BYTEA_P(realm);
}
