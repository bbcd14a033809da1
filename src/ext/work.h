/*
 * work.h: what the parts of one call share.
 */
#ifndef VEDFOLNIR_WORK_H
#define VEDFOLNIR_WORK_H

#include "ext/call.h"
#include "ext/evidence.h"
#include "ext/run.h"
#include "ext/running.h"
#include "ext/steps.h"

/* Everything one call needs while it runs. */
typedef struct VdfWork
{
    VdfCall *call;
    VdfRun *run;
    pg_uuid_t id; /* of the deletion; of the first person's, where there are many */
    VdfEarlier earlier; /* looked up where it matters */
    bool answered;      /* by a deletion, of now or of before */
    pg_uuid_t answer;   /* its id */
    VdfRunning *running; /* per person: batches that deleted some of their rows before; NULL: none of any */
    char **keys;   /* per person, as the root rows have them */
    char **labels; /* per person, NULL for none */
    Datum *values; /* keys of the call, sorted and without doubles */
    int n;
    Datum *others; /* keys of several people who were deleted before; each is looked at alone */
    int nothers;
    const char *hash; /* of the plan */
} VdfWork;

/* deletion_id.cpp */
pg_uuid_t vdf_new_id(void);
/* call.cpp */
/* What is done for the people of the call, or for the one whose key is given. */
List *vdf_work_do(VdfWork *w, VdfDeletionPlan *plan, Datum *key);
/* VF006 when the call was given another one. */
void vdf_check_plan_hash(VdfWork *w, const char *hash);
/* What an earlier call with the same request id returned; the digest of the arguments comes back in either case. */
bool vdf_call_request(VdfCall *call, VdfDeletionPlan *plan, VdfPseudonym *arguments, List **steps);
/* deleted_before.cpp: the steps, followed by what was found of those who are set apart. */
List *vdf_deleted_before(VdfWork *w, VdfDeletionPlan *plan, List *steps);
/* people.cpp: the root rows of the keys of a call. */
void vdf_read_keys(VdfWork *w);
void vdf_lock_people(VdfWork *w);
void vdf_find_people(VdfWork *w, bool lock);
/* A person whose root row is gone: rows behind links may still refer to the key. */
void vdf_find_ghost(VdfWork *w);
/* 22023 when the reason names the person. */
void vdf_check_reason(VdfWork *w);
/* hold.cpp: VF008 in a run, a block row in a dry run. */
void vdf_check_holds(VdfWork *w);

/* notice.cpp: what a call says beside its rows. */
void vdf_notice_dry(VdfWork *w, VdfTotals totals);
void vdf_notice_run(VdfWork *w, VdfTotals totals, const pg_uuid_t *id, bool open);
char *vdf_uuid_text(const pg_uuid_t *id);
/* Further arguments of a call that a message suggests. */
char *vdf_further_arguments(VdfCall *call);
/* VF007 with everything that is in the way; a refusal writes one line to the server log. */
void vdf_log_refusal(VdfWork *w, const char *sqlstate);
[[noreturn]] extern void vdf_raise_blocked(VdfWork *w);

#endif
