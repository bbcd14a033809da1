#include "ext/definition.h"

#include "ext/store.h"

void vdf_require_arguments(FunctionCallInfo fcinfo, int count, const char *const *names)
{
    for (int i = 0; i < count; i++)
        if (names[i] != NULL && PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", names[i])));
}

char *vdf_name_argument(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : pstrdup(NameStr(*PG_GETARG_NAME(n)));
}

char *vdf_text_argument(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

void vdf_invalid_value(const char *what, const char *given, const char *allowed)
{
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid %s: \"%s\"", what, given),
                    errhint("Allowed are %s.", allowed)));
}

void vdf_row_value(VdfRow *row, Oid type, Datum value, bool isnull)
{
    row->types[row->n] = type;
    row->values[row->n] = value;
    row->nulls[row->n++] = isnull ? 'n' : ' ';
}

void vdf_row_text(VdfRow *row, const char *text)
{
    vdf_row_value(row, TEXTOID, text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

void vdf_row_name(VdfRow *row, const char *name)
{
    vdf_row_value(row, NAMEOID, name ? DirectFunctionCall1(namein, CStringGetDatum(name)) : (Datum) 0, name == NULL);
}

void vdf_row_relation(VdfRow *row, Oid relation)
{
    vdf_row_value(row, REGCLASSOID, ObjectIdGetDatum(relation), false);
    vdf_row_name(row, get_namespace_name(get_rel_namespace(relation)));
    vdf_row_name(row, get_rel_name(relation));
}

void vdf_row_write(VdfRow *row, const char *sql)
{
    VdfStore store;

    vdf_store_open(&store);
    vdf_store_run(&store, sql, row->n, row->types, row->values, row->nulls, false);
    vdf_store_close(&store);
}
