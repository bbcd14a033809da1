/*
 * value.h: values that a caller or an administrator wrote as text.
 */
#ifndef VEDFOLNIR_VALUE_H
#define VEDFOLNIR_VALUE_H

#include "ext/pg.h"

/*
 * Reads a value of a column's type as the owner of its relation: a domain's check may call a function of anybody. What
 * the column would refuse is refused, but nothing is rounded to fit: the value is the one that was written.
 */
Datum vdf_read_value(Oid relation, Oid type, int32 typmod, const char *text);

#endif
