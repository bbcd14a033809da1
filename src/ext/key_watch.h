/*
 * key_watch.h: which rows of a key scan were deleted, and what was in them, without RETURNING.
 *
 * RETURNING fetches each row once more after it was deleted. The scan has it at hand: when it is asked for the next row,
 * the executor has counted the one before if it was deleted. Where that one had changed meanwhile, the version that
 * EvalPlanQual came to is what went.
 */
#ifndef VEDFOLNIR_KEY_WATCH_H
#define VEDFOLNIR_KEY_WATCH_H

#include "ext/pg.h"

typedef struct VdfWatchColumn
{
    const char *name;
    AttrNumber number; /* in the relation, when the plan was made */
    Oid type;
} VdfWatchColumn;

typedef struct VdfKeyWatch
{
    int ncolumns;
    VdfWatchColumn *columns;
    TupleTableSlot *row; /* virtual: the columns of a row that is gone */
    void (*gone)(void *arg, TupleTableSlot *row);
    void *arg;
    uint64 rows; /* that are gone */

    /* The row that the scan gave last. */
    bool waiting;
    uint64 processed;          /* rows that the executor had counted before */
    TupleTableSlot *slot;      /* NULL: its columns are in row, since it changed */
    const AttrNumber *numbers; /* in the relation of the slot */
} VdfKeyWatch;

/* The columns of the watch in a relation. VF006 where one is not what it was when the plan was made. */
AttrNumber *vdf_key_watch_columns(const VdfKeyWatch *watch, Relation relation);
AttrNumber vdf_column_number(Relation relation, const char *column, AttrNumber number);
[[noreturn]] void vdf_refuse_column(Relation relation, const char *column);
/* The row is about to be deleted. */
void vdf_key_watch_give(VdfKeyWatch *watch, EState *estate, TupleTableSlot *slot, const AttrNumber *numbers);
/* It changed meanwhile, and this version of it is about to be deleted. */
void vdf_key_watch_change(VdfKeyWatch *watch, TupleTableSlot *slot, const AttrNumber *numbers);
/* Was it deleted? To be asked before the next one is looked for. */
void vdf_key_watch_settle(VdfKeyWatch *watch, EState *estate);

#endif
