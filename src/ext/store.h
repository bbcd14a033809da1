/*
 * store.h: SQL on the extension's own tables, run as their owner.
 */
#ifndef VEDFOLNIR_STORE_H
#define VEDFOLNIR_STORE_H

#include "ext/pg.h"

/* The role that owns the schema vedfolnir. */
Oid vdf_store_owner(void);

/* One statement with text or typed parameters; the result stays valid until vdf_store_close. */
typedef struct VdfStore
{
    Oid user;
    int context;
    int path; /* nest level of search_path */
    uint64 count;
    MemoryContext memory; /* the caller's: stays current, results are copied there */
} VdfStore;

/* Opens SPI as the owner of the tables. Errors in between are cleaned up by the transaction's abort. */
void vdf_store_open(VdfStore *store);
/* Runs a statement; read_only for what must work on a standby. Returns the number of rows. */
uint64 vdf_store_run(VdfStore *store, const char *sql, int nargs, Oid *types, Datum *values, const char *nulls,
                     bool read_only);
/* Column (1 ...) of a result row as text; NULL for null. */
char *vdf_store_text(VdfStore *store, uint64 row, int column);
Datum vdf_store_datum(VdfStore *store, uint64 row, int column, bool *isnull);
void vdf_store_close(VdfStore *store);

/* VF003 unless as many rows of a table of the extension were written as should be: a trigger may have kept some back. */
void vdf_store_require_rows(const char *table, uint64 wanted, uint64 written);
/* VF003 if a rule rewrites an INSERT into the table: its rows may go anywhere, and no count would tell. */
void vdf_store_refuse_rules(Relation table);
/* An INSERT of one row into a table of the extension; VF003 if a trigger or a rule keeps it from there. */
void vdf_store_insert_row(VdfStore *store, const char *table, const char *sql, int nargs, Oid *types, Datum *values);

#endif
