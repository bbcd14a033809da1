/*
 * evidence.h: the deletion's row, its audit and its answer to a request.
 */
#ifndef VEDFOLNIR_EVIDENCE_H
#define VEDFOLNIR_EVIDENCE_H

#include "ext/pseudonym.h"
#include "ext/run.h"
#include "ext/steps.h"

/* An earlier deletion of the same person. */
typedef struct VdfEarlier
{
    bool found;
    pg_uuid_t id;
    char *state;
} VdfEarlier;

/* The latest deletion of this person under any secret, expiries left out. */
VdfEarlier vdf_earlier_deletion(const char *subject, const char *key);

typedef struct VdfDeletionRecord
{
    const char *subject;
    const char *mode;
    const char *reason;
    const char *plan_hash;
    pg_uuid_t *request_id; /* may be NULL */
    VdfPseudonym *pseudonyms; /* per person */
    pg_uuid_t *ids;           /* per person */
    uint64 *tasks;            /* per person: 0 makes the deletion complete */
    bool *running;            /* per person: the deletion is on record since its first batch */
    bool begins;              /* in batches: more is to come */
    int n;
} VdfDeletionRecord;

void vdf_record_deletion(VdfRun *run, const VdfDeletionRecord *record);
void vdf_record_audit(VdfRun *run, const VdfDeletionRecord *record);

/* Requests: true when it was answered before; VF002 when with other arguments. */
bool vdf_request_find(Datum request_id, const VdfPseudonym *arguments, pg_uuid_t *deletion, List **steps);
void vdf_request_store(Datum request_id, const VdfPseudonym *arguments, const pg_uuid_t *deletion, List *steps);

/* The last deletion of this transaction. */
void vdf_remember_deletion(const pg_uuid_t *id);

#endif
