#include "ext/execute.h"

#include "ext/error_context.h"
#include "ext/fault.h"
#include "ext/progress.h"
#include "ext/report.h"
#include "ext/ri_triggers.h"
#include "ext/statement_plan.h"

typedef struct Level
{
    Oid owner;
} Level;

static bool sink_receive(TupleTableSlot *slot, DestReceiver *self)
{
    VDF_PLACE("row");
    ((VdfSink *) self)->row((VdfSink *) self, slot);
    return true;
}

static void sink_startup(DestReceiver *self, int operation, TupleDesc desc)
{
    VdfSink *sink = (VdfSink *) self;

    sink->desc = desc;
    if (sink->start)
        sink->start(sink, desc);
}

static void sink_nothing(DestReceiver *self)
{
}

void vdf_sink_init(VdfSink *sink, void (*start)(VdfSink *, TupleDesc), void (*row)(VdfSink *, TupleTableSlot *))
{
    sink->pub.receiveSlot = sink_receive;
    sink->pub.rStartup = sink_startup;
    sink->pub.rShutdown = sink_nothing;
    sink->pub.rDestroy = sink_nothing;
    sink->pub.mydest = DestNone;
    sink->start = start;
    sink->row = row;
}

void vdf_statement_input(VdfStatement *statement, const char *name, VdfKeys *keys)
{
    VdfInput *input;

    if (statement->ninputs == VDF_FEW_INPUTS) {
        statement->more = (VdfInput *) palloc(sizeof(statement->few) * 2);
        memcpy(statement->more, statement->few, sizeof(statement->few));
    } else if (statement->ninputs > VDF_FEW_INPUTS && (statement->ninputs & (statement->ninputs - 1)) == 0)
        statement->more = (VdfInput *) repalloc(statement->more, sizeof(VdfInput) * statement->ninputs * 2);
    input = vdf_inputs_of(statement) + statement->ninputs++;
    input->name = name;
    input->keys = keys;
}

/*
 * Many stores are alive at once, so each has only a share of work_mem. Each has a context of its own as well: among the
 * chunks of others, what it frees when it goes to its file would be of use to nobody.
 */
Tuplestorestate *vdf_keys_store(void)
{
    MemoryContext context = GenerationContextCreate(CurrentMemoryContext, "vedfolnir keys", 0, 1024, 64 * 1024);
    MemoryContext caller = MemoryContextSwitchTo(context);
    Tuplestorestate *store = tuplestore_begin_heap(true, false, Max(work_mem / 4, 64));

    MemoryContextSwitchTo(caller);
    return store;
}

void vdf_keys_store_end(Tuplestorestate *store)
{
    MemoryContext context = GetMemoryChunkContext(store);

    tuplestore_end(store);
    MemoryContextDelete(context);
}

typedef struct Unpacking
{
    VdfKeys *keys;
    bool person;
} Unpacking;

static void unpack_row(void *arg, const Datum *values, int person)
{
    Unpacking *u = (Unpacking *) arg;
    Datum row[VDF_KEY_COLUMNS + 1];
    bool nulls[VDF_KEY_COLUMNS + 1] = {false};
    int first = u->person ? 1 : 0;

    row[0] = Int32GetDatum(person);
    for (int i = first; i < u->keys->desc->natts; i++)
        row[i] = values[i - first];
    tuplestore_putvalues(u->keys->store, u->keys->desc, row, nulls);
}

void vdf_keys_unpack(VdfKeys *keys)
{
    Unpacking u = {keys, strcmp(NameStr(TupleDescAttr(keys->desc, 0)->attname), "vdf_u") == 0};

    keys->store = vdf_keys_store();
    vdf_key_set_each(keys->packed, keys->which, unpack_row, &u);
}

void vdf_keys_free(VdfKeys *keys)
{
    if (keys->store != NULL)
        vdf_keys_store_end(keys->store);
    keys->store = NULL;
    keys->count = 0;
}

void vdf_executor_begin(VdfExecutor *executor, bool dry)
{
    executor->dry = dry;
    executor->context = CurrentMemoryContext;
    executor->statement = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir statement", ALLOCSET_DEFAULT_SIZES);
    executor->levels = NIL;
    executor->statements = 0;
    executor->snapshot = InvalidSnapshot;
    if (dry)
        executor->snapshot = RegisterSnapshot(IsolationUsesXactSnapshot() ? GetTransactionSnapshot()
                                                                          : GetLatestSnapshot());
}

void vdf_executor_end(VdfExecutor *executor)
{
    if (executor->snapshot != InvalidSnapshot)
        UnregisterSnapshot(executor->snapshot);
    executor->snapshot = InvalidSnapshot;
    MemoryContextDelete(executor->statement);
}

/* Generated SQL is qualified throughout; expressions of rules were deparsed under this path. */
int vdf_set_path(void)
{
    int level = NewGUCNestLevel();

    (void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                             false);
    return level;
}

void vdf_unset_path(int level)
{
    AtEOXact_GUC(true, level);
}

static void name_scan(QueryEnvironment *environment, const char *name, void *scan)
{
    EphemeralNamedRelation relation = (EphemeralNamedRelation) palloc0(sizeof(EphemeralNamedRelationData));

    relation->md.name = pstrdup(name);
    relation->md.enrtype = ENR_NAMED_TUPLESTORE;
    relation->reldata = scan;
    register_ENR(environment, relation);
}

static QueryEnvironment *environment_of(VdfExecutor *executor, VdfStatement *statement)
{
    QueryEnvironment *environment = create_queryEnv();
    bool kept = vdf_plan_is_kept(statement);

    for (int i = 0; i < statement->ninputs; i++) {
        VdfKeys *keys = vdf_inputs_of(statement)[i].keys;
        EphemeralNamedRelation relation = (EphemeralNamedRelation) palloc0(sizeof(EphemeralNamedRelationData));

        if (keys->store == NULL && keys->packed != NULL && keys->count > 0) {
            MemoryContext caller = MemoryContextSwitchTo(executor->context);

            vdf_keys_unpack(keys);
            MemoryContextSwitchTo(caller);
        }
        if (keys->store == NULL)
            elog(ERROR, "key set \"%s\" is empty", vdf_inputs_of(statement)[i].name);
        relation->md.name = pstrdup(vdf_inputs_of(statement)[i].name);
        relation->md.reliddesc = InvalidOid;
        relation->md.enrtype = ENR_NAMED_TUPLESTORE;
        relation->md.tupdesc = keys->desc;
        relation->md.enrtuples = kept ? vdf_keys_estimate(keys) : (double) keys->count;
        relation->reldata = keys->store;
        register_ENR(environment, relation);
    }
    /* Also EvalPlanQual begins the scan, in the middle of a run. */
    if (statement->scan != NULL)
        name_scan(environment, VDF_KEY_SCAN_NAME, statement->scan);
    if (statement->places != NULL)
        name_scan(environment, VDF_PLACE_SCAN_NAME, statement->places);
    return environment;
}

static ParamListInfo params_of(VdfStatement *statement)
{
    ParamListInfo params;

    if (statement->nparams == 0)
        return NULL;
    params = makeParamList(statement->nparams);
    for (int i = 0; i < statement->nparams; i++) {
        params->params[i].value = statement->values[i];
        params->params[i].isnull = false;
        params->params[i].pflags = PARAM_FLAG_CONST;
        params->params[i].ptype = statement->types[i];
    }
    return params;
}

/* In REPEATABLE READ and above, changes see the latest rows but fail on those that the transaction cannot see. */
static Snapshot push_snapshot(VdfExecutor *executor, VdfStatement *statement)
{
    if (executor->dry) {
        PushActiveSnapshot(executor->snapshot);
        return InvalidSnapshot;
    }
    CommandCounterIncrement();
    if (IsolationUsesXactSnapshot()) {
        PushActiveSnapshot(GetLatestSnapshot());
        return statement->change ? GetTransactionSnapshot() : InvalidSnapshot;
    }
    PushActiveSnapshot(GetTransactionSnapshot());
    return InvalidSnapshot;
}

/* The relation at hand, whose rows are counted as the planner expects them. */
static Oid show_progress(PlannedStmt *plan)
{
    Plan *top = plan->planTree;
    Oid relation = InvalidOid;

    if (IsA(top, ModifyTable) && plan->resultRelations != NIL) {
        relation = rt_fetch(linitial_int(plan->resultRelations), plan->rtable)->relid;
        vdf_progress_statement(relation, outerPlan(top)->plan_rows);
    } else if (plan->relationOids != NIL) {
        relation = linitial_oid(plan->relationOids);
        vdf_progress_statement(relation, top->plan_rows);
    }
    return relation;
}

static bool finds_rows(const VdfStatement *statement)
{
    return statement->scan == NULL ||
           vdf_key_scan_finds(statement->scan, GetActiveSnapshot(), statement->change ? RowExclusiveLock : AccessShareLock);
}

static void leave(VdfExecutor *executor, VdfStatement *statement, Oid user, int security, MemoryContext caller)
{
    if (statement->scan != NULL)
        vdf_key_scan_end(statement->scan);
    PopActiveSnapshot();
    SetUserIdAndSecContext(user, security);
    MemoryContextSwitchTo(caller);
    MemoryContextReset(executor->statement);
}

uint64 vdf_execute(VdfExecutor *executor, VdfStatement *statement)
{
    MemoryContext caller = MemoryContextSwitchTo(executor->statement);
    Oid user;
    int context, flags = 0;
    bool hold = false;
    uint64 rows;
    CachedPlan *cached = NULL;
    Snapshot crosscheck;
    QueryEnvironment *environment;
    PlannedStmt *plan;
    QueryDesc *query;
    ParamListInfo params;
    VdfValueContext values;

    CHECK_FOR_INTERRUPTS();
    executor->statements++;
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(statement->owner, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    crosscheck = push_snapshot(executor, statement);
    statement->refused = false;
    if (!finds_rows(statement)) {
        leave(executor, statement, user, context, caller);
        return 0;
    }
    environment = environment_of(executor, statement);
    params = params_of(statement);

    plan = vdf_statement_plan(statement, environment, params, &cached);
    if (statement->refused) {
        if (cached != NULL)
            ReleaseCachedPlan(cached, CurrentResourceOwner);
        leave(executor, statement, user, context, caller);
        return 0;
    }
    vdf_value_context_push(&values, show_progress(plan));

    query = CreateQueryDesc(plan, statement->sql, GetActiveSnapshot(), crosscheck,
                            statement->sink ? &statement->sink->pub : None_Receiver, params, environment, 0);
    if (statement->change) {
        AfterTriggerBeginQuery();
        flags = EXEC_FLAG_SKIP_TRIGGERS;
    }
    ExecutorStart(query, flags);
    if (statement->change) {
        if (plan->commandType == CMD_DELETE)
            vdf_drop_ri_triggers(executor, query);
        hold = plan->commandType == CMD_UPDATE || (plan->commandType == CMD_DELETE && vdf_has_after_triggers(query));
    }
    VDF_PLACE("statement");
    vdf_executor_run(query);
    rows = query->estate->es_processed;
    ExecutorFinish(query);
    if (statement->change && !hold)
        AfterTriggerEndQuery(query->estate);
    ExecutorEnd(query);
    vdf_value_context_pop(&values);
    FreeQueryDesc(query);
    if (cached != NULL)
        ReleaseCachedPlan(cached, CurrentResourceOwner);
    if (hold) {
        Level *held;

        MemoryContextSwitchTo(executor->context);
        held = (Level *) palloc(sizeof(Level));
        held->owner = statement->owner;
        executor->levels = lappend(executor->levels, held);
    }
    leave(executor, statement, user, context, caller);
    return rows;
}

void vdf_fire_held(VdfExecutor *executor)
{
    Oid user;
    int context;

    GetUserIdAndSecContext(&user, &context);
    for (int i = list_length(executor->levels) - 1; i >= 0; i--) {
        EState *estate = CreateExecutorState();

        CHECK_FOR_INTERRUPTS();
        CommandCounterIncrement();
        SetUserIdAndSecContext(((Level *) list_nth(executor->levels, i))->owner,
                               context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
        PushActiveSnapshot(GetTransactionSnapshot());
        estate->es_snapshot = GetActiveSnapshot();
        estate->es_output_cid = GetCurrentCommandId(false);
        VDF_PLACE("held");
        AfterTriggerEndQuery(estate);
        ExecCloseResultRelations(estate);
        ExecResetTupleTable(estate->es_tupleTable, false);
        FreeExecutorState(estate);
        PopActiveSnapshot();
        SetUserIdAndSecContext(user, context);
    }
    executor->levels = NIL;
}
