/*
 * call.cpp: a deletion from its arguments to its result; design 2.1 says what each part means.
 */
#include "ext/call.h"

#include "ext/catalog.h"
#include "ext/constraints.h"
#include "ext/error_context.h"
#include "ext/evidence.h"
#include "ext/expire.h"
#include "ext/guc.h"
#include "ext/report.h"
#include "ext/run.h"
#include "ext/steps.h"
#include "ext/targets.h"

/* The root rows, as they are found. */
typedef struct RootSink
{
    VdfSink sink;
    VdfRun *run;
    char **keys;   /* per person */
    char **labels; /* per person, NULL for none */
} RootSink;

static void root_row(VdfSink *sink, TupleTableSlot *slot)
{
    RootSink *s = (RootSink *) sink;
    int user;
    MemoryContext caller;

    slot_getallattrs(slot);
    vdf_keys_add(s->run, &s->run->root, sink->desc, slot, 3);
    user = DatumGetInt32(slot->tts_values[2]) - 1;
    caller = MemoryContextSwitchTo(s->run->context);
    s->keys[user] = vdf_key_text(s->run->plan, slot->tts_values[0]);
    s->labels[user] = slot->tts_isnull[1] ? NULL : TextDatumGetCString(slot->tts_values[1]);
    MemoryContextSwitchTo(caller);
}

/* Everything one call needs while it runs. */
typedef struct Work
{
    VdfCall *call;
    VdfRun *run;
    RootSink root;
    Datum *values; /* keys of the call, sorted and without doubles */
    int n;
} Work;

static int compare_keys(const void *a, const void *b, void *arg)
{
    TypeCacheEntry *type = (TypeCacheEntry *) arg;

    return DatumGetInt32(FunctionCall2Coll(&type->cmp_proc_finfo, type->typcollation, *(const Datum *) a, *(const Datum *) b));
}

/* Reads the keys; many are sorted, so that two calls lock the same rows in the same order. */
static void read_keys(Work *w)
{
    VdfDeletionPlan *plan = w->run->plan;
    TypeCacheEntry *type = lookup_type_cache(plan->key_type, TYPECACHE_CMP_PROC_FINFO);
    int kept = 0;

    w->n = w->call->nkeys;
    w->values = (Datum *) palloc(sizeof(Datum) * (w->n + 1));
    for (int i = 0; i < w->n; i++)
        w->values[i] = vdf_key_datum(plan, w->call->keys[i]);
    if (w->n < 2)
        return;
    if (!OidIsValid(type->cmp_proc))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("keys of type %s cannot be sorted", format_type_be(plan->key_type)),
                        errhint("Delete the users one by one.")));
    qsort_arg(w->values, w->n, sizeof(Datum), compare_keys, type);
    for (int i = 0; i < w->n; i++)
        if (kept == 0 || compare_keys(&w->values[kept - 1], &w->values[i], type) != 0)
            w->values[kept++] = w->values[i];
    w->n = kept;
}

/* One deletion of a person at a time, whatever the isolation level. */
static void lock_people(Work *w)
{
    for (int i = 0; i < w->n; i++) {
        char *text = psprintf("%s:%s", w->call->subject, vdf_key_text(w->run->plan, w->values[i]));

        (void) DirectFunctionCall1(pg_advisory_xact_lock_int8,
                                   Int64GetDatum((int64) DatumGetUInt64(hash_any_extended((const unsigned char *) text,
                                                                                         strlen(text), 0x7664666c))));
    }
}

static void find_root(Work *w)
{
    VdfRun *run = w->run;
    VdfDeletionPlan *plan = run->plan;
    VdfStatement statement;
    Oid type = plan->key_type;
    Datum value = w->n > 0 ? w->values[0] : (Datum) 0;

    vdf_sink_init(&w->root.sink, NULL, root_row);
    w->root.run = run;
    w->root.keys = (char **) palloc0(sizeof(char *) * (w->n + 1));
    w->root.labels = (char **) palloc0(sizeof(char *) * (w->n + 1));
    if (w->n == 0)
        return;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_ROOT, -1,
                     (run->dry || w->call->expire ? 0 : VDF_LOCK) | (run->many ? VDF_MANY : 0),
                     plan->nodes[plan->graph.root].owner);
    if (run->many) {
        int16 length;
        bool by_value;
        char align;

        get_typlenbyvalalign(type, &length, &by_value, &align);
        value = PointerGetDatum(construct_array(w->values, w->n, type, length, by_value, align));
        type = get_array_type(type);
        if (!OidIsValid(type))
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("keys of type %s have no array type", format_type_be(plan->key_type)),
                            errhint("Delete the users one by one.")));
        statement.cache = NULL;
    }
    statement.nparams = 1;
    statement.types = &type;
    statement.values = &value;
    statement.sink = &w->root.sink;
    (void) vdf_execute(&run->executor, &statement);
}

static VdfRun *begin_run(VdfCall *call, VdfDeletionPlan *plan)
{
    VdfRun *run = (VdfRun *) palloc0(sizeof(VdfRun));
    HASHCTL control;

    run->plan = plan;
    run->context = CurrentMemoryContext;
    run->dry = call->dry;
    run->tombstone = plan->configuration->tombstone && !call->expire;
    run->many = call->many;
    run->check_shared = !call->expire;
    run->nodes = (VdfNodeState *) palloc0(sizeof(VdfNodeState) * (plan->graph.nnodes + 1));
    run->edges = (VdfEdgeState *) palloc0(sizeof(VdfEdgeState) * (plan->graph.nedges + 1));
    run->targets = vdf_targets_create(plan);
    run->executor.fast_ri = vdf_fast_ri && VDF_FAST_RI_KNOWN;
    run->executor.walked = plan->walked;
    run->executor.nwalked = plan->nwalked;
    vdf_executor_begin(&run->executor, call->dry);
    memset(&control, 0, sizeof(control));
    control.keysize = sizeof(((VdfUserCount *) NULL)->key);
    control.entrysize = sizeof(VdfUserCount);
    control.hcxt = CurrentMemoryContext;
    run->user_counts = hash_create("vedfolnir counts per person", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    return run;
}

static void end_run(VdfRun *run)
{
    for (int i = 0; i < run->plan->graph.nnodes; i++) {
        vdf_keys_free(&run->nodes[i].all);
        vdf_keys_free(&run->nodes[i].delta);
        vdf_keys_free(&run->nodes[i].next);
        vdf_keys_free(&run->nodes[i].foreign);
        vdf_keys_free(&run->nodes[i].own);
    }
    vdf_keys_free(&run->root);
    vdf_keys_free(&run->tombstone_keys);
    vdf_targets_free(run->targets);
    vdf_executor_end(&run->executor);
}

static void check_state(void)
{
    if (SessionReplicationRole != SESSION_REPLICATION_ROLE_ORIGIN && !vdf_allow_unsafe)
        ereport(ERROR, (errcode(ERRCODE_VDF_UNSAFE_STATE), errmsg("cannot delete while session_replication_role is not origin"),
                        errdetail("Triggers and foreign keys would not be enforced. Nothing was changed."),
                        errhint("RESET session_replication_role;")));
    if (synchronous_commit < SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
        (void) set_config_option("synchronous_commit", "local", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
    if (synchronous_commit < SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
        ereport(ERROR, (errcode(ERRCODE_VDF_NOT_DURABLE), errmsg("the transaction cannot be made durable"),
                        errdetail("synchronous_commit is off and cannot be raised. Nothing was changed.")));
}

static int set_lock_timeout(void)
{
    int level = NewGUCNestLevel();

    (void) set_config_option("lock_timeout", psprintf("%d", vdf_lock_timeout), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                             true, 0, false);
    return level;
}

/* Does the text hold the word, standing alone? */
static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = text; length > 0 && *at; at++)
        if (pg_strncasecmp(at, word, length) == 0 && (at == text || !isalnum((unsigned char) at[-1])) &&
            !isalnum((unsigned char) at[length]))
            return true;
    return false;
}

/* The reason is kept for ever, so it must not name the person. */
static void check_reason(Work *w)
{
    if (w->call->reason == NULL)
        return;
    for (int i = 0; i < w->n; i++)
        if ((w->root.keys[i] && has_word(w->call->reason, w->root.keys[i])) ||
            (w->root.labels[i] && has_word(w->call->reason, w->root.labels[i])))
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the reason names the person"),
                            errdetail("It would stay in the audit. Nothing was changed."),
                            errhint("Write a ticket number that does not contain the key or the name.")));
}

static void log_refusal(Work *w, const char *sqlstate)
{
    VdfPseudonym pseudonym;

    if (w->n == 0 || !vdf_pseudonym(w->call->subject, vdf_key_text(w->run->plan, w->values[0]), false, &pseudonym))
        memset(&pseudonym, 0, sizeof(pseudonym));
    ereport(LOG, (errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4])),
                  errmsg("vedfolnir: deletion refused with %s, pseudonym %s, session user \"%s\", current user \"%s\"", sqlstate,
                         vdf_pseudonym_hex(&pseudonym), GetUserNameFromId(GetSessionUserId(), false),
                         GetUserNameFromId(GetUserId(), false)),
                  errhidestmt(true), errhidecontext(true)));
}

static void raise_blocked(Work *w)
{
    List *blockers = w->run->blockers;
    StringInfoData detail, hint;
    ListCell *cell;

    initStringInfo(&detail);
    initStringInfo(&hint);
    foreach (cell, blockers) {
        VdfBlocker *b = (VdfBlocker *) lfirst(cell);

        appendStringInfo(&detail, "%s%s%s: %s%s%s.\n", b->relation, b->via ? " via " : "", b->via ? quote_identifier(b->via) : "",
                         b->rows ? vdf_rows(b->rows) : "", b->rows ? (b->listed ? ", " : " ") : "", b->reason);
        if (b->remedy)
            appendStringInfo(&hint, "%s%s", hint.len ? "\n" : "", b->remedy);
    }
    appendStringInfoString(&detail, "Nothing was changed.");
    log_refusal(w, "VF007");
    ereport(ERROR, (errcode(ERRCODE_VDF_BLOCKED),
                    errmsg("cannot delete the %s: %d %s in the way", w->call->subject, list_length(blockers),
                           list_length(blockers) == 1 ? "edge is" : "edges are"),
                    errdetail_internal("%s", detail.data), hint.len ? errhint("%s", hint.data) : 0));
}

static char *uuid_text(const pg_uuid_t *id)
{
    return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}

/* Unknown and never deleted is an error; deleted before is an answer. */
static List *answer_missing(Work *w)
{
    VdfEarlier earlier;
    VdfStep *step;

    memset(&earlier, 0, sizeof(earlier));
    if (w->n == 1 && !w->call->expire)
        earlier = vdf_earlier_deletion(w->call->subject, vdf_key_text(w->run->plan, w->values[0]));
    if (!earlier.found)
        ereport(ERROR, (errcode(ERRCODE_VDF_NO_SUCH_USER),
                        errmsg("there is no such %s", w->call->subject),
                        errdetail("%s has no such row, and no deletion of it is known. Nothing was changed.",
                                  w->run->plan->graph.nodes[w->run->plan->graph.root].display)));
    step = (VdfStep *) palloc0(sizeof(VdfStep));
    step->relation = pstrdup(w->run->plan->graph.nodes[w->run->plan->graph.root].display);
    step->action = "already_deleted";
    step->note = psprintf("deletion %s, %s", uuid_text(&earlier.id), earlier.state);
    return list_make1(step);
}

static void add_hash_note(List *steps, const char *hash)
{
    VdfStep *root = (VdfStep *) linitial(steps);

    root->note = root->note ? psprintf("plan_hash=%s; %s", hash, root->note) : psprintf("plan_hash=%s", hash);
}

static char *further_arguments(VdfCall *call)
{
    return strcmp(call->subject, "user") == 0 ? pstrdup("") : psprintf(", subject => %s", quote_literal_cstr(call->subject));
}

static char *plural(uint64 n, const char *one, const char *many)
{
    return psprintf("%s %s", vdf_number(n), n == 1 ? one : many);
}

static void notice_dry(Work *w, VdfTotals totals)
{
    StringInfoData text;
    char *more = further_arguments(w->call);

    initStringInfo(&text);
    if (w->call->expire)
        appendStringInfo(&text, "dry run, nothing was deleted: %s would go, %s would be queued", vdf_rows(totals.rows),
                         plural(totals.tasks, "task", "tasks"));
    else
        appendStringInfo(&text, "dry run, nothing was deleted: %s of %s would go, %s would be cleared, %s would be queued",
                         vdf_rows(totals.rows), plural(totals.relations, "relation", "relations"),
                         plural(totals.references, "reference", "references"), plural(totals.tasks, "task", "tasks"));
    if (totals.blocking > 0)
        appendStringInfo(&text, ", %s", plural(totals.blocking, "edge blocks", "edges block"));
    ereport(NOTICE, (errmsg_internal("%s", text.data),
                     totals.blocking > 0
                         ? errhint("SELECT * FROM vedfolnir_suggest_policies(%s);",
                                   strcmp(w->call->subject, "user") == 0 ? "" : quote_literal_cstr(w->call->subject))
                         : errhint("SELECT * FROM %s(%s, dry_run => false%s);", w->call->function, w->call->shown, more)));
}

static void notice_run(Work *w, VdfTotals totals, const pg_uuid_t *id, bool open)
{
    StringInfoData text;

    initStringInfo(&text);
    if (w->call->expire)
        appendStringInfo(&text, "sessions expired: %s deleted, %s queued", vdf_rows(totals.rows),
                         plural(totals.tasks, "task", "tasks"));
    else
        appendStringInfo(&text, "deleted: %s of %s, %s cleared, %s queued", vdf_rows(totals.rows),
                         plural(totals.relations, "relation", "relations"), plural(totals.references, "reference", "references"),
                         plural(totals.tasks, "task", "tasks"));
    ereport(NOTICE,
            (errmsg_internal("%s", text.data),
             open ? errdetail("Deletion %s is pending until its tasks are done; %s queued.", uuid_text(id),
                              plural(totals.tasks, "task was", "tasks were"))
                  : errdetail("Deletion %s is complete; no tasks were queued.", uuid_text(id)),
             errhint("SELECT * FROM vedfolnir_verify_user(%s%s);", w->call->many ? quote_literal_cstr(w->root.keys[0]) : w->call->shown,
                     further_arguments(w->call))));
}

static const char *mode_of(Work *w)
{
    return w->call->expire ? "expire" : w->run->tombstone ? "tombstone" : "delete";
}

/* Arguments of a request, as one pseudonym: the same call gives the same. */
static void digest_arguments(VdfCall *call, VdfPseudonym *digest)
{
    StringInfoData text;

    initStringInfo(&text);
    appendStringInfo(&text, "%s\n%s\n%s\n%s\n", call->function, call->subject, call->reason ? call->reason : "",
                     call->plan_hash ? call->plan_hash : "");
    for (int i = 0; i < call->nkeys; i++)
        appendStringInfo(&text, "%zu:%s\n", strlen(call->keys[i]), call->keys[i]);
    (void) vdf_pseudonym("request", text.data, true, digest);
}

/* Writes the evidence and the tasks; everything in the transaction of the deletion. */
static pg_uuid_t record(Work *w, List *steps, const char *hash, bool *open)
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
    for (int i = 0; i < ngroups; i++)
        tasks += groups[i].tasks;
    vdf_targets_per_user(run->targets, r.tasks);
    for (int i = 0; i < w->n; i++) {
        (void) vdf_pseudonym(w->call->subject, w->root.keys[i], true, &r.pseudonyms[i]);
        r.ids[i] = *DatumGetUUIDP(DirectFunctionCall1(gen_random_uuid, (Datum) 0));
    }
    vdf_record_deletion(run, &r);
    vdf_record_audit(run, &r);
    (void) vdf_targets_enqueue(run, r.ids);
    *open = tasks > 0;
    return r.ids[0];
}

static List *run_phases(Work *w, char **hash)
{
    VdfRun *run = w->run;
    List *steps;
    char **keys = (char **) palloc(sizeof(char *) * (w->n + 1));

    if (w->call->expire)
        vdf_expire(run);
    else {
        vdf_walk(run);
        vdf_detach(run);
        vdf_targets_settle(run, true);
        vdf_prove(run);
    }
    steps = vdf_steps_of(run);
    for (int i = 0; i < w->n; i++)
        keys[i] = w->root.keys[i];
    *hash = vdf_plan_hash(run, steps, keys, w->n);
    if (steps != NIL && !w->call->expire)
        add_hash_note(steps, *hash);
    return steps;
}

static void check_plan_hash(Work *w, const char *hash)
{
    if (w->call->plan_hash == NULL || pg_strcasecmp(w->call->plan_hash, hash) == 0)
        return;
    ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the plan is not the one that was asked for"),
                    errdetail("Schema, policy or rows changed since the dry run. Nothing was changed."),
                    errhint("Look at the dry run again: SELECT * FROM %s(%s%s);", w->call->function, w->call->shown,
                            further_arguments(w->call))));
}

static List *execute_call(Work *w, const VdfPseudonym *arguments)
{
    VdfRun *run = w->run;
    List *steps;
    char *hash;
    bool open;
    pg_uuid_t id;
    VdfTotals totals;

    steps = run_phases(w, &hash);
    totals = vdf_totals(run, steps);
    if (run->dry) {
        notice_dry(w, totals);
        return steps;
    }
    if (run->blockers != NIL)
        raise_blocked(w);
    check_plan_hash(w, hash);
    vdf_fire_held(&run->executor);
    vdf_force_immediate(run);
    vdf_prove_links(run);
    vdf_plan_check(run->plan);
    id = record(w, steps, hash, &open);
    vdf_remember_deletion(&id);
    if (w->call->has_request)
        vdf_request_store(UUIDPGetDatum(&w->call->request_id), arguments, &id, steps);
    notice_run(w, totals, &id, open);
    return steps;
}

void vdf_call_run(FunctionCallInfo fcinfo, VdfCall *call)
{
    VdfDeletionPlan *plan = vdf_plan_for(call->subject);
    Work w;
    List *steps;
    int level = 0;
    VdfPseudonym arguments;
    VdfErrorContext context;

    if (call->dry)
        vdf_require_look(plan);
    else
        vdf_require_run(plan);
    if (!call->dry) {
        PreventCommandIfReadOnly("vedfolnir_delete_user()");
        check_state();
    }
    if (!call->dry) {
        level = set_lock_timeout();
        vdf_error_context_push(&context, plan);
    }
    if (call->has_request) {
        pg_uuid_t id;

        digest_arguments(call, &arguments);
        if (vdf_request_find(UUIDPGetDatum(&call->request_id), &arguments, &id, &steps)) {
            vdf_error_context_pop(&context);
            AtEOXact_GUC(true, level);
            vdf_remember_deletion(&id);
            vdf_steps_return(fcinfo, steps);
            return;
        }
    }
    memset(&w, 0, sizeof(w));
    w.call = call;
    w.run = begin_run(call, plan);
    read_keys(&w);
    w.run->nusers = w.n;
    if (!call->dry)
        lock_people(&w);
    find_root(&w);
    if (w.n == 0)
        steps = NIL;
    else if (w.run->root.count < (uint64) w.n)
        steps = answer_missing(&w);
    else {
        check_reason(&w);
        steps = execute_call(&w, &arguments);
    }
    if (!call->dry) {
        vdf_error_context_pop(&context);
        AtEOXact_GUC(true, level);
    }
    vdf_steps_return(fcinfo, steps);
    end_run(w.run);
    vdf_plan_release(plan);
}
