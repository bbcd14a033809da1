#include "ext/unique.h"

#include "ext/catalog.h"

typedef struct DoubleSink
{
    VdfSink sink;
    VdfRun *run;
    int node;
    uint64 rows;
} DoubleSink;

static void double_row(VdfSink *sink, TupleTableSlot *slot)
{
    DoubleSink *s = (DoubleSink *) sink;
    VdfRowSet *goes = s->run->nodes[s->node].goes;

    slot_getallattrs(slot);
    if (goes == NULL || !vdf_rowset_has(goes, DatumGetObjectId(slot->tts_values[0]),
                                        (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        s->rows++;
}

/* The equality that the index enforces on one of its columns. */
static Oid index_equality(Relation index, int column)
{
    return get_opfamily_member(index->rd_opfamily[column], index->rd_opcintype[column], index->rd_opcintype[column],
                               BTEqualStrategyNumber);
}

/*
 * Rows o that stand where the rows c that move would come to stand, or, for an index that holds nothing else, further
 * rows that move. NULL when the index does not apply.
 */
static char *doubles_sql(VdfRun *run, int edge, Relation index)
{
    const VdfEdgeInfo *info = &run->plan->edges[edge];
    const char *from = run->plan->graph.nodes[run->plan->graph.edges[edge].child].from;
    Form_pg_index form = index->rd_index;
    StringInfoData stays, moves;
    bool found = false;

    if (!form->indisunique || !form->indisvalid || index->rd_rel->relam != BTREE_AM_OID ||
        !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
        return NULL;
    initStringInfo(&stays);
    initStringInfo(&moves);
    for (int i = 0; i < form->indnkeyatts; i++) {
        AttrNumber number = form->indkey.values[i];
        const char *column;

        if (number == InvalidAttrNumber)
            return NULL; /* an expression: not foreseeable here */
        column = quote_identifier(get_attname(form->indrelid, number, false));
        if (number == info->attributes[0]) {
            found = true;
            appendStringInfo(&stays, " AND o.%s %s ($1)%s", column, vdf_operator(index_equality(index, i)),
                             vdf_cast(get_atttype(form->indrelid, number)));
        } else {
            appendStringInfo(&stays, " AND o.%s %s c.%s", column, vdf_operator(index_equality(index, i)), column);
            appendStringInfo(&moves, " AND o.%s %s c.%s", column, vdf_operator(index_equality(index, i)), column);
        }
    }
    if (!found)
        return NULL;
    return psprintf("SELECT o.tableoid AS vdf_t, o.ctid AS vdf_i FROM vdf_m m, %s c, %s o WHERE m.vdf_e OPERATOR(pg_catalog.=) %d "
                    "AND c.ctid OPERATOR(pg_catalog.=) m.vdf_i AND c.tableoid OPERATOR(pg_catalog.=) m.vdf_t%s UNION ALL "
                    "SELECT o.tableoid, o.ctid FROM vdf_m m, %s c, vdf_m n, %s o WHERE m.vdf_e OPERATOR(pg_catalog.=) %d "
                    "AND n.vdf_e OPERATOR(pg_catalog.=) %d AND c.ctid OPERATOR(pg_catalog.=) m.vdf_i AND c.tableoid "
                    "OPERATOR(pg_catalog.=) m.vdf_t AND o.ctid OPERATOR(pg_catalog.=) n.vdf_i AND o.tableoid OPERATOR(pg_catalog.=) n.vdf_t "
                    "AND (c.ctid OPERATOR(pg_catalog.<>) o.ctid OR c.tableoid OPERATOR(pg_catalog.<>) o.tableoid)%s",
                    from, from, edge, stays.data, from, from, edge, edge, moves.data);
}

uint64 vdf_count_doubles(VdfRun *run, int edge, VdfKeys *found, Oid type, Datum value)
{
    const VdfEdgeInfo *info = &run->plan->edges[edge];
    int node = run->plan->graph.edges[edge].child;
    Relation table;
    List *indexes, *statements = NIL;
    ListCell *cell;
    uint64 most = 0;

    if (info->relation != run->plan->nodes[node].relation)
        return 0;
    table = table_open(info->relation, AccessShareLock);
    indexes = RelationGetIndexList(table);
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);
        char *sql = doubles_sql(run, edge, index);

        if (sql != NULL)
            statements = lappend(statements, sql);
        index_close(index, AccessShareLock);
    }
    table_close(table, AccessShareLock);
    foreach (cell, statements) {
        VdfStatement statement;
        DoubleSink s;

        memset(&s, 0, sizeof(s));
        vdf_sink_init(&s.sink, NULL, double_row);
        s.run = run;
        s.node = node;
        memset(&statement, 0, sizeof(statement));
        statement.sql = (char *) lfirst(cell);
        statement.owner = run->plan->nodes[node].owner;
        statement.nparams = 1;
        statement.types = &type;
        statement.values = &value;
        statement.sink = &s.sink;
        vdf_statement_input(&statement, "vdf_m", found);
        (void) vdf_execute(&run->executor, &statement);
        most = Max(most, s.rows);
    }
    return most;
}

bool vdf_keeps_apart(Oid number, const Bitmapset *columns)
{
    Relation index = index_open(number, AccessShareLock);
    Form_pg_index form = index->rd_index;
    bool unique = form->indisunique && form->indimmediate && form->indisvalid && !form->indisexclusion &&
                  heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);

    for (int i = 0; unique && i < form->indnkeyatts; i++)
        unique = form->indkey.values[i] > 0 && bms_is_member(form->indkey.values[i], columns);
    index_close(index, AccessShareLock);
    return unique;
}
