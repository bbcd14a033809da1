/*
 * successor.cpp: the rows that reassigned references and defaults lead to; they must exist and stay.
 */
#include "ext/catalog.h"
#include "ext/foresight.h"
#include "ext/run.h"
#include "ext/value.h"

bool vdf_row_goes(VdfRun *run, int node, Datum relation, Datum tid)
{
    VdfRowSet *goes = run->nodes[node].goes;
    Oid oid = DatumGetObjectId(relation);
    ItemPointer pointer = (ItemPointer) DatumGetPointer(tid);

    return (goes != NULL && vdf_rowset_has(goes, oid, pointer)) ||
           (node == run->plan->graph.root && run->tombstones != NULL && vdf_rowset_has(run->tombstones, oid, pointer));
}

/* A reassignment needs a parent row that exists and stays. */
typedef struct SuccessorSink
{
    VdfSink sink;
    VdfRun *run;
    int parent;
    bool found;
} SuccessorSink;

static void successor_row(VdfSink *sink, TupleTableSlot *slot)
{
    SuccessorSink *s = (SuccessorSink *) sink;

    slot_getallattrs(slot);
    if (!vdf_row_goes(s->run, s->parent, slot->tts_values[0], slot->tts_values[1]))
        s->found = true;
}

Datum vdf_successor_value(VdfRun *run, int edge)
{
    VdfEdgeInfo *info = &run->plan->edges[edge];

    return vdf_read_value(info->parent_relation, info->reassign_type, info->reassign_typmod, info->reassign_to);
}

static bool successor_exists(VdfRun *run, int edge)
{
    VdfEdgeInfo *info = &run->plan->edges[edge];
    VdfStatement statement;
    SuccessorSink s;
    Datum value;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, successor_row);
    s.run = run;
    s.parent = run->plan->graph.edges[edge].parent;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_SUCCESSOR, edge, 0, vdf_relation_owner(info->parent_relation));
    if (vdf_action(run->plan, edge) == VDF_ACTION_REASSIGN) {
        value = vdf_successor_value(run, edge);
        statement.nparams = 1;
        statement.types = &info->reassign_type;
        statement.values = &value;
    }
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    return s.found;
}

/* Rows whose reassigning expression leads nowhere, or to a row that goes. */
typedef struct AstraySink
{
    VdfSink sink;
    VdfRun *run;
    int edge;
    uint64 rows;
} AstraySink;

static void astray_row(VdfSink *sink, TupleTableSlot *slot)
{
    AstraySink *s = (AstraySink *) sink;
    const VdfEdge *e = &s->run->plan->graph.edges[s->edge];
    VdfRowSet *children = s->run->nodes[e->child].goes;

    slot_getallattrs(slot);
    if (children != NULL && vdf_rowset_has(children, DatumGetObjectId(slot->tts_values[0]),
                                           (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        return;
    if (slot->tts_isnull[2] || vdf_row_goes(s->run, e->parent, slot->tts_values[2], slot->tts_values[3]))
        s->rows++;
}

/* New values, computed as the owner of the rows, before they are looked up as the owner of the parents. */
typedef struct ValueSink
{
    VdfSink sink;
    VdfRun *run;
    VdfKeys *keys;
} ValueSink;

static void value_row(VdfSink *sink, TupleTableSlot *slot)
{
    vdf_keys_add(((ValueSink *) sink)->run, ((ValueSink *) sink)->keys, sink->desc, slot, sink->desc->natts);
}

void vdf_collect(VdfRun *run, VdfStatement *statement, VdfKeys *keys)
{
    ValueSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, value_row);
    s.run = run;
    s.keys = keys;
    statement->sink = &s.sink;
    (void) vdf_execute(&run->executor, statement);
}

static uint64 count_astray(VdfRun *run, int edge)
{
    VdfStatement statement;
    AstraySink s;
    VdfKeys values;

    memset(&values, 0, sizeof(values));
    vdf_statement_of(run, &statement, VDF_SQL_FIND_NEW_VALUES, edge, 0, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_d", &run->nodes[run->plan->graph.edges[edge].parent].all);
    vdf_collect(run, &statement, &values);
    if (values.count == 0)
        return 0;
    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, astray_row);
    s.run = run;
    s.edge = edge;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_SUCCESSORS, edge, 0,
                     vdf_relation_owner(run->plan->edges[edge].parent_relation));
    vdf_statement_input(&statement, "vdf_a", &values);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    vdf_keys_free(&values);
    return s.rows;
}

/* Do all columns of the key get a default that is not NULL? Then there must be such a row. */
static bool default_needs_row(const VdfEdge *edge)
{
    if (edge->nsets < edge->npairs)
        return false;
    for (int i = 0; i < edge->nsets; i++)
        if (strcmp(edge->sets[i].defaults, "NULL") == 0)
            return false;
    return true;
}

static void astray(VdfRun *run, int edge, uint64 rows, const char *reason, char *remedy)
{
    run->edges[edge].failed = true; /* and so does not clear what other edges see */
    vdf_block(run, edge, rows, pstrdup(reason), remedy, true);
}

/* Another value each time: whom it leads to is not known before it is there, and asking might change something. */
static bool is_volatile(VdfRun *run, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    bool answer = false;

    if (vdf_action(run->plan, edge) == VDF_ACTION_REASSIGN)
        return e->reassign_expression != NULL && vdf_is_volatile(run->plan->edges[edge].relation, e->reassign_expression);
    for (int i = 0; i < e->nsets; i++)
        answer = answer || vdf_is_volatile(run->plan->edges[edge].relation, e->sets[i].defaults);
    return answer;
}

void vdf_check_successor(VdfRun *run, int edge, uint64 rows)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    char action = vdf_action(run->plan, edge);
    char *again = vdf_policy_call(run, edge, "'reassign', reassign_to => '...'");

    if ((action == VDF_ACTION_REASSIGN || action == VDF_ACTION_DEFAULT) && is_volatile(run, edge)) {
        vdf_foresight_note(run, edge, pstrdup("not foreseen: whether the row that the new value refers to exists and stays"));
        return;
    }

    if (action == VDF_ACTION_REASSIGN && e->reassign_expression == NULL && !successor_exists(run, edge))
        astray(run, edge, rows, "the row to reassign to does not exist or is deleted too", again);
    if (action == VDF_ACTION_REASSIGN && e->reassign_expression != NULL && (rows = count_astray(run, edge)) > 0)
        astray(run, edge, rows, "the row to reassign to does not exist or is deleted too", again);
    if (action == VDF_ACTION_DEFAULT && default_needs_row(e) && !successor_exists(run, edge))
        astray(run, edge, rows, "the row that the default refers to does not exist or is deleted too", again);
}
