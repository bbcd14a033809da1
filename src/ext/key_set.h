/*
 * key_set.h: the keys of the rows that go, packed into words, for look-ups without a join.
 *
 * For types whose equality can be told without the catalogue. Each key carries the number of the person it belongs to
 * and whether the row is the person's own or somebody else's. Everything else stays with key sets in tuplestores.
 * Types are asked without their domains, where nothing else is said.
 */
#ifndef VEDFOLNIR_KEY_SET_H
#define VEDFOLNIR_KEY_SET_H

#include "ext/pg.h"

#define VDF_KEY_WORDS 4
#define VDF_KEY_COLUMNS 4

typedef enum VdfKeyKind
{
    VDF_KEY_INTEGER, /* int2, int4, int8 alike: a reference may be narrower than the key */
    VDF_KEY_FIXED4,
    VDF_KEY_FIXED8,
    VDF_KEY_UUID,
    VDF_KEY_TEXT,   /* this and the following: a hash, and where the value is; texts under a deterministic collation */
    VDF_KEY_PADDED, /* char(n): blanks at the end do not count */
    VDF_KEY_BYTES,
    VDF_KEY_NUMERIC /* as many digits behind the point as were written do not count */
} VdfKeyKind;

typedef struct VdfKeySet
{
    MemoryContext context;
    Size *used; /* bytes of all sets of the run */
    Size limit; /* of them */
    int ncolumns;
    VdfKeyKind kind[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS]; /* of the keys that are added */
    int words;
    unsigned places;                  /* bit per word that holds the place of a value */
    VdfKeyKind placed[VDF_KEY_WORDS]; /* what the value there is */
    MemoryContext arena;              /* of these values */
    Size value_bytes;
    uint8 *tags;   /* a byte of the hash per slot, 0: it is empty; the first ones once more behind the last */
    uint64 *keys;  /* words per slot */
    uint32 *marks; /* (person + 1) * 2 + own per slot; NULL: it is the same for all keys */
    uint32 mark;   /* this one */
    uint32 mask;   /* slots - 1 */
    uint64 count;
    uint64 foreign;
    uint64 nulls; /* keys with a NULL, which were left out */
} VdfKeySet;

#define VDF_KEY_OWN(mark) (((mark) & 1) != 0)
#define VDF_KEY_PERSON(mark) ((int) ((mark) >> 1) - 1)

/* The type that a domain is over, or the type itself. */
Oid vdf_key_type(Oid type);
/* Can references of the second type be looked up among keys of the first? Either may be a domain. */
bool vdf_key_comparable(Oid key_type, Oid key_collation, Oid reference_type, Oid reference_collation);
/* Do values of these types fit a set? They may be domains. */
bool vdf_key_packs(int ncolumns, const Oid *types, const Oid *collations);
/* NULL where the columns cannot be packed. */
VdfKeySet *vdf_key_set_create(TupleDesc desc, int ncolumns, const int *columns, Size *used, Size limit);
/* A key with a NULL is left out: nothing can refer to it. False: the set would pass its limit and holds what it held. */
bool vdf_key_set_add(VdfKeySet *set, TupleTableSlot *slot, const int *columns, int person, bool own);
/* The mark of a key, 0 if it is not in the set. */
uint32 vdf_key_set_find(const VdfKeySet *set, const Datum *values, const Oid *types);
/* All keys, for the statements that join: which < 0: all, 0: the foreign ones, 1: the person's own. */
void vdf_key_set_each(const VdfKeySet *set, int which, void (*row)(void *arg, const Datum *values, int person), void *arg);
/* The first key in the slots from *slot on, which is moved behind it; integers come as int8. False: there is none. */
bool vdf_key_set_next(const VdfKeySet *set, uint32 *slot, Datum *values);
/* Can references of a type, or of a domain, be looked up in a column of the set? */
bool vdf_key_set_takes(const VdfKeySet *set, int column, Oid type, Oid collation);
void vdf_key_set_free(VdfKeySet *set);
/* Where a key is, -1 if it is not in the set; it stays there until the set grows. */
int64 vdf_key_set_place(const VdfKeySet *set, const Datum *values, const Oid *types);
/* Changes whether the row of the key at a place is the person's own. */
void vdf_key_set_own(VdfKeySet *set, int64 place, bool own);

#endif
