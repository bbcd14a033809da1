#include "ext/error_context.h"

#include "ext/lock_wait.h"

/*
 * DETAIL of constraint errors carries key values and whole rows; a deletion's errors must not. Errors of lock waits get
 * a hint with the processes in the way, serialization failures the advice to try again.
 */
static void edit_error(void *arg)
{
    int code = geterrcode();

    if (ERRCODE_TO_CATEGORY(code) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION)
        errdetail("The row is not shown, because it may hold personal data. Nothing was changed.");
    else if (code == ERRCODE_LOCK_NOT_AVAILABLE) {
        const char *blockers = vdf_lock_wait_blockers();

        if (strcmp(blockers, "0") == 0)
            errhint("Blocked by a prepared transaction; see pg_prepared_xacts. vedfolnir.lock_timeout sets how long to wait.");
        else if (blockers[0] != '\0')
            errhint("Blocked by process %s; see pg_stat_activity. vedfolnir.lock_timeout sets how long to wait.", blockers);
        else
            errhint("vedfolnir.lock_timeout sets how long to wait.");
    } else if (code == ERRCODE_UNDEFINED_TABLE || code == ERRCODE_UNDEFINED_COLUMN)
        errhint("Nothing was changed. If it was renamed or dropped meanwhile, run the statement again.");
    else if (code == ERRCODE_T_R_SERIALIZATION_FAILURE || code == ERRCODE_T_R_DEADLOCK_DETECTED)
        errhint("Nothing was changed. Run the transaction again.");
}

void vdf_error_context_push(VdfErrorContext *context, VdfDeletionPlan *plan)
{
    context->plan = plan;
    context->callback.callback = edit_error;
    context->callback.arg = context;
    context->callback.previous = error_context_stack;
    error_context_stack = &context->callback;
    vdf_lock_wait_begin();
}

void vdf_error_context_pop(VdfErrorContext *context)
{
    error_context_stack = context->callback.previous;
    vdf_lock_wait_end();
}
