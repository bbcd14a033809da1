/*
 * key.cpp: keys of a subject, as text and as values, and who may use them.
 */
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/duty.h"
#include "ext/execute.h"
#include "ext/report.h"
#include "ext/value.h"

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

/* A value of the base type, without the column's length. */
static Datum unbound_key(VdfDeletionPlan *plan, const char *text)
{
    return vdf_read_value(plan->configuration->relation, getBaseType(plan->key_type), -1, text);
}

/*
 * Could the text be read as a value of the key's base type? Told without raising an error: a name that no key can have,
 * by its length or a domain's check, is nobody's.
 */
static bool looks_like_key(VdfDeletionPlan *plan, const char *text)
{
    size_t length = strlen(text), sign = text[0] == '-', digits = strspn(text + sign, "0123456789");
    const char *fraction = text[sign + digits] == '.' ? text + sign + digits + 1 : "";

    switch (getBaseType(plan->key_type)) {
    case INT2OID:
        return digits > 0 && digits <= 4 && sign + digits == length;
    case INT4OID:
        return digits > 0 && digits <= 9 && sign + digits == length;
    case INT8OID:
        return digits > 0 && digits <= 18 && sign + digits == length;
    case NUMERICOID:
        return digits > 0 && digits <= 100 && strlen(fraction) <= 100 &&
               (sign + digits == length || strspn(fraction, "0123456789") == strlen(fraction)) &&
               (text[sign + digits] == '\0' || text[sign + digits] == '.');
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

char *vdf_key_canonical_if_any(VdfDeletionPlan *plan, const char *text)
{
    return looks_like_key(plan, text) ? vdf_key_canonical(plan, unbound_key(plan, text)) : NULL;
}

bool vdf_is_key(VdfDeletionPlan *plan, const char *text)
{
    VdfExecutor executor;
    VdfStatement statement;
    Datum value;
    Oid type = getBaseType(plan->key_type);
    bool found;

    if (!looks_like_key(plan, text))
        return false;
    value = unbound_key(plan, text);
    memset(&executor, 0, sizeof(executor));
    vdf_executor_begin(&executor, true);
    memset(&statement, 0, sizeof(statement));
    statement.sql = vdf_plan_text(plan, VDF_SQL_FIND_ROOT, -1, 0, 0, NULL, &statement.cache);
    statement.owner = plan->nodes[plan->graph.root].owner;
    statement.nparams = 1;
    statement.types = &type;
    statement.values = &value;
    statement.cache = NULL; /* its parameter has the key's own type */
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
