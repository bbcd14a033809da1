/*
 * sweep.h: phase D for relations whose references can be looked up in packed keys.
 *
 * All edges into the relation are asked in one scan, and whose row it is is told while it is deleted: outside a cycle
 * the parents' keys are final, so a reference that they do not hold leads to a row that stays. Keys that are
 * few beside the rows of the relation are looked up in its indexes instead. Everything else is walked by joins (walk.cpp, collateral.cpp).
 */
#ifndef VEDFOLNIR_SWEEP_H
#define VEDFOLNIR_SWEEP_H

#include "ext/run.h"

#define SWEEP_EDGES 32
/* Key columns of a relation, of all edges out of it together */
#define SWEEP_KEYS 8
#define WHOLE_KEY (-1)

/* An edge into a node, and where its references are looked up. */
typedef struct SweepEdge
{
    bool possible;
    int edge;
    int list; /* of the parent, that the edge refers by; WHOLE_KEY: all of its key columns */
    int ncolumns;
    int pairs[VDF_KEY_COLUMNS]; /* in the order of the parent's key columns */
    Oid declared[VDF_KEY_COLUMNS];
    Oid types[VDF_KEY_COLUMNS]; /* without domains */
    Oid collations[VDF_KEY_COLUMNS];
    const char *columns[VDF_KEY_COLUMNS];
    AttrNumber numbers[VDF_KEY_COLUMNS]; /* of these columns in the relation of the node */
    Oid index;                           /* on them, that was used last */
    double rows_per_parent;              /* as the statistics have it; negative: not asked yet */
    bool indexed;
    bool looked_up;                      /* by keys in such an index, without a join */
    bool inner; /* of a cycle */
} SweepEdge;

/*
 * Edges may refer to a relation by several lists of columns. A foreign key refers to columns that are unique by themselves, so
 * each list has a packed set of its own, without the rows that have a NULL in it: no such edge leads to them.
 */
typedef struct SweepList
{
    int ncolumns;
    int columns[VDF_KEY_COLUMNS]; /* among the node's key columns, ascending */
} SweepList;

typedef struct SweepLists
{
    bool whole; /* an edge refers by all key columns, and their set lacks no row that has children */
    int n;      /* the other ones */
    SweepList list[VDF_KEY_LISTS];
} SweepLists;

/* A column of the node's key. */
typedef struct SweepKey
{
    const char *name;
    AttrNumber number;
    Oid type;
    int32 typmod;
    Oid collation;
} SweepKey;

typedef struct VdfSweep
{
    bool possible;   /* the edges into the node */
    bool packs;      /* the node's keys can be packed, and none that matters is missing then */
    bool identifies; /* they tell the rows apart as well */
    int nkeys;       /* of the keys, whose columns were found */
    SweepKey keys[SWEEP_KEYS];
    int nedges;
    SweepEdge **edges;
    TupleDesc watched[2][2]; /* a row as its scan gives it, without or with references, and keys */
} VdfSweep;

/* Where the rows of a statement go. */
typedef struct SweepSink
{
    VdfSink sink;
    VdfRun *run;
    VdfSweep *sweep;
    int node;
    int edge;  /* of the statement; -1: a scan for all */
    bool look; /* the edge, the person and the owner of a row are to be looked up */
    int *references; /* per edge and column: number in the slot */
    int *columns;    /* the keys */
    int ncolumns;
    int targets; /* first of them */
    int user;    /* vdf_u, -1: the person is looked up */
    bool loop;   /* part of a cycle */
    bool inside; /* a round of a cycle: the inner edges lead to the rows */
    uint64 rows;
} SweepSink;

/* What is remembered of a row of a cycle until the whole cycle is known. */
#define ROW_SOURCE 1
#define ROW_OWN 2 /* by an edge that leads into the cycle */

/* Learns once per plan what the edges into a node are like. */
VdfSweep *vdf_sweep_of(VdfDeletionPlan *plan, int node);
/* Learned once per plan; NULL: the references of the edge cannot be looked up in packed keys. */
SweepEdge *vdf_sweep_edge(VdfDeletionPlan *plan, int number);
/* By which column lists edges refer to a node; learned once per plan. */
const SweepLists *vdf_sweep_lists(VdfDeletionPlan *plan, int node);
/* Where the references of an edge are looked up, once the parents are known; NULL: nowhere. */
static inline VdfKeySet *vdf_sweep_set(const VdfNodeState *parent, const SweepEdge *edge)
{
    return edge->list == WHOLE_KEY ? parent->packed : parent->lists[edge->list];
}
/* The scan of a relation, or the look-ups in it, for one edge whose parents are packed. False: there is none. */
bool vdf_sweep_scan_of(VdfRun *run, int number, VdfKeyScan *scan, VdfKeyArm *arm);
/* Is one scan of a relation cheaper than a look-up in an index for each of so many keys? */
bool vdf_scan_beats_lookups(Oid relation, uint64 keys);
/* The number of a column of a statement of ours. */
int vdf_slot_column(TupleDesc desc, const char *name);

/* sweep_rows.cpp */
void vdf_sweep_row(VdfSink *sink, TupleTableSlot *slot);
void vdf_sweep_start(VdfSink *sink, TupleDesc desc);
/* Where a row has its columns is known. */
void vdf_sweep_begin(SweepSink *sink, TupleDesc desc);

/* sweep_watch.cpp: the same without RETURNING. NULL: what is asked of the rows is more than their columns. */
VdfKeyWatch *vdf_sweep_watch(SweepSink *sink);
void vdf_sweep_watch_end(VdfKeyWatch *watch);

/* sweep_keys.cpp: the keys of a node, packed, or in stores when they are too many. */
void vdf_sweep_start_keys(VdfRun *run, int node, TupleDesc desc, int ncolumns, const int *columns);
void vdf_sweep_start_next(VdfRun *run, int node, TupleDesc desc, int ncolumns, const int *columns);
void vdf_sweep_keep_key(VdfRun *run, int node, TupleTableSlot *slot, int ncolumns, const int *columns, int person,
                        bool own);
/* Bytes, of all packed keys of a run together */
Size vdf_sweep_key_limit(void);
/* In a cycle: the keys of all rounds, and those of the next round. */
void vdf_sweep_keep_round(VdfRun *run, int node, TupleTableSlot *slot, int ncolumns, const int *columns, int person,
                          bool own);
/* The keys of a cycle that had become too many to be packed: in stores, or packed all the same. */
void vdf_sweep_store_cycle(VdfRun *run, int node);
void vdf_sweep_pack_cycle(VdfRun *run, int node);

/* sweep_lists.cpp: the same keys by the column lists that edges refer by. columns: where a slot has the node's key columns. */
void vdf_sweep_start_lists(VdfRun *run, int node, TupleDesc desc, const int *columns);
/* A list that would take too much memory is given up: children that refer by it are walked by joins. */
void vdf_sweep_keep_lists(VdfRun *run, int node, TupleTableSlot *slot, const int *columns, int person, bool own);
/* The lists of a cycle, when it is known whose its rows are. */
void vdf_sweep_list_cycle(VdfRun *run, int node);
void vdf_sweep_drop_lists(VdfNodeState *state);
/* Where the slot has the columns of a list. */
void vdf_sweep_list_columns(const SweepList *list, const int *columns, int *out);

/* The rows behind the outer edges of a node, or behind the inner ones of the last round. */
void vdf_sweep_rows(VdfRun *run, int node, bool loop, bool inside);
/* sweep_cycle.cpp: the rounds of a cycle, and then whose rows they are. */
void vdf_sweep_cycle(VdfRun *run, const VdfComponent *component);

#endif
