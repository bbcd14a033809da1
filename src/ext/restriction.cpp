#include "ext/restriction.h"

#include "ext/expression.h"

/* What stands for a column, or for the value of a domain, in an expression. */
typedef struct Replacement
{
    Relation table;
    AttrNumber value; /* the column whose domain it is; InvalidAttrNumber: none */
    bool generated;   /* replace generated columns by what they are made of */
    Relation leaf;    /* the columns are those of this partition; NULL: of the table */
} Replacement;

static Node *replace(Node *node, void *arg)
{
    Replacement *r = (Replacement *) arg;

    if (node == NULL)
        return NULL;
    if (IsA(node, CoerceToDomainValue) && r->value != InvalidAttrNumber) {
        CoerceToDomainValue *value = (CoerceToDomainValue *) node;

        return (Node *) makeVar(1, r->value, value->typeId, value->typeMod, value->collation, 0);
    }
    if (IsA(node, Var) && r->leaf != NULL && ((Var *) node)->varattno > 0) {
        Var *own = makeNode(Var);

        *own = *(Var *) node;
        own->varattno = own->varattnosyn = get_attnum(RelationGetRelid(r->table), get_attname(RelationGetRelid(r->leaf), own->varattno, false));
        return (Node *) own;
    }
    if (IsA(node, Var) && r->generated && ((Var *) node)->varattno > 0 &&
        TupleDescAttr(RelationGetDescr(r->table), ((Var *) node)->varattno - 1)->attgenerated != '\0')
        return build_column_default(r->table, ((Var *) node)->varattno);
    return vdf_tree_mutator(node, replace, arg);
}

static Node *replaced(Relation table, Node *node, AttrNumber value, bool generated)
{
    Replacement r = {table, value, generated, NULL};

    return replace(node, &r);
}

/* Adds the columns of an expression; false when it reads the whole row or what is no column. */
static bool add_columns(Relation table, Node *node, Bitmapset **columns)
{
    Bitmapset *found = NULL;
    int bit = -1;
    bool plain = true;

    pull_varattnos(replaced(table, node, InvalidAttrNumber, true), 1, &found);
    while ((bit = bms_next_member(found, bit)) >= 0) {
        int number = bit + FirstLowInvalidHeapAttributeNumber;

        if (number > 0)
            *columns = bms_add_member(*columns, number);
        else {
            plain = false;
            *columns = bms_add_range(*columns, 1, RelationGetNumberOfAttributes(table));
        }
    }
    return plain;
}

static VdfRestriction *restriction(List **found, VdfRestrictionKind kind, const char *name)
{
    VdfRestriction *r = (VdfRestriction *) palloc0(sizeof(VdfRestriction));

    r->kind = kind;
    r->name = pstrdup(name);
    *found = lappend(*found, r);
    return r;
}

static void add_check(List **found, Relation table, const char *name, Node *test)
{
    VdfRestriction *r = restriction(found, VDF_RESTRICTION_CHECK, name);

    r->test = test;
    r->unforeseeable = !add_columns(table, test, &r->columns) || contain_volatile_functions(test);
}

static void add_not_null(List **found, Relation table, AttrNumber number)
{
    VdfRestriction *r = restriction(found, VDF_RESTRICTION_NOT_NULL, NameStr(TupleDescAttr(RelationGetDescr(table), number - 1)->attname));

    r->columns = bms_make_singleton(number);
}

/* Rows that are equal by an index, or that an exclusion constraint sets against each other. */
static void add_index(List **found, Relation table, Relation index)
{
    Form_pg_index form = index->rd_index;
    VdfRestriction *r;
    List *expressions, *predicate;
    Oid *procedures;
    uint16 *strategies;
    int next = 0;

    if (!form->indisready || !(form->indisunique || form->indisexclusion))
        return;
    r = restriction(found, form->indisexclusion ? VDF_RESTRICTION_EXCLUSION : VDF_RESTRICTION_UNIQUE, RelationGetRelationName(index));
    r->nkeys = form->indnkeyatts;
    r->keys = (Node **) palloc(sizeof(Node *) * r->nkeys);
    r->operators = (Oid *) palloc(sizeof(Oid) * r->nkeys);
    r->collations = (Oid *) palloc(sizeof(Oid) * r->nkeys);
    r->nulls_equal = form->indnullsnotdistinct;
    expressions = RelationGetIndexExpressions(index);
    predicate = RelationGetIndexPredicate(index);
    if (form->indisexclusion)
        RelationGetExclusionInfo(index, &r->operators, &procedures, &strategies);
    for (int i = 0; i < r->nkeys; i++) {
        AttrNumber number = form->indkey.values[i];

        if (number != InvalidAttrNumber) {
            Form_pg_attribute a = TupleDescAttr(RelationGetDescr(table), number - 1);

            r->keys[i] = (Node *) makeVar(1, number, a->atttypid, a->atttypmod, a->attcollation, 0);
            if (a->attgenerated == '\0')
                r->plain = bms_add_member(r->plain, number);
        } else
            r->keys[i] = (Node *) list_nth(expressions, next++);
        if (!form->indisexclusion)
            r->operators[i] = get_opfamily_member(index->rd_opfamily[i], index->rd_opcintype[i], index->rd_opcintype[i], BTEqualStrategyNumber);
        r->collations[i] = index->rd_indcollation[i];
        r->unforeseeable = !add_columns(table, r->keys[i], &r->columns) || !OidIsValid(r->operators[i]) || r->unforeseeable;
    }
    if (predicate != NIL) {
        Bitmapset *columns = NULL;

        r->predicate = (Node *) make_ands_explicit(predicate);
        r->unforeseeable = !add_columns(table, r->predicate, &columns) || r->unforeseeable;
        /* What decides whether a row is in the index at all is more than a key. */
        r->plain = bms_del_members(r->plain, columns);
        r->columns = bms_add_members(r->columns, columns);
    }
}

List *vdf_restrictions(Relation table)
{
    TupleDesc desc = RelationGetDescr(table);
    List *found = NIL, *indexes;
    ListCell *cell;

    for (int i = 0; desc->constr != NULL && i < desc->constr->num_check; i++)
        if (vdf_check_enforced(&desc->constr->check[i]))
            add_check(&found, table, desc->constr->check[i].ccname, (Node *) stringToNode(desc->constr->check[i].ccbin));
    for (int i = 0; i < desc->natts; i++) {
        Form_pg_attribute a = TupleDescAttr(desc, i);

        if (!a->attisdropped && a->attnotnull && a->attgenerated == '\0')
            add_not_null(&found, table, a->attnum);
        else if (!a->attisdropped && a->attnotnull) {
            NullTest *test = makeNode(NullTest);

            test->arg = (Expr *) makeVar(1, a->attnum, a->atttypid, a->atttypmod, a->attcollation, 0);
            test->nulltesttype = IS_NOT_NULL;
            test->location = -1;
            add_check(&found, table, NameStr(a->attname), (Node *) test);
            ((VdfRestriction *) llast(found))->kind = VDF_RESTRICTION_NOT_NULL;
        }
    }
    indexes = RelationGetIndexList(table);
    foreach (cell, indexes) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        add_index(&found, table, index);
        index_close(index, AccessShareLock);
    }
    return found;
}

static Node *of_table(Relation table, Relation leaf, Node *node)
{
    Replacement r = {table, InvalidAttrNumber, false, leaf};

    return node ? replace(node, &r) : NULL;
}

static Bitmapset *columns_of_table(Relation table, Relation leaf, const Bitmapset *columns)
{
    Bitmapset *found = NULL;
    int number = -1;

    while ((number = bms_next_member(columns, number)) >= 0)
        if (!TupleDescAttr(RelationGetDescr(leaf), number - 1)->attisdropped)
            found = bms_add_member(found, get_attnum(RelationGetRelid(table), get_attname(RelationGetRelid(leaf), number, false)));
    return found;
}

/* Does the partition have it from the table? */
static bool is_inherited(Relation table, Relation leaf, const VdfRestriction *r)
{
    TupleDesc desc = RelationGetDescr(table);
    List *ancestors;
    Oid index;

    switch (r->kind) {
    case VDF_RESTRICTION_CHECK:
        for (int i = 0; desc->constr != NULL && i < desc->constr->num_check; i++)
            if (strcmp(desc->constr->check[i].ccname, r->name) == 0)
                return true;
        return false;
    case VDF_RESTRICTION_NOT_NULL: return TupleDescAttr(desc, get_attnum(RelationGetRelid(table), r->name) - 1)->attnotnull;
    default:
        index = get_relname_relid(r->name, RelationGetNamespace(leaf));
        ancestors = get_rel_relispartition(index) ? get_partition_ancestors(index) : NIL;
        return ancestors != NIL && IndexGetRelation(llast_oid(ancestors), false) == RelationGetRelid(table);
    }
}

List *vdf_leaf_restrictions(Relation table, Relation leaf)
{
    List *found = NIL;
    ListCell *cell;

    foreach (cell, vdf_restrictions(leaf)) {
        VdfRestriction *r = (VdfRestriction *) lfirst(cell);

        if (is_inherited(table, leaf, r))
            continue;
        r->leaf = RelationGetRelid(leaf);
        r->test = of_table(table, leaf, r->test);
        r->predicate = of_table(table, leaf, r->predicate);
        for (int i = 0; i < r->nkeys; i++)
            r->keys[i] = of_table(table, leaf, r->keys[i]);
        r->columns = columns_of_table(table, leaf, r->columns);
        r->plain = columns_of_table(table, leaf, r->plain);
        found = lappend(found, r);
    }
    return found;
}

Bitmapset *vdf_routing_columns(Relation table, Relation partitioned)
{
    PartitionKey key = RelationGetPartitionKey(partitioned);
    Bitmapset *columns = NULL;

    for (int i = 0; i < key->partnatts; i++)
        if (key->partattrs[i] != InvalidAttrNumber)
            columns = bms_add_member(columns, key->partattrs[i]);
    (void) add_columns(partitioned, (Node *) key->partexprs, &columns);
    return columns_of_table(table, partitioned, columns);
}

char *vdf_routing_text(Relation table, List *leaves, const char *alias)
{
    StringInfoData sql;
    ListCell *cell;

    initStringInfo(&sql);
    foreach (cell, leaves) {
        Relation leaf = table_open(lfirst_oid(cell), AccessShareLock);
        Node *test = of_table(table, leaf, (Node *) make_ands_explicit(RelationGetPartitionQual(leaf)));

        appendStringInfo(&sql, "%s(%s) IS NOT FALSE", sql.len ? " OR " : "", vdf_restriction_text(table, test, alias, true));
        table_close(leaf, AccessShareLock);
    }
    return sql.len ? sql.data : pstrdup("false");
}

List *vdf_domain_restrictions(Relation table, AttrNumber number)
{
    Oid type = TupleDescAttr(RelationGetDescr(table), number - 1)->atttypid;
    List *found = NIL;
    DomainConstraintRef *ref = (DomainConstraintRef *) palloc0(sizeof(DomainConstraintRef)); /* the context's end looks at it */
    ListCell *cell;

    if (get_typtype(type) != TYPTYPE_DOMAIN)
        return NIL;
    InitDomainConstraintRef(type, ref, CurrentMemoryContext, false);
    foreach (cell, ref->constraints) {
        DomainConstraintState *state = (DomainConstraintState *) lfirst(cell);

        if (state->constrainttype == DOM_CONSTRAINT_NOTNULL)
            add_not_null(&found, table, number);
        else
            add_check(&found, table, state->name, replaced(table, (Node *) state->check_expr, number, false));
    }
    return found;
}

bool vdf_columns_read(Relation table, Node *expression, Bitmapset **columns)
{
    return add_columns(table, expression, columns);
}

char *vdf_restriction_text(Relation table, Node *expression, const char *alias, bool fresh)
{
    return vdf_deparse(fresh ? replaced(table, expression, InvalidAttrNumber, true) : expression,
                       deparse_context_for(alias, RelationGetRelid(table)), true);
}
