/*
 * definition.h: what the functions that write the configuration share: their arguments, and the row that they write.
 */
#ifndef VEDFOLNIR_DEFINITION_H
#define VEDFOLNIR_DEFINITION_H

#include "ext/pg.h"

/* Raises 22004 when one of the first arguments is null; an argument without a name may be. */
void vdf_require_arguments(FunctionCallInfo fcinfo, int count, const char *const *names);
/* A copy of the argument; NULL for null. */
char *vdf_name_argument(FunctionCallInfo fcinfo, int n);
char *vdf_text_argument(FunctionCallInfo fcinfo, int n);
/* Raises 22023, with what is allowed as the hint. */
void vdf_invalid_value(const char *what, const char *given, const char *allowed);

/* Values of a row to write: NULL pointers become null. */
typedef struct VdfRow
{
    int n;
    Oid types[16];
    Datum values[16];
    char nulls[17];
} VdfRow;

void vdf_row_value(VdfRow *row, Oid type, Datum value, bool isnull);
void vdf_row_text(VdfRow *row, const char *text);
void vdf_row_name(VdfRow *row, const char *name);
/* The relation and the two parts of its name. */
void vdf_row_relation(VdfRow *row, Oid relation);
/* Runs a statement with the values as its parameters. */
void vdf_row_write(VdfRow *row, const char *sql);

#endif
