/*
 * targets.cpp: outside work, expanded from the rows that go.
 *
 * Operations of a task, by phase: identity "disable" 1, redis_key and redis_pattern "delete" 2, file and directory
 * "delete" 3, identity "delete" 4, webhook "post" 5.
 */
#include "ext/targets.h"

#include "ext/bulk_insert.h"
#include "ext/catalog.h"
#include "ext/expression.h"
#include "ext/guc.h"
#include "ext/report.h"
#include "ext/store.h"
#include "ext/target_overlap.h"

struct VdfTargets
{
    VdfDeletionPlan *plan;
    VdfTargetGroup *groups;
    int ngroups;
    int *group_of;     /* per target rule */
    TupleDesc raw_desc;
    VdfKeys raw;       /* vdf_g, vdf_target, vdf_u, vdf_s: as the rows came */
    VdfKeys *settled;  /* per group: vdf_target, vdf_u, vdf_s, vdf_n */
    VdfKeys *copies;   /* per rule: rows for a mirror, as raw */
    Bitmapset **kept;  /* per group: numbers vdf_n */
    bool looked;       /* some may belong to rows that stay after all */
};

typedef struct Operation
{
    const char *name;
    int phase;
} Operation;

static int operations_of(const char *kind, Operation *operations)
{
    if (strcmp(kind, "identity") == 0) {
        operations[0] = {"disable", 1};
        operations[1] = {"delete", 4};
        return 2;
    }
    if (strcmp(kind, "webhook") == 0)
        operations[0] = {"post", 5};
    else
        operations[0] = {"delete", strncmp(kind, "redis", 5) == 0 ? 2 : 3};
    return 1;
}

VdfTargets *vdf_targets_create(VdfDeletionPlan *plan)
{
    VdfTargets *t = (VdfTargets *) palloc0(sizeof(VdfTargets));
    int n = plan->graph.ntarget_rules;

    t->plan = plan;
    t->groups = (VdfTargetGroup *) palloc0(sizeof(VdfTargetGroup) * (n + 1));
    t->group_of = (int *) palloc0(sizeof(int) * (n + 1));
    /* Rules come ordered by kind and service. */
    for (int i = 0; i < n; i++) {
        const VdfCleanup *rule = plan->rules[i];
        VdfTargetGroup *last = t->ngroups ? &t->groups[t->ngroups - 1] : NULL;

        if (last == NULL || strcmp(last->kind, rule->kind) != 0 || strcmp(last->service, rule->service) != 0) {
            t->groups[t->ngroups].kind = rule->kind;
            t->groups[t->ngroups++].service = rule->service;
        }
        t->group_of[i] = t->ngroups - 1;
    }
    t->settled = (VdfKeys *) palloc0(sizeof(VdfKeys) * (t->ngroups + 1));
    t->kept = (Bitmapset **) palloc0(sizeof(Bitmapset *) * (t->ngroups + 1));
    t->copies = (VdfKeys *) palloc0(sizeof(VdfKeys) * (n + 1));
    t->raw_desc = CreateTemplateTupleDesc(4);
    TupleDescInitEntry(t->raw_desc, 1, "vdf_g", INT4OID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 2, "vdf_target", TEXTOID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 3, "vdf_u", INT4OID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 4, "vdf_s", BOOLOID, -1, 0);
    return t;
}

void vdf_targets_take(VdfRun *run, int node, TupleTableSlot *slot, int first, int user, bool shared)
{
    VdfTargets *t = run->targets;
    VdfNodeInfo *info = &run->plan->nodes[node];

    for (int i = 0; i < info->nrules; i++) {
        Datum values[4];
        bool nulls[4] = {false, false, false, false};
        bool mirror = OidIsValid(run->plan->rules[info->rules[i]]->mirror);
        VdfKeys *to = mirror ? &t->copies[info->rules[i]] : &t->raw;

        /* A copy is of a row that goes, not of a tombstone, and only a run writes it. */
        if (mirror && (run->dry || !shared))
            continue;
        if (slot->tts_isnull[first + i] ||
            (run->needed != NULL && run->plan->rules[info->rules[i]]->on_expire != VDF_EXPIRE_ENQUEUE))
            continue;
        if (to->store == NULL) {
            MemoryContext caller = MemoryContextSwitchTo(run->context);

            to->desc = t->raw_desc;
            to->store = vdf_keys_store();
            MemoryContextSwitchTo(caller);
        }
        values[0] = Int32GetDatum(t->group_of[info->rules[i]]);
        values[1] = slot->tts_values[first + i];
        values[2] = Int32GetDatum(user);
        values[3] = BoolGetDatum(shared);
        tuplestore_putvalues(to->store, t->raw_desc, values, nulls);
        to->count++;
    }
}

void vdf_targets_add(VdfRun *run, VdfRun *look)
{
    VdfTargets *t = run->targets, *from = look->targets;
    VdfStatement statement;
    VdfKeys missing;
    TupleTableSlot *slot;

    if (from->raw.count == 0)
        return;
    memset(&missing, 0, sizeof(missing));
    memset(&statement, 0, sizeof(statement));
    statement.sql = t->raw.count == 0 ? "SELECT a.vdf_g, a.vdf_target, a.vdf_u, a.vdf_s FROM vdf_a a"
                                      : "SELECT a.vdf_g, a.vdf_target, a.vdf_u, a.vdf_s FROM vdf_a a WHERE NOT EXISTS "
                                        "(SELECT FROM vdf_d d WHERE d.vdf_g OPERATOR(pg_catalog.=) a.vdf_g "
                                        "AND d.vdf_target OPERATOR(pg_catalog.=) a.vdf_target)";
    statement.owner = vdf_store_owner();
    vdf_statement_input(&statement, "vdf_a", &from->raw);
    if (t->raw.count > 0)
        vdf_statement_input(&statement, "vdf_d", &t->raw);
    vdf_collect(run, &statement, &missing);
    if (missing.count == 0)
        return;
    t->looked = true;
    slot = MakeSingleTupleTableSlot(missing.desc, &TTSOpsMinimalTuple);
    tuplestore_rescan(missing.store);
    while (tuplestore_gettupleslot(missing.store, true, false, slot))
        vdf_keys_add(run, &t->raw, t->raw_desc, slot, 4);
    ExecDropSingleTupleTableSlot(slot);
    vdf_keys_free(&missing);
}

typedef struct SettleSink
{
    VdfSink sink;
    VdfRun *run;
} SettleSink;

static void settle_row(VdfSink *sink, TupleTableSlot *slot)
{
    VdfRun *run = ((SettleSink *) sink)->run;
    VdfTargets *t = run->targets;
    VdfKeys *keys;

    slot_getallattrs(slot);
    keys = &t->settled[DatumGetInt32(slot->tts_values[4])];
    vdf_keys_add(run, keys, sink->desc, slot, 4);
}

/* One task per person and target, in its normal spelling. */
static void remove_doubles(VdfRun *run)
{
    VdfTargets *t = run->targets;
    VdfStatement statement;
    SettleSink s;
    StringInfoData paths;
    VdfError error;
    char normal[2048];

    initStringInfo(&paths);
    for (int i = 0; i < t->ngroups; i++)
        if (strcmp(t->groups[i].kind, "file") == 0 || strcmp(t->groups[i].kind, "directory") == 0)
            appendStringInfo(&paths, "%s%d", paths.len ? "," : "", i);
    if (!vdf_normalised_sql("file", "d.vdf_target", normal, sizeof(normal), &error))
        vdf_raise(&error);
    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, settle_row);
    s.run = run;
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT x.vdf_target, x.vdf_u, pg_catalog.bool_and(x.vdf_s) AS vdf_s, "
                             "(pg_catalog.row_number() OVER ())::pg_catalog.int4 AS vdf_n, x.vdf_g "
                             "FROM (SELECT d.vdf_g, d.vdf_u, d.vdf_s, CASE WHEN d.vdf_g OPERATOR(pg_catalog.=) ANY "
                             "('{%s}'::pg_catalog.int4[]) THEN %s ELSE d.vdf_target END AS vdf_target "
                             "FROM vdf_d d) x GROUP BY x.vdf_g, x.vdf_target, x.vdf_u",
                             paths.data, normal);
    statement.owner = vdf_store_owner();
    vdf_statement_input(&statement, "vdf_d", &t->raw);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    vdf_keys_free(&t->raw);
}

/* The name behind an identifier that may be quoted. */
static char *unquoted(const char *identifier)
{
    char *name = pstrdup(identifier), *to = name;

    if (identifier[0] != '"')
        return name;
    for (const char *from = identifier + 1; from[0] && from[1]; from++) {
        *to++ = *from;
        if (from[0] == '"')
            from++;
    }
    *to = '\0';
    return name;
}

bool vdf_edge_renames(VdfDeletionPlan *plan, int edge, int rule)
{
    const VdfEdge *e = &plan->graph.edges[edge];
    const char *expression = plan->graph.target_rules[rule].expression;
    char action = vdf_action(plan, edge);

    if (action == VDF_ACTION_DELETE || action == VDF_ACTION_BLOCK || e->child != plan->graph.target_rules[rule].node)
        return false;
    for (int i = 0; action != VDF_ACTION_RETAIN && i < e->nsets; i++)
        if (vdf_expression_names_column(expression, unquoted(e->sets[i].column)))
            return true;
    for (int i = 0; i < plan->graph.ncolumn_rules; i++)
        if (plan->graph.column_rules[i].edge == edge &&
            vdf_expression_names_column(expression, unquoted(plan->graph.column_rules[i].column)))
            return true;
    return false;
}

typedef struct NamedSink
{
    VdfSink sink;
    VdfRun *run;
    int node;
    int group;
    Bitmapset *renaming; /* edges after which a row does not name what it names now */
} NamedSink;

static bool is_renamed(NamedSink *s, Datum relation, Datum tid)
{
    for (int edge = -1; (edge = bms_next_member(s->renaming, edge)) >= 0;)
        if (vdf_rowset_has(s->run->edges[edge].set, DatumGetObjectId(relation), (ItemPointer) DatumGetPointer(tid)))
            return true;
    return false;
}

static void named_row(VdfSink *sink, TupleTableSlot *slot)
{
    NamedSink *s = (NamedSink *) sink;
    VdfNodeState *node = &s->run->nodes[s->node];
    int n;

    slot_getallattrs(slot);
    if (s->run->dry && node->goes != NULL &&
        vdf_rowset_has(node->goes, DatumGetObjectId(slot->tts_values[0]),
                       (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        return;
    if (is_renamed(s, slot->tts_values[0], slot->tts_values[1]))
        return;
    n = DatumGetInt32(slot->tts_values[2]);
    if (!bms_is_member(n, s->run->targets->kept[s->group])) {
        MemoryContext caller = MemoryContextSwitchTo(s->run->context);

        s->run->targets->kept[s->group] = bms_add_member(s->run->targets->kept[s->group], n);
        MemoryContextSwitchTo(caller);
    }
}

/* Could a row name, through this rule, what any rule of the group queued? */
static bool may_name(VdfRun *run, int group, int rule)
{
    if (run->targets->looked)
        return true;
    for (int i = 0; i < run->plan->graph.ntarget_rules; i++)
        if (run->targets->group_of[i] == group && vdf_targets_may_overlap(run->plan, rule, i))
            return true;
    return false;
}

/* Which targets of a group does a row that stays name, through any rule of the same kind and service? */
static void find_kept(VdfRun *run, int group)
{
    VdfTargets *t = run->targets;

    for (int i = 0; i < run->plan->graph.ntarget_rules; i++) {
        VdfStatement statement;
        NamedSink s;
        int node = run->plan->graph.target_rules[i].node;
        bool exclude_root = run->tombstone && node == run->plan->graph.root;

        if (t->group_of[i] != group || !may_name(run, group, i))
            continue;
        memset(&s, 0, sizeof(s));
        vdf_sink_init(&s.sink, NULL, named_row);
        s.run = run;
        s.node = node;
        s.group = group;
        for (int e = 0; run->dry && e < run->plan->graph.nedges; e++)
            if (run->edges[e].set != NULL && !run->edges[e].failed && vdf_edge_renames(run->plan, e, i))
                s.renaming = bms_add_member(s.renaming, e);
        vdf_statement_of(run, &statement, VDF_SQL_FIND_NAMED, i, exclude_root ? VDF_TOMBSTONE : 0,
                         run->plan->nodes[node].owner);
        vdf_statement_input(&statement, "vdf_d", &t->settled[group]);
        if (exclude_root)
            vdf_statement_input(&statement, "vdf_root", &run->root);
        statement.sink = &s.sink;
        (void) vdf_execute(&run->executor, &statement);
    }
}

/* Drops what is kept from a group, and counts. */
static void count_group(VdfRun *run, int group)
{
    VdfTargets *t = run->targets;
    VdfKeys left;
    Operation operations[2];
    TupleTableSlot *slot;

    memset(&left, 0, sizeof(left));
    left.desc = t->settled[group].desc;
    if (!bms_is_empty(t->kept[group])) {
        slot = MakeSingleTupleTableSlot(left.desc, &TTSOpsMinimalTuple);
        tuplestore_rescan(t->settled[group].store);
        while (tuplestore_gettupleslot(t->settled[group].store, true, false, slot)) {
            slot_getallattrs(slot);
            if (bms_is_member(DatumGetInt32(slot->tts_values[3]), t->kept[group]))
                t->groups[group].kept++;
            else
                vdf_keys_add(run, &left, left.desc, slot, 4);
        }
        ExecDropSingleTupleTableSlot(slot);
        vdf_keys_free(&t->settled[group]);
        t->settled[group] = left;
    }
    t->groups[group].tasks = t->settled[group].count * operations_of(t->groups[group].kind, operations);
}

void vdf_targets_settle(VdfRun *run, bool check_shared)
{
    VdfTargets *t = run->targets;

    if (t->raw.count == 0)
        return;
    remove_doubles(run);
    for (int i = 0; i < t->ngroups; i++) {
        if (t->settled[i].count == 0)
            continue;
        if (check_shared)
            find_kept(run, i);
        count_group(run, i);
    }
}

void vdf_targets_per_user(VdfTargets *targets, uint64 *tasks)
{
    for (int i = 0; i < targets->ngroups; i++) {
        TupleTableSlot *slot;

        if (targets->settled[i].count == 0)
            continue;
        slot = MakeSingleTupleTableSlot(targets->settled[i].desc, &TTSOpsMinimalTuple);
        tuplestore_rescan(targets->settled[i].store);
        while (tuplestore_gettupleslot(targets->settled[i].store, true, false, slot)) {
            slot_getallattrs(slot);
            tasks[DatumGetInt32(slot->tts_values[1]) - 1]++;
        }
        ExecDropSingleTupleTableSlot(slot);
    }
}

/* "(x.vdf_m).a, (x.vdf_m).b" for the columns that a copy sets. */
static char *mirror_fields(const VdfCleanup *rule)
{
    StringInfoData text;
    bool quoted = false;

    initStringInfo(&text);
    appendStringInfoString(&text, "(x.vdf_m).");
    for (const char *at = rule->mirror_columns; *at; at++) {
        quoted = quoted != (*at == '"');
        appendStringInfoChar(&text, *at);
        if (!quoted && at[0] == ',' && at[1] == ' ') {
            appendStringInfoString(&text, " (x.vdf_m).");
            at++;
        }
    }
    return text.data;
}

void vdf_targets_free(VdfTargets *targets)
{
    vdf_keys_free(&targets->raw);
    for (int i = 0; i < targets->ngroups; i++)
        vdf_keys_free(&targets->settled[i]);
    for (int i = 0; i < targets->plan->graph.ntarget_rules; i++)
        vdf_keys_free(&targets->copies[i]);
}

/* Inserts the copies, as the owner of each audit table; its AFTER triggers fire with the held ones. */
void vdf_targets_mirror(VdfRun *run)
{
    VdfTargets *t = run->targets;

    for (int i = 0; i < run->plan->graph.ntarget_rules; i++) {
        const VdfCleanup *rule = run->plan->rules[i];
        VdfStatement statement;

        if (!OidIsValid(rule->mirror) || t->copies[i].count == 0)
            continue;
        memset(&statement, 0, sizeof(statement));
        statement.sql = psprintf("INSERT INTO %s (%s) SELECT %s FROM (SELECT d.vdf_target::%s AS vdf_m FROM vdf_d d OFFSET 0) x",
                                 rule->service, rule->mirror_columns, mirror_fields(rule), rule->service);
        statement.owner = vdf_relation_owner(rule->mirror);
        statement.change = true;
        vdf_statement_input(&statement, "vdf_d", &t->copies[i]);
        (void) vdf_execute(&run->executor, &statement);
    }
}

int vdf_targets_groups(VdfTargets *targets, VdfTargetGroup **groups)
{
    *groups = targets->groups;
    return targets->ngroups;
}

/* The settled targets of a group as tasks of one operation. */
static void enqueue_group(VdfBulkInsert *insert, VdfKeys *settled, const pg_uuid_t *deletions, bool check_shared, Datum *values)
{
    static const bool nulls[12] = {false};
    TupleTableSlot *slot = MakeSingleTupleTableSlot(settled->desc, &TTSOpsMinimalTuple);

    tuplestore_rescan(settled->store);
    while (tuplestore_gettupleslot(settled->store, true, false, slot)) {
        slot_getallattrs(slot);
        values[0] = UUIDPGetDatum(&deletions[DatumGetInt32(slot->tts_values[1]) - 1]);
        values[5] = slot->tts_values[0];
        values[6] = BoolGetDatum(DatumGetBool(slot->tts_values[2]) && check_shared);
        values[9] = values[11] = TimestampTzGetDatum(GetCurrentTimestamp());
        vdf_bulk_insert_row(insert, values, nulls);
    }
    ExecDropSingleTupleTableSlot(slot);
}

uint64 vdf_targets_enqueue(VdfRun *run, const pg_uuid_t *deletions)
{
    /* All but those that are NULL: a default would be read from the catalogue for each call. */
    static const char *const columns[] = {"deletion_id", "phase", "kind", "operation", "service", "target",
                                          "shared", "state", "attempts", "run_after", "fence", "created_at"};
    VdfTargets *t = run->targets;
    VdfBulkInsert *insert = NULL;
    Datum values[lengthof(columns)];
    uint64 tasks = 0;

    values[7] = CStringGetTextDatum("available");
    values[8] = Int32GetDatum(0);
    values[10] = Int64GetDatum(0);
    for (int i = 0; i < t->ngroups; i++) {
        Operation operations[2];
        int n = operations_of(t->groups[i].kind, operations);

        for (int j = 0; j < n && t->settled[i].count > 0; j++) {
            if (insert == NULL)
                insert = vdf_bulk_insert_begin(&run->executor, "cleanup_task", lengthof(columns), columns);
            values[1] = Int16GetDatum(operations[j].phase);
            values[2] = CStringGetTextDatum(t->groups[i].kind);
            values[3] = CStringGetTextDatum(operations[j].name);
            values[4] = CStringGetTextDatum(t->groups[i].service);
            enqueue_group(insert, &t->settled[i], deletions, run->check_shared, values);
        }
    }
    if (insert != NULL)
        tasks = vdf_bulk_insert_end(insert);
    if (tasks > 0 && vdf_notify)
        Async_Notify("vedfolnir_cleanup", "");
    return tasks;
}
