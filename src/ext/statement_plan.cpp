#include "ext/statement_plan.h"

#include "ext/report.h"

/* Key sets of one size share a plan that is made for a typical number of rows. */
static const uint64 size_limits[VDF_KEPT_SIZES] = {1, 8, 64, 512};
static const double size_estimates[VDF_KEPT_SIZES] = {1, 4, 24, 190};

static int size_of(const VdfKeys *keys)
{
    for (int i = 0; i < VDF_KEPT_SIZES; i++)
        if (keys->count <= size_limits[i])
            return i;
    return VDF_KEPT_SIZES;
}

double vdf_keys_estimate(const VdfKeys *keys)
{
    return size_estimates[size_of(keys)];
}

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

void vdf_statement_plan_init(void)
{
    previous_stats_hook = get_relation_stats_hook;
    get_relation_stats_hook = keys_are_unique;
    RegisterXactCallback(stop_planning, NULL);
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
        largest = Max(largest, size_of(vdf_inputs_of(statement)[i].keys));
    return largest;
}

/* Key sets change their columns with what a run needs; the plan cache does not notice. The size of each counts too. */
static uint32 shape_of_inputs(VdfStatement *statement)
{
    uint32 hash = 0;

    for (int i = 0; i < statement->ninputs; i++) {
        TupleDesc desc = vdf_inputs_of(statement)[i].keys->desc;

        hash = hash_combine(hash, size_of(vdf_inputs_of(statement)[i].keys));
        for (int j = 0; j < desc->natts; j++) {
            Form_pg_attribute a = TupleDescAttr(desc, j);

            hash = hash_combine(hash, DatumGetUInt32(hash_any((const unsigned char *) NameStr(a->attname), strlen(NameStr(a->attname)))));
            hash = hash_combine(hash, a->atttypid);
        }
    }
    return hash;
}

/*
 * Rows that are named by their places have just been locked: their pages are at hand, and reading them again costs no
 * more than the pages of a scan. Where look-ups in an index were found to be fewer than a scan is worth, the planner
 * shall not weigh the same again by the price of a disk. Only while such a statement is planned.
 */
static void expect_pages_at_hand(void)
{
    (void) set_config_option("random_page_cost", "0.1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* What holds while a statement is parsed and planned; returns the level for vdf_unset_path. */
static int set_for_planning(VdfStatement *statement)
{
    int level = vdf_set_path();

    if (statement->by_lookup)
        expect_pages_at_hand();
    return level;
}

bool vdf_plan_is_kept(VdfStatement *statement)
{
    return statement->cache != NULL && largest_size(statement) < VDF_KEPT_SIZES;
}

/*
 * To set search_path costs more than to look at a plan that stands, so that path is pushed for the look where the
 * server can do that. What is planned meanwhile is not used: functions that are evaluated then could not set the path.
 */
static CachedPlan *standing_plan(VdfKeptPlan *slot, QueryEnvironment *environment, ParamListInfo params)
{
    CachedPlanSource *source = slot->source;
    int generation = source->generation;
    CachedPlan *plan;

    if (!VDF_PATH_CAN_BE_PUSHED || !CachedPlanIsValid(source) || source->gplan == NULL || !source->gplan->is_valid)
        return NULL;
    vdf_push_path(source);
    plan = GetCachedPlan(source, params, CurrentResourceOwner, environment);
    vdf_pop_path();
    if (source->generation == generation)
        return plan;
    ReleaseCachedPlan(plan, CurrentResourceOwner);
    DropCachedPlan(source);
    slot->source = NULL;
    return NULL;
}

static void make_source(VdfStatement *statement, VdfKeptPlan *slot, uint32 inputs, QueryEnvironment *environment)
{
    RawStmt *raw = linitial_node(RawStmt, pg_parse_query(statement->sql));
    CachedPlanSource *source = CreateCachedPlan(raw, statement->sql, CreateCommandTag(raw->stmt));
    List *queries = analyze(statement, raw, environment);

    CompleteCachedPlan(source, queries, NULL, statement->types, statement->nparams, NULL, NULL, CURSOR_OPT_GENERIC_PLAN,
                       false);
    SaveCachedPlan(source);
    slot->source = source;
    slot->inputs = inputs;
}

static CachedPlan *kept_plan(VdfStatement *statement, QueryEnvironment *environment, ParamListInfo params)
{
    uint32 inputs = shape_of_inputs(statement);
    VdfKeptPlan *slot = &statement->cache[largest_size(statement)];
    CachedPlan *plan = NULL;
    int level;

    if (slot->source != NULL && slot->inputs != inputs) {
        DropCachedPlan(slot->source);
        slot->source = NULL;
    }
    if (slot->source != NULL)
        plan = standing_plan(slot, environment, params);
    if (plan != NULL)
        return plan;
    level = set_for_planning(statement);
    if (slot->source == NULL)
        make_source(statement, slot, inputs, environment);
    plan = GetCachedPlan(slot->source, params, CurrentResourceOwner, environment);
    vdf_unset_path(level);
    return plan;
}

static PlannedStmt *new_plan(VdfStatement *statement, QueryEnvironment *environment, ParamListInfo params)
{
    int level = set_for_planning(statement);
    List *queries = analyze(statement, linitial_node(RawStmt, pg_parse_query(statement->sql)), environment);
    PlannedStmt *plan = pg_plan_query(linitial_node(Query, queries), statement->sql, 0, params);

    vdf_unset_path(level);
    plan->jitFlags = 0; /* compiling costs more than these statements gain */
    return plan;
}

/* The parser's positions are in the engine's statement; psql would point into the caller's. */
static void drop_position(void *arg)
{
    if (geterrposition() > 0)
        errposition(0);
}

PlannedStmt *vdf_statement_plan(VdfStatement *statement, QueryEnvironment *environment, ParamListInfo params, CachedPlan **cached)
{
    PlannedStmt *plan;
    MemoryContext context = CurrentMemoryContext;
    ErrorContextCallback position = {error_context_stack, drop_position, NULL};

    error_context_stack = &position;
    planning = true;
    *cached = vdf_plan_is_kept(statement) ? kept_plan(statement, environment, params) : NULL;
    if (*cached == NULL)
        plan = new_plan(statement, environment, params);
    else if (list_length((*cached)->stmt_list) == 1) {
        plan = linitial_node(PlannedStmt, (*cached)->stmt_list);
        context = (*cached)->context;
    } else
        elog(ERROR, "a cached statement of a deletion has become several");
    planning = false;
    error_context_stack = position.previous;
    /* Without its scan the statement would take every row. */
    statement->refused = (statement->scan != NULL && !vdf_key_scan_install(plan, context, statement->scan)) ||
                         (statement->places != NULL && !vdf_place_scan_install(plan, context, statement->places));
    return plan;
}
