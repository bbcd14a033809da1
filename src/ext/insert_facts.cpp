#include "ext/insert_facts.h"

#define KEPT_TABLES 8

static VdfInsertFacts *kept[KEPT_TABLES];
static int nkept = 0;
static bool watching = false;

static void relation_changed(Datum arg, Oid relation)
{
    for (int i = 0; i < nkept; i++)
        if (!OidIsValid(relation) || kept[i]->relation == relation)
            kept[i]->valid = false;
}

static bool is_of_others(Oid function, void *context)
{
    return function >= FirstNormalObjectId;
}

/* A function that somebody can replace, or a domain, whose constraints can change, would need to be watched as well. */
static bool asks_others(Node *node, void *context)
{
    if (node == NULL)
        return false;
    if (IsA(node, CoerceToDomain) || check_functions_in_node(node, is_of_others, NULL))
        return true;
    return vdf_tree_walker(node, asks_others, context);
}

static Expr *planned(VdfInsertFacts *facts, Node *expression)
{
    if (asks_others(expression, NULL))
        facts->plain = false;
    return expression_planner((Expr *) expression);
}

static void learn_columns(VdfInsertFacts *facts, Relation table)
{
    TupleDesc desc = RelationGetDescr(table);

    facts->defaults = (Expr **) palloc0(sizeof(Expr *) * desc->natts);
    facts->generated = (Expr **) palloc0(sizeof(Expr *) * desc->natts);
    for (int i = 0; i < desc->natts; i++) {
        Form_pg_attribute attribute = TupleDescAttr(desc, i);
        Node *expression = attribute->attisdropped ? NULL : build_column_default(table, i + 1);

        if (expression == NULL)
            continue;
        if (attribute->attgenerated == '\0')
            facts->defaults[i] = planned(facts, expression);
        else if (attribute->attgenerated == ATTRIBUTE_GENERATED_STORED)
            facts->generated[i] = planned(facts, expression);
        else
            facts->plain = false;
    }
}

static void learn_checks(VdfInsertFacts *facts, Relation table)
{
    TupleConstr *constraints = RelationGetDescr(table)->constr;

    if (constraints == NULL)
        return;
    facts->nchecks = constraints->num_check;
    facts->checks = (Expr **) palloc0(sizeof(Expr *) * (facts->nchecks + 1));
    for (int i = 0; i < facts->nchecks; i++) {
        if (!vdf_check_enforced(&constraints->check[i]))
            facts->plain = false;
        facts->checks[i] = planned(facts, (Node *) stringToNode(constraints->check[i].ccbin));
    }
}

static VdfInsertFacts *learn(Relation table)
{
    MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "vedfolnir insert", ALLOCSET_SMALL_SIZES);
    MemoryContext caller = MemoryContextSwitchTo(context);
    VdfInsertFacts *facts = (VdfInsertFacts *) palloc0(sizeof(VdfInsertFacts));

    facts->context = context;
    facts->relation = RelationGetRelid(table);
    facts->plain = true;
    learn_columns(facts, table);
    learn_checks(facts, table);
    MemoryContextSwitchTo(caller);
    return facts;
}

VdfInsertFacts *vdf_insert_facts(Relation table)
{
    VdfInsertFacts *facts;
    int at = 0;

    if (!watching)
        CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
    watching = true;
    while (at < nkept && kept[at]->relation != RelationGetRelid(table))
        at++;
    if (at < nkept && kept[at]->valid)
        return kept[at];
    /* A table of before DROP and CREATE EXTENSION gives way. */
    if (at == KEPT_TABLES)
        at = 0;
    facts = learn(table);
    if (at < nkept)
        MemoryContextSetParent(kept[at]->context, TopTransactionContext); /* a call that this one is inside of may use it */
    else
        nkept++;
    MemoryContextSetParent(facts->context, CacheMemoryContext);
    kept[at] = facts;
    facts->valid = facts->plain;
    return facts;
}

const AttrNumber *vdf_insert_attributes(VdfInsertFacts *facts, Relation table, int ncolumns, const char *const *columns)
{
    AttrNumber *attributes;

    if (facts->columns == columns)
        return facts->attributes;
    attributes = (AttrNumber *) MemoryContextAlloc(facts->context, sizeof(AttrNumber) * ncolumns);
    for (int i = 0; i < ncolumns; i++) {
        attributes[i] = get_attnum(RelationGetRelid(table), columns[i]);
        if (attributes[i] == InvalidAttrNumber)
            elog(ERROR, "vedfolnir.%s has no column \"%s\"", RelationGetRelationName(table), columns[i]);
    }
    facts->attributes = attributes;
    facts->columns = columns;
    return attributes;
}
