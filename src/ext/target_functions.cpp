/*
 * target_functions.cpp: the SQL face of the target helpers in core/task.
 */
#include "ext/pg.h"
#include "bridge/wall.h"

/* Runs a helper that can make each byte of its input up to three bytes, and one mark, long. */
static text *transform(int (*helper)(const char *, int, char *, int, VdfError *), text *value)
{
    int length = VARSIZE_ANY_EXHDR(value);
    int capacity = (int) Min((int64) length * 3 + 2, (int64) MaxAllocSize - VARHDRSZ);
    text *result = (text *) palloc(VARHDRSZ + capacity);
    VdfError error;
    int written = helper(VARDATA_ANY(value), length, VARDATA(result), capacity, &error);

    if (written < 0)
        ereport(ERROR, (errcode(MAKE_SQLSTATE(error.sqlstate[0], error.sqlstate[1], error.sqlstate[2], error.sqlstate[3],
                                              error.sqlstate[4])),
                        errmsg_internal("%s", error.message)));
    SET_VARSIZE(result, VARHDRSZ + written);
    return result;
}

extern "C" {

PG_FUNCTION_INFO_V1(vedfolnir_normalise_target);
Datum vedfolnir_normalise_target(PG_FUNCTION_ARGS)
{
    char *kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
    text *target = PG_GETARG_TEXT_PP(1);

    if (strcmp(kind, "file") != 0 && strcmp(kind, "directory") != 0)
        PG_RETURN_TEXT_P(target);
    PG_RETURN_TEXT_P(transform(vdf_normalise_path, target));
}

PG_FUNCTION_INFO_V1(vedfolnir_escape_glob);
Datum vedfolnir_escape_glob(PG_FUNCTION_ARGS)
{
    PG_RETURN_TEXT_P(transform(vdf_escape_glob, PG_GETARG_TEXT_PP(0)));
}

PG_FUNCTION_INFO_V1(vedfolnir_escape_percent);
Datum vedfolnir_escape_percent(PG_FUNCTION_ARGS)
{
    PG_RETURN_TEXT_P(transform(vdf_escape_percent, PG_GETARG_TEXT_PP(0)));
}

PG_FUNCTION_INFO_V1(vedfolnir_path_segment);
Datum vedfolnir_path_segment(PG_FUNCTION_ARGS)
{
    PG_RETURN_TEXT_P(transform(vdf_path_segment, PG_GETARG_TEXT_PP(0)));
}

} /* extern "C" */
