#include "ext/constraints.h"

#include "ext/catalog.h"

static bool changed(VdfRun *run, Oid relation)
{
    int node;

    if (!OidIsValid(relation))
        return false;
    node = vdf_plan_node(run->plan, relation);
    if (node < 0)
        return false;
    if (run->nodes[node].rows > 0)
        return true;
    for (int i = 0; i < run->plan->graph.nedges; i++)
        if (run->plan->graph.edges[i].child == node && run->edges[i].rows > 0)
            return true;
    return false;
}

static void make_immediate(Form_pg_constraint form)
{
    ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);
    Oid user;
    int context;

    statement->constraints = list_make1(makeRangeVar(get_namespace_name(form->connamespace), pstrdup(NameStr(form->conname)), -1));
    statement->deferred = false;
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(vdf_relation_owner(form->conrelid), context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    AfterTriggerSetState(statement);
    PopActiveSnapshot();
    SetUserIdAndSecContext(user, context);
}

void vdf_force_immediate(VdfRun *run)
{
    Relation catalog;
    SysScanDesc scan;
    HeapTuple tuple;
    List *found = NIL;
    ListCell *cell;

    if (!run->plan->any_deferrable)
        return;
    catalog = table_open(ConstraintRelationId, AccessShareLock);
    scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

        if (form->condeferrable && !OidIsValid(form->conparentid) && OidIsValid(form->conrelid) &&
            (changed(run, form->conrelid) || changed(run, form->confrelid)))
            found = lappend(found, heap_copytuple(tuple));
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    foreach (cell, found)
        make_immediate((Form_pg_constraint) GETSTRUCT((HeapTuple) lfirst(cell)));
}
