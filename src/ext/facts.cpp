#include "ext/facts.h"

#include "ext/catalog.h"
#include "ext/partial_index.h"
#include "ext/report.h"
#include "ext/restriction.h"

static bool fires(char enabled)
{
    return enabled == TRIGGER_FIRES_ON_ORIGIN || enabled == TRIGGER_FIRES_ALWAYS;
}

static void learn_triggers(VdfFacts *facts, Relation table)
{
    TriggerDesc *triggers = table->trigdesc;

    for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++) {
        Trigger *t = &triggers->triggers[i];

        if (OidIsValid(t->tgconstraint) && RI_FKey_trigger_type(t->tgfoid) != RI_TRIGGER_NONE) {
            if (!fires(t->tgenabled) && facts->disabled_ri == NULL)
                facts->disabled_ri = get_constraint_name(t->tgconstraint);
            continue;
        }
        if (!fires(t->tgenabled) || t->tgfoid == F_UNIQUE_KEY_RECHECK) /* of a deferrable unique constraint */
            continue;
        if (TRIGGER_FOR_BEFORE(t->tgtype) && TRIGGER_FOR_ROW(t->tgtype)) {
            if (TRIGGER_FOR_DELETE(t->tgtype) && facts->delete_keeper == NULL)
                facts->delete_keeper = psprintf("trigger \"%s\"", t->tgname);
            if (TRIGGER_FOR_UPDATE(t->tgtype) && facts->update_keeper == NULL)
                facts->update_keeper = psprintf("trigger \"%s\"", t->tgname);
        }
        if (TRIGGER_FOR_DELETE(t->tgtype) && facts->delete_trigger == NULL)
            facts->delete_trigger = pstrdup(t->tgname);
        if (TRIGGER_FOR_UPDATE(t->tgtype) && facts->update_trigger == NULL)
            facts->update_trigger = pstrdup(t->tgname);
    }
}

static void learn_rules(VdfFacts *facts, Relation table)
{
    Relation catalog;
    SysScanDesc scan;
    ScanKeyData key;
    HeapTuple tuple;

    if (table->rd_rules == NULL || table->rd_rules->numLocks == 0)
        return;
    catalog = table_open(RewriteRelationId, AccessShareLock);
    ScanKeyInit(&key, Anum_pg_rewrite_ev_class, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(RelationGetRelid(table)));
    scan = systable_beginscan(catalog, RewriteRelRulenameIndexId, true, NULL, 1, &key);
    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Form_pg_rewrite rule = (Form_pg_rewrite) GETSTRUCT(tuple);

        if (!fires(rule->ev_enabled))
            continue;
        if (rule->ev_type == '0' + CMD_DELETE) {
            facts->delete_rule = true;
            facts->delete_keeper = psprintf("rule \"%s\"", NameStr(rule->rulename));
        }
        if (rule->ev_type == '0' + CMD_UPDATE) {
            facts->update_rule = true;
            facts->update_keeper = psprintf("rule \"%s\"", NameStr(rule->rulename));
        }
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
}

/*
 * As the server asks before a DELETE or UPDATE of the table. It is the partition that has the identity: nothing that is
 * said of the partitioned table changes it.
 */
static void learn_fault(Relation table, const PublicationDesc *publication, bool removes, char **fault, char **remedy)
{
    const char *found = NULL;
    char *call = psprintf("ALTER TABLE %s REPLICA IDENTITY FULL;", vdf_relation_name(RelationGetRelid(table)));

    if (removes ? !publication->rf_valid_for_delete : !publication->rf_valid_for_update)
        found = "a publication filters rows by a column that is not in the replica identity";
    else if (removes ? !vdf_publishes_identity_for_delete(publication) : !vdf_publishes_identity_for_update(publication)) {
        found = "a publication leaves out a column of the replica identity";
        call = NULL; /* what to publish is for whoever publishes it */
    } else if (table->rd_rel->relreplident != REPLICA_IDENTITY_FULL && !OidIsValid(RelationGetReplicaIndex(table)) &&
               (removes ? publication->pubactions.pubdelete : publication->pubactions.pubupdate))
        found = "the table is published and has no replica identity";
    if (found == NULL)
        return;
    if (*fault == NULL)
        *fault = pstrdup(found);
    if (call != NULL)
        *remedy = *remedy ? psprintf("%s %s", *remedy, call) : call;
}

static void learn_publication(VdfFacts *facts, Relation table)
{
    PublicationDesc publication;

    if (table->rd_rel->relkind != RELKIND_RELATION)
        return;
    RelationBuildPublicationDesc(table, &publication);
    learn_fault(table, &publication, true, &facts->no_replica, &facts->replica_remedy);
    learn_fault(table, &publication, false, &facts->no_replica_update, &facts->replica_update_remedy);
}

/* The relation was there when the plan was made. */
static Relation open_planned(Oid relation)
{
    Relation table = try_relation_open(relation, AccessShareLock);

    if (table == NULL)
        ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the schema or the policy changed during the deletion"),
                        errdetail("A table of the plan was dropped. Nothing was changed."), errhint("Run the statement again.")));
    return table;
}

VdfFacts *vdf_facts(VdfDeletionPlan *plan, Oid relation)
{
    bool found;
    VdfFacts *facts = (VdfFacts *) hash_search(plan->facts, &relation, HASH_FIND, &found);
    VdfFacts learned;
    MemoryContext caller;
    List *tables;
    ListCell *cell;

    if (found)
        return facts;
    caller = MemoryContextSwitchTo(plan->context);
    memset(&learned, 0, sizeof(VdfFacts));
    learned.relation = relation;
    tables = get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE
                 ? find_all_inheritors(relation, AccessShareLock, NULL)
                 : list_make1_oid(relation);
    foreach (cell, tables) {
        Relation table = open_planned(lfirst_oid(cell));

        learned.foreign = learned.foreign || table->rd_rel->relkind == RELKIND_FOREIGN_TABLE;
        learn_triggers(&learned, table);
        if (lfirst_oid(cell) == relation)
            learn_rules(&learned, table); /* rules of partitions do not apply through the root */
        learn_publication(&learned, table);
        relation_close(table, AccessShareLock);
    }
    facts = (VdfFacts *) hash_search(plan->facts, &relation, HASH_ENTER, &found);
    *facts = learned;
    MemoryContextSwitchTo(caller);
    return facts;
}

/* What only partitions demand, and what tells them apart. Most of a thousand demand nothing of their own, so nothing of them is kept. */
static void learn_partitions(VdfFacts *facts, Relation table)
{
    MemoryContext kept = CurrentMemoryContext, scratch = AllocSetContextCreate(kept, "vedfolnir partitions", ALLOCSET_DEFAULT_SIZES);
    ListCell *cell;

    foreach (cell, find_all_inheritors(RelationGetRelid(table), AccessShareLock, NULL)) {
        Relation part = open_planned(lfirst_oid(cell));

        if (part->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
            facts->routing = bms_add_members(facts->routing, vdf_routing_columns(table, part));
        else {
            bool any;

            CHECK_FOR_INTERRUPTS();
            MemoryContextSwitchTo(scratch);
            any = vdf_leaf_restrictions(table, part) != NIL;
            MemoryContextSwitchTo(kept);
            MemoryContextReset(scratch);
            if (any)
                facts->restrictions = list_concat(facts->restrictions, vdf_leaf_restrictions(table, part));
        }
        relation_close(part, AccessShareLock);
    }
    MemoryContextDelete(scratch);
}

const Bitmapset *vdf_facts_routing(VdfDeletionPlan *plan, Oid relation)
{
    (void) vdf_facts_restrictions(plan, relation);
    return vdf_facts(plan, relation)->routing;
}

List *vdf_facts_restrictions(VdfDeletionPlan *plan, Oid relation)
{
    VdfFacts *facts = vdf_facts(plan, relation);

    if (!facts->restrictions_known) {
        MemoryContext caller = MemoryContextSwitchTo(plan->context);
        Relation table = open_planned(relation);

        facts->restrictions = vdf_restrictions(table);
        if (table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
            learn_partitions(facts, table);
        facts->restrictions_known = true;
        relation_close(table, AccessShareLock);
        MemoryContextSwitchTo(caller);
    }
    return facts->restrictions;
}

/* Does an index begin with the edge's columns, in any order, and hold every row that refers? */
static bool leads_with(Relation index, const VdfEdgeInfo *edge)
{
    Form_pg_index form = index->rd_index;

    if (!form->indisvalid || form->indnkeyatts < edge->nattributes)
        return false;
    for (int i = 0; i < edge->nattributes; i++) {
        bool found = false;

        for (int j = 0; j < edge->nattributes; j++)
            found = found || form->indkey.values[i] == edge->attributes[j];
        if (!found)
            return false;
    }
    return vdf_index_holds_values(index, edge->nattributes, edge->attributes);
}

static char *missing_index(const VdfDeletionPlan *plan, int edge)
{
    const VdfEdgeInfo *info = &plan->edges[edge];
    Relation table;
    List *indexes;
    ListCell *cell;
    bool found = false;
    StringInfoData columns;

    /* An index on the column does not help where the values are computed, or elements of an array. */
    for (int i = 0; i < info->nattributes; i++)
        if (info->attributes[i] == InvalidAttrNumber || plan->graph.edges[edge].pairs[i].any)
            return pstrdup("");
    table = open_planned(info->relation);
    indexes = RelationGetIndexList(table);
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        found = found || leads_with(index, info);
        index_close(index, AccessShareLock);
    }
    relation_close(table, AccessShareLock);
    if (found || info->nattributes == 0)
        return pstrdup("");
    initStringInfo(&columns);
    for (int i = 0; i < info->nattributes; i++)
        appendStringInfo(&columns, "%s%s", i ? ", " : "",
                         quote_identifier(get_attname(info->relation, info->attributes[i], false)));
    return psprintf("no index on (%s): CREATE INDEX%s ON %s (%s);", columns.data,
                    get_rel_relkind(info->relation) == RELKIND_PARTITIONED_TABLE ? "" : " CONCURRENTLY",
                    plan->graph.edges[edge].display, columns.data);
}

const char *vdf_missing_index(VdfDeletionPlan *plan, int edge)
{
    if (plan->missing_index == NULL)
        plan->missing_index = (char **) MemoryContextAllocZero(plan->context, sizeof(char *) * (plan->graph.nedges + 1));
    if (plan->missing_index[edge] == NULL)
        plan->missing_index[edge] = MemoryContextStrdup(plan->context, missing_index(plan, edge));
    return plan->missing_index[edge];
}
