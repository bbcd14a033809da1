/*
 * own_row.h: is a row the tombstone of the person whose deletion queued a task? Include after pg.h.
 */
#ifndef VEDFOLNIR_EXT_OWN_ROW_H
#define VEDFOLNIR_EXT_OWN_ROW_H

/* Whose tombstone may go on naming a target: the person of a deletion, known by the pseudonym only. */
typedef struct VdfTombstone
{
    char *subject;
    int key_id;
    bytea *pseudonym;
    Oid root; /* 0: the subject is not registered any more, so no row is the person's */
    char *key_column;
    Oid key_type;
    Oid key_collation;
} VdfTombstone;

/* From a row with subject, pseudonym, key_id, and the subject's relation and key_column, in columns first ... */
VdfTombstone *vdf_tombstone_read(HeapTuple row, TupleDesc desc, int first);
/* The expression that gives the key of row c of a relation, null for what is no root row; $n is vdf_tombstone_tables. */
char *vdf_tombstone_key(const VdfTombstone *tombstone, Oid relation, int n);
/* oid[]: the root table and all that belongs to it. */
Datum vdf_tombstone_tables(const VdfTombstone *tombstone);
/*
 * Does a row with this key keep the target that it names? Not the tombstone's own, nor another tombstone whose own deletion is
 * still to remove the same. To be called inside SPI as the owner of the queue; 55000 when the secret is gone: then nobody can tell.
 */
bool vdf_tombstone_keeps(const VdfTombstone *tombstone, Datum key, bool isnull, const char *kind, const char *service, Datum target);

#endif
