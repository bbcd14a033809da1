#include "ext/bulk_insert.h"

#include "ext/insert_facts.h"
#include "ext/store.h"

#define ROWS_AT_ONCE 500

struct VdfBulkInsert
{
    VdfExecutor *executor;
    MemoryContext memory;
    Relation table;
    int ncolumns;
    const char *const *columns;
    const AttrNumber *attributes; /* of the columns given */
    VdfInsertFacts *facts;
    EState *estate;
    ResultRelInfo *target;
    int ndefaults;
    AttrNumber *default_attributes;
    ExprState **defaults;
    int ngenerated;
    AttrNumber *generated_attributes;
    ExprState **generated;
    ExprState **checks;
    CommandId command;
    TupleTableSlot *slots[ROWS_AT_ONCE];
    int waiting; /* rows in slots */
    uint64 rows;
    VdfKeys kept; /* all rows, where a trigger asks for a statement */
    Oid user;
    int context;
};

static void keep_rows(VdfBulkInsert *insert)
{
    TupleDesc desc = RelationGetDescr(insert->table);

    insert->kept.desc = CreateTemplateTupleDesc(insert->ncolumns);
    for (int i = 0; i < insert->ncolumns; i++)
        TupleDescCopyEntry(insert->kept.desc, i + 1, desc, insert->attributes[i]);
    insert->kept.store = vdf_keys_store();
}

static bool is_given(const VdfBulkInsert *insert, AttrNumber attribute)
{
    for (int i = 0; i < insert->ncolumns; i++)
        if (insert->attributes[i] == attribute)
            return true;
    return false;
}

static void prepare_expressions(VdfBulkInsert *insert)
{
    const VdfInsertFacts *facts = insert->facts;
    int natts = RelationGetDescr(insert->table)->natts;

    insert->default_attributes = (AttrNumber *) palloc(sizeof(AttrNumber) * natts);
    insert->defaults = (ExprState **) palloc(sizeof(ExprState *) * natts);
    insert->generated_attributes = (AttrNumber *) palloc(sizeof(AttrNumber) * natts);
    insert->generated = (ExprState **) palloc(sizeof(ExprState *) * natts);
    insert->checks = (ExprState **) palloc(sizeof(ExprState *) * (facts->nchecks + 1));
    for (int i = 0; i < natts; i++) {
        if (facts->defaults[i] != NULL && !is_given(insert, i + 1)) {
            insert->default_attributes[insert->ndefaults] = i + 1;
            insert->defaults[insert->ndefaults++] = ExecInitExpr(facts->defaults[i], NULL);
        }
        if (facts->plain && facts->generated[i] != NULL) {
            insert->generated_attributes[insert->ngenerated] = i + 1;
            insert->generated[insert->ngenerated++] = ExecInitExpr(facts->generated[i], NULL);
        }
    }
    for (int i = 0; facts->plain && i < facts->nchecks; i++)
        insert->checks[i] = ExecInitExpr(facts->checks[i], NULL);
}

static void prepare_target(VdfBulkInsert *insert)
{
    insert->estate = CreateExecutorState();
    MemoryContextSwitchTo(insert->estate->es_query_cxt);
    vdf_init_range_table(insert->estate, insert->table);
    insert->target = makeNode(ResultRelInfo);
    InitResultRelInfo(insert->target, insert->table, 1, NULL, 0);
    ExecOpenIndices(insert->target, false);
    prepare_expressions(insert);
    insert->command = insert->estate->es_output_cid = GetCurrentCommandId(true);
    MemoryContextSwitchTo(insert->memory);
}

VdfBulkInsert *vdf_bulk_insert_begin(VdfExecutor *executor, const char *table, int ncolumns, const char *const *columns)
{
    VdfBulkInsert *insert = (VdfBulkInsert *) palloc0(sizeof(VdfBulkInsert));
    Oid schema = get_namespace_oid("vedfolnir", false);

    insert->executor = executor;
    insert->memory = CurrentMemoryContext;
    insert->table = table_open(get_relname_relid(table, schema), RowExclusiveLock);
    GetUserIdAndSecContext(&insert->user, &insert->context);
    SetUserIdAndSecContext(vdf_store_owner(), insert->context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    insert->ncolumns = ncolumns;
    insert->columns = columns;
    insert->facts = vdf_insert_facts(insert->table);
    insert->attributes = vdf_insert_attributes(insert->facts, insert->table, ncolumns, columns);
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    vdf_store_refuse_rules(insert->table);
    /* A row at a time, as a statement would meet them, is what triggers are written for. */
    if (insert->table->trigdesc != NULL)
        keep_rows(insert);
    else
        prepare_target(insert);
    return insert;
}

static void write_waiting(VdfBulkInsert *insert)
{
    MemoryContext memory = GetPerTupleMemoryContext(insert->estate);

    if (insert->waiting == 0)
        return;
    MemoryContextSwitchTo(memory);
    table_multi_insert(insert->table, insert->slots, insert->waiting, insert->command, 0, NULL);
    for (int i = 0; i < insert->waiting; i++) {
        (void) vdf_insert_index_tuples(insert->target, insert->slots[i], insert->estate);
        ExecClearTuple(insert->slots[i]);
        MemoryContextReset(memory);
    }
    MemoryContextSwitchTo(insert->memory);
    insert->waiting = 0;
}

static void compute(const ExprState *const *states, const AttrNumber *attributes, int n, ExprContext *context, TupleTableSlot *slot)
{
    for (int i = 0; i < n; i++) {
        int at = attributes[i] - 1;

        slot->tts_values[at] = ExecEvalExprSwitchContext((ExprState *) states[i], context, &slot->tts_isnull[at]);
    }
}

/* Does the row break a constraint? */
static bool breaks(const VdfBulkInsert *insert, ExprContext *context, TupleTableSlot *slot)
{
    TupleDesc desc = RelationGetDescr(insert->table);

    for (int i = 0; i < desc->natts; i++)
        if (slot->tts_isnull[i] && TupleDescAttr(desc, i)->attnotnull)
            return true;
    for (int i = 0; i < insert->facts->nchecks; i++)
        if (!ExecCheck(insert->checks[i], context))
            return true;
    return false;
}

void vdf_bulk_insert_row(VdfBulkInsert *insert, const Datum *values, const bool *nulls)
{
    TupleDesc desc = RelationGetDescr(insert->table);
    ExprContext *expressions;
    TupleTableSlot *slot;

    CHECK_FOR_INTERRUPTS();
    insert->rows++;
    if (insert->kept.store != NULL) {
        tuplestore_putvalues(insert->kept.store, insert->kept.desc, (Datum *) values, (bool *) nulls);
        insert->kept.count++;
        return;
    }
    if (insert->slots[insert->waiting] == NULL)
        insert->slots[insert->waiting] = table_slot_create(insert->table, NULL);
    slot = insert->slots[insert->waiting];
    memset(slot->tts_isnull, true, desc->natts);
    for (int i = 0; i < insert->ncolumns; i++) {
        slot->tts_values[insert->attributes[i] - 1] = values[i];
        slot->tts_isnull[insert->attributes[i] - 1] = nulls[i];
    }
    expressions = GetPerTupleExprContext(insert->estate);
    compute(insert->defaults, insert->default_attributes, insert->ndefaults, expressions, slot);
    ExecStoreVirtualTuple(slot);
    slot->tts_tableOid = RelationGetRelid(insert->table);
    expressions->ecxt_scantuple = slot;
    compute(insert->generated, insert->generated_attributes, insert->ngenerated, expressions, slot);
    if (!insert->facts->plain && desc->constr != NULL && desc->constr->has_generated_stored)
        ExecComputeStoredGenerated(insert->target, insert->estate, slot, CMD_INSERT);
    /* The server says it in its own words. */
    if (desc->constr != NULL && (!insert->facts->plain || breaks(insert, expressions, slot)))
        ExecConstraints(insert->target, slot, insert->estate);
    ExecMaterializeSlot(slot); /* the values may be gone when the page is written */
    ResetPerTupleExprContext(insert->estate);
    if (++insert->waiting == ROWS_AT_ONCE)
        write_waiting(insert);
}

/* INSERT INTO table (columns) SELECT columns FROM the rows kept; without one of them the evidence would be wrong. */
static void insert_kept(VdfBulkInsert *insert)
{
    VdfStatement statement;
    StringInfoData names;

    initStringInfo(&names);
    for (int i = 0; i < insert->ncolumns; i++)
        appendStringInfo(&names, "%s%s", i ? ", " : "", quote_identifier(insert->columns[i]));
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("INSERT INTO vedfolnir.%s (%s) SELECT %s FROM vdf_d d",
                             quote_identifier(RelationGetRelationName(insert->table)), names.data, names.data);
    statement.owner = vdf_store_owner();
    statement.change = true;
    vdf_statement_input(&statement, "vdf_d", &insert->kept);
    if (insert->kept.count > 0)
        vdf_store_require_rows(RelationGetRelationName(insert->table), insert->kept.count, vdf_execute(insert->executor, &statement));
    vdf_keys_free(&insert->kept);
}

uint64 vdf_bulk_insert_end(VdfBulkInsert *insert)
{
    uint64 rows = insert->rows;

    if (insert->kept.store != NULL)
        insert_kept(insert);
    else {
        write_waiting(insert);
        for (int i = 0; i < ROWS_AT_ONCE && insert->slots[i] != NULL; i++)
            ExecDropSingleTupleTableSlot(insert->slots[i]);
        ExecCloseIndices(insert->target);
        FreeExecutorState(insert->estate);
    }
    PopActiveSnapshot();
    table_close(insert->table, NoLock);
    SetUserIdAndSecContext(insert->user, insert->context);
    pfree(insert);
    return rows;
}
