/*
 * evidence.h: pseudonyms, the deletion's row, its audit and its answer to a request.
 */
#ifndef VEDFOLNIR_EVIDENCE_H
#define VEDFOLNIR_EVIDENCE_H

#include "ext/run.h"
#include "ext/steps.h"

typedef struct VdfPseudonym
{
    int key_id;
    uint8 bytes[32];
} VdfPseudonym;

/* An earlier deletion of the same person. */
typedef struct VdfEarlier
{
    bool found;
    pg_uuid_t id;
    char *state;
} VdfEarlier;

/* HMAC-SHA256 over subject and key text under the newest secret; makes the first secret when create is set. */
bool vdf_pseudonym(const char *subject, const char *key, bool create, VdfPseudonym *pseudonym);
/* Under the secret of pseudonym->key_id; false when it is gone. */
bool vdf_pseudonym_under(const char *subject, const char *key, VdfPseudonym *pseudonym);
/* The same for many people at once; makes the first secret. */
void vdf_pseudonyms_of_people(const char *subject, int n, const char *const *keys, VdfPseudonym *pseudonyms);
/* The pseudonyms of a person under every secret, as bytea[]; false when there is no secret. */
bool vdf_pseudonyms(const char *subject, const char *key, Datum *array);
/* The latest deletion of this person under any secret, expiries left out. */
VdfEarlier vdf_earlier_deletion(const char *subject, const char *key);
char *vdf_pseudonym_hex(const VdfPseudonym *pseudonym);

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

/* SHA-256 of a text, in hex. */
char *vdf_sha256_hex(const char *data, int length);

/* Requests: true when it was answered before; VF002 when with other arguments. */
bool vdf_request_find(Datum request_id, const VdfPseudonym *arguments, pg_uuid_t *deletion, List **steps);
void vdf_request_store(Datum request_id, const VdfPseudonym *arguments, const pg_uuid_t *deletion, List *steps);

/* The last deletion of this transaction. */
void vdf_remember_deletion(const pg_uuid_t *id);

#endif
