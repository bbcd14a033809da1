/*
 * target_settle.cpp: the targets of a deletion, each once per person, without those that other rows still name.
 */
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/row_change.h"
#include "ext/store.h"
#include "ext/sweep.h"
#include "ext/target_overlap.h"
#include "ext/targets.h"

static bool is_path(const VdfTargetGroup *group)
{
    return strcmp(group->kind, "file") == 0 || strcmp(group->kind, "directory") == 0;
}

/* False: they do not fit into memory. */
static bool gather(VdfRun *run)
{
    VdfTargets *t = run->targets;
    TupleTableSlot *slot = MakeSingleTupleTableSlot(t->raw_desc, &TTSOpsMinimalTuple);
    bool fits = true;

    t->set = vdf_target_set_create();
    tuplestore_rescan(t->raw.store);
    while (fits && tuplestore_gettupleslot(t->raw.store, true, false, slot)) {
        int group;

        CHECK_FOR_INTERRUPTS();
        slot_getallattrs(slot);
        group = DatumGetInt32(slot->tts_values[0]);
        fits = vdf_target_set_add(t->set, group, is_path(&t->groups[group]), slot->tts_values[1],
                                  DatumGetInt32(slot->tts_values[2]), DatumGetBool(slot->tts_values[3]),
                                  DatumGetInt32(slot->tts_values[4]));
    }
    ExecDropSingleTupleTableSlot(slot);
    if (!fits) {
        vdf_target_set_free(t->set);
        t->set = NULL;
    }
    return fits;
}

/* The targets of a person side by side: their tasks then lie together in every index. */
static void store_settled(VdfRun *run)
{
    VdfTargets *t = run->targets;
    int n;
    const VdfTargetEntry *entries = vdf_target_set_sorted(t->set, run->nusers, &n);
    bool nulls[5] = {false};

    for (int i = 0; i < n; i++) {
        VdfKeys *settled = &t->settled[vdf_target_set_group(t->set, entries[i].number)];
        Datum values[5] = {vdf_target_set_text(t->set, entries[i].number), Int32GetDatum(entries[i].person),
                           BoolGetDatum(entries[i].shared), Int32GetDatum(entries[i].number), Int32GetDatum(entries[i].rule)};

        if (settled->store == NULL) {
            MemoryContext caller = MemoryContextSwitchTo(run->context);

            settled->desc = t->settled_desc;
            settled->store = vdf_keys_store();
            MemoryContextSwitchTo(caller);
        }
        tuplestore_putvalues(settled->store, settled->desc, values, nulls);
        settled->count++;
    }
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
    keys = &t->settled[DatumGetInt32(slot->tts_values[5])];
    vdf_keys_add(run, keys, sink->desc, slot, 5);
}

/* The same by a statement, which spills. */
static void sort_out(VdfRun *run)
{
    VdfTargets *t = run->targets;
    VdfStatement statement;
    SettleSink s;
    StringInfoData paths;
    VdfError error;
    char normal[2048];

    initStringInfo(&paths);
    for (int i = 0; i < t->ngroups; i++)
        if (is_path(&t->groups[i]))
            appendStringInfo(&paths, "%s%d", paths.len ? "," : "", i);
    if (!vdf_normalised_sql("file", "d.vdf_target", normal, sizeof(normal), &error))
        vdf_raise(&error);
    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, settle_row);
    s.run = run;
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT x.vdf_target, x.vdf_u, pg_catalog.bool_and(x.vdf_s) AS vdf_s, "
                             "(pg_catalog.row_number() OVER ())::pg_catalog.int4 AS vdf_n, pg_catalog.min(x.vdf_r) AS vdf_r, x.vdf_g "
                             "FROM (SELECT d.vdf_g, d.vdf_u, d.vdf_s, d.vdf_r, CASE WHEN d.vdf_g OPERATOR(pg_catalog.=) ANY "
                             "('{%s}'::pg_catalog.int4[]) THEN %s ELSE d.vdf_target END AS vdf_target "
                             "FROM vdf_d d) x GROUP BY x.vdf_g, x.vdf_target, x.vdf_u",
                             paths.data, normal);
    statement.owner = vdf_store_owner();
    vdf_statement_input(&statement, "vdf_d", &t->raw);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
}

/* One task per person and target, in its normal spelling. */
static void remove_doubles(VdfRun *run)
{
    if (gather(run))
        store_settled(run);
    else
        sort_out(run);
    vdf_keys_free(&run->targets->raw);
}

bool vdf_edge_renames(VdfDeletionPlan *plan, int edge, int rule)
{
    const VdfEdge *e = &plan->graph.edges[edge];
    const char *expression = plan->graph.target_rules[rule].expression;
    char action = vdf_action(plan, edge);

    if (action == VDF_ACTION_DELETE || action == VDF_ACTION_BLOCK || e->child != plan->graph.target_rules[rule].node)
        return false;
    for (int i = 0; action != VDF_ACTION_RETAIN && i < e->nsets; i++)
        if (vdf_expression_names_column(expression, vdf_unquoted(e->sets[i].column)))
            return true;
    for (int i = 0; i < plan->graph.ncolumn_rules; i++)
        if (plan->graph.column_rules[i].edge == edge &&
            vdf_expression_names_column(expression, vdf_unquoted(plan->graph.column_rules[i].column)))
            return true;
    return false;
}

typedef struct NamedSink
{
    VdfSink sink;
    VdfRun *run;
    int node;
    int group;
    bool look; /* the row tells its target; else which one it names */
    Bitmapset *renaming; /* edges after which a row does not name what it names now */
    Bitmapset *doubtful; /* targets that rows name which others are changing or removing */
    List *others;        /* transactions that are about it, as oids */
} NamedSink;

static bool is_renamed(NamedSink *s, Datum relation, Datum tid)
{
    for (int edge = -1; (edge = bms_next_member(s->renaming, edge)) >= 0;)
        if (vdf_rowset_has(s->run->edges[edge].set, DatumGetObjectId(relation), (ItemPointer) DatumGetPointer(tid)))
            return true;
    return false;
}

static void keep(VdfRun *run, int group, int number)
{
    MemoryContext caller = MemoryContextSwitchTo(run->context);

    run->targets->kept[group] = bms_add_member(run->targets->kept[group], number);
    MemoryContextSwitchTo(caller);
}

/*
 * Two people who name one file and go at the same time would each keep it for the other: of such two, the one who looks later
 * finds the row of the other on its way out.
 */
static void doubt(NamedSink *s, int number, TransactionId by)
{
    MemoryContext caller = MemoryContextSwitchTo(s->run->context);

    s->doubtful = bms_add_member(s->doubtful, number);
    if (TransactionIdIsInProgress(by))
        s->others = list_append_unique_oid(s->others, SubTransGetTopmostTransaction(by));
    MemoryContextSwitchTo(caller);
}

/*
 * What only such rows name is queued, and asked again right before it is removed. By then the others must have ended: while
 * they are under way their rows would seem to keep it.
 */
static void wait_for_others(VdfTargets *t, int group, Bitmapset *doubtful, List *others)
{
    ListCell *cell;

    if (bms_is_subset(doubtful, t->kept[group]))
        return;
    foreach (cell, others)
        XactLockTableWait((TransactionId) lfirst_oid(cell), NULL, NULL, XLTW_None);
}

static void named_row(VdfSink *sink, TupleTableSlot *slot)
{
    NamedSink *s = (NamedSink *) sink;
    VdfTargets *t = s->run->targets;
    VdfNodeState *node = &s->run->nodes[s->node];
    int n;

    slot_getallattrs(slot);
    if (slot->tts_isnull[2])
        return;
    n = s->look ? vdf_target_set_find(t->set, s->group, is_path(&t->groups[s->group]), slot->tts_values[2])
                : DatumGetInt32(slot->tts_values[2]);
    if (n == 0 || bms_is_member(n, t->kept[s->group]))
        return;
    if (!s->run->dry) {
        TransactionId by = vdf_row_change(DatumGetObjectId(slot->tts_values[0]), (ItemPointer) DatumGetPointer(slot->tts_values[1]));

        if (TransactionIdIsValid(by)) {
            doubt(s, n, by);
            return;
        }
    }
    if (s->run->dry && node->goes != NULL &&
        vdf_rowset_has(node->goes, DatumGetObjectId(slot->tts_values[0]),
                       (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        return;
    if (!is_renamed(s, slot->tts_values[0], slot->tts_values[1]))
        keep(s->run, s->group, n);
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

/* One scan that looks each row up in memory, or a look-up in the index for each target? */
static bool scan_pays(VdfRun *run, int group, int rule)
{
    Oid relation = run->plan->nodes[run->plan->graph.target_rules[rule].node].relation;

    return run->targets->set != NULL &&
           (!vdf_lookup_indexed(run->plan, rule) || vdf_scan_beats_lookups(relation, run->targets->settled[group].count));
}

static void renamed_row(VdfSink *sink, TupleTableSlot *slot)
{
    NamedSink *s = (NamedSink *) sink;
    VdfTargets *t = s->run->targets;
    int n;

    slot_getallattrs(slot);
    n = s->look ? vdf_target_set_find(t->set, s->group, is_path(&t->groups[s->group]), slot->tts_values[0])
                : DatumGetInt32(slot->tts_values[0]);
    if (n != 0)
        keep(s->run, s->group, n);
}

/* What rows that stay will name, of a group. */
static void find_renamed(VdfRun *run, int group, int rule)
{
    VdfTargets *t = run->targets;
    VdfStatement statement;
    VdfError error;
    char normal[2048];
    NamedSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, renamed_row);
    s.run = run;
    s.group = group;
    s.look = t->set != NULL;
    memset(&statement, 0, sizeof(statement));
    statement.sql = "SELECT a.vdf_target FROM vdf_a a";
    if (!s.look) {
        if (!vdf_normalised_sql(t->groups[group].kind, "a.vdf_target", normal, sizeof(normal), &error))
            vdf_raise(&error);
        statement.sql = psprintf("SELECT d.vdf_n FROM vdf_a a, vdf_d d WHERE %s COLLATE pg_catalog.\"C\" "
                                 "OPERATOR(pg_catalog.=) d.vdf_target", normal);
        vdf_statement_input(&statement, "vdf_d", &t->settled[group]);
    }
    statement.owner = vdf_store_owner();
    vdf_statement_input(&statement, "vdf_a", &t->renamed[rule]);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
}

/* Which targets of a group does a row that stays name, through any rule of the same kind and service? */
static void find_kept(VdfRun *run, int group)
{
    VdfTargets *t = run->targets;
    Bitmapset *doubtful = NULL;
    List *others = NIL;

    for (int i = 0; i < run->plan->graph.ntarget_rules; i++) {
        VdfStatement statement;
        NamedSink s;
        int node = run->plan->graph.target_rules[i].node;
        /* A batch has not come to the root row, which is to queue what it names. */
        bool exclude_root = run->tombstone && node == run->plan->graph.root && run->root_rows > 0;

        if (t->group_of[i] != group || !may_name(run, group, i))
            continue;
        memset(&s, 0, sizeof(s));
        vdf_sink_init(&s.sink, NULL, named_row);
        s.run = run;
        s.node = node;
        s.group = group;
        s.doubtful = doubtful;
        s.others = others;
        for (int e = 0; run->dry && e < run->plan->graph.nedges; e++)
            if (run->edges[e].set != NULL && !run->edges[e].failed && vdf_edge_renames(run->plan, e, i))
                s.renaming = bms_add_member(s.renaming, e);
        s.look = !exclude_root && scan_pays(run, group, i);
        vdf_statement_of(run, &statement, s.look ? VDF_SQL_SCAN_NAMED : VDF_SQL_FIND_NAMED, i,
                         exclude_root ? VDF_TOMBSTONE : 0, run->plan->nodes[node].owner);
        if (!s.look)
            vdf_statement_input(&statement, "vdf_d", &t->settled[group]);
        statement.by_lookup = !s.look && vdf_lookup_indexed(run->plan, i);
        if (exclude_root)
            vdf_statement_input(&statement, "vdf_root", &run->root);
        statement.sink = &s.sink;
        (void) vdf_execute(&run->executor, &statement);
        doubtful = s.doubtful;
        others = s.others;
        if (t->renamed[i].count > 0)
            find_renamed(run, group, i);
    }
    wait_for_others(t, group, doubtful, others);
}

/* Drops what is kept from a group, and counts. */
static void count_group(VdfRun *run, int group)
{
    VdfTargets *t = run->targets;
    VdfKeys left;
    VdfOperation operations[2];
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
                vdf_keys_add(run, &left, left.desc, slot, 5);
        }
        ExecDropSingleTupleTableSlot(slot);
        vdf_keys_free(&t->settled[group]);
        t->settled[group] = left;
    }
    t->groups[group].tasks = t->settled[group].count * vdf_operations_of(run, t->groups[group].kind, operations);
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
    if (t->set != NULL)
        vdf_target_set_free(t->set);
    t->set = NULL;
}

