#include "ext/bulk_insert.h"

#include "ext/report.h"
#include "ext/store.h"

#define ROWS_AT_ONCE 500

struct VdfBulkInsert
{
    VdfExecutor *executor;
    MemoryContext memory;
    Relation table;
    int ncolumns;
    const char *const *columns;
    AttrNumber *attributes; /* of the columns given */
    EState *estate;
    ResultRelInfo *target;
    int ndefaults;
    AttrNumber *default_attributes;
    ExprState **defaults;
    CommandId command;
    TupleTableSlot *slots[ROWS_AT_ONCE];
    int waiting; /* rows in slots */
    uint64 rows;
    VdfKeys kept; /* all rows, where a trigger asks for a statement */
    Oid user;
    int context;
};

/* What a rule makes of an INSERT may go anywhere, and no count would tell. */
static void refuse_rules(Relation table)
{
    for (int i = 0; table->rd_rules != NULL && i < table->rd_rules->numLocks; i++)
        if (table->rd_rules->rules[i]->event == CMD_INSERT && table->rd_rules->rules[i]->enabled != RULE_DISABLED)
            ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                            errmsg("a rule changes what is written to vedfolnir.%s", RelationGetRelationName(table)),
                            errdetail("Nothing was changed."), errhint("Drop or disable the rule.")));
}

static void keep_rows(VdfBulkInsert *insert)
{
    TupleDesc desc = RelationGetDescr(insert->table);

    insert->kept.desc = CreateTemplateTupleDesc(insert->ncolumns);
    for (int i = 0; i < insert->ncolumns; i++)
        TupleDescCopyEntry(insert->kept.desc, i + 1, desc, insert->attributes[i]);
    insert->kept.store = vdf_keys_store();
}

static void prepare_defaults(VdfBulkInsert *insert)
{
    TupleDesc desc = RelationGetDescr(insert->table);

    insert->default_attributes = (AttrNumber *) palloc(sizeof(AttrNumber) * desc->natts);
    insert->defaults = (ExprState **) palloc(sizeof(ExprState *) * desc->natts);
    for (int i = 0; i < desc->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);
        bool given = attribute->attisdropped || attribute->attgenerated;
        Expr *expression;

        for (int j = 0; j < insert->ncolumns && !given; j++)
            given = insert->attributes[j] == attribute->attnum;
        if (given)
            continue;
        expression = (Expr *) build_column_default(insert->table, attribute->attnum);
        if (expression == NULL)
            continue;
        insert->default_attributes[insert->ndefaults] = attribute->attnum;
        insert->defaults[insert->ndefaults++] = ExecInitExpr(expression_planner(expression), NULL);
    }
}

static void prepare_target(VdfBulkInsert *insert)
{
    insert->estate = CreateExecutorState();
    MemoryContextSwitchTo(insert->estate->es_query_cxt);
    vdf_init_range_table(insert->estate, insert->table);
    insert->target = makeNode(ResultRelInfo);
    InitResultRelInfo(insert->target, insert->table, 1, NULL, 0);
    ExecOpenIndices(insert->target, false);
    prepare_defaults(insert);
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
    insert->attributes = (AttrNumber *) palloc(sizeof(AttrNumber) * ncolumns);
    for (int i = 0; i < ncolumns; i++) {
        insert->attributes[i] = get_attnum(RelationGetRelid(insert->table), columns[i]);
        if (insert->attributes[i] == InvalidAttrNumber)
            elog(ERROR, "vedfolnir.%s has no column \"%s\"", table, columns[i]);
    }
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    refuse_rules(insert->table);
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
    for (int i = 0; i < insert->ndefaults; i++) {
        int at = insert->default_attributes[i] - 1;

        slot->tts_values[at] = ExecEvalExprSwitchContext(insert->defaults[i], expressions, &slot->tts_isnull[at]);
    }
    ExecStoreVirtualTuple(slot);
    slot->tts_tableOid = RelationGetRelid(insert->table);
    if (desc->constr != NULL && desc->constr->has_generated_stored)
        ExecComputeStoredGenerated(insert->target, insert->estate, slot, CMD_INSERT);
    if (desc->constr != NULL)
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
