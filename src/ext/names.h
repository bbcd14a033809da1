/*
 * names.h: names that a caller typed, and the closest one that exists.
 */
#ifndef VEDFOLNIR_NAMES_H
#define VEDFOLNIR_NAMES_H

#include "ext/pg.h"

/* Of the names in the list (char *), the one most like the given; NULL when none is near. */
const char *vdf_closest(const char *given, List *names);
/* The name behind an identifier that may be quoted. */
char *vdf_unquoted(const char *identifier);
/* The number of a column; 42703 with the closest match. */
AttrNumber vdf_column_number(Oid relation, const char *column);
/* Raises 42704 with the closest match unless the relation has a foreign key or link of that name. */
void vdf_require_edge(const char *subject, Oid relation, const char *edge);
/* Raises 42704 unless the subject is registered; gives its root table. */
Oid vdf_require_subject(const char *subject);
/* Raises 42809 or 0A000 unless rows of the relation can be deleted by a walk. */
void vdf_require_table(Oid relation);
/* Raises 42501 unless the current role owns the relation. */
void vdf_require_owner(Oid relation);

#endif
