/*
 * catalog.h: foreign keys as the catalogue has them.
 */
#ifndef VEDFOLNIR_CATALOG_H
#define VEDFOLNIR_CATALOG_H

#include "bridge/wall.h"
#include "ext/pg.h"

/* One declared foreign key; the rows that partitioning adds below it are left out. */
typedef struct VdfForeignKey
{
    Oid oid;
    Oid relation;
    Oid declared_on; /* the relation itself, or the one that it inherits from: an inheriting table has no key of its own */
    Oid referenced;
    NameData name;
    char delete_type;
    bool full; /* MATCH FULL */
    bool validated;
    bool enforced;
    bool period;
    bool deferrable;
    HeapTuple row; /* of pg_constraint, until vdf_foreign_keys_end; NULL: it is looked up */
} VdfForeignKey;

/* All foreign keys of the database, and for tables that inherit the columns but not the key one more each; temporary tables of other sessions left out. */
VdfForeignKey *vdf_foreign_keys(int *count, List **deferrable);
/* Frees their rows of the catalogue, which a plan asks but once. */
void vdf_foreign_keys_end(VdfForeignKey *keys, int count);

/* The top of a partition tree; the relation itself when it is no partition. */
Oid vdf_partition_root(Oid relation);
Oid vdf_relation_owner(Oid relation);
/* "{oid,...}" of a relation and all its partitions. */
char *vdf_partition_leaves(Oid relation);
/* What a statement addresses: "schema.name", with ONLY unless it is partitioned. */
char *vdf_from_clause(Oid relation);
/* "OPERATOR(schema.name)" */
char *vdf_operator(Oid op);
/* "::schema.type" */
char *vdf_cast(Oid type);
/* " COLLATE schema.name" */
char *vdf_collate(Oid collation);

/* Fills the column pairs, set columns and referring attributes of a key. */
void vdf_key_details(const VdfForeignKey *key, VdfEdge *edge, AttrNumber *attributes, int *nattributes);
/* The first referred column of a foreign key. */
AttrNumber vdf_referred_column(const VdfForeignKey *key);
/* The pair of a link: a column or an expression against a column of the parent. */
void vdf_link_pair(Oid relation, const char *column, const char *expression, Oid parent, const char *parent_column,
                   VdfPair *pair);
/* The columns that an edge sets when rows are detached: declared ones, else all; defaults where asked for. */
void vdf_set_columns(Oid relation, const AttrNumber *attributes, int n, bool only_nullable, bool defaults, VdfEdge *edge);

/* Does a table, or the column's type, forbid NULL in the column? */
bool vdf_forbids_null(Oid relation, AttrNumber number, bool *generated);
/* Does the server compute the column, so that no UPDATE may set it? */
bool vdf_is_computed(Oid relation, AttrNumber number);

#endif
