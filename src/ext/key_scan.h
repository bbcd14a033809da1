/*
 * key_scan.h: a scan of a relation that lets through the rows whose references are in key sets.
 *
 * It takes the place of the sequential scan in a plan of ours: for all edges into a relation, and without a join, one
 * pass over it, or where key sets are small look-ups in its indexes. A row that changed meanwhile is asked again under EvalPlanQual, as any other scan's condition is.
 */
#ifndef VEDFOLNIR_KEY_SCAN_H
#define VEDFOLNIR_KEY_SCAN_H

#include "ext/key_probe.h"
#include "ext/key_watch.h"

/* One edge: the referring columns, in the order of the set's columns. */
typedef struct VdfKeyArm
{
    const VdfKeySet *set;
    int ncolumns;
    const char *columns[VDF_KEY_COLUMNS];
    AttrNumber numbers[VDF_KEY_COLUMNS]; /* of these columns in the relation, when the plan was made */
    Oid *index;                          /* of the relation, that served before */
} VdfKeyArm;

typedef struct VdfKeyFound VdfKeyFound;

typedef struct VdfKeyScan
{
    Oid relation; /* that the statement names: its partitions have the same columns */
    double expected; /* rows, for the progress view */
    bool probe;      /* look the keys up in indexes; a relation without is read as a whole */
    bool updated;    /* the rows are, next */
    int narms;
    VdfKeyArm *arms;
    VdfKeyWatch *watch; /* of a DELETE without RETURNING; NULL: nobody asks which rows went */
    VdfKeyFound *found; /* by vdf_key_scan_finds, NULL: nothing was asked */
} VdfKeyScan;

/* An edge in the attributes of a relation; VF006 where a column is not what it was when the plan was made. */
VdfProbeArm vdf_key_arm_in(Relation relation, const VdfKeyArm *scanned);

/* The name under which a statement with such a plan finds its VdfKeyScan among its named relations. */
#define VDF_KEY_SCAN_NAME "vdf_scan"

/*
 * Exchanges the scans of a plan that reads every row of one relation; what was exchanged before stays. False where the
 * plan has a form that is not known here: then it reads every row, and must not be run. New nodes are made in the
 * context given, which is the plan's.
 */
bool vdf_key_scan_install(PlannedStmt *plan, MemoryContext context, const VdfKeyScan *scan);

/*
 * Looks the keys up before the statement is begun: where nothing is found, which is the rule for most relations of a
 * large schema, there is nothing to begin. What was found is given to the scan of the statement. True where that cannot
 * be told so: by a scan, with partitions, or where the statement has an effect without rows. The lock is the statement's.
 */
bool vdf_key_scan_finds(VdfKeyScan *scan, Snapshot snapshot, LOCKMODE lock);
/* Afterwards, whether the statement was begun or not. */
void vdf_key_scan_end(VdfKeyScan *scan);

#endif
