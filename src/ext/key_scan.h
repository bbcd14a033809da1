/*
 * key_scan.h: a scan of a relation that lets through the rows whose references are in key sets.
 *
 * It takes the place of the sequential scan in a plan of ours: one pass over a relation for all edges into it, without
 * a join. A row that changed meanwhile is asked again under EvalPlanQual, as any other scan's condition is.
 */
#ifndef VEDFOLNIR_KEY_SCAN_H
#define VEDFOLNIR_KEY_SCAN_H

#include "ext/key_set.h"

/* One edge: the referring columns, in the order of the set's columns. */
typedef struct VdfKeyArm
{
    const VdfKeySet *set;
    int ncolumns;
    const char *columns[VDF_KEY_COLUMNS];
} VdfKeyArm;

typedef struct VdfKeyScan
{
    Oid relation; /* that the statement names: its partitions have the same columns */
    double expected; /* rows, for the progress view */
    int narms;
    VdfKeyArm *arms;
} VdfKeyScan;

/*
 * Exchanges the scans of a plan that reads every row of one relation. False where the plan has a form that is not
 * known here: then it is as it was, and reads every row.
 */
bool vdf_key_scan_install(PlannedStmt *plan, const VdfKeyScan *scan);

#endif
