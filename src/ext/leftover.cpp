#include "ext/leftover.h"

#include "ext/catalog.h"
#include "ext/constraints.h"
#include "ext/report.h"

static List *deferrable_constraints(void)
{
    Relation catalog = table_open(ConstraintRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
    HeapTuple tuple;
    List *found = NIL;

    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);

        if (form->condeferrable && OidIsValid(form->conrelid))
            found = lappend(found, heap_copytuple(tuple));
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    return found;
}

static List *holdable_cursors(void)
{
    FmgrInfo function;
    ReturnSetInfo result;
    TupleTableSlot *slot;
    List *names = NIL;
    LOCAL_FCINFO(fcinfo, 0);

    memset(&result, 0, sizeof(result));
    result.type = T_ReturnSetInfo;
    result.econtext = CreateStandaloneExprContext();
    result.allowedModes = (int) SFRM_Materialize;
    fmgr_info(F_PG_CURSOR, &function);
    InitFunctionCallInfoData(*fcinfo, &function, 0, InvalidOid, NULL, (Node *) &result);
    (void) FunctionCallInvoke(fcinfo);
    slot = MakeSingleTupleTableSlot(result.setDesc, &TTSOpsMinimalTuple);
    while (tuplestore_gettupleslot(result.setResult, true, false, slot)) {
        slot_getallattrs(slot);
        if (DatumGetBool(slot->tts_values[2]))
            names = lappend(names, makeString(TextDatumGetCString(slot->tts_values[0])));
    }
    ExecDropSingleTupleTableSlot(slot);
    tuplestore_end(result.setResult);
    FreeExprContext(result.econtext, true);
    return names;
}

void vdf_leftovers_before(VdfRun *run)
{
    ListCell *cell;

    run->cursors = holdable_cursors();
    foreach (cell, run->plan->deferrable)
        if (AfterTriggerPendingOnRel(lfirst_oid(cell)))
            run->pending = list_append_unique_oid(run->pending, lfirst_oid(cell));
}

/* A trigger that runs code of somebody else than whom the end of the transaction would run it as. */
static bool escapes(const VdfRun *run, Form_pg_constraint form)
{
    return vdf_constraint_runs_code(form) && !list_member_oid(run->pending, form->conrelid) &&
           AfterTriggerPendingOnRel(form->conrelid) && vdf_relation_owner(form->conrelid) != GetOuterUserId();
}

/* Every deferrable constraint of the relation: what is pending may be of any of them. */
static void settle_relation(Oid relation, List *deferrable)
{
    ListCell *cell;

    foreach (cell, deferrable) {
        Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT((HeapTuple) lfirst(cell));

        if (form->conrelid == relation || form->confrelid == relation)
            vdf_constraint_immediate(form, deferrable);
    }
}

void vdf_leftovers_fire(VdfRun *run)
{
    List *deferrable;
    ListCell *cell;
    bool more = vdf_deferred_may_be_pending(run);

    /* What fires may defer again, on purpose. */
    for (int pass = 0; more; pass++) {
        more = false;
        deferrable = deferrable_constraints(); /* a trigger may have made another */
        foreach (cell, deferrable) {
            Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT((HeapTuple) lfirst(cell));

            if (!escapes(run, form))
                continue;
            if (pass == 3)
                ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                                errmsg("deferred trigger \"%s\" of %s defers itself again and again", NameStr(form->conname),
                                       vdf_relation_name(form->conrelid)),
                                errdetail("It would run at the end of the transaction, with the rights of the session. Nothing was changed."),
                                errhint("Change the trigger.")));
            settle_relation(form->conrelid, deferrable);
            more = true;
        }
    }
}

void vdf_leftovers_refuse(VdfRun *run)
{
    ListCell *cell;

    foreach (cell, holdable_cursors())
        if (!list_member(run->cursors, lfirst(cell)))
            ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                            errmsg("a trigger declared cursor \"%s\" WITH HOLD", strVal(lfirst(cell))),
                            errdetail("Its query would run at the end of the transaction, with the rights of the session. Nothing was changed."),
                            errhint("Change the trigger.")));
}
