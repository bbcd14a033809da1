/*
 * deleted_before.cpp: of a call for several people, those who were deleted before. Each is looked at alone, after the others: what
 * came since goes under a deletion of its own, and who has nothing left is answered.
 */
#include "ext/report.h"
#include "ext/work.h"

static const char prefix[] = "plan_hash=";

static VdfStep *first_of(List *steps)
{
    return (VdfStep *) linitial(steps);
}

/* The one hash of the call is told once, with its first step. */
static void drop_hash(VdfStep *step, const char *hash)
{
    char *rest = step->note + strlen(prefix) + strlen(hash);

    step->note = *rest ? pstrdup(rest + strlen("; ")) : NULL;
}

static void tell_hash(VdfStep *step, const char *hash)
{
    memcpy(step->note + strlen(prefix), hash, strlen(hash));
}

/* first: nobody before had anything left, so that the request is answered with this deletion. */
static List *look_alone(VdfWork *w, VdfDeletionPlan *plan, Datum key, VdfWork *one, VdfCall *call, bool first)
{
    char **keys = (char **) palloc(sizeof(char *));
    Datum *value = (Datum *) palloc(sizeof(Datum));

    *keys = vdf_key_text(plan, key);
    *value = key;
    *call = *w->call;
    call->keys = keys;
    call->nkeys = 1;
    call->has_request = call->has_request && first;
    call->plan_hash = NULL;
    memset(one, 0, sizeof(VdfWork));
    one->call = call;
    return vdf_work_do(one, plan, value);
}

static char *copy(const char *text)
{
    return text ? pstrdup(text) : NULL;
}

static List *copy_steps(List *steps)
{
    List *copies = NIL;
    ListCell *cell;

    foreach (cell, steps) {
        VdfStep *step = (VdfStep *) palloc(sizeof(VdfStep));

        *step = *(VdfStep *) lfirst(cell);
        step->relation = copy(step->relation);
        step->via = copy(step->via);
        step->action = copy(step->action);
        step->note = copy(step->note);
        copies = lappend(copies, step);
    }
    return copies;
}

List *vdf_deleted_before(VdfWork *w, VdfDeletionPlan *plan, List *steps)
{
    VdfStep *told = steps == NIL ? NULL : first_of(steps);
    const char *hash = told ? w->hash : NULL;

    for (int i = 0; i < w->nothers; i++) {
        VdfWork one;
        VdfCall call;
        /* There may be many of them, each with a run of its own. */
        MemoryContext own_memory = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir person", ALLOCSET_DEFAULT_SIZES);
        MemoryContext caller = MemoryContextSwitchTo(own_memory);
        List *found = look_alone(w, plan, w->others[i], &one, &call, told == NULL);

        MemoryContextSwitchTo(caller);
        found = copy_steps(found);
        one.hash = copy(one.hash);
        MemoryContextDelete(own_memory);
        if (found == NIL)
            continue;

        if (strcmp(first_of(found)->action, "already_deleted") != 0) {
            if (told == NULL) {
                told = first_of(found);
                hash = one.hash;
                w->answer = one.answer;
            } else {
                drop_hash(first_of(found), one.hash);
                hash = vdf_sha256_hex(psprintf("%s%s", hash, one.hash), strlen(hash) + strlen(one.hash));
            }
        }
        steps = list_concat(steps, found);
        if (!w->answered && one.answered) {
            w->answered = true;
            w->answer = one.answer;
        }
    }
    if (told == NULL)
        return steps;
    tell_hash(told, hash);
    if (!w->call->dry) {
        vdf_remember_deletion(&w->answer);
        vdf_check_plan_hash(w, hash);
    }
    return steps;
}
