/*
 * call.cpp: a deletion from its arguments to its result; design 2.1 says what each part means.
 */
#include "ext/work.h"

#include "ext/by_hand.h"
#include "ext/constraints.h"
#include "ext/expire.h"
#include "ext/fault.h"
#include "ext/frame.h"
#include "ext/leftover.h"
#include "ext/progress.h"
#include "ext/report.h"
#include "ext/running.h"
#include "ext/targets.h"

static const char *mode_of(VdfWork *w)
{
    return w->call->expire ? "expire" : w->run->tombstone ? "tombstone" : "delete";
}

/* Arguments of a request, as one pseudonym: the same call gives the same. */
static void digest_arguments(VdfCall *call, VdfDeletionPlan *plan, VdfPseudonym *digest)
{
    StringInfoData text;

    initStringInfo(&text);
    appendStringInfo(&text, "%s\n%s\n%s\n%s\n", call->function, call->subject, call->reason ? call->reason : "",
                     call->plan_hash ? call->plan_hash : "");
    if (call->label)
        appendStringInfo(&text, "name %zu:%s\n", strlen(call->label), call->label);
    for (int i = 0; call->label == NULL && i < call->nkeys; i++) {
        char *key = vdf_key_canonical(plan, vdf_key_datum(plan, call->keys[i]));

        appendStringInfo(&text, "%zu:%s\n", strlen(key), key);
    }
    (void) vdf_pseudonym("request", text.data, true, digest);
}

/* Writes the evidence and the tasks; everything in the transaction of the deletion. */
static pg_uuid_t record(VdfWork *w, const char *const *keys, const char *hash, bool *open)
{
    VdfRun *run = w->run;
    VdfDeletionRecord r;
    VdfTargetGroup *groups;
    int ngroups = vdf_targets_groups(run->targets, &groups);
    uint64 tasks = 0;

    memset(&r, 0, sizeof(r));
    r.subject = w->call->subject;
    r.mode = mode_of(w);
    r.reason = w->call->reason;
    r.plan_hash = hash;
    r.request_id = w->call->has_request ? &w->call->request_id : NULL;
    r.n = w->n;
    r.pseudonyms = (VdfPseudonym *) palloc0(sizeof(VdfPseudonym) * w->n);
    r.ids = (pg_uuid_t *) palloc0(sizeof(pg_uuid_t) * w->n);
    r.tasks = (uint64 *) palloc0(sizeof(uint64) * w->n);
    r.running = (bool *) palloc0(sizeof(bool) * w->n);
    for (int i = 0; i < ngroups; i++)
        tasks += groups[i].tasks;
    vdf_targets_per_user(run->targets, r.tasks);
    vdf_pseudonyms_of_people(w->call->subject, w->n, keys, r.pseudonyms);
    for (int i = 0; i < w->n; i++) {
        r.running[i] = w->running != NULL && w->running[i].found;
        r.ids[i] = r.running[i] ? w->running[i].id : i == 0 ? w->id : vdf_new_id();
    }
    vdf_record_deletion(run, &r);
    VDF_PLACE("record");
    vdf_record_audit(run, &r);
    (void) vdf_targets_enqueue(run, r.ids);
    *open = tasks > 0;
    for (int i = 0; i < w->n; i++)
        if (r.running[i])
            *open = vdf_running_finish(&r.ids[i], hash, r.request_id) || *open;
    return r.ids[0];
}

static void add_hash_note(List *steps, const char *hash)
{
    VdfStep *root = (VdfStep *) linitial(steps);

    root->note = root->note ? psprintf("plan_hash=%s; %s", hash, root->note) : psprintf("plan_hash=%s", hash);
}

/* Did batches delete some of the one person's rows before? */
static bool is_running(VdfWork *w)
{
    return w->running != NULL && w->n == 1 && w->running[0].found;
}

static List *run_phases(VdfWork *w, const char **keys, char **hash)
{
    VdfRun *run = w->run, *look;
    List *steps;

    if (w->call->expire)
        vdf_expire(run);
    else {
        vdf_progress_phase(VDF_PHASE_WALK);
        look = vdf_by_hand_look(run);
        vdf_walk(run);
        vdf_prove_deletes(run);
        vdf_progress_phase(VDF_PHASE_DETACH);
        vdf_detach(run);
        vdf_progress_phase(VDF_PHASE_TARGETS);
        vdf_by_hand_add(run, look);
        vdf_targets_settle(run, true);
        vdf_progress_phase(VDF_PHASE_PROVE);
        vdf_prove(run);
    }
    vdf_foresee_limit(run);
    steps = vdf_steps_of(run);
    for (int i = 0; i < w->n; i++)
        keys[i] = vdf_key_canonical(run->plan, w->values[i]);
    *hash = vdf_plan_hash(run, steps, keys, w->n);
    if (steps != NIL)
        add_hash_note(steps, *hash);
    if (steps != NIL && is_running(w))
        ((VdfStep *) linitial(steps))->note =
            psprintf("%s; deletion %s is running: %s went before", ((VdfStep *) linitial(steps))->note,
                     vdf_uuid_text(&w->running[0].id), vdf_rows(w->running[0].rows));
    return steps;
}

void vdf_check_plan_hash(VdfWork *w, const char *hash)
{
    if (w->call->plan_hash == NULL || pg_strcasecmp(w->call->plan_hash, hash) == 0)
        return;
    ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the plan is not the one that was asked for"),
                    errdetail("Schema, policy or rows changed since the dry run. Nothing was changed."),
                    errhint("Look at the dry run again: SELECT * FROM %s(%s%s);", w->call->function, w->call->shown,
                            vdf_further_arguments(w->call))));
}

/* Has the walk met anything but the root row? What is retained stays, run after run. */
static bool found_nothing(VdfRun *run)
{
    return run->changed == run->root_rows && run->unsettled == 0 && run->blockers == NIL;
}

static List *already_deleted(VdfWork *w)
{
    VdfStep *step = (VdfStep *) palloc0(sizeof(VdfStep));

    step->relation = pstrdup(w->run->plan->graph.nodes[w->run->plan->graph.root].display);
    step->action = "already_deleted";
    step->note = psprintf("deletion %s, %s", vdf_uuid_text(&w->earlier.id), w->earlier.state);
    w->answered = true;
    w->answer = w->earlier.id;
    return list_make1(step);
}

/* A tombstone that was made before: a look beforehand, so that nothing is written when nothing came since. */
static bool is_settled_tombstone(VdfWork *w, int person)
{
    VdfWork look = *w;
    bool settled;
    /* Of many people each is looked at. */
    MemoryContext own = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir look", ALLOCSET_DEFAULT_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(own);

    look.run = vdf_run_begin(w->run->plan, true, false, false);
    look.run->again = true;
    look.values = &w->values[person];
    look.n = 1;
    vdf_find_people(&look, false);
    vdf_walk(look.run);
    vdf_detach(look.run);
    vdf_prove(look.run);
    settled = found_nothing(look.run);
    vdf_run_end(look.run);
    MemoryContextSwitchTo(caller);
    MemoryContextDelete(own);
    return settled;
}

static List *execute_call(VdfWork *w)
{
    VdfRun *run = w->run;
    List *steps;
    const char **keys = (const char **) palloc(sizeof(char *) * (w->n + 1));
    char *hash;
    bool open;
    pg_uuid_t id;
    VdfTotals totals;

    run->again = w->earlier.found;
    /* A dry run will tell by itself. */
    if (w->earlier.found && !is_running(w) && run->tombstone && !run->ghost && !run->dry && is_settled_tombstone(w, 0))
        return already_deleted(w);
    steps = run_phases(w, keys, &hash);
    w->hash = hash;
    if (w->earlier.found && found_nothing(run) && (run->dry || run->ghost) && (run->tombstone || run->ghost)) {
        /* Somebody else deleted what batches had left. */
        if (is_running(w) && !run->dry) {
            (void) vdf_running_finish(&w->running[0].id, hash, NULL);
            w->earlier = vdf_earlier_deletion(w->call->subject, vdf_key_canonical(run->plan, w->values[0]));
        }
        return already_deleted(w);
    }
    totals = vdf_totals(run, steps);
    if (run->dry) {
        vdf_notice_dry(w, totals);
        return steps;
    }
    if (run->blockers != NIL)
        vdf_raise_blocked(w);
    if (w->nothers == 0)
        vdf_check_plan_hash(w, hash);
    vdf_progress_phase(VDF_PHASE_TRIGGERS);
    vdf_targets_mirror(run);
    vdf_fire_held(&run->executor);
    vdf_force_immediate(run);
    vdf_leftovers_fire(run);
    vdf_prove_links(run);
    if (!w->call->expire)
        vdf_prove_after_triggers(run);
    vdf_leftovers_refuse(run);
    vdf_plan_check(run->plan);
    vdf_progress_phase(VDF_PHASE_RECORD);
    id = record(w, keys, hash, &open);
    vdf_remember_deletion(&id);
    w->answered = true;
    w->answer = id;
    vdf_notice_run(w, totals, &id, open);
    return steps;
}

static void raise_unknown(VdfWork *w)
{
    ereport(ERROR, (errcode(ERRCODE_VDF_NO_SUCH_USER), errmsg("there is no such %s", w->call->subject),
                    errdetail("%s has no such row, and no deletion of it is known. Nothing was changed.",
                              w->run->plan->graph.nodes[w->run->plan->graph.root].display)));
}

/* Of several, by its place in the call: the key itself stays out of messages. */
static void raise_unknown_among(VdfWork *w, int from)
{
    VdfDeletionPlan *plan = w->run->plan;
    char *unknown = vdf_key_canonical(plan, w->values[from]);
    int count = 0, place = 0;

    for (int i = from; i < w->n; i++)
        count += w->keys[i] == NULL && !vdf_earlier_deletion(w->call->subject, vdf_key_canonical(plan, w->values[i])).found;
    while (place < w->call->nkeys - 1 && strcmp(vdf_key_canonical(plan, vdf_key_datum(plan, w->call->keys[place])), unknown) != 0)
        place++;
    ereport(ERROR, (errcode(ERRCODE_VDF_NO_SUCH_USER), errmsg("there is no such %s", w->call->subject),
                    errdetail_plural("Of %d keys %d has no row in %s and no deletion that is known: number %d of the call. Nothing was changed.",
                                     "Of %d keys %d have no row in %s and no deletion that is known, number %d of the call for one. Nothing was changed.",
                                     count, w->n, count, plan->graph.nodes[plan->graph.root].display, place + 1)));
}

/*
 * Of several people, those who were deleted before are set apart: those without a root row, behind whose key rows may have come
 * since, and tombstones to which nothing has to be done. The others go on.
 */
static void set_apart(VdfWork *w)
{
    bool tombstone = w->run->tombstone && !w->call->expire;
    int present = 0;

    w->others = (Datum *) palloc(sizeof(Datum) * w->n);
    for (int i = 0; i < w->n; i++) {
        VdfEarlier earlier = {};

        if (w->keys[i] == NULL || tombstone)
            earlier = vdf_earlier_deletion(w->call->subject, vdf_key_canonical(w->run->plan, w->values[i]));
        if (w->keys[i] == NULL && !earlier.found)
            raise_unknown_among(w, i);
        if (w->keys[i] == NULL || (earlier.found && strcmp(earlier.state, "running") != 0 && is_settled_tombstone(w, i)))
            w->others[w->nothers++] = w->values[i];
        else
            w->values[present++] = w->values[i];
    }
    if (w->nothers == 0)
        return;
    w->n = w->run->nusers = present;
    vdf_keys_free(&w->run->root);
    vdf_find_people(w, !w->call->dry);
}

/* Unknown and never deleted is an error; deleted before is an answer, unless rows came since. */
static List *answer_people(VdfWork *w)
{
    bool missing = w->run->root.count < (uint64) w->n;

    if (w->n == 0)
        return NIL;
    if (w->n == 1 && (missing || (w->run->tombstone && !w->call->expire)))
        w->earlier = vdf_earlier_deletion(w->call->subject, vdf_key_canonical(w->run->plan, w->values[0]));
    if (w->n > 1) {
        if (missing || (w->run->tombstone && !w->call->expire))
            set_apart(w);
        if (w->n == 0)
            return NIL;
    } else if (missing) {
        if (!w->earlier.found)
            raise_unknown(w);
        if (w->call->expire) /* whose rows went with the person */
            return already_deleted(w);
        vdf_find_ghost(w);
    }
    if (!w->call->expire)
        w->running = vdf_running_people(w->call->subject, w->run->plan, w->values, w->n);
    if (is_running(w))
        w->id = w->running[0].id;
    vdf_progress_begin(w->run->plan->configuration->relation, w->call->dry, &w->id);
    vdf_check_holds(w);
    vdf_check_reason(w);
    return execute_call(w);
}

bool vdf_call_request(VdfCall *call, VdfDeletionPlan *plan, VdfPseudonym *arguments, List **steps)
{
    pg_uuid_t id;
    bool deleted = false;
    ListCell *cell;

    digest_arguments(call, plan, arguments);
    if (!vdf_request_find(UUIDPGetDatum(&call->request_id), arguments, &id, steps))
        return false;
    foreach (cell, *steps)
        deleted = deleted || strcmp(((VdfStep *) lfirst(cell))->action, "already_deleted") != 0;
    if (deleted || *steps == NIL)
        vdf_remember_deletion(&id);
    return true;
}

bool vdf_call_answered(FunctionCallInfo fcinfo, VdfCall *call)
{
    VdfFrame frame;
    VdfPseudonym arguments;
    List *steps;
    bool answered;

    if (!call->has_request)
        return false;
    vdf_frame_enter(&frame, call);
    answered = vdf_call_request(call, frame.plan, &arguments, &steps);
    vdf_frame_leave(&frame);
    if (answered)
        vdf_steps_return(fcinfo, steps);
    return answered;
}

List *vdf_work_do(VdfWork *w, VdfDeletionPlan *plan, Datum *key)
{
    VdfCall *call = w->call;
    List *steps;

    w->run = vdf_run_begin(plan, call->dry, call->many && key == NULL, call->expire);
    if (key == NULL)
        vdf_read_keys(w);
    else {
        w->values = key;
        w->n = 1;
    }
    w->run->nusers = w->n;
    if (!call->dry)
        vdf_lock_people(w);
    vdf_find_people(w, !call->dry && !call->expire);
    w->id = vdf_new_id();
    steps = answer_people(w);
    vdf_progress_end();
    vdf_run_end(w->run);
    return steps;
}

List *vdf_call_execute(VdfCall *call)
{
    VdfFrame frame;
    VdfWork w;
    List *steps;
    VdfPseudonym arguments;

    vdf_frame_enter(&frame, call);
    if (call->has_request && vdf_call_request(call, frame.plan, &arguments, &steps)) {
        vdf_frame_leave(&frame);
        return steps;
    }
    memset(&w, 0, sizeof(w));
    w.call = call;
    steps = vdf_work_do(&w, frame.plan, NULL);
    if (w.nothers > 0)
        steps = vdf_deleted_before(&w, frame.plan, steps);
    /* Also that there was nothing to do: the key may be somebody else's by the time of a retry. */
    if (call->has_request && w.answered)
        vdf_request_store(UUIDPGetDatum(&call->request_id), &arguments, &w.answer, steps);
    vdf_frame_leave(&frame);
    return steps;
}

void vdf_call_run(FunctionCallInfo fcinfo, VdfCall *call)
{
    vdf_steps_return(fcinfo, vdf_call_execute(call));
}
