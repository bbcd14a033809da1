/*
 * restriction.h: what the catalogue demands of the rows of a table: checks, NOT NULL, unique indexes, exclusion.
 */
#ifndef VEDFOLNIR_RESTRICTION_H
#define VEDFOLNIR_RESTRICTION_H

#include "ext/pg.h"

typedef enum VdfRestrictionKind
{
    VDF_RESTRICTION_CHECK,
    VDF_RESTRICTION_NOT_NULL,
    VDF_RESTRICTION_UNIQUE,
    VDF_RESTRICTION_EXCLUSION,
    VDF_RESTRICTION_PARTITION /* no partition takes the row */
} VdfRestrictionKind;

typedef struct VdfRestriction
{
    VdfRestrictionKind kind;
    const char *name;    /* of the constraint, the index or, NOT NULL, the column */
    Bitmapset *columns;  /* that it reads, through generated columns too */
    Node *test;          /* a check: false where it is violated; NOT NULL: of a generated column */
    int nkeys;           /* an index */
    Node **keys;
    Oid *operators;      /* all true: the rows are in each other's way */
    Oid *collations;
    Node *predicate;     /* may be NULL */
    bool nulls_equal;    /* NULLS NOT DISTINCT */
    Bitmapset *plain;    /* columns that are keys as they are: NULL in one is in nobody's way */
    bool unforeseeable;  /* volatile, or over the whole row */
    Oid leaf;            /* only rows of this partition are concerned; InvalidOid: all */
} VdfRestriction;

/* Those of a table; everything in the current memory context. */
List *vdf_restrictions(Relation table);
/* Those that only a partition has, over the columns of the table that it belongs to. */
List *vdf_leaf_restrictions(Relation table, Relation leaf);
/* The columns of the table by which a partitioned table below it (or itself) tells partitions apart. */
Bitmapset *vdf_routing_columns(Relation table, Relation partitioned);
/* Does a row of the alias, as it will be, belong to one of these partitions? As SQL. */
char *vdf_routing_text(Relation table, List *leaves, const char *alias);
/* Those of the domain of a column. Asked for anew each time: a change of a domain is no news to the plan. */
List *vdf_domain_restrictions(Relation table, AttrNumber number);
/* Adds the columns that an expression reads, those below generated ones too; false when it reads the whole row or what is no column. */
bool vdf_columns_read(Relation table, Node *expression, Bitmapset **columns);
/* An expression of a restriction as SQL over the rows of an alias; new: generated columns are not there yet. */
char *vdf_restriction_text(Relation table, Node *expression, const char *alias, bool fresh);

#endif
