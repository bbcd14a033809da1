/*
 * tenancy.cpp: people delete themselves, administrators the people of their company. The person who acts comes from
 * vedfolnir.actor, which a trusted back end sets for the transaction.
 */
#include "ext/error_context.h"
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/duty.h"
#include "ext/expression.h"
#include "ext/guc.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"

typedef struct Tenancy
{
    char *column;
    char *administrator;
} Tenancy;

static bool read_tenancy(const char *subject, Tenancy *tenancy)
{
    VdfStore store;
    Oid types[1] = {NAMEOID};
    Datum values[1] = {DirectFunctionCall1(namein, CStringGetDatum(subject))};
    bool found;

    vdf_store_open(&store);
    found = vdf_store_run(&store, "SELECT tenant_column, parsed FROM vedfolnir.tenancy WHERE subject OPERATOR(pg_catalog.=) $1", 1,
                          types, values, NULL, true) > 0;
    if (found) {
        tenancy->column = vdf_store_text(&store, 0, 1);
        tenancy->administrator = vdf_store_text(&store, 0, 2);
    }
    vdf_store_close(&store);
    return found;
}

/*
 * vedfolnir_set_tenancy(relation regclass, tenant_column name, administrator text, subject name): 22004, 22023, 42501,
 * 42703, 42704, 42804.
 */
VDF_FUNCTION(vedfolnir_set_tenancy)
{
    VdfStore store;
    Oid relation, types[7] = {NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEOID, TEXTOID, TEXTOID};
    Datum values[7];
    char *column, *administrator;

    vdf_require_duty("admin");
    for (int i = 0; i < 4; i++)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                            errmsg("relation, tenant_column, administrator and subject must not be null")));
    relation = PG_GETARG_OID(0);
    column = pstrdup(NameStr(*PG_GETARG_NAME(1)));
    administrator = text_to_cstring(PG_GETARG_TEXT_PP(2));
    if (vdf_require_subject(NameStr(*PG_GETARG_NAME(3))) != relation)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("%s is not the root table of subject \"%s\"", vdf_relation_name(relation), NameStr(*PG_GETARG_NAME(3))),
                        errdetail("The company of a person is a column of the root table.")));
    (void) vdf_column_number(relation, column);
    vdf_require_owner(relation);
    values[0] = PG_GETARG_DATUM(3);
    values[1] = ObjectIdGetDatum(relation);
    values[2] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(relation))));
    values[3] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(relation)));
    values[4] = PG_GETARG_DATUM(1);
    values[5] = CStringGetTextDatum(administrator);
    values[6] = CStringGetTextDatum(vdf_expression_compile(relation, administrator, true, BOOLOID, -1));
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "INSERT INTO vedfolnir.tenancy VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject) DO UPDATE SET "
                  "relation = excluded.relation, relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                  "tenant_column = excluded.tenant_column, administrator = excluded.administrator, parsed = excluded.parsed",
                  7, types, values, NULL, false);
    vdf_store_close(&store);
    PG_RETURN_VOID();
}

/* A refusal rolls back with its transaction, so the log is its only trace; keys are not written there. */
static void refuse(int code, const char *state, const char *message, const char *detail, const char *hint)
{
    ereport(LOG, (errcode(code),
                  errmsg("vedfolnir: deletion refused with %s, session user \"%s\", current user \"%s\"", state,
                         GetUserNameFromId(GetSessionUserId(), false), GetUserNameFromId(GetUserId(), false)),
                  errhidestmt(true), errhidecontext(true)));
    ereport(ERROR, (errcode(code), errmsg_internal("%s", message), errdetail_internal("%s Nothing was changed.", detail),
                    hint ? errhint("%s", hint) : 0));
}

static void forbid(const char *detail)
{
    refuse(ERRCODE_INSUFFICIENT_PRIVILEGE, "42501", "the actor may not delete this person", detail, NULL);
}

/* The one who acts, as a key. A value that another transaction left behind is somebody else's. */
static Datum actor_key(VdfDeletionPlan *plan)
{
    const char *hint = "The back end types, in the same transaction: SET LOCAL vedfolnir.actor = '...';";

    if (vdf_actor == NULL || vdf_actor[0] == '\0')
        refuse(ERRCODE_INSUFFICIENT_PRIVILEGE, "42501", "nobody is known to act", "vedfolnir.actor is empty.", hint);
    if (!vdf_actor_is_fresh())
        refuse(ERRCODE_INSUFFICIENT_PRIVILEGE, "42501", "nobody is known to act",
               "vedfolnir.actor was not set in this transaction.", hint);
    if (!vdf_is_key(plan, vdf_actor))
        forbid("The actor is not known.");
    return vdf_key_datum(plan, vdf_actor);
}

/* What is known of each person of a call; the actor comes first. */
typedef struct Person
{
    bool found;
    char *tenant;
    bool administrator;
} Person;

/* Reads as the owner of the root table, as of now. */
static void run_as_owner(VdfDeletionPlan *plan, const char *sql, Datum keys, Datum tenant)
{
    Oid user, types[2] = {get_array_type(plan->key_type), TEXTOID};
    Datum values[2] = {keys, tenant};
    int context;
    VdfValueContext expression;

    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(plan->nodes[plan->graph.root].owner,
                           context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    PushActiveSnapshot(GetLatestSnapshot());
    vdf_value_context_push(&expression, plan->nodes[plan->graph.root].relation);
    if (SPI_execute_with_args(sql, tenant ? 2 : 1, types, values, NULL, true, 0) < 0)
        elog(ERROR, "the people of the call cannot be read");
    vdf_value_context_pop(&expression);
    PopActiveSnapshot();
    SetUserIdAndSecContext(user, context);
}

static Person *look_up(VdfDeletionPlan *plan, Datum keys, int n, const Tenancy *tenancy)
{
    MemoryContext caller = CurrentMemoryContext;
    Person *people = (Person *) palloc0(sizeof(Person) * n);
    char *sql = psprintf("SELECT u.n::pg_catalog.int4, %s, %s FROM pg_catalog.unnest($1) WITH ORDINALITY AS u(k, n) JOIN %s c "
                         "ON c.%s %s u.k",
                         tenancy ? psprintf("c.%s::pg_catalog.text", quote_identifier(tenancy->column)) : "NULL::pg_catalog.text",
                         tenancy ? psprintf("COALESCE((%s)::pg_catalog.bool, false)", tenancy->administrator) : "false",
                         vdf_from_clause(plan->configuration->relation), quote_identifier(plan->configuration->key_column),
                         plan->graph.key_op);

    SPI_connect();
    run_as_owner(plan, sql, keys, (Datum) 0);
    MemoryContextSwitchTo(caller);
    for (uint64 i = 0; i < SPI_processed; i++) {
        bool isnull;
        HeapTuple row = SPI_tuptable->vals[i];
        TupleDesc desc = SPI_tuptable->tupdesc;
        Person *p = &people[DatumGetInt32(SPI_getbinval(row, desc, 1, &isnull)) - 1];
        char *tenant = SPI_getvalue(row, desc, 2);

        p->found = true;
        p->tenant = tenant ? MemoryContextStrdup(caller, tenant) : NULL;
        p->administrator = DatumGetBool(SPI_getbinval(row, desc, 3, &isnull));
    }
    SPI_finish();
    return people;
}

/* One at a time per company: two administrators who leave at once must not both count on the other. */
static void require_another_administrator(VdfDeletionPlan *plan, const char *subject, Datum leaving, const Tenancy *tenancy,
                                          const char *tenant)
{
    char *name = psprintf("tenant:%s:%s", subject, tenant);
    char *sql = psprintf("SELECT FROM %s c WHERE c.%s::pg_catalog.text OPERATOR(pg_catalog.=) $2 AND COALESCE((%s)::pg_catalog.bool, false) "
                         "AND NOT EXISTS (SELECT FROM pg_catalog.unnest($1) AS u(k) WHERE c.%s %s u.k) LIMIT 1",
                         vdf_from_clause(plan->configuration->relation), quote_identifier(tenancy->column), tenancy->administrator,
                         quote_identifier(plan->configuration->key_column), plan->graph.key_op);
    bool another;

    (void) DirectFunctionCall1(pg_advisory_xact_lock_int8,
                               Int64GetDatum((int64) DatumGetUInt64(hash_any_extended((const unsigned char *) name, strlen(name),
                                                                                     0x76646674))));
    SPI_connect();
    run_as_owner(plan, sql, leaving, CStringGetTextDatum(tenant));
    another = SPI_processed > 0;
    SPI_finish();
    if (!another)
        refuse(ERRCODE_VDF_BLOCKED, "VF007", "cannot delete the last administrator of a company",
               "Nobody else administers the company.", "Make somebody else an administrator first.");
}

static Datum key_array(VdfDeletionPlan *plan, Datum *keys, int n)
{
    int16 length;
    bool by_value;
    char align;

    if (!OidIsValid(get_array_type(plan->key_type)))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("keys of type %s have no array type", format_type_be(plan->key_type))));
    get_typlenbyvalalign(plan->key_type, &length, &by_value, &align);
    return PointerGetDatum(construct_array(keys, n, plan->key_type, length, by_value, align));
}

static void no_such_person(const char *subject)
{
    ereport(ERROR, (errcode(ERRCODE_VDF_NO_SUCH_USER), errmsg("there is no such %s", subject),
                    errdetail("A key that was given is not known. Nothing was changed.")));
}

/* All checks, for every key, before anything changes. */
static void check_own(const VdfCall *call)
{
    VdfDeletionPlan *plan = vdf_plan_for(call->subject);
    TypeCacheEntry *type = lookup_type_cache(plan->key_type, TYPECACHE_EQ_OPR_FINFO);
    Datum keys[2];
    Tenancy tenancy;
    bool tenants = read_tenancy(call->subject, &tenancy);
    Person *people;

    call->dry ? vdf_require_look(plan) : vdf_require_run(plan);
    keys[1] = vdf_key_datum(plan, call->keys[0]);
    keys[0] = actor_key(plan);
    people = look_up(plan, key_array(plan, keys, 2), 2, tenants ? &tenancy : NULL);
    if (!people[1].found)
        no_such_person(call->subject);
    if (!DatumGetBool(FunctionCall2Coll(&type->eq_opr_finfo, plan->key_collation, keys[0], keys[1])))
        forbid("It is another person's account.");
    if (people[0].administrator && people[0].tenant)
        require_another_administrator(plan, call->subject, key_array(plan, keys, 1), &tenancy, people[0].tenant);
    vdf_plan_release(plan);
}

static void check_company(const VdfCall *call)
{
    VdfDeletionPlan *plan = vdf_plan_for(call->subject);
    Datum *keys = (Datum *) palloc(sizeof(Datum) * (call->nkeys + 1));
    Tenancy tenancy;
    Person *people;
    bool administrator = false;

    call->dry ? vdf_require_look(plan) : vdf_require_run(plan);
    if (!read_tenancy(call->subject, &tenancy))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("nobody said what the company of a %s is", call->subject),
                        errhint("SELECT vedfolnir_set_tenancy(%s, '...', '...');",
                                quote_literal_cstr(vdf_relation_name(plan->configuration->relation)))));
    for (int i = 0; i < call->nkeys; i++)
        keys[i + 1] = vdf_key_datum(plan, call->keys[i]);
    keys[0] = actor_key(plan);
    people = look_up(plan, key_array(plan, keys, call->nkeys + 1), call->nkeys + 1, &tenancy);
    if (!people[0].administrator || people[0].tenant == NULL)
        forbid("The actor does not administer a company.");
    for (int i = 1; i <= call->nkeys; i++)
        if (!people[i].found)
            no_such_person(call->subject);
    for (int i = 1; i <= call->nkeys; i++) {
        if (people[i].tenant == NULL || strcmp(people[i].tenant, people[0].tenant) != 0)
            forbid("A person belongs to another company.");
        administrator = administrator || people[i].administrator;
    }
    if (administrator)
        require_another_administrator(plan, call->subject, key_array(plan, keys + 1, call->nkeys), &tenancy, people[0].tenant);
    vdf_plan_release(plan);
}

/* vedfolnir_delete_own_user(user_key text, ...): as vedfolnir_delete_user, and 42501 unless it is the actor. */
VDF_FUNCTION(vedfolnir_delete_own_user)
{
    VdfCall call;
    char *key;

    vdf_call_arguments(fcinfo, &call, "vedfolnir_delete_own_user", "user_key");
    key = text_to_cstring(PG_GETARG_TEXT_PP(0));
    call.keys = &key;
    call.nkeys = 1;
    call.shown = quote_literal_cstr(key);
    if (vdf_call_answered(fcinfo, &call))
        return (Datum) 0;
    check_own(&call);
    vdf_call_run(fcinfo, &call);
    return (Datum) 0;
}

/* vedfolnir_delete_company_user(user_keys text[], ...): as vedfolnir_delete_users, within the actor's company. */
VDF_FUNCTION(vedfolnir_delete_company_user)
{
    VdfCall call;

    vdf_call_arguments(fcinfo, &call, "vedfolnir_delete_company_user", "user_keys");
    vdf_call_keys(&call, PG_GETARG_DATUM(0));
    if (vdf_call_answered(fcinfo, &call))
        return (Datum) 0;
    check_company(&call);
    vdf_call_run(fcinfo, &call);
    return (Datum) 0;
}
