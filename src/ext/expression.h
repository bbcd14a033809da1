/*
 * expression.h: scalar expressions over one row, as rules declare them.
 */
#ifndef VEDFOLNIR_EXPRESSION_H
#define VEDFOLNIR_EXPRESSION_H

#include "ext/pg.h"

/* Parses an expression over the columns of a relation (also known as c). 42601, 42703, 42803, 0A000 as usual. */
Node *vdf_expression_parse(Oid relation, const char *text, bool subqueries);
/*
 * What is stored: every name qualified as the declaring session resolved it, columns under the alias c, so that no
 * later search_path changes its meaning. A type other than InvalidOid is what the value is coerced to.
 */
char *vdf_expression_compile(Oid relation, const char *text, bool subqueries, Oid type, int32 typmod);
/* The same for a text, subqueries allowed, comparable byte by byte whatever the collations of its columns. */
char *vdf_expression_compile_text(Oid relation, const char *text);

/* SQL that means the same under any setting of the session, with columns under their alias if prefix is true. */
char *vdf_deparse(Node *expression, List *context, bool prefix);
/* A value that was given as text, in a form that means the same under any setting of the session. */
char *vdf_value_text(Oid type, Datum value, char *given);

/* The first column under the alias c that a compiled expression names and the relation does not have; NULL for none. */
char *vdf_expression_missing_column(Oid relation, const char *text);
/* Does a compiled expression name the column of its row? */
bool vdf_expression_names_column(const char *text, const char *column);
/* Does a compiled expression read its row at all? */
bool vdf_expression_reads_row(Oid relation, const char *text);
/* Is a compiled expression nothing but NULL? */
bool vdf_expression_is_null(const char *text);

#endif
