/*
 * insert_facts.h: what the catalogue says of a table of our own that rows are written to: defaults, computed columns, checks.
 *
 * PostgreSQL reads and plans these expressions again for each statement, which costs a small deletion a twentieth of
 * its time. They are kept for the session until the table changes.
 */
#ifndef VEDFOLNIR_INSERT_FACTS_H
#define VEDFOLNIR_INSERT_FACTS_H

#include "ext/pg.h"

typedef struct VdfInsertFacts
{
    Oid relation;
    bool valid;
    bool plain; /* nothing but the server's own functions: computed columns and checks are known here */
    MemoryContext context;
    const char *const *columns; /* that were asked for last, and their numbers */
    AttrNumber *attributes;
    Expr **defaults;  /* per attribute, NULL for none; planned, as all of them */
    Expr **generated; /* the same */
    int nchecks;
    Expr **checks;
} VdfInsertFacts;

/* Good until the end of the transaction. */
VdfInsertFacts *vdf_insert_facts(Relation table);
/* The numbers of columns, whose names are a constant of the caller. */
const AttrNumber *vdf_insert_attributes(VdfInsertFacts *facts, Relation table, int ncolumns, const char *const *columns);

#endif
