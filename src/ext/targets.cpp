/*
 * targets.cpp: outside work, expanded from the rows that go.
 *
 * Operations of a task, by phase: identity "disable" 1 ("logout" when sessions expire), redis_key and redis_pattern "delete" 2, file and directory
 * "delete" 3, identity "delete" 4, webhook "post" 5.
 */
#include "ext/targets.h"

#include "ext/bulk_insert.h"
#include "ext/catalog.h"
#include "ext/guc.h"
#include "ext/report.h"
#include "ext/store.h"
#include "ext/task_order.h"

int vdf_operations_of(const VdfRun *run, const char *kind, VdfOperation *operations)
{
    bool expire = !run->check_shared;

    if (strcmp(kind, "identity") == 0 && expire) {
        operations[0] = {"logout", 1};
        return 1;
    }
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
    t->order_of = (int *) palloc0(sizeof(int) * (n + 1));
    /* Rules come ordered by kind and service. */
    for (int i = 0; i < n; i++) {
        const VdfCleanup *rule = plan->rules[i];
        VdfTargetGroup *last = t->ngroups ? &t->groups[t->ngroups - 1] : NULL;

        if (last == NULL || strcmp(last->kind, rule->kind) != 0 || strcmp(last->service, rule->service) != 0) {
            t->groups[t->ngroups].kind = rule->kind;
            t->groups[t->ngroups++].service = rule->service;
        }
        t->group_of[i] = t->ngroups - 1;
        t->order_of[i] = strcmp(rule->kind, "identity") == 0 ? rule->id : 0;
    }
    t->settled = (VdfKeys *) palloc0(sizeof(VdfKeys) * (t->ngroups + 1));
    t->kept = (Bitmapset **) palloc0(sizeof(Bitmapset *) * (t->ngroups + 1));
    t->copies = (VdfKeys *) palloc0(sizeof(VdfKeys) * (n + 1));
    t->renamed = (VdfKeys *) palloc0(sizeof(VdfKeys) * (n + 1));
    t->raw_desc = CreateTemplateTupleDesc(5);
    TupleDescInitEntry(t->raw_desc, 1, "vdf_g", INT4OID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 2, "vdf_target", TEXTOID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 3, "vdf_u", INT4OID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 4, "vdf_s", BOOLOID, -1, 0);
    TupleDescInitEntry(t->raw_desc, 5, "vdf_r", INT4OID, -1, 0);
    t->settled_desc = CreateTemplateTupleDesc(5);
    TupleDescInitEntry(t->settled_desc, 1, "vdf_target", TEXTOID, -1, 0);
    TupleDescInitEntry(t->settled_desc, 2, "vdf_u", INT4OID, -1, 0);
    TupleDescInitEntry(t->settled_desc, 3, "vdf_s", BOOLOID, -1, 0);
    TupleDescInitEntry(t->settled_desc, 4, "vdf_n", INT4OID, -1, 0);
    TupleDescInitEntry(t->settled_desc, 5, "vdf_r", INT4OID, -1, 0);
    return t;
}

void vdf_targets_take(VdfRun *run, int node, TupleTableSlot *slot, int first, int user, bool shared)
{
    VdfTargets *t = run->targets;
    VdfNodeInfo *info = &run->plan->nodes[node];

    for (int i = 0; i < info->nrules; i++) {
        Datum values[5];
        bool nulls[5] = {false};
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
        values[4] = Int32GetDatum(t->order_of[info->rules[i]]);
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
    statement.sql = t->raw.count == 0 ? "SELECT a.vdf_g, a.vdf_target, a.vdf_u, a.vdf_s, a.vdf_r FROM vdf_a a"
                                      : "SELECT a.vdf_g, a.vdf_target, a.vdf_u, a.vdf_s, a.vdf_r FROM vdf_a a WHERE NOT EXISTS "
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
        vdf_keys_add(run, &t->raw, t->raw_desc, slot, 5);
    ExecDropSingleTupleTableSlot(slot);
    vdf_keys_free(&missing);
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
    for (int i = 0; i < targets->plan->graph.ntarget_rules; i++) {
        vdf_keys_free(&targets->copies[i]);
        vdf_keys_free(&targets->renamed[i]);
    }
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
    bool nulls[13] = {false};
    TupleTableSlot *slot = MakeSingleTupleTableSlot(settled->desc, &TTSOpsMinimalTuple);

    tuplestore_rescan(settled->store);
    while (tuplestore_gettupleslot(settled->store, true, false, slot)) {
        slot_getallattrs(slot);
        values[0] = UUIDPGetDatum(&deletions[DatumGetInt32(slot->tts_values[1]) - 1]);
        values[5] = slot->tts_values[0];
        values[6] = BoolGetDatum(DatumGetBool(slot->tts_values[2]) && check_shared);
        values[9] = values[11] = TimestampTzGetDatum(GetCurrentTimestamp());
        values[12] = slot->tts_values[4];
        nulls[12] = DatumGetInt32(values[12]) == 0;
        vdf_bulk_insert_row(insert, values, nulls);
    }
    ExecDropSingleTupleTableSlot(slot);
}

uint64 vdf_targets_enqueue(VdfRun *run, const pg_uuid_t *deletions)
{
    /* All but those that are NULL: a default would be read from the catalogue for each call. */
    static const char *const columns[] = {"deletion_id", "phase", "kind", "operation", "service", "target",
                                          "shared", "state", "attempts", "run_after", "fence", "created_at",
                                          "rule"};
    VdfTargets *t = run->targets;
    VdfBulkInsert *insert = NULL;
    Datum values[lengthof(columns)];
    uint64 tasks = 0;
    bool identities = false;

    values[7] = CStringGetTextDatum("available");
    values[8] = Int32GetDatum(0);
    values[10] = Int64GetDatum(0);
    for (int i = 0; i < t->ngroups; i++) {
        VdfOperation operations[2];
        int n = vdf_operations_of(run, t->groups[i].kind, operations);

        for (int j = 0; j < n && t->settled[i].count > 0; j++) {
            if (insert == NULL)
                insert = vdf_bulk_insert_begin(&run->executor, "cleanup_task", lengthof(columns), columns);
            values[1] = Int16GetDatum(operations[j].phase);
            values[2] = CStringGetTextDatum(t->groups[i].kind);
            values[3] = CStringGetTextDatum(operations[j].name);
            values[4] = CStringGetTextDatum(t->groups[i].service);
            enqueue_group(insert, &t->settled[i], deletions, run->check_shared, values);
            identities = identities || n > 1;
        }
    }
    if (insert != NULL)
        tasks = vdf_bulk_insert_end(insert);
    if (identities)
        vdf_order_identities(deletions, run->nusers);
    if (tasks > 0 && vdf_notify)
        Async_Notify("vedfolnir_cleanup", "");
    return tasks;
}
