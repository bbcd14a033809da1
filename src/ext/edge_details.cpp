/*
 * edge_details.cpp: what a plan knows of an edge that the walk can reach, and why the edge cannot do what its policy says.
 */
#include "ext/deletion_plan.h"

#include "ext/catalog.h"
#include "ext/report.h"
#include "ext/unique.h"

/* What the nodes are called is not made once more for each edge: there may be thousands. */
static void describe_relation(const VdfDeletionPlan *plan, VdfEdge *edge, const VdfEdgeInfo *info)
{
    const VdfNode *child = &plan->graph.nodes[edge->child], *parent = &plan->graph.nodes[edge->parent];

    edge->schema = child->schema;
    edge->relation = child->relation;
    edge->display = child->display;
    edge->from = child->from;
    if (info->relation != plan->nodes[edge->child].relation) {
        edge->schema = get_namespace_name(get_rel_namespace(info->relation));
        edge->relation = get_rel_name(info->relation);
        edge->display = vdf_relation_name(info->relation);
        edge->from = vdf_from_clause(info->relation);
    }
    edge->parent_from = info->parent_relation == plan->nodes[edge->parent].relation ? parent->from : vdf_from_clause(info->parent_relation);
    if (vdf_partition_root(info->parent_relation) != info->parent_relation)
        edge->parent_leaves = vdf_partition_leaves(info->parent_relation);
    if (vdf_partition_root(info->relation) != info->relation)
        edge->child_leaves = vdf_partition_leaves(info->relation);
}

/* A key to reassign to is read as the parent's column reads it. */
static void referred_type(const VdfForeignKey *key, const VdfLink *link, VdfEdgeInfo *info)
{
    AttrNumber number = key ? vdf_referred_column(key) : get_attnum(link->parent, link->parent_columns[0]);
    Oid collation;

    if (number != InvalidAttrNumber)
        get_atttypetypmodcoll(info->parent_relation, number, &info->reassign_type, &info->reassign_typmod, &collation);
}

/* Is there at most one parent with these values? */
static bool names_one_parent(const VdfLink *link)
{
    Relation table = table_open(link->parent, AccessShareLock);
    Bitmapset *columns = NULL;
    bool unique = false;
    ListCell *cell;

    for (int i = 0; i < link->npairs; i++)
        columns = bms_add_member(columns, get_attnum(link->parent, link->parent_columns[i]));
    foreach (cell, RelationGetIndexList(table))
        unique = unique || vdf_keeps_apart(lfirst_oid(cell), columns);
    table_close(table, AccessShareLock);
    return unique;
}

static void link_details(VdfDeletionPlan *plan, VdfLink *link, VdfEdge *edge, VdfEdgeInfo *info)
{
    VdfPair *pairs = (VdfPair *) palloc0(sizeof(VdfPair) * link->npairs);

    for (int i = 0; i < link->npairs; i++) {
        const char *column = link->columns ? link->columns[i] : NULL;

        if (get_attnum(link->parent, link->parent_columns[i]) == InvalidAttrNumber ||
            (column && get_attnum(link->relation, column) == InvalidAttrNumber)) {
            vdf_configuration_stale(plan->configuration, edge->schema, edge->relation, edge->name,
                                    "a link names a column that does not exist any more");
            edge->blocker = "a column of the link is gone";
            edge->policy = VDF_ACTION_BLOCK;
            return;
        }
        vdf_link_pair(link->relation, column, link->expression, link->parent, link->parent_columns[i], &pairs[i]);
        info->attributes[i] = column ? get_attnum(link->relation, column) : InvalidAttrNumber;
    }
    info->many = pairs[0].any || !names_one_parent(link);
    edge->pairs = pairs;
    edge->npairs = info->nattributes = link->npairs;
    edge->condition = link->condition;
    vdf_set_columns(link->relation, info->attributes, link->npairs, true,
                    vdf_edge_action(edge->declared, edge->policy) == VDF_ACTION_DEFAULT, edge);
}

static const char *names_of_not_null(const VdfEdge *edge)
{
    for (int i = 0; i < edge->nsets; i++)
        if (edge->sets[i].not_null)
            return edge->sets[i].column;
    return NULL;
}

/* A column that the server computes, or an identity that it guards: no UPDATE may set it. */
static const char *name_of_computed(const VdfEdgeInfo *info)
{
    for (int i = 0; i < info->nattributes; i++)
        if (info->attributes[i] != InvalidAttrNumber && vdf_is_computed(info->relation, info->attributes[i]))
            return quote_identifier(get_attname(info->relation, info->attributes[i], false));
    return NULL;
}

/* Why an edge that changes references cannot do so; NULL when it can. */
static const char *predict_blocker(VdfDeletionPlan *plan, const VdfEdge *edge, const VdfEdgeInfo *info)
{
    char action = vdf_edge_action(edge->declared, edge->policy);
    const char *not_null = names_of_not_null(edge);

    if (action == VDF_ACTION_NULLIFY && !(edge->npairs > 0 && edge->pairs[0].any)) {
        if (edge->nsets == 0)
            return "an expression cannot be set to NULL";
        if (not_null)
            return psprintf("column %s cannot be set to NULL", not_null);
    }
    if (action == VDF_ACTION_DEFAULT) {
        if (edge->nsets == 0)
            return "an expression has no default";
        for (int i = 0; i < edge->nsets; i++)
            if (edge->sets[i].not_null && strcmp(edge->sets[i].defaults, "NULL") == 0)
                return psprintf("column %s has no default and cannot be NULL", edge->sets[i].column);
    }
    if ((action == VDF_ACTION_DEFAULT || action == VDF_ACTION_REASSIGN ||
         (action == VDF_ACTION_NULLIFY && edge->npairs > 0 && edge->pairs[0].any)) && name_of_computed(info))
        return psprintf("column %s is computed by the server", name_of_computed(info));
    if (action == VDF_ACTION_REASSIGN && (edge->npairs != 1 || edge->nsets != 1))
        return "only a reference of one column can be reassigned";
    if (action == VDF_ACTION_REASSIGN && edge->pairs[0].any)
        return "references in an array cannot be reassigned";
    if (action == VDF_ACTION_RETAIN && !edge->link && !(plan->configuration->tombstone && edge->parent == plan->graph.root))
        return "rows cannot be retained: the row they refer to goes";
    return NULL;
}

void vdf_edge_details(VdfDeletionPlan *plan, const VdfForeignKey *key, VdfLink *link, const VdfPolicy *policy, VdfEdge *edge,
                      VdfEdgeInfo *info)
{
    info->relation = key ? key->relation : link->relation;
    info->parent_relation = key ? key->referenced : link->parent;
    info->declared_on = key ? key->declared_on : link->relation;
    info->constraint = key && key->declared_on == key->relation ? key->oid : InvalidOid;
    info->owner = vdf_relation_owner(info->relation);
    info->deferrable = key && key->deferrable;
    describe_relation(plan, edge, info);
    if (key)
        vdf_key_details(key, edge, info->attributes, &info->nattributes);
    else
        link_details(plan, link, edge, info);
    info->on_key = edge->npairs == 1 && edge->parent == plan->graph.root &&
                   strcmp(edge->pairs[0].parent_column, plan->graph.key_column) == 0;
    if (policy) {
        info->reason = policy->reason;
        info->reassign_to = policy->reassign_to;
        edge->reassign_expression = policy->reassign_expression;
        if (policy->action == VDF_ACTION_REASSIGN)
            referred_type(key, link, info);
    }
    if (edge->blocker == NULL)
        edge->blocker = predict_blocker(plan, edge, info);
}
