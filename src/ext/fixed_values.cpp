#include "ext/fixed_values.h"

#include "ext/catalog.h"
#include "ext/foresight.h"
#include "ext/report.h"

/* A trigger may leave in the row what a column rule was to replace: then that is looked at. */
static bool may_keep(const VdfForesight *f)
{
    ListCell *cell;

    if (vdf_facts(f->run->plan, RelationGetRelid(f->table))->update_keeper == NULL)
        return false;
    foreach (cell, f->claims)
        if (((VdfClaim *) lfirst(cell))->rule)
            return true;
    return false;
}

/* What the columns hold before, as vdf_was<n>. */
static char *values_before(const VdfForesight *f)
{
    StringInfoData list;
    int number = -1;

    initStringInfo(&list);
    while ((number = bms_next_member(f->changed, number)) >= 0)
        appendStringInfo(&list, ", x.%s, x.vdf_o%d AS vdf_was%d",
                         quote_identifier(get_attname(RelationGetRelid(f->table), number, false)), number, number);
    return psprintf("SELECT x.vdf_t, x.vdf_i, x.vdf_w%s FROM %s x", list.data, vdf_foresight_rows(f, f->changed, f->changed));
}

/* Does the row still hold what it held, although something else was to be written? */
static char *kept_columns(const VdfForesight *f)
{
    StringInfoData list;
    int number = -1;

    initStringInfo(&list);
    while ((number = bms_next_member(f->changed, number)) >= 0) {
        Form_pg_attribute a = TupleDescAttr(RelationGetDescr(f->table), number - 1);
        const char *name = quote_identifier(NameStr(a->attname));
        int32 typmod = a->atttypmod;
        Oid type = getBaseTypeAndTypmod(a->atttypid, &typmod);

        appendStringInfo(&list,
                         "%s(c.%s::pg_catalog.text COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.=) n.vdf_was%d::pg_catalog.text "
                         "AND n.%s::%s::pg_catalog.text COLLATE pg_catalog.\"C\" IS DISTINCT FROM n.vdf_was%d::pg_catalog.text)",
                         list.len ? " OR " : "", name, number, name,
                         format_type_extended(type, typmod, FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY), number);
    }
    return list.data;
}

VdfKeys *vdf_fix_values(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;
    VdfKeys *fixed = NULL;
    VdfStatement statement;

    if (found->count == 0)
        return NULL;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    if (may_keep(&f) || !bms_is_empty(vdf_foresight_changing(&f))) {
        fixed = (VdfKeys *) palloc0(sizeof(VdfKeys));
        memset(&statement, 0, sizeof(statement));
        statement.sql = may_keep(&f) ? values_before(&f) : psprintf("SELECT x.* FROM %s x", vdf_foresight_rows(&f, f.changed, NULL));
        statement.owner = run->plan->nodes[node].owner;
        vdf_detach_inputs(run, &statement, edges, nedges, found);
        vdf_collect(run, &statement, fixed);
    }
    vdf_foresight_close(&f);
    return fixed;
}

/* The UPDATE that writes them; compares: it returns for each row whether something was kept back. */
static char *fixed_update(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, bool *compares)
{
    VdfForesight f;
    StringInfoData sets;
    const char *returning;
    int number = -1;

    initStringInfo(&sets);
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, NULL);
    while ((number = bms_next_member(f.changed, number)) >= 0) {
        const char *name = quote_identifier(get_attname(RelationGetRelid(f.table), number, false));

        appendStringInfo(&sets, "%s%s = n.%s", sets.len ? ", " : "", name, name);
    }
    *compares = may_keep(&f);
    returning = *compares ? psprintf(" RETURNING %s AS vdf_kept", kept_columns(&f)) : "";
    vdf_foresight_close(&f);
    return psprintf("UPDATE %s c SET %s FROM vdf_n n WHERE c.ctid OPERATOR(pg_catalog.=) n.vdf_i "
                    "AND c.tableoid OPERATOR(pg_catalog.=) n.vdf_t AND n.vdf_w%s",
                    run->plan->graph.nodes[node].from, sets.data, returning);
}

typedef struct WrittenSink
{
    VdfSink sink;
    uint64 rows; /* as they were to be */
} WrittenSink;

static void written_row(VdfSink *sink, TupleTableSlot *slot)
{
    slot_getallattrs(slot);
    if (slot->tts_isnull[0] || !DatumGetBool(slot->tts_values[0]))
        ((WrittenSink *) sink)->rows++;
}

static uint64 rows_to_write(const VdfKeys *fixed)
{
    TupleTableSlot *slot = MakeSingleTupleTableSlot(fixed->desc, &TTSOpsMinimalTuple);
    uint64 rows = 0;

    tuplestore_rescan(fixed->store);
    while (tuplestore_gettupleslot(fixed->store, true, false, slot)) {
        bool isnull;
        Datum touched = slot_getattr(slot, 3, &isnull);

        rows += !isnull && DatumGetBool(touched) ? 1 : 0;
    }
    ExecDropSingleTupleTableSlot(slot);
    tuplestore_rescan(fixed->store);
    return rows;
}

/* What a column rule was to replace, a trigger must not leave in the row: it may be what the person is known by. */
static void require_written(VdfRun *run, int node, uint64 rows)
{
    const VdfNode *n = &run->plan->graph.nodes[node];
    uint64 due = rows_to_write(run->fixed);

    if (rows < due)
        ereport(ERROR, (errcode(ERRCODE_VDF_ROWS_LEFT),
                        errmsg("columns of %s would keep what they hold: %s", n->display, vdf_facts(run->plan, run->plan->nodes[node].relation)->update_keeper),
                        errdetail("The trigger keeps back what is written into %llu of %llu rows. Nothing was changed.",
                                  (unsigned long long) (due - rows), (unsigned long long) due),
                        errhint("Drop or disable the trigger."), err_generic_string(PG_DIAG_SCHEMA_NAME, n->schema),
                        err_generic_string(PG_DIAG_TABLE_NAME, n->relation)));
}

void vdf_write_fixed(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfStatement statement;
    WrittenSink written;
    bool compares;

    memset(&statement, 0, sizeof(statement));
    memset(&written, 0, sizeof(written));
    vdf_sink_init(&written.sink, NULL, written_row);
    statement.sql = fixed_update(run, node, edges, nedges, tombstone, &compares);
    if (compares)
        statement.sink = &written.sink;
    statement.owner = run->plan->nodes[node].owner;
    statement.change = true;
    statement.by_lookup = true;
    vdf_detach_inputs(run, &statement, edges, nedges, found);
    (void) vdf_execute(&run->executor, &statement);
    if (compares)
        require_written(run, node, written.rows);
}
