/*
 * batch_delete.cpp: the DELETE of a batch.
 */
#include "ext/batch.h"
#include "ext/catalog.h"
#include "ext/report.h"
#include "ext/sweep.h"

static bool fires_per_statement(Relation table)
{
    return table->trigdesc != NULL &&
           (table->trigdesc->trig_delete_before_statement || table->trigdesc->trig_delete_after_statement);
}

/*
 * A partition is addressed by itself, so that the others are not searched for its rows; not where that would
 * fire other triggers or rules than a run does, or where the owner of the partitioned table may not. NULL:
 * the relation of the node.
 */
static char *partition_of(VdfDeletionPlan *plan, int node, Oid relation)
{
    Relation root, leaf;
    bool plain;

    if (relation == plan->nodes[node].relation || vdf_relation_owner(relation) != plan->nodes[node].owner)
        return NULL;
    root = table_open(plan->nodes[node].relation, AccessShareLock);
    leaf = table_open(relation, AccessShareLock);
    plain = !fires_per_statement(root) && !fires_per_statement(leaf) && leaf->rd_rules == NULL;
    table_close(leaf, NoLock);
    table_close(root, NoLock);
    return plain ? psprintf("ONLY %s", vdf_relation_name(relation)) : NULL;
}

/* Where the keys are all that is asked of the rows, the scan tells them as they go; RETURNING would fetch
 * each row anew. */
static VdfKeyWatch *watch(VdfRun *run, int node, SweepSink *sink, int *columns)
{
    VdfSweep *sweep = vdf_sweep_of(run->plan, node);

    if (!sweep->possible || run->plan->view->nkeys[node] > SWEEP_KEYS)
        return NULL;
    memset(sink, 0, sizeof(SweepSink));
    vdf_sink_init(&sink->sink, vdf_sweep_start, vdf_sweep_row);
    sink->run = run;
    sink->sweep = sweep;
    sink->node = node;
    sink->edge = run->plan->view->into[node][0];
    sink->user = -1;
    sink->columns = columns;
    sink->ncolumns = run->plan->view->nkeys[node];
    return vdf_sweep_watch(sink);
}

static void delete_watched(VdfRun *run, VdfStatement *statement, SweepSink *sink)
{
    VdfKeyWatch *watch = statement->places->watch;

    if (vdf_execute(&run->executor, statement) != watch->rows)
        elog(ERROR, "rows were deleted that a scan has not given");
    run->nodes[sink->node].rows += sink->rows;
    run->changed += sink->rows;
    vdf_sweep_watch_end(watch);
    vdf_check_limit(run);
}

bool vdf_batch_delete(VdfRun *run, int node, VdfPlaceScan *places)
{
    VdfDeletionPlan *plan = run->plan;
    unsigned shape =
        (plan->view->nkeys[node] > 0 ? VDF_KEYS : 0) | (plan->view->ntargets[node] > 0 ? VDF_TARGETS : 0);
    char *part = partition_of(plan, node, places->table);
    VdfSqlRequest request = {VDF_SQL_TAKE_NODE, node, VDF_DELETE, 0, NULL, part, NULL};
    int columns[SWEEP_KEYS];
    SweepSink sink;
    VdfStatement statement;
    VdfError error;
    const char *text;

    run->nodes[node].shape = shape;
    places->relation = part ? places->table : plan->nodes[node].relation;
    places->watch = watch(run, node, &sink, columns);
    if (places->watch == NULL)
        request.flags |= shape;
    if (!vdf_plan_sql(plan->core, &request, &text, &error))
        vdf_raise(&error);
    memset(&statement, 0, sizeof(statement));
    statement.sql = pstrdup(text);
    statement.owner = plan->nodes[node].owner;
    statement.change = true;
    statement.places = places;
    if (places->watch != NULL)
        delete_watched(run, &statement, &sink);
    else
        vdf_take_rows(run, node, &statement);
    return !statement.refused;
}
