#include "ext/ri_triggers.h"

#include "ext/report.h"

static Oid root_constraint(Oid constraint)
{
    for (;;) {
        HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
        Oid parent;

        if (!HeapTupleIsValid(tuple))
            return constraint;
        parent = ((Form_pg_constraint) GETSTRUCT(tuple))->conparentid;
        ReleaseSysCache(tuple);
        if (!OidIsValid(parent))
            return constraint;
        constraint = parent;
    }
}

static bool is_walked(VdfExecutor *executor, Oid constraint)
{
    int low = 0, high = executor->nwalked - 1;

    constraint = root_constraint(constraint);
    while (low <= high) {
        int middle = (low + high) / 2;

        if (executor->walked[middle] == constraint)
            return true;
        if (executor->walked[middle] < constraint)
            low = middle + 1;
        else
            high = middle - 1;
    }
    return false;
}

/* A key that the plan does not know was added while the run waited: its rows would go without audit. */
static void refuse_unknown_key(ResultRelInfo *relation)
{
    ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the schema or the policy changed during the deletion"),
                    errdetail("A foreign key to table \"%s\" was added. Nothing was changed.",
                              RelationGetRelationName(relation->ri_RelationDesc)),
                    errhint("Run the statement again."), errtable(relation->ri_RelationDesc)));
}

void vdf_drop_ri_triggers(VdfExecutor *executor, QueryDesc *query)
{
    ListCell *cell;

    foreach (cell, query->estate->es_opened_result_relations) {
        ResultRelInfo *relation = (ResultRelInfo *) lfirst(cell);
        TriggerDesc *triggers = relation->ri_TrigDesc;
        int kept = 0;
        bool after_row = false;

        if (triggers == NULL)
            continue;
        for (int i = 0; i < triggers->numtriggers; i++) {
            Trigger *trigger = &triggers->triggers[i];

            if (TRIGGER_FOR_DELETE(trigger->tgtype) && OidIsValid(trigger->tgconstraint) &&
                RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_PK) {
                if (!is_walked(executor, trigger->tgconstraint))
                    refuse_unknown_key(relation);
                if (executor->fast_ri)
                    continue;
            }
            if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_AFTER, TRIGGER_TYPE_DELETE))
                after_row = true;
            if (kept != i)
                triggers->triggers[kept] = *trigger;
            kept++;
        }
        triggers->numtriggers = kept;
        triggers->trig_delete_after_row = after_row;
    }
}

bool vdf_has_after_triggers(QueryDesc *query)
{
    ListCell *cell;

    foreach (cell, query->estate->es_opened_result_relations) {
        TriggerDesc *t = ((ResultRelInfo *) lfirst(cell))->ri_TrigDesc;

        if (t != NULL && (t->trig_delete_after_row || t->trig_delete_after_statement))
            return true;
    }
    return false;
}
