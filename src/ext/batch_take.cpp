#include "ext/batch.h"

#include "ext/constraints.h"
#include "ext/evidence.h"
#include "ext/facts.h"
#include "ext/frame.h"
#include "ext/leftover.h"
#include "ext/progress.h"
#include "ext/report.h"
#include "ext/targets.h"

/* The one person of the call, locked until the transaction ends. */
static void start_work(VdfWork *w, VdfBatches *b, VdfDeletionPlan *plan)
{
    memset(w, 0, sizeof(VdfWork));
    w->call = b->call;
    w->run = vdf_run_begin(plan, false, false, false);
    vdf_read_keys(w);
    w->run->nusers = w->n;
    vdf_lock_people(w);
    vdf_find_people(w, true);
}

static void refuse_company(VdfBatches *b)
{
    int worker = vdf_progress_worker(&b->id);

    if (worker != 0)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                        errmsg("process %d is deleting this %s in batches already", worker, b->call->subject),
                        errdetail("Deletion %s is running.", vdf_uuid_text(&b->id)),
                        errhint("Watch it: SELECT * FROM vedfolnir.progress;")));
}

/* A request belongs to one person. */
static void check_request(VdfBatches *b, bool running)
{
    pg_uuid_t other;

    if (b->call->has_request && vdf_running_request(&b->call->request_id, &other) &&
        !(running && memcmp(&other, &b->id, sizeof(other)) == 0))
        ereport(ERROR, (errcode(ERRCODE_VDF_REQUEST_REUSED), errmsg("the request_id was used before with other arguments"),
                        errdetail("Nothing was changed."), errhint("Use a new request_id for a new request.")));
}

static void fill_record(VdfWork *w, VdfBatches *b, VdfDeletionRecord *r)
{
    memset(r, 0, sizeof(VdfDeletionRecord));
    r->subject = b->call->subject;
    r->mode = w->run->tombstone ? "tombstone" : "delete";
    r->reason = b->call->reason;
    r->request_id = b->call->has_request ? &b->call->request_id : NULL;
    r->n = 1;
    r->pseudonyms = (VdfPseudonym *) palloc0(sizeof(VdfPseudonym));
    r->ids = &b->id;
    r->tasks = (uint64 *) palloc0(sizeof(uint64));
    r->running = (bool *) palloc0(sizeof(bool));
    r->begins = true;
    (void) vdf_pseudonym(b->call->subject, vdf_key_canonical(w->run->plan, w->values[0]), true, &r->pseudonyms[0]);
}

/* Anything that only batches can do: more rows than one of them takes, or a deletion that has begun. */
static bool is_worth_it(VdfBatches *b, VdfDeletionPlan *plan, bool running)
{
    return (running || b->found > b->batch_rows) && vdf_batch_node(b, plan) >= 0;
}

static bool begin(VdfBatches *b, VdfDeletionPlan *plan)
{
    VdfWork w;
    VdfRunning *running;
    VdfDeletionRecord r;
    bool goes_on, worth;

    start_work(&w, b, plan);
    if (w.run->root.count == 0) {
        vdf_run_end(w.run);
        return false; /* the ordinary run has the answer */
    }
    running = vdf_running_people(b->call->subject, plan, w.values, 1);
    goes_on = running != NULL && running[0].found;
    b->id = goes_on ? running[0].id : vdf_new_id();
    if (goes_on)
        refuse_company(b);
    check_request(b, goes_on);
    vdf_progress_begin(plan->configuration->relation, false, &b->id);
    vdf_check_holds(&w);
    vdf_check_reason(&w);
    vdf_batch_look(b, plan);
    worth = is_worth_it(b, plan, goes_on);
    if (worth && !goes_on) {
        fill_record(&w, b, &r);
        vdf_record_deletion(w.run, &r);
    }
    vdf_run_end(w.run);
    return worth;
}

bool vdf_batch_begin(VdfBatches *b)
{
    VdfFrame frame;
    bool worth = false, answered = false;
    VdfPseudonym arguments;
    List *steps;

    vdf_frame_enter(&frame, b->call);
    answered = b->call->has_request && vdf_call_request(b->call, frame.plan, &arguments, &steps);
    if (!answered)
        worth = begin(b, frame.plan);
    vdf_frame_leave(&frame);
    return worth;
}

/* Rows of the node at hand. */
typedef struct Chunk
{
    int node;
    VdfPlaceScan places;
} Chunk;

static void record_batch(VdfWork *w, VdfBatches *b)
{
    VdfDeletionRecord r;

    fill_record(w, b, &r);
    vdf_record_audit(w->run, &r);
    (void) vdf_targets_enqueue(w->run, r.ids);
}

/* What follows the walk in a run. */
static void settle_batch(VdfWork *w, VdfBatches *b)
{
    VdfRun *run = w->run;

    vdf_targets_settle(run, true);
    vdf_targets_mirror(run);
    vdf_fire_held(&run->executor);
    vdf_force_immediate(run);
    vdf_leftovers_fire(run);
    vdf_prove_links(run);
    vdf_leftovers_refuse(run);
    vdf_plan_check(run->plan);
    record_batch(w, b);
}

/*
 * A trigger of the application may have deleted other rows of the walk by hand. In a run it would find none, or their
 * targets would be looked for beforehand; here they would go without audit and without tasks.
 */
static bool lost_rows(VdfBatches *b, VdfDeletionPlan *plan, XLogRecPtr since, uint64 taken)
{
    uint64 deleted = 0;

    for (int i = 0; i < plan->graph.nnodes; i++)
        deleted += vdf_versions_deleted(&b->nodes[i].versions, since);
    return deleted != taken;
}

/* Deletes the rows and does all that follows; false when it must be undone. */
static bool work_chunk(VdfWork *w, VdfBatches *b, Chunk *chunk, bool *lost)
{
    VdfDeletionPlan *plan = w->run->plan;
    bool triggers = vdf_facts(plan, plan->nodes[chunk->node].relation)->delete_trigger != NULL;
    XLogRecPtr since = GetXLogInsertRecPtr();
    uint64 rows;

    if (!vdf_batch_delete(w->run, chunk->node, &chunk->places)) {
        elog(DEBUG1, "rows of this relation cannot be named by their places");
        b->nodes[chunk->node].left = true;
        vdf_batch_skip(b);
        return true;
    }
    rows = w->run->changed;
    if (rows < chunk->places.given || chunk->places.changed > 0)
        b->nodes[chunk->node].left = true;
    if (vdf_batch_referred(b, w->run, chunk->node))
        return false;
    if (rows == 0 && w->run->executor.levels == NIL)
        return true;
    settle_batch(w, b);
    *lost = triggers && lost_rows(b, plan, since, rows);
    return !*lost;
}

/* False: the transaction, which holds nothing but this batch, must be rolled back. */
static bool take_chunk(VdfWork *w, VdfBatches *b, Chunk *chunk)
{
    bool lost = false, kept = work_chunk(w, b, chunk, &lost);

    if (kept) {
        b->rows += w->run->changed;
        b->found -= Min(w->run->changed, b->found);
        b->batches += w->run->changed > 0;
    } else
        b->nodes[chunk->node].left = true;
    if (lost)
        vdf_batch_skip(b);
    return kept;
}

/* Finds rows for a batch; looks anew when the last look does not stand any more. False when there are none left. */
static bool find_chunk(VdfBatches *b, VdfDeletionPlan *plan, uint64 limit, Chunk *chunk)
{
    int looks = 0;

    for (;;) {
        Oid table = InvalidOid;

        if (plan->serial != b->plan)
            vdf_batch_look(b, plan);
        chunk->node = vdf_batch_node(b, plan);
        if (chunk->node < 0)
            return false;
        PushActiveSnapshot(GetTransactionSnapshot());
        if (vdf_batch_stands(b, plan, chunk->node, GetActiveSnapshot()))
            table = vdf_versions_table(&b->nodes[chunk->node].versions, &b->cursor);
        PopActiveSnapshot();
        if (OidIsValid(table)) {
            VdfBatchNode *node = &b->nodes[chunk->node];

            chunk->places = {plan->nodes[chunk->node].relation, table, &node->versions, &b->cursor, b->look, Min(limit, node->rows), 0, 0, NULL};
            return true;
        }
        if (++looks < 5) {
            vdf_batch_look(b, plan);
            continue;
        }
        /* Rows that never stand still are for the last transaction, which locks them. */
        b->nodes[chunk->node].left = true;
        vdf_batch_skip(b);
    }
}

static VdfBatchEnd take(VdfBatches *b, VdfDeletionPlan *plan, uint64 limit)
{
    VdfWork w;
    VdfRunning *running;
    Chunk chunk;
    VdfBatchEnd end = VDF_BATCH_DONE;

    start_work(&w, b, plan);
    vdf_progress_phase(VDF_PHASE_BATCH);
    running = w.run->root.count > 0 ? vdf_running_people(b->call->subject, plan, w.values, 1) : NULL;
    memset(&chunk, 0, sizeof(chunk));
    if (w.run->root.count == 0)
        end = VDF_BATCH_NO_MORE;
    else if (running == NULL || !running[0].found || memcmp(&running[0].id, &b->id, sizeof(b->id)) != 0)
        end = VDF_BATCH_OTHER;
    else {
        vdf_check_holds(&w);
        if (!find_chunk(b, plan, limit, &chunk))
            end = VDF_BATCH_NO_MORE;
    }
    if (end == VDF_BATCH_DONE && !take_chunk(&w, b, &chunk))
        end = VDF_BATCH_UNDO;
    vdf_run_end(w.run);
    return end;
}

VdfBatchEnd vdf_batch_take(VdfBatches *b, uint64 limit)
{
    VdfFrame frame;
    VdfBatchEnd end;

    vdf_frame_enter(&frame, b->call);
    end = take(b, frame.plan, limit);
    vdf_frame_leave(&frame);
    return end;
}
