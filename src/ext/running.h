/*
 * running.h: deletions that take several transactions (state "running") and are on record since the first of them.
 */
#ifndef VEDFOLNIR_RUNNING_H
#define VEDFOLNIR_RUNNING_H

#include "ext/deletion_plan.h"

typedef struct VdfRunning
{
    bool found;
    pg_uuid_t id;
    uint64 rows; /* that its batches deleted */
} VdfRunning;

/* The running deletion of each person, as of now; NULL when no deletion at all is running. */
VdfRunning *vdf_running_people(const char *subject, VdfDeletionPlan *plan, Datum *keys, int n);
/* The last transaction: the state follows the tasks of all of them. Is anything still to be done? */
bool vdf_running_finish(const pg_uuid_t *id, const char *plan_hash, const pg_uuid_t *request_id);
/* Is a running deletion on record for a request? */
bool vdf_running_request(const pg_uuid_t *request_id, pg_uuid_t *id);

#endif
