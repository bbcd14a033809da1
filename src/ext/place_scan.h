/*
 * place_scan.h: a scan of a relation that lets through the rows that a look has found, by their places.
 *
 * It takes the place of the sequential scan in a DELETE of ours. Page by page, only a row version that the
 * look saw and that the statement sees is given; its page is pinned until the row is deleted, so that the
 * place is that of no other row. One that changes in that moment is not followed to its next version.
 */
#ifndef VEDFOLNIR_PLACE_SCAN_H
#define VEDFOLNIR_PLACE_SCAN_H

#include "ext/key_watch.h"
#include "ext/row_version.h"

typedef struct VdfPlaceScan
{
    Oid relation; /* that the statement names */
    Oid table;    /* of the rows: itself, or a partition */
    VdfVersions *versions;
    VdfVersionCursor *cursor; /* where the scan begins, and then where it has ended */
    Snapshot look;
    uint64 limit;
    uint64 given;
    uint64 changed;     /* rows that were left out */
    VdfKeyWatch *watch; /* of a DELETE without RETURNING; NULL: nobody asks which rows went */
} VdfPlaceScan;

/* The name under which a statement with such a plan finds its VdfPlaceScan among its named relations. */
#define VDF_PLACE_SCAN_NAME "vdf_places"

/* As vdf_key_scan_install. */
bool vdf_place_scan_install(PlannedStmt *plan, MemoryContext context, const VdfPlaceScan *scan);

#endif
