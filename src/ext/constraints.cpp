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

/*
 * SET CONSTRAINTS goes by name, and a name may belong to several tables of a schema: the constraint triggers of all of
 * them fire at once. Keys and unique constraints run no code of their tables' owners, the others must run as theirs.
 */
bool vdf_constraint_runs_code(Form_pg_constraint form)
{
    return form->contype == CONSTRAINT_TRIGGER || form->contype == CONSTRAINT_EXCLUSION;
}

static Oid owner_for(Form_pg_constraint form, List *deferrable)
{
    Oid owner = InvalidOid;
    ListCell *cell;

    foreach (cell, deferrable) {
        Form_pg_constraint other = (Form_pg_constraint) GETSTRUCT((HeapTuple) lfirst(cell));

        if (!vdf_constraint_runs_code(other) || other->connamespace != form->connamespace ||
            strcmp(NameStr(other->conname), NameStr(form->conname)) != 0)
            continue;
        if (OidIsValid(owner) && owner != vdf_relation_owner(other->conrelid))
            ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                            errmsg("deferred constraint triggers of several owners are named \"%s\"", NameStr(form->conname)),
                            errdetail("They would fire together, as one of the owners. Nothing was changed."),
                            errhint("Rename one of them.")));
        owner = vdf_relation_owner(other->conrelid);
    }
    return OidIsValid(owner) ? owner : vdf_relation_owner(form->conrelid);
}

void vdf_constraint_immediate(Form_pg_constraint form, List *deferrable)
{
    ConstraintsSetStmt *statement = makeNode(ConstraintsSetStmt);
    Oid user;
    int context;

    statement->constraints = list_make1(makeRangeVar(get_namespace_name(form->connamespace), pstrdup(NameStr(form->conname)), -1));
    statement->deferred = false;
    GetUserIdAndSecContext(&user, &context);
    SetUserIdAndSecContext(owner_for(form, deferrable), context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS);
    CommandCounterIncrement();
    PushActiveSnapshot(GetTransactionSnapshot());
    AfterTriggerSetState(statement);
    PopActiveSnapshot();
    SetUserIdAndSecContext(user, context);
}

bool vdf_deferred_may_be_pending(const VdfRun *run)
{
    ListCell *cell;

    if (!run->plan->kept || !run->plan->valid)
        return true;
    foreach (cell, run->plan->deferrable)
        if (AfterTriggerPendingOnRel(lfirst_oid(cell)))
            return true;
    return false;
}

void vdf_force_immediate(VdfRun *run)
{
    Relation catalog;
    SysScanDesc scan;
    HeapTuple tuple;
    List *deferrable = NIL, *found = NIL;
    ListCell *cell;

    if (!vdf_deferred_may_be_pending(run))
        return;
    catalog = table_open(ConstraintRelationId, AccessShareLock);
    scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

        if (!form->condeferrable || !OidIsValid(form->conrelid))
            continue;
        deferrable = lappend(deferrable, heap_copytuple(tuple));
        if (!OidIsValid(form->conparentid) && (changed(run, form->conrelid) || changed(run, form->confrelid)))
            found = lappend(found, llast(deferrable));
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    foreach (cell, found)
        vdf_constraint_immediate((Form_pg_constraint) GETSTRUCT((HeapTuple) lfirst(cell)), deferrable);
}
