/*
 * key.cpp: keys of a subject, as text and as values, and who may use them.
 */
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/duty.h"
#include "ext/execute.h"
#include "ext/report.h"

Datum vdf_key_datum(VdfDeletionPlan *plan, const char *key)
{
    return vdf_read_value(plan->configuration->relation, plan->key_type, plan->key_typmod, key);
}

char *vdf_key_text(VdfDeletionPlan *plan, Datum key)
{
    Oid output;
    bool varlena;

    getTypeOutputInfo(plan->key_type, &output, &varlena);
    return OidOutputFunctionCall(output, key);
}

/* Could the text be read by the key's input function? Told without raising an error. */
static bool looks_like_key(VdfDeletionPlan *plan, const char *text)
{
    size_t length = strlen(text);

    switch (getBaseType(plan->key_type)) {
    case INT2OID:
        return length > 0 && length <= 4 && strspn(text, "0123456789") == length;
    case INT4OID:
        return length > 0 && length <= 9 && strspn(text, "0123456789") == length;
    case INT8OID:
    case NUMERICOID:
        return length > 0 && length <= 18 && strspn(text, "0123456789") == length;
    case UUIDOID:
        return length == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36 && text[8] == '-' && text[13] == '-' &&
               text[18] == '-' && text[23] == '-' && strlen(text) - strspn(text, "-") == 36;
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
        return true;
    default:
        return TypeCategory(getBaseType(plan->key_type)) == TYPCATEGORY_STRING;
    }
}

bool vdf_is_key(VdfDeletionPlan *plan, const char *text)
{
    VdfExecutor executor;
    VdfStatement statement;
    Datum value;
    bool found;

    if (!looks_like_key(plan, text))
        return false;
    value = vdf_key_datum(plan, text);
    memset(&executor, 0, sizeof(executor));
    vdf_executor_begin(&executor, true);
    memset(&statement, 0, sizeof(statement));
    statement.sql = vdf_plan_text(plan, VDF_SQL_FIND_ROOT, -1, 0, 0, NULL, &statement.cache);
    statement.owner = plan->nodes[plan->graph.root].owner;
    statement.nparams = 1;
    statement.types = &plan->key_type;
    statement.values = &value;
    found = vdf_execute(&executor, &statement) > 0;
    vdf_executor_end(&executor);
    return found;
}

static bool may_delete_root(VdfDeletionPlan *plan)
{
    return pg_class_aclcheck(plan->configuration->relation, GetUserId(), ACL_DELETE) == ACLCHECK_OK;
}

/* A refusal rolls back with its transaction, so the log is its only trace. */
static void log_refusal(void)
{
    ereport(LOG, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                  errmsg("vedfolnir: deletion refused with 42501, session user \"%s\", current user \"%s\"",
                         GetUserNameFromId(GetSessionUserId(), false), GetUserNameFromId(GetUserId(), false)),
                  errhidestmt(true), errhidecontext(true)));
}

void vdf_require_run(VdfDeletionPlan *plan)
{
    if (!vdf_has_duty("operator")) {
        log_refusal();
        vdf_require_duty("operator");
    }
    if (!may_delete_root(plan)) {
        log_refusal();
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied for table %s", get_rel_name(plan->configuration->relation)),
                        errdetail("A deletion needs DELETE on the root table. Nothing was changed."),
                        errhint("GRANT DELETE ON %s TO %s;", vdf_relation_name(plan->configuration->relation),
                                quote_identifier(GetUserNameFromId(GetUserId(), false)))));
    }
}

void vdf_require_look(VdfDeletionPlan *plan)
{
    if (!may_delete_root(plan) && !vdf_has_duty("viewer") && !vdf_has_duty("operator") && !vdf_has_duty("admin"))
        vdf_require_duty("viewer");
}
