/*
 * key_probe.h: the rows of a relation whose references are in small key sets, by look-ups in its indexes.
 *
 * Each key is looked up in an index on the referring columns. Places are collected and visited in the order of the heap,
 * each once, so that several references to rows that go do not bring a row in twice.
 */
#ifndef VEDFOLNIR_KEY_PROBE_H
#define VEDFOLNIR_KEY_PROBE_H

#include "ext/key_set.h"

/* One edge, in the attributes of the relation at hand. */
typedef struct VdfProbeArm
{
    const VdfKeySet *set;
    int ncolumns;
    AttrNumber columns[VDF_KEY_COLUMNS]; /* in the order of the set's */
    int last_column;
    Oid types[VDF_KEY_COLUMNS]; /* without domains */
    Oid *index; /* that served before, to be tried first; NULL: nobody remembers */
} VdfProbeArm;

typedef struct VdfKeyProbe VdfKeyProbe;

/*
 * Can references in columns of these types, without domains, be looked up in the index? It has to hold every row that
 * refers, by these columns first and by the equality that a key set stands for. order: which column each of its first columns is.
 */
bool vdf_probe_serves(Relation index, int ncolumns, const AttrNumber *columns, const Oid *types, int *order);
/*
 * NULL where an arm has no index that serves. prune: pages may be pruned as they are read, which makes room for new
 * versions of rows that are updated next. Where rows go, or are only looked at, it would be work and WAL for nothing.
 */
VdfKeyProbe *vdf_key_probe_begin(Relation relation, Snapshot snapshot, bool prune, int narms, const VdfProbeArm *arms);
/* False: no index leads anywhere, and there is no next row. */
bool vdf_key_probe_leads(VdfKeyProbe *probe);
/*
 * The next visible row. It is new if none of the first *done arms leads to it: rows behind those were all brought before.
 * The caller has to compare the row with the keys: its place may have been taken by another one meanwhile.
 */
bool vdf_key_probe_next(VdfKeyProbe *probe, TupleTableSlot *slot, int *done);
void vdf_key_probe_end(VdfKeyProbe *probe);

#endif
