/*
 * bulk_insert.h: rows for the extension's own tables, written page by page as COPY does, without a statement.
 */
#ifndef VEDFOLNIR_BULK_INSERT_H
#define VEDFOLNIR_BULK_INSERT_H

#include "ext/execute.h"

typedef struct VdfBulkInsert VdfBulkInsert;

/* For a table of schema vedfolnir and the columns that each row gives; the others get their defaults. Until the end
 * the current user is the owner of the table. */
VdfBulkInsert *vdf_bulk_insert_begin(VdfExecutor *executor, const char *table, int ncolumns, const char *const *columns);
void vdf_bulk_insert_row(VdfBulkInsert *insert, const Datum *values, const bool *nulls);
uint64 vdf_bulk_insert_end(VdfBulkInsert *insert);

#endif
