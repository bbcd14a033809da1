/*
 * progress.h: what a long run is doing, for other sessions to watch.
 *
 * A command type of our own in the server's progress slot: visible at once, gone after commit, error or cancel, and
 * unknown to the server's own progress views.
 */
#ifndef VEDFOLNIR_PROGRESS_H
#define VEDFOLNIR_PROGRESS_H

#include "ext/pg.h"

typedef enum VdfPhase
{
    VDF_PHASE_WALK = 1,
    VDF_PHASE_DETACH,
    VDF_PHASE_TARGETS,
    VDF_PHASE_PROVE,
    VDF_PHASE_TRIGGERS,
    VDF_PHASE_RECORD,
    VDF_PHASE_BATCH,
    VDF_PHASE_WAIT
} VdfPhase;

void vdf_progress_begin(Oid root, bool dry, const pg_uuid_t *deletion);
void vdf_progress_phase(VdfPhase phase);
/* A statement on a relation begins; the planner expects so many rows of it. */
void vdf_progress_statement(Oid relation, double expected);
/* Rows are done; written through every thousand. */
void vdf_progress_rows(uint64 rows);
/* What the whole of several transactions will come to. */
void vdf_progress_expect(double rows);
void vdf_progress_end(void);
/* The process that works on a deletion, this one left out; 0: none. */
int vdf_progress_worker(const pg_uuid_t *deletion);

#endif
