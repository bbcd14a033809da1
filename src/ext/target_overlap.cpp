#include "ext/target_overlap.h"

#include "bridge/wall.h"
#include "ext/report.h"

/* The literal text before the first column; "" for an expression, which may be anything. */
static char *literal_beginning(const char *target)
{
    VdfTemplatePart parts[VDF_TEMPLATE_PARTS];
    VdfError error;
    int n, size = strlen(target) + VDF_TEMPLATE_PARTS + 1;
    char *buffer = (char *) palloc(size);

    if (target[0] == '=')
        return pstrdup("");
    if (!vdf_template_parse(target, parts, &n, buffer, size, &error))
        vdf_raise(&error);
    return n > 0 && !parts[0].column ? pstrdup(parts[0].text) : pstrdup("");
}

/* Is the only column of a template unique, and does its text name one value each? */
static bool names_one_row(const VdfCleanup *rule)
{
    VdfTemplatePart parts[VDF_TEMPLATE_PARTS];
    VdfError error;
    int n, columns = 0, size = strlen(rule->target) + VDF_TEMPLATE_PARTS + 1;
    char *buffer = (char *) palloc(size);
    AttrNumber number = InvalidAttrNumber;
    Relation table;
    List *indexes;
    ListCell *cell;
    bool found = false;

    /* Spellings of a path differ though the file is one. */
    if (rule->target[0] == '=' || strcmp(rule->kind, "file") == 0 || strcmp(rule->kind, "directory") == 0)
        return false;
    if (!vdf_template_parse(rule->target, parts, &n, buffer, size, &error))
        vdf_raise(&error);
    for (int i = 0; i < n; i++)
        if (parts[i].column) {
            number = get_attnum(rule->relation, parts[i].text);
            columns++;
        }
    if (columns != 1 || number == InvalidAttrNumber)
        return false;
    switch (getBaseType(get_atttype(rule->relation, number))) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case UUIDOID:
    case TEXTOID:
    case VARCHAROID:
        break;
    default:
        return false;
    }
    table = table_open(rule->relation, AccessShareLock);
    indexes = RelationGetIndexList(table);
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        found = found || (index->rd_index->indisunique && index->rd_index->indisvalid && index->rd_index->indnkeyatts == 1 &&
                          index->rd_index->indkey.values[0] == number &&
                          heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL));
        index_close(index, AccessShareLock);
    }
    table_close(table, AccessShareLock);
    return found;
}

bool vdf_targets_may_overlap(VdfDeletionPlan *plan, int rule, int other)
{
    char *left, *right;

    if (rule == other) {
        if (plan->rule_unique[rule] == 0)
            plan->rule_unique[rule] = names_one_row(plan->rules[rule]) ? 1 : -1;
        return plan->rule_unique[rule] < 0;
    }
    if (strcmp(plan->rules[rule]->kind, "file") == 0 || strcmp(plan->rules[rule]->kind, "directory") == 0)
        return true;
    left = literal_beginning(plan->rules[rule]->target);
    right = literal_beginning(plan->rules[other]->target);
    return strncmp(left, right, Min(strlen(left), strlen(right))) == 0;
}
