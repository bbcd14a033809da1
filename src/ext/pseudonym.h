/*
 * pseudonym.h: what the evidence has in place of a key: an HMAC under a secret of the database.
 */
#ifndef VEDFOLNIR_PSEUDONYM_H
#define VEDFOLNIR_PSEUDONYM_H

#include "ext/pg.h"

typedef struct VdfPseudonym
{
    int key_id;
    uint8 bytes[32];
} VdfPseudonym;

/* HMAC-SHA256 over subject and key text under the newest secret; makes the first secret when create is set. */
bool vdf_pseudonym(const char *subject, const char *key, bool create, VdfPseudonym *pseudonym);
/* Under the secret of pseudonym->key_id; false when it is gone. */
bool vdf_pseudonym_under(const char *subject, const char *key, VdfPseudonym *pseudonym);
/* The same for many people at once; makes the first secret. */
void vdf_pseudonyms_of_people(const char *subject, int n, const char *const *keys, VdfPseudonym *pseudonyms);
/* The pseudonyms of a person under every secret, as bytea[]; false when there is no secret. */
bool vdf_pseudonyms(const char *subject, const char *key, Datum *array);
Datum vdf_pseudonym_bytea(const VdfPseudonym *pseudonym);
char *vdf_pseudonym_hex(const VdfPseudonym *pseudonym);

char *vdf_hex(const void *bytes, int length);
/* SHA-256 of a text, in hex. */
char *vdf_sha256_hex(const char *data, int length);

#endif
