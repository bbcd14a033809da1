/*
 * target_functions.cpp: the SQL face of the target helpers in core/task.
 */
#include "ext/pg.h"
#include "ext/report.h"

/* Runs a helper that can make each byte of its input up to three bytes, and one mark, long. */
static text *transform(int (*helper)(const char *, int, char *, int, VdfError *), text *value)
{
    int length = VARSIZE_ANY_EXHDR(value);
    int capacity = (int) Min((int64) length * 3 + 2, (int64) MaxAllocSize - VARHDRSZ);
    text *result = (text *) palloc(VARHDRSZ + capacity);
    VdfError error;
    int written = helper(VARDATA_ANY(value), length, VARDATA(result), capacity, &error);

    if (written < 0)
        vdf_raise(&error);
    SET_VARSIZE(result, VARHDRSZ + written);
    return result;
}

VDF_FUNCTION(vedfolnir_normalise_target)
{
    char *kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
    text *target = PG_GETARG_TEXT_PP(1);

    if (strcmp(kind, "file") != 0 && strcmp(kind, "directory") != 0)
        PG_RETURN_TEXT_P(target);
    PG_RETURN_TEXT_P(transform(vdf_normalise_path, target));
}

VDF_FUNCTION(vedfolnir_escape_glob)
{
    PG_RETURN_TEXT_P(transform(vdf_escape_glob, PG_GETARG_TEXT_PP(0)));
}

VDF_FUNCTION(vedfolnir_escape_percent)
{
    PG_RETURN_TEXT_P(transform(vdf_escape_percent, PG_GETARG_TEXT_PP(0)));
}

VDF_FUNCTION(vedfolnir_path_segment)
{
    PG_RETURN_TEXT_P(transform(vdf_path_segment, PG_GETARG_TEXT_PP(0)));
}
