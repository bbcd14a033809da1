#include "ext/execute.h"

#include "ext/fault.h"
#include "ext/progress.h"
#include "ext/report.h"
#include "ext/ri_triggers.h"

/* Key sets of one size share a plan that is made for a typical number of rows. */
static const uint64 size_limits[VDF_KEPT_SIZES] = {1, 8, 64, 512};
static const double size_estimates[VDF_KEPT_SIZES] = {1, 4, 24, 190};

static int size_of(VdfKeys *keys)
{
    for (int i = 0; i < VDF_KEPT_SIZES; i++)
        if (keys->count <= size_limits[i])
            return i;
    return VDF_KEPT_SIZES;
}

typedef struct Level
{
    Oid owner;
} Level;

/*
 * The planner knows nothing of the distinct values of a key set and would hash the whole child table rather than the
 * keys. Keys are unique, so it is told that; only while one of our statements is planned.
 */
static get_relation_stats_hook_type previous_stats_hook = NULL;
static bool planning = false;

static bool keys_are_unique(PlannerInfo *root, RangeTblEntry *rte, AttrNumber column, VariableStatData *data)
{
    if (planning && rte->rtekind == RTE_NAMEDTUPLESTORE) {
        data->isunique = true;
        return true;
    }
    return previous_stats_hook && previous_stats_hook(root, rte, column, data);
}

static void stop_planning(XactEvent event, void *arg)
{
    planning = false;
}

void vdf_execute_init(void)
{
    previous_stats_hook = get_relation_stats_hook;
    get_relation_stats_hook = keys_are_unique;
    RegisterXactCallback(stop_planning, NULL);
}

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

static VdfInput *inputs_of(VdfStatement *statement)
{
    return statement->more ? statement->more : statement->few;
}

void vdf_statement_input(VdfStatement *statement, const char *name, VdfKeys *keys)
{
    VdfInput *input;

    if (statement->ninputs == VDF_FEW_INPUTS) {
        statement->more = (VdfInput *) palloc(sizeof(statement->few) * 2);
        memcpy(statement->more, statement->few, sizeof(statement->few));
    } else if (statement->ninputs > VDF_FEW_INPUTS && (statement->ninputs & (statement->ninputs - 1)) == 0)
        statement->more = (VdfInput *) repalloc(statement->more, sizeof(VdfInput) * statement->ninputs * 2);
    input = inputs_of(statement) + statement->ninputs++;
    input->name = name;
    input->keys = keys;
}

/* Many stores are alive at once, so each has only a share of work_mem. */
Tuplestorestate *vdf_keys_store(void)
{
    return tuplestore_begin_heap(true, false, Max(work_mem / 4, 64));
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
        tuplestore_end(keys->store);
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

/*
 * Rows that are named by their places have just been locked: their pages are at hand, and reading them again costs no
 * more than the pages of a scan. Only while such a statement is planned.
 */
static void expect_pages_at_hand(void)
{
    (void) set_config_option("random_page_cost", "0.1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
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

static QueryEnvironment *environment_of(VdfExecutor *executor, VdfStatement *statement, bool small)
{
    QueryEnvironment *environment = create_queryEnv();

    for (int i = 0; i < statement->ninputs; i++) {
        VdfKeys *keys = inputs_of(statement)[i].keys;
        EphemeralNamedRelation relation = (EphemeralNamedRelation) palloc0(sizeof(EphemeralNamedRelationData));

        if (keys->store == NULL && keys->packed != NULL && keys->count > 0) {
            MemoryContext caller = MemoryContextSwitchTo(executor->context);

            vdf_keys_unpack(keys);
            MemoryContextSwitchTo(caller);
        }
        if (keys->store == NULL)
            elog(ERROR, "key set \"%s\" is empty", inputs_of(statement)[i].name);
        relation->md.name = pstrdup(inputs_of(statement)[i].name);
        relation->md.reliddesc = InvalidOid;
        relation->md.enrtype = ENR_NAMED_TUPLESTORE;
        relation->md.tupdesc = keys->desc;
        relation->md.enrtuples = small ? size_estimates[size_of(keys)] : (double) keys->count;
        relation->reldata = keys->store;
        register_ENR(environment, relation);
    }
    /* Also EvalPlanQual begins the scan, in the middle of a run. */
    if (statement->scan != NULL) {
        EphemeralNamedRelation relation = (EphemeralNamedRelation) palloc0(sizeof(EphemeralNamedRelationData));

        relation->md.name = pstrdup(VDF_KEY_SCAN_NAME);
        relation->md.enrtype = ENR_NAMED_TUPLESTORE;
        relation->reldata = (void *) statement->scan;
        register_ENR(environment, relation);
    }
    return environment;
}

/* Parses and rewrites; a rule that multiplies or removes the statement cannot be followed. */
static List *analyze(VdfStatement *statement, RawStmt *raw, QueryEnvironment *environment)
{
    List *queries = pg_analyze_and_rewrite_fixedparams(raw, statement->sql, statement->types, statement->nparams,
                                                       environment);

    if (list_length(queries) != 1)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT), errmsg("a rule changes what a deletion does to its table"),
                        errdetail("Nothing was changed."), errhint("Drop or disable the rule.")));
    return queries;
}

static int largest_size(VdfStatement *statement)
{
    int largest = 0;

    for (int i = 0; i < statement->ninputs; i++)
        largest = Max(largest, size_of(inputs_of(statement)[i].keys));
    return largest;
}

/* Key sets change their columns with what a run needs; the plan cache does not notice. The size of each counts too. */
static uint32 shape_of_inputs(VdfStatement *statement)
{
    uint32 hash = 0;

    for (int i = 0; i < statement->ninputs; i++) {
        TupleDesc desc = inputs_of(statement)[i].keys->desc;

        hash = hash_combine(hash, size_of(inputs_of(statement)[i].keys));
        for (int j = 0; j < desc->natts; j++) {
            Form_pg_attribute a = TupleDescAttr(desc, j);

            hash = hash_combine(hash, DatumGetUInt32(hash_any((const unsigned char *) NameStr(a->attname), strlen(NameStr(a->attname)))));
            hash = hash_combine(hash, a->atttypid);
        }
    }
    return hash;
}

static PlannedStmt *plan_of(VdfStatement *statement, QueryEnvironment *environment, bool small, ParamListInfo params,
                            CachedPlan **cached)
{
    RawStmt *raw;
    List *queries;
    PlannedStmt *plan;

    if (statement->cache != NULL && small) {
        uint32 inputs = shape_of_inputs(statement);
        VdfKeptPlan *slot = &statement->cache[largest_size(statement)];

        if (slot->source != NULL && slot->inputs != inputs) {
            DropCachedPlan(slot->source);
            slot->source = NULL;
        }
        if (slot->source == NULL) {
            CachedPlanSource *source;

            raw = linitial_node(RawStmt, pg_parse_query(statement->sql));
            source = CreateCachedPlan(raw, statement->sql, CreateCommandTag(raw->stmt));
            queries = analyze(statement, raw, environment);
            CompleteCachedPlan(source, queries, NULL, statement->types, statement->nparams, NULL, NULL,
                               CURSOR_OPT_GENERIC_PLAN, false);
            SaveCachedPlan(source);
            slot->source = source;
            slot->inputs = inputs;
        }
        *cached = GetCachedPlan(slot->source, params, CurrentResourceOwner, environment);
        if (list_length((*cached)->stmt_list) != 1)
            elog(ERROR, "a cached statement of a deletion has become several");
        plan = linitial_node(PlannedStmt, (*cached)->stmt_list);
        if (statement->scan != NULL)
            statement->refused = !vdf_key_scan_install(plan, (*cached)->context, statement->scan);
        return plan;
    }
    raw = linitial_node(RawStmt, pg_parse_query(statement->sql));
    queries = analyze(statement, raw, environment);
    plan = pg_plan_query(linitial_node(Query, queries), statement->sql, 0, params);
    /* Without its scan the statement would take every row. */
    statement->refused = statement->scan != NULL && !vdf_key_scan_install(plan, CurrentMemoryContext, statement->scan);
    plan->jitFlags = 0; /* compiling costs more than these statements gain */
    return plan;
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

/* The relation at hand and how many rows the planner expects of it. */
static void show_progress(PlannedStmt *plan)
{
    Plan *top = plan->planTree;
    RangeTblEntry *entry;

    if (IsA(top, ModifyTable) && plan->resultRelations != NIL) {
        entry = rt_fetch(linitial_int(plan->resultRelations), plan->rtable);
        vdf_progress_statement(entry->relid, outerPlan(top)->plan_rows);
    } else if (plan->relationOids != NIL)
        vdf_progress_statement(linitial_oid(plan->relationOids), top->plan_rows);
}

uint64 vdf_execute(VdfExecutor *executor, VdfStatement *statement)
{
    MemoryContext caller = MemoryContextSwitchTo(executor->statement);
    Oid user;
    int context, level, flags = 0;
    bool small = largest_size(statement) < VDF_KEPT_SIZES, hold = false;
    uint64 rows;
    CachedPlan *cached = NULL;
    Snapshot crosscheck;
    QueryEnvironment *environment;
    PlannedStmt *plan;
    QueryDesc *query;
    ParamListInfo params;

    CHECK_FOR_INTERRUPTS();
    executor->statements++;
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(statement->owner, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    crosscheck = push_snapshot(executor, statement);
    environment = environment_of(executor, statement, statement->cache != NULL && small);
    params = params_of(statement);

    level = vdf_set_path();
    if (statement->by_place)
        expect_pages_at_hand();
    planning = true;
    plan = plan_of(statement, environment, small, params, &cached);
    planning = false;
    vdf_unset_path(level);
    if (statement->refused) {
        if (cached != NULL)
            ReleaseCachedPlan(cached, CurrentResourceOwner);
        PopActiveSnapshot();
        SetUserIdAndSecContext(user, context);
        MemoryContextSwitchTo(caller);
        MemoryContextReset(executor->statement);
        return 0;
    }
    show_progress(plan);

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
    FreeQueryDesc(query);
    if (cached != NULL)
        ReleaseCachedPlan(cached, CurrentResourceOwner);
    PopActiveSnapshot();
    SetUserIdAndSecContext(user, context);

    if (hold) {
        Level *held;

        MemoryContextSwitchTo(executor->context);
        held = (Level *) palloc(sizeof(Level));
        held->owner = statement->owner;
        executor->levels = lappend(executor->levels, held);
    }
    MemoryContextSwitchTo(caller);
    MemoryContextReset(executor->statement);
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
