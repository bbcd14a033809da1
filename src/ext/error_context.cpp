#include "ext/error_context.h"

#include "ext/lock_wait.h"
#include "ext/report.h"

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

/* The codes whose message quotes the value. */
static bool quotes_value(int code)
{
    switch (code) {
    case ERRCODE_INVALID_TEXT_REPRESENTATION:
    case ERRCODE_INVALID_BINARY_REPRESENTATION:
    case ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE:
    case ERRCODE_INVALID_DATETIME_FORMAT:
    case ERRCODE_DATETIME_FIELD_OVERFLOW:
    case ERRCODE_INVALID_TIME_ZONE_DISPLACEMENT_VALUE:
    case ERRCODE_INVALID_JSON_TEXT:
    case ERRCODE_INVALID_XML_DOCUMENT:
    case ERRCODE_INVALID_XML_CONTENT:
    case ERRCODE_CHARACTER_NOT_IN_REPERTOIRE:
    case ERRCODE_UNTRANSLATABLE_CHARACTER: return true;
    default: return false;
    }
}

static void hide_value(void *arg)
{
    Oid relation = ((VdfValueContext *) arg)->relation;

    if (!quotes_value(geterrcode()))
        return;
    errhidecontext(true); /* of JSON it quotes the line, and the log is kept */
    errmsg("a value of %s cannot be converted", OidIsValid(relation) ? vdf_relation_name(relation) : "a row");
    errdetail("It is not shown, because it may hold personal data. Nothing was changed.");
    errhint("Look at the expressions that are declared for the table, and at its triggers.");
}

void vdf_value_context_push(VdfValueContext *context, Oid relation)
{
    context->relation = relation;
    context->callback.callback = hide_value;
    context->callback.arg = context;
    context->callback.previous = error_context_stack;
    error_context_stack = &context->callback;
}

void vdf_value_context_pop(VdfValueContext *context)
{
    error_context_stack = context->callback.previous;
}
