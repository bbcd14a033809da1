/*
 * call.h: one call of a deleting function, from its arguments to its result.
 */
#ifndef VEDFOLNIR_CALL_H
#define VEDFOLNIR_CALL_H

#include "ext/deletion_plan.h"
#include "ext/pg.h"

typedef struct VdfCall
{
    const char *function; /* for the hint, without the key */
    const char *subject;
    bool expire;
    bool dry;
    bool many;
    char **keys; /* as text; by name: the one key that was found */
    int nkeys;
    const char *label; /* by name: what was given; a retry is known by it, since nobody has that name any more */
    char *shown; /* the first argument as the caller could type it again */
    char *reason;
    bool has_request;
    pg_uuid_t request_id;
    char *plan_hash;
} VdfCall;

/* Runs the call and gives its steps. */
List *vdf_call_execute(VdfCall *call);
/* Runs the call and fills the result of the set-returning function. */
void vdf_call_run(FunctionCallInfo fcinfo, VdfCall *call);

/* Answers a retry of an earlier request; false when there is none. Comes before checks that only the living pass. */
bool vdf_call_answered(FunctionCallInfo fcinfo, VdfCall *call);

/* The arguments that all deleting functions have; first: name of the argument that must not be null. */
void vdf_call_arguments(FunctionCallInfo fcinfo, VdfCall *call, const char *function, const char *first);
/* The keys of a call for many (text[]). */
void vdf_call_keys(VdfCall *call, Datum keys);

/* Reads a key as the key column's type does: 22P02, 22003. */
Datum vdf_key_datum(VdfDeletionPlan *plan, const char *key);
char *vdf_key_text(VdfDeletionPlan *plan, Datum key);
/* The same text for every spelling of a key that its type calls equal: what pseudonyms and locks are made of. */
char *vdf_key_canonical(VdfDeletionPlan *plan, Datum key);
char *vdf_canonical_key(Oid key_type, Oid collation, Datum key);

/* One deletion of a person at a time, whatever the isolation level; until the end of the transaction. */
void vdf_lock_person(const char *subject, const char *key);
/* Does the text hold the word, whatever its case? Numbers and short words must stand alone. */
bool vdf_has_word(const char *text, const char *word);

/* Checks (42501) who may delete and who may look; a refused run is logged. */
void vdf_require_run(VdfDeletionPlan *plan);
void vdf_require_look(VdfDeletionPlan *plan);

#endif
