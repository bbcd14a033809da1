/*
 * hold.cpp: legal holds: set, released, and looked up inside the transaction of every deletion.
 */
#include "ext/call.h"
#include "ext/catalog.h"
#include "ext/duty.h"
#include "ext/evidence.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"
#include "ext/work.h"

/* The oldest hold of a person. */
typedef struct Hold
{
    char *reason;
    char *since; /* a day */
    char *until; /* a day; NULL: until it is released */
} Hold;

/* A database without holds pays nothing for them. */
static bool any_hold(void)
{
    Oid relation = get_relname_relid("hold", get_namespace_oid("vedfolnir", false));
    Relation table = table_open(relation, AccessShareLock);
    bool any = RelationGetNumberOfBlocks(table) > 0;

    table_close(table, AccessShareLock);
    return any;
}

static const char *const ACTIVE =
    "SELECT reason, held_at::pg_catalog.date, held_until::pg_catalog.date FROM vedfolnir.hold "
    "WHERE pseudonym OPERATOR(pg_catalog.=) ANY ($1) AND subject OPERATOR(pg_catalog.=) $2 AND released_at IS NULL "
    "AND (held_until IS NULL OR held_until OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()) "
    "ORDER BY held_at, id LIMIT 1";

/* As of now, whatever the isolation level; NULL when there is none. */
static Hold *hold_of(const char *subject, const char *key)
{
    VdfStore store;
    Hold *hold = NULL;
    Oid types[2] = {BYTEAARRAYOID, NAMEOID};
    Datum values[2];
    NameData name;

    if (!any_hold())
        return NULL;
    /* A hold that was set while this call waited is younger than the statement's snapshot. */
    PushActiveSnapshot(GetLatestSnapshot());
    if (vdf_pseudonyms(subject, key, &values[0])) {
        namestrcpy(&name, subject);
        values[1] = NameGetDatum(&name);
        vdf_store_open(&store);
        if (vdf_store_run(&store, ACTIVE, 2, types, values, NULL, true) > 0) {
            hold = (Hold *) palloc0(sizeof(Hold));
            hold->reason = vdf_store_text(&store, 0, 1);
            hold->since = vdf_store_text(&store, 0, 2);
            hold->until = vdf_store_text(&store, 0, 3);
        }
        vdf_store_close(&store);
    }
    PopActiveSnapshot();
    return hold;
}

/* "legal hold since ... until ...: reason" */
static char *hold_text(const Hold *hold)
{
    return psprintf("legal hold since %s%s%s: %s", hold->since, hold->until ? " until " : "", hold->until ? hold->until : "",
                    hold->reason);
}

/* A dry run shows what a run is refused for; nobody's sessions are held. */
void vdf_check_holds(VdfWork *w)
{
    VdfRun *run = w->run;
    const VdfNode *root = &run->plan->graph.nodes[run->plan->graph.root];
    VdfBlocker *blocker = (VdfBlocker *) palloc0(sizeof(VdfBlocker));

    for (int i = 0; i < w->n && !w->call->expire; i++) {
        char *key = vdf_key_text(run->plan, w->values[i]), *remedy;
        Hold *hold = hold_of(w->call->subject, vdf_key_canonical(run->plan, w->values[i]));

        if (hold == NULL)
            continue;
        remedy = psprintf("SELECT vedfolnir_release(%s, '...'%s);", quote_literal_cstr(key), vdf_further_arguments(w->call));
        if (!run->dry) {
            vdf_log_refusal(w, "VF008");
            ereport(ERROR, (errcode(ERRCODE_VDF_LEGAL_HOLD), errmsg("cannot delete the %s: a legal hold forbids it", w->call->subject),
                            errdetail("There is a %s. Nothing was changed.", hold_text(hold)),
                            errhint("An administrator can end it: %s", remedy)));
        }
        blocker->relation = root->display;
        blocker->schema = root->schema;
        blocker->table = root->relation;
        blocker->reason = hold_text(hold);
        blocker->remedy = remedy;
        blocker->listed = true;
        if (blocker->rows++ == 0)
            run->blockers = lappend(run->blockers, blocker);
    }
}

/* The arguments that both functions have; finds the person and waits for a deletion that is under way. */
typedef struct HoldCall
{
    char *subject;
    char *key; /* canonical */
    char *reason;
} HoldCall;

static void read_call(FunctionCallInfo fcinfo, int subject, HoldCall *call)
{
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(subject))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("user_key, reason and subject must not be null")));
    call->reason = text_to_cstring(PG_GETARG_TEXT_PP(1));
    call->subject = pstrdup(NameStr(*PG_GETARG_NAME(subject)));
    if (strspn(call->reason, " \t\n") == strlen(call->reason))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("a reason is needed"),
                        errhint("Name the matter, for example a case number.")));
}

static void find_person(HoldCall *call, const char *given, bool must_exist)
{
    VdfDeletionPlan *plan = vdf_plan_for(call->subject);
    const VdfConfiguration *c = plan->configuration;
    Datum key = vdf_key_datum(plan, given);
    VdfStore store;
    char *label = NULL, *stored = NULL;
    bool found;

    call->key = vdf_key_canonical(plan, key);
    vdf_lock_person(call->subject, call->key);
    vdf_store_open(&store);
    PushActiveSnapshot(GetLatestSnapshot());
    found = vdf_store_run(&store,
                          psprintf("SELECT %s, c.%s FROM %s c WHERE c.%s %s $1",
                                   c->label_column ? psprintf("c.%s::pg_catalog.text", quote_identifier(c->label_column)) : "NULL",
                                   quote_identifier(c->key_column), vdf_from_clause(c->relation), quote_identifier(c->key_column),
                                   plan->graph.key_op),
                          1, &plan->key_type, &key, NULL, true) > 0;
    PopActiveSnapshot();
    if (found) {
        label = vdf_store_text(&store, 0, 1);
        stored = vdf_store_text(&store, 0, 2);
    }
    vdf_store_close(&store);
    vdf_plan_release(plan);
    if (!found && must_exist)
        ereport(ERROR, (errcode(ERRCODE_VDF_NO_SUCH_USER), errmsg("there is no such %s", call->subject),
                        errdetail("%s has no such row. Nothing was changed.", vdf_relation_name(c->relation))));
    if (vdf_has_word(call->reason, given) || (stored && vdf_has_word(call->reason, stored)) || (label && vdf_has_word(call->reason, label)))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the reason names the person"),
                        errdetail("It would stay with the hold. Nothing was changed."),
                        errhint("Write a case number that does not contain the key or the name.")));
}

/* A second hold for the same matter changes its end. */
static const char *const SET_HOLD =
    "WITH known AS (UPDATE vedfolnir.hold SET held_until = $6 WHERE subject = $1 AND pseudonym = $2 AND reason = $4 "
    "AND released_at IS NULL RETURNING 1), "
    "made AS (INSERT INTO vedfolnir.hold (subject, pseudonym, key_id, reason, held_by, held_until) SELECT $1, $2, $3, $4, $5, $6 "
    "WHERE NOT EXISTS (SELECT FROM known) RETURNING 1) "
    "SELECT FROM known UNION ALL SELECT FROM made";

/* vedfolnir_hold(user_key text, reason text, until timestamptz, subject name): 22004, 22023, 42501, 42704, VF001. */
VDF_FUNCTION(vedfolnir_hold)
{
    HoldCall call;
    VdfPseudonym pseudonym;
    VdfStore store;
    Oid types[6] = {NAMEOID, BYTEAOID, INT4OID, TEXTOID, NAMEOID, TIMESTAMPTZOID};
    Datum values[6];
    char nulls[7] = "      ";
    bytea *bytes;

    vdf_require_duty("admin");
    read_call(fcinfo, 3, &call);
    if (!PG_ARGISNULL(2) && PG_GETARG_TIMESTAMPTZ(2) <= GetCurrentTimestamp())
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the hold would be over already"),
                        errhint("Give a time in the future, or none for a hold without an end.")));
    find_person(&call, text_to_cstring(PG_GETARG_TEXT_PP(0)), true);
    (void) vdf_pseudonym(call.subject, call.key, true, &pseudonym);
    bytes = (bytea *) palloc(VARHDRSZ + sizeof(pseudonym.bytes));
    SET_VARSIZE(bytes, VARHDRSZ + sizeof(pseudonym.bytes));
    memcpy(VARDATA(bytes), pseudonym.bytes, sizeof(pseudonym.bytes));
    values[0] = PG_GETARG_DATUM(3);
    values[1] = PointerGetDatum(bytes);
    values[2] = Int32GetDatum(pseudonym.key_id);
    values[3] = CStringGetTextDatum(call.reason);
    values[4] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
    values[5] = PG_ARGISNULL(2) ? (Datum) 0 : PG_GETARG_DATUM(2);
    if (PG_ARGISNULL(2))
        nulls[5] = 'n';
    vdf_store_open(&store);
    if (vdf_store_run(&store, SET_HOLD, 6, types, values, nulls, false) == 0)
        vdf_store_require_rows("hold", 1, 0);
    vdf_store_close(&store);
    PG_RETURN_VOID();
}

static const char *const RELEASE =
    "UPDATE vedfolnir.hold SET released_at = clock_timestamp(), released_by = $3, release_reason = $4 "
    "WHERE subject = $1 AND pseudonym = ANY ($2) AND released_at IS NULL";

/* vedfolnir_release(user_key text, reason text, subject name): ends every hold; 22004, 22023, 42501, 42704. */
VDF_FUNCTION(vedfolnir_release)
{
    HoldCall call;
    VdfStore store;
    Oid types[4] = {NAMEOID, BYTEAARRAYOID, NAMEOID, TEXTOID};
    Datum values[4];
    uint64 released = 0;

    vdf_require_duty("admin");
    read_call(fcinfo, 2, &call);
    find_person(&call, text_to_cstring(PG_GETARG_TEXT_PP(0)), false);
    if (vdf_pseudonyms(call.subject, call.key, &values[1])) {
        values[0] = PG_GETARG_DATUM(2);
        values[2] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
        values[3] = CStringGetTextDatum(call.reason);
        vdf_store_open(&store);
        released = vdf_store_run(&store, RELEASE, 4, types, values, NULL, false);
        vdf_store_close(&store);
    }
    if (released == 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("there is no hold on this %s", call.subject),
                        errdetail("Nothing was changed.")));
    PG_RETURN_VOID();
}
