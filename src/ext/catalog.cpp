#include "ext/catalog.h"

#include "ext/execute.h"
#include "ext/expression.h"
#include "ext/report.h"

Oid vdf_partition_root(Oid relation)
{
    List *ancestors;

    if (!get_rel_relispartition(relation))
        return relation;
    ancestors = get_partition_ancestors(relation);
    return ancestors == NIL ? relation : llast_oid(ancestors);
}

Oid vdf_relation_owner(Oid relation)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    Oid owner;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for relation %u", relation);
    owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

char *vdf_partition_leaves(Oid relation)
{
    List *all = find_all_inheritors(relation, NoLock, NULL);
    StringInfoData text;
    ListCell *cell;

    initStringInfo(&text);
    foreach (cell, all)
        appendStringInfo(&text, "%s%u", text.len ? "," : "{", lfirst_oid(cell));
    appendStringInfoChar(&text, '}');
    return text.data;
}

char *vdf_from_clause(Oid relation)
{
    return psprintf("%s%s", get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE ? "" : "ONLY ",
                    vdf_relation_name(relation));
}

char *vdf_operator(Oid op)
{
    HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(op));
    Form_pg_operator form;
    char *text;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for operator %u", op);
    form = (Form_pg_operator) GETSTRUCT(tuple);
    text = psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form->oprnamespace)), NameStr(form->oprname));
    ReleaseSysCache(tuple);
    return text;
}

char *vdf_cast(Oid type)
{
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    Form_pg_type form;
    char *text;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for type %u", type);
    form = (Form_pg_type) GETSTRUCT(tuple);
    text = psprintf("::%s", quote_qualified_identifier(get_namespace_name(form->typnamespace), NameStr(form->typname)));
    ReleaseSysCache(tuple);
    return text;
}

char *vdf_collate(Oid collation)
{
    HeapTuple tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
    Form_pg_collation form;
    char *text;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for collation %u", collation);
    form = (Form_pg_collation) GETSTRUCT(tuple);
    text = psprintf(" COLLATE %s",
                    quote_qualified_identifier(get_namespace_name(form->collnamespace), NameStr(form->collname)));
    ReleaseSysCache(tuple);
    return text;
}

/*
 * Compares as RI checks a new row: the constraint's operator, both sides cast to its types, the parent's collation.
 * Where all collations are deterministic equality is the same under each, and the child's lets its index be used.
 * RI's own cascade takes a nondeterministic collation of the child, and with it rows that refer to another parent.
 */
static void compare_columns(VdfPair *pair, Oid op, Oid parent_type, Oid parent_collation, Oid child_type,
                            Oid child_collation)
{
    Oid left, right;

    op_input_types(op, &left, &right);
    pair->op = vdf_operator(op);
    pair->parent_cast = parent_type == left ? "" : vdf_cast(left);
    pair->child_cast = child_type == right ? "" : vdf_cast(right);
    if (!OidIsValid(parent_collation) || !OidIsValid(child_collation) || parent_collation == child_collation)
        return;
    if (get_collation_isdeterministic(parent_collation) && get_collation_isdeterministic(child_collation))
        pair->parent_cast = psprintf("%s%s", pair->parent_cast, vdf_collate(child_collation));
    else
        pair->child_cast = psprintf("%s%s", pair->child_cast, vdf_collate(parent_collation));
}

static void attribute(Oid relation, AttrNumber number, char **name, Oid *type, Oid *collation)
{
    int32 typmod;

    *name = get_attname(relation, number, false);
    get_atttypetypmodcoll(relation, number, type, &typmod, collation);
}

static bool domain_not_null(Oid type)
{
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
    bool not_null = HeapTupleIsValid(tuple) && ((Form_pg_type) GETSTRUCT(tuple))->typnotnull;

    if (HeapTupleIsValid(tuple))
        ReleaseSysCache(tuple);
    return not_null;
}

bool vdf_forbids_null(Oid relation, AttrNumber number, bool *generated)
{
    HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(number));
    Form_pg_attribute form;
    bool not_null;

    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for attribute %d of relation %u", number, relation);
    form = (Form_pg_attribute) GETSTRUCT(tuple);
    not_null = form->attnotnull || domain_not_null(form->atttypid);
    *generated = form->attgenerated != '\0';
    ReleaseSysCache(tuple);
    return not_null;
}

bool vdf_is_computed(Oid relation, AttrNumber number)
{
    HeapTuple tuple = SearchSysCache2(ATTNUM, ObjectIdGetDatum(relation), Int16GetDatum(number));
    bool computed = HeapTupleIsValid(tuple) && (((Form_pg_attribute) GETSTRUCT(tuple))->attgenerated != '\0' ||
                                                ((Form_pg_attribute) GETSTRUCT(tuple))->attidentity == ATTRIBUTE_IDENTITY_ALWAYS);

    if (HeapTupleIsValid(tuple))
        ReleaseSysCache(tuple);
    return computed;
}

/* The default of a column as SQL, "NULL" when it has none. */
static char *default_text(Oid relation, AttrNumber number)
{
    Relation table = table_open(relation, AccessShareLock);
    Node *expression = build_column_default(table, number);
    char *text = pstrdup("NULL");

    if (expression != NULL)
        text = vdf_deparse(expression, NIL, false);
    table_close(table, AccessShareLock);
    return text;
}

void vdf_set_columns(Oid relation, const AttrNumber *attributes, int n, bool only_nullable, bool defaults, VdfEdge *edge)
{
    VdfSet *sets = (VdfSet *) palloc0(sizeof(VdfSet) * (n + 1));
    int kept = 0, nullable = 0;

    for (int i = 0; i < n; i++) {
        bool generated;

        if (attributes[i] == InvalidAttrNumber)
            continue;
        sets[kept].column = quote_identifier(get_attname(relation, attributes[i], false));
        sets[kept].not_null = vdf_forbids_null(relation, attributes[i], &generated) || generated;
        sets[kept].defaults = defaults ? default_text(relation, attributes[i]) : "NULL";
        nullable += !sets[kept++].not_null;
    }
    /* One NULL is enough to clear a reference, so a policy leaves columns that cannot be NULL alone. */
    if (only_nullable && nullable > 0) {
        int m = 0;

        for (int i = 0; i < kept; i++)
            if (!sets[i].not_null)
                sets[m++] = sets[i];
        kept = m;
    }
    edge->sets = sets;
    edge->nsets = kept;
}

/* An inheriting table numbers its columns otherwise. */
static void translate_columns(const VdfForeignKey *key, AttrNumber *columns, int n)
{
    for (int i = 0; key->declared_on != key->relation && i < n; i++)
        columns[i] = get_attnum(key->relation, get_attname(key->declared_on, columns[i], false));
}

void vdf_key_details(const VdfForeignKey *key, VdfEdge *edge, AttrNumber *attributes, int *nattributes)
{
    HeapTuple row = key->row != NULL ? key->row : SearchSysCache1(CONSTROID, ObjectIdGetDatum(key->oid));
    AttrNumber referring[INDEX_MAX_KEYS], referred[INDEX_MAX_KEYS], set[INDEX_MAX_KEYS];
    Oid equal[INDEX_MAX_KEYS], equal_parent[INDEX_MAX_KEYS], equal_child[INDEX_MAX_KEYS];
    int n, nset;
    VdfPair *pairs;
    char action = vdf_edge_action(edge->declared, edge->policy);

    if (!HeapTupleIsValid(row))
        ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("a foreign key was dropped while the plan was made"),
                        errhint("Run the statement again.")));
    DeconstructFkConstraintRow(row, &n, referring, referred, equal, equal_parent, equal_child, &nset, set);
    if (key->row == NULL)
        ReleaseSysCache(row);
    translate_columns(key, referring, n);
    translate_columns(key, set, nset);

    pairs = (VdfPair *) palloc0(sizeof(VdfPair) * n);
    for (int i = 0; i < n; i++) {
        char *parent_name, *child_name;
        Oid parent_type, parent_collation, child_type, child_collation;

        attribute(key->referenced, referred[i], &parent_name, &parent_type, &parent_collation);
        attribute(key->relation, referring[i], &child_name, &child_type, &child_collation);
        pairs[i].parent_column = quote_identifier(parent_name);
        pairs[i].child = quote_identifier(child_name);
        pairs[i].child_is_column = true;
        compare_columns(&pairs[i], equal[i], parent_type, parent_collation, child_type, child_collation);
        attributes[i] = referring[i];
    }
    edge->pairs = pairs;
    edge->npairs = *nattributes = n;
    /* SET NULL (columns) holds for the declared action, and for a policy that says the same. */
    if (nset > 0 && edge->declared == action)
        vdf_set_columns(key->relation, set, nset, false, action == VDF_ACTION_DEFAULT, edge);
    else
        vdf_set_columns(key->relation, referring, n, edge->policy == VDF_ACTION_NULLIFY && !key->full, action == VDF_ACTION_DEFAULT,
                        edge);
}

void vdf_link_pair(Oid relation, const char *column, const char *expression, Oid parent, const char *parent_column,
                   VdfPair *pair)
{
    Oid parent_type, parent_collation, child_type = TEXTOID, child_collation = DEFAULT_COLLATION_OID, element;
    int32 typmod;
    Oid op = InvalidOid;

    get_atttypetypmodcoll(parent, get_attnum(parent, parent_column), &parent_type, &typmod, &parent_collation);
    pair->parent_column = quote_identifier(parent_column);
    if (column != NULL) {
        get_atttypetypmodcoll(relation, get_attnum(relation, column), &child_type, &typmod, &child_collation);
        pair->child = quote_identifier(column);
        pair->child_is_column = true;
    } else {
        Node *node = vdf_expression_parse(relation, expression, false);

        child_type = exprType(node);
        child_collation = exprCollation(node);
        pair->child = expression;
        pair->child_is_column = false;
    }
    element = get_base_element_type(child_type); /* a domain over an array holds references as well */
    if (OidIsValid(element) && getBaseType(parent_type) != getBaseType(child_type)) {
        pair->any = true;
        child_type = element;
    }
    /* The types' own equality where there is one for both, else the comparison of their text forms. */
    if (getBaseType(parent_type) == getBaseType(child_type))
        op = lookup_type_cache(parent_type, TYPECACHE_EQ_OPR)->eq_opr;
    else { /* implicit casts count: as text, the numeric 1.0 would not be the bigint 1 */
        Operator found = oper(NULL, list_make2(makeString(pstrdup("pg_catalog")), makeString(pstrdup("="))),
                              getBaseType(parent_type), getBaseType(child_type), true, -1);

        if (found != NULL) {
            op = oprid(found);
            ReleaseSysCache(found);
        }
    }
    if (OidIsValid(op)) {
        compare_columns(pair, op, parent_type, parent_collation, child_type, child_collation);
        if (pair->any)
            pair->child_cast = "";
        return;
    }
    pair->op = "OPERATOR(pg_catalog.=)";
    pair->parent_cast = "::pg_catalog.text";
    pair->child_cast = pair->any ? "::pg_catalog.text[]" : "::pg_catalog.text";
}
