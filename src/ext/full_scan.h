/*
 * full_scan.h: scans of ours in the place of those of a plan that reads every row of one relation.
 */
#ifndef VEDFOLNIR_FULL_SCAN_H
#define VEDFOLNIR_FULL_SCAN_H

#include "ext/pg.h"

typedef struct VdfScanExchange
{
    const CustomScanMethods *methods;
    MemoryContext context; /* the plan's, for new nodes */
    Oid relation;          /* that the statement names */
    Bitmapset *columns;    /* of it, offset as in a plan, that a condition instead of the scan would read: the
                              owner needs the privilege */
    double expected;       /* rows, for the progress view */
} VdfScanExchange;

/*
 * What was exchanged before stays. False where the plan has a form that is not known here: then it reads
 * every row, and must not be run.
 */
bool vdf_exchange_scans(PlannedStmt *plan, const VdfScanExchange *exchange);

#endif
