/*
 * batch.cpp: CALL vedfolnir_delete_user_in_batches(): transactions, budgets, and what it says.
 */
#include "ext/batch.h"

#include "ext/progress.h"
#include "ext/report.h"

/* What a call may use up; 0 or -1: no limit. */
typedef struct Budget
{
    uint64 max_rows;
    TimestampTz until;
    int64 max_lag; /* microseconds */
    const char *spent;
} Budget;

/* The same call again, for hints. */
static char *same_call(VdfBatches *b)
{
    return psprintf("CALL vedfolnir_delete_user_in_batches(%s, " UINT64_FORMAT "%s);", b->call->shown, b->batch_rows,
                    vdf_further_arguments(b->call));
}

static int64 microseconds(Datum interval)
{
    Interval *value = DatumGetIntervalP(interval);

    return value->time + (value->day + (int64) value->month * DAYS_PER_MONTH) * USECS_PER_DAY;
}

static int64 positive_interval(FunctionCallInfo fcinfo, int n, const char *name)
{
    int64 value = microseconds(PG_GETARG_DATUM(n));

    if (value <= 0)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be longer than zero", name)));
    return value;
}

static void read_arguments(FunctionCallInfo fcinfo, VdfBatches *b, VdfCall *call, Budget *budget)
{
    static const int required[] = {0, 1, 4};
    static const char *const names[] = {"user_key", "batch_rows", "subject"};

    for (size_t i = 0; i < lengthof(required); i++)
        if (PG_ARGISNULL(required[i]))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", names[i])));
    if (PG_GETARG_INT32(1) < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("batch_rows must be at least 1, not %d", PG_GETARG_INT32(1))));
    if (!PG_ARGISNULL(5) && PG_GETARG_INT64(5) < 1)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("max_rows must be at least 1")));
    call->function = "vedfolnir_delete_user_in_batches";
    call->keys = (char **) palloc(sizeof(char *));
    call->keys[0] = text_to_cstring(PG_GETARG_TEXT_PP(0));
    call->nkeys = 1;
    call->shown = quote_literal_cstr(call->keys[0]);
    call->reason = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
    call->has_request = !PG_ARGISNULL(3);
    if (call->has_request)
        call->request_id = *PG_GETARG_UUID_P(3);
    call->subject = pstrdup(NameStr(*PG_GETARG_NAME(4)));
    b->call = call;
    b->batch_rows = PG_GETARG_INT32(1);
    budget->max_rows = PG_ARGISNULL(5) ? 0 : (uint64) PG_GETARG_INT64(5);
    if (!PG_ARGISNULL(6))
        budget->until = GetCurrentTimestamp() + positive_interval(fcinfo, 6, "max_duration");
    budget->max_lag = PG_ARGISNULL(7) ? -1 : positive_interval(fcinfo, 7, "max_lag");
}

/* As the server itself refuses a COMMIT there. */
static void require_own_transactions(FunctionCallInfo fcinfo)
{
    CallContext *context = fcinfo->context != NULL && IsA(fcinfo->context, CallContext) ? (CallContext *) fcinfo->context : NULL;

    if (context == NULL || context->atomic)
        ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
                        errmsg("vedfolnir_delete_user_in_batches() cannot run inside a transaction block or a function"),
                        errdetail("It commits each batch by itself. Nothing was changed."),
                        errhint("Type the CALL alone, or delete in one transaction with vedfolnir_delete_user().")));
}

/* Ends the transaction. The next one is READ COMMITTED, so that each batch sees what was committed before it. */
static void next_transaction(VdfBatches *b, bool undo)
{
    if (undo) {
        SPI_rollback();
        vdf_progress_begin(InvalidOid, false, &b->id); /* the rollback took it away */
        vdf_progress_rows(b->rows);
    } else
        SPI_commit();
    (void) set_config_option("transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true,
                             0, false);
    vdf_quote_as_needed(GUC_ACTION_LOCAL);
}

static bool time_is_over(Budget *budget)
{
    return budget->until != 0 && GetCurrentTimestamp() >= budget->until;
}

/* Between two transactions, with no lock held. False when the time is over before the standbys have caught up. */
static bool wait_for_standbys(VdfBatches *b, Budget *budget)
{
    bool told = false;

    while (budget->max_lag >= 0 && vdf_standby_lag() > budget->max_lag) {
        if (!told)
            ereport(NOTICE, (errmsg("waiting: a standby is further behind than max_lag"),
                             errdetail("Deletion %s is running; %s deleted so far.", vdf_uuid_text(&b->id), vdf_rows(b->rows))));
        told = true;
        vdf_progress_phase(VDF_PHASE_WAIT);
        next_transaction(b, false);
        (void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, 200, PG_WAIT_EXTENSION);
        ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
        if (time_is_over(budget)) {
            budget->spent = "max_duration is over, and a standby is further behind than max_lag";
            return false;
        }
    }
    return true;
}

static bool may_go_on(VdfBatches *b, Budget *budget)
{
    if (budget->max_rows != 0 && b->rows >= budget->max_rows)
        budget->spent = "max_rows is reached";
    else if (time_is_over(budget))
        budget->spent = "max_duration is over";
    return budget->spent == NULL && wait_for_standbys(b, budget);
}

static void tell_spent(VdfBatches *b, Budget *budget)
{
    vdf_progress_end();
    ereport(NOTICE, (errmsg("stopped: %s; %s deleted in %d %s, about %s left", budget->spent, vdf_rows(b->rows), b->batches,
                            b->batches == 1 ? "batch" : "batches", vdf_rows(b->found)),
                     errdetail("Deletion %s is running.", vdf_uuid_text(&b->id)), errhint("Go on: %s", same_call(b))));
}

/* Errors say what became of the batches before. */
static void add_context(void *arg)
{
    VdfBatches *b = (VdfBatches *) arg;

    if (b->plan != 0)
        errcontext("deletion %s in batches: %s of this call committed so far, the same call goes on", vdf_uuid_text(&b->id),
                   vdf_rows(b->rows));
}

static void tell_deleted(List *steps)
{
    VdfStep *step = steps ? (VdfStep *) linitial(steps) : NULL;

    if (step != NULL && strcmp(step->action, "already_deleted") == 0)
        ereport(NOTICE, (errmsg("nothing to do: already deleted"), errdetail("It was %s.", step->note)));
}

static void work(VdfBatches *b, Budget *budget)
{
    VdfBatchEnd end = VDF_BATCH_DONE;
    MemoryContext caller = CurrentMemoryContext,
                  memory = AllocSetContextCreate(caller, "vedfolnir batch", ALLOCSET_DEFAULT_SIZES);

    next_transaction(b, false);
    EnsurePortalSnapshotExists();
    if (budget->max_lag >= 0)
        (void) vdf_standby_lag(); /* 42501 before anything is done */
    if (vdf_batch_begin(b)) {
        vdf_progress_begin(InvalidOid, false, &b->id);
        while (end == VDF_BATCH_DONE || end == VDF_BATCH_UNDO) {
            uint64 limit = b->batch_rows;

            next_transaction(b, end == VDF_BATCH_UNDO);
            vdf_progress_expect((double) (b->rows + b->found));
            if (!may_go_on(b, budget)) {
                tell_spent(b, budget);
                return;
            }
            if (budget->max_rows != 0)
                limit = Min(limit, budget->max_rows - b->rows);
            EnsurePortalSnapshotExists();
            MemoryContextSwitchTo(memory);
            end = vdf_batch_take(b, limit);
            MemoryContextSwitchTo(caller);
            MemoryContextReset(memory);
        }
        next_transaction(b, false);
        EnsurePortalSnapshotExists();
    }
    if (end == VDF_BATCH_OTHER)
        vdf_progress_end();
    /* The ordinary run, over what is left; after another call has finished, it says so. */
    tell_deleted(vdf_call_execute(b->call));
}

/*
 * vedfolnir_delete_user_in_batches(user_key text, batch_rows int, reason text, request_id uuid, subject name,
 * max_rows bigint, max_duration interval, max_lag interval): 2D000, 22004, 22023, 55006, and those of a run.
 */
VDF_PROCEDURE(vedfolnir_delete_user_in_batches)
{
    VdfBatches b;
    VdfCall call;
    Budget budget;
    ErrorContextCallback context;

    require_own_transactions(fcinfo);
    PreventCommandIfReadOnly("vedfolnir_delete_user_in_batches()");
    memset(&b, 0, sizeof(b));
    memset(&call, 0, sizeof(call));
    memset(&budget, 0, sizeof(budget));
    if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    read_arguments(fcinfo, &b, &call, &budget);
    b.memory = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir look", ALLOCSET_DEFAULT_SIZES);
    context.callback = add_context;
    context.arg = &b;
    context.previous = error_context_stack;
    error_context_stack = &context;
    work(&b, &budget);
    error_context_stack = context.previous;
    SPI_finish();
    PG_RETURN_VOID();
}
