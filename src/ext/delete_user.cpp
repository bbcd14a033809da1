/*
 * delete_user.cpp: the SQL functions that delete, and what they have in common.
 */
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/execute.h"
#include "ext/report.h"
#include "ext/value.h"

static void null_key(const char *what)
{
    ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", what)));
}

static char *text_argument(FunctionCallInfo fcinfo, int n)
{
    return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* Arguments 1 to 5: dry_run, reason, request_id, plan_hash, subject. */
static void common_arguments(FunctionCallInfo fcinfo, VdfCall *call)
{
    if (PG_ARGISNULL(1))
        null_key("dry_run");
    if (PG_ARGISNULL(5))
        null_key("subject");
    call->dry = PG_GETARG_BOOL(1);
    call->reason = text_argument(fcinfo, 2);
    call->has_request = !PG_ARGISNULL(3) && !call->dry;
    if (call->has_request)
        call->request_id = *PG_GETARG_UUID_P(3);
    call->plan_hash = text_argument(fcinfo, 4);
    call->subject = pstrdup(NameStr(*PG_GETARG_NAME(5)));
}

void vdf_call_arguments(FunctionCallInfo fcinfo, VdfCall *call, const char *function, const char *first)
{
    if (PG_ARGISNULL(0))
        null_key(first);
    memset(call, 0, sizeof(VdfCall));
    call->function = function;
    common_arguments(fcinfo, call);
}

void vdf_call_keys(VdfCall *call, Datum keys)
{
    Datum *items;
    bool *nulls;
    int n;

    deconstruct_array(DatumGetArrayTypeP(keys), TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls, &n);
    call->keys = (char **) palloc(sizeof(char *) * (n + 1));
    for (int i = 0; i < n; i++) {
        if (nulls[i])
            null_key("an element of user_keys");
        call->keys[i] = TextDatumGetCString(items[i]);
    }
    call->nkeys = n;
    call->many = true;
    call->shown = quote_literal_cstr(OidOutputFunctionCall(F_ARRAY_OUT, keys));
}

static Datum run_one(FunctionCallInfo fcinfo, const char *function, bool expire, char *key, bool quote)
{
    VdfCall call;

    memset(&call, 0, sizeof(call));
    call.function = function;
    call.expire = expire;
    common_arguments(fcinfo, &call);
    call.keys = &key;
    call.nkeys = 1;
    call.shown = quote ? quote_literal_cstr(key) : key;
    vdf_call_run(fcinfo, &call);
    return (Datum) 0;
}

static char *bigint_key(FunctionCallInfo fcinfo, const char *name)
{
    if (PG_ARGISNULL(0))
        null_key(name);
    return psprintf(INT64_FORMAT, PG_GETARG_INT64(0));
}

static char *uuid_key(FunctionCallInfo fcinfo, const char *name)
{
    if (PG_ARGISNULL(0))
        null_key(name);
    return DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(0)));
}

static char *text_key(FunctionCallInfo fcinfo, const char *name)
{
    if (PG_ARGISNULL(0))
        null_key(name);
    return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

/* vedfolnir_delete_user(user_id bigint, ...): 22004, 22P02, 22003, 42501, 42704, VF001 to VF011. */
VDF_FUNCTION(vedfolnir_delete_user_bigint)
{
    return run_one(fcinfo, "vedfolnir_delete_user", false, bigint_key(fcinfo, "user_id"), false);
}

VDF_FUNCTION(vedfolnir_delete_user_uuid)
{
    return run_one(fcinfo, "vedfolnir_delete_user", false, uuid_key(fcinfo, "user_uuid"), true);
}

VDF_FUNCTION(vedfolnir_delete_user_text)
{
    return run_one(fcinfo, "vedfolnir_delete_user", false, text_key(fcinfo, "user_key"), true);
}

/* vedfolnir_expire_sessions(user_id bigint, ...): ends the person's sessions, deletes nothing else. */
VDF_FUNCTION(vedfolnir_expire_sessions_bigint)
{
    return run_one(fcinfo, "vedfolnir_expire_sessions", true, bigint_key(fcinfo, "user_id"), false);
}

VDF_FUNCTION(vedfolnir_expire_sessions_uuid)
{
    return run_one(fcinfo, "vedfolnir_expire_sessions", true, uuid_key(fcinfo, "user_uuid"), true);
}

VDF_FUNCTION(vedfolnir_expire_sessions_text)
{
    return run_one(fcinfo, "vedfolnir_expire_sessions", true, text_key(fcinfo, "user_key"), true);
}

/* The one key behind a label, by the label column's own equality: VF001 for none, 21000 for several. */
typedef struct LabelSink
{
    VdfSink sink;
    VdfDeletionPlan *plan;
    MemoryContext context;
    uint64 rows;
    char *key;
} LabelSink;

static void label_row(VdfSink *sink, TupleTableSlot *slot)
{
    LabelSink *s = (LabelSink *) sink;
    MemoryContext caller = MemoryContextSwitchTo(s->context);

    slot_getallattrs(slot);
    if (s->rows++ == 0)
        s->key = vdf_key_text(s->plan, slot->tts_values[0]);
    MemoryContextSwitchTo(caller);
}

static char *key_of_label(const char *subject, char *label)
{
    VdfDeletionPlan *plan = vdf_plan_for(subject);
    const VdfConfiguration *c = plan->configuration;
    VdfExecutor executor;
    VdfStatement statement;
    LabelSink s;
    Oid type, collation;
    int32 typmod;
    Datum value;

    vdf_require_look(plan);
    if (c->label_column == NULL)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("subject \"%s\" has no label column", subject),
                        errhint("SELECT vedfolnir_register_subject(%s, key_column => %s, label_column => '...', mode => '%s', subject => %s);",
                                quote_literal_cstr(plan->graph.nodes[plan->graph.root].display), quote_literal_cstr(c->key_column),
                                c->tombstone ? "tombstone" : "delete", quote_literal_cstr(subject))));
    get_atttypetypmodcoll(c->relation, get_attnum(c->relation, c->label_column), &type, &typmod, &collation);
    value = vdf_read_value(c->relation, type, -1, label);
    memset(&executor, 0, sizeof(executor));
    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, label_row);
    s.plan = plan;
    s.context = CurrentMemoryContext;
    vdf_executor_begin(&executor, true);
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT c.%s FROM %s c WHERE c.%s %s $1", plan->graph.key_column,
                             plan->graph.nodes[plan->graph.root].from, plan->graph.label_column,
                             vdf_operator(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr));
    statement.owner = plan->nodes[plan->graph.root].owner;
    statement.nparams = 1;
    statement.types = &type;
    statement.values = &value;
    statement.sink = &s.sink;
    (void) vdf_execute(&executor, &statement);
    vdf_executor_end(&executor);
    vdf_plan_release(plan);
    if (s.rows == 0)
        ereport(ERROR, (errcode(ERRCODE_VDF_NO_SUCH_USER), errmsg("there is no such %s", subject),
                        errdetail("No row has that name. Nothing was changed.")));
    if (s.rows > 1)
        ereport(ERROR, (errcode(ERRCODE_CARDINALITY_VIOLATION), errmsg("the name belongs to %s rows", vdf_number(s.rows)),
                        errdetail("Nothing was changed."), errhint("Name the one that is meant by its key.")));
    return s.key;
}

/* vedfolnir_delete_user_by_name(username text, ...) */
VDF_FUNCTION(vedfolnir_delete_user_by_name)
{
    VdfCall call;
    char *label, *key;

    vdf_call_arguments(fcinfo, &call, "vedfolnir_delete_user", "username");
    call.label = label = text_to_cstring(PG_GETARG_TEXT_PP(0));
    if (vdf_call_answered(fcinfo, &call))
        return (Datum) 0;
    key = key_of_label(call.subject, label);
    call.keys = &key;
    call.nkeys = 1;
    call.shown = quote_literal_cstr(key);
    vdf_call_run(fcinfo, &call);
    return (Datum) 0;
}

/* vedfolnir_delete_users(user_keys text[], ...): one walk for many; a NULL element is 22004. */
VDF_FUNCTION(vedfolnir_delete_users)
{
    VdfCall call;

    vdf_call_arguments(fcinfo, &call, "vedfolnir_delete_users", "user_keys");
    vdf_call_keys(&call, PG_GETARG_DATUM(0));
    vdf_call_run(fcinfo, &call);
    return (Datum) 0;
}
