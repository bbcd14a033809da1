#include "ext/new_key.h"

#include "ext/catalog.h"
#include "ext/report.h"

/* A key of the node's relation whose columns are written. */
typedef struct Key
{
    VdfForeignKey key;
    Bitmapset *columns;
    VdfClaim *claim;
    bool parent_changes;
    Oid leaf; /* the partition that alone has it; 0: all rows do */
} Key;

int vdf_edge_of(const VdfDeletionPlan *plan, Oid constraint)
{
    for (int i = 0; i < plan->graph.nedges; i++)
        if (plan->edges[i].constraint == constraint)
            return i;
    return -1;
}

/* Does phase N write what the key refers to? Then the row that it leads to is not yet there, or there no more. */
static bool parent_changes(const VdfRun *run, Form_pg_constraint key, const ForeignKeyCacheInfo *info)
{
    const VdfGraph *graph = &run->plan->graph;

    for (int i = 0; i < info->nkeys; i++) {
        const char *column = quote_identifier(get_attname(key->confrelid, info->confkey[i], false));

        for (int j = 0; j < run->plan->view->ndetach; j++) {
            const VdfEdge *e = &graph->edges[run->plan->view->detach[j]];

            for (int k = 0; run->plan->nodes[e->child].relation == key->confrelid && k < e->nsets &&
                            vdf_action(run->plan, run->plan->view->detach[j]) != VDF_ACTION_RETAIN; k++)
                if (strcmp(e->sets[k].column, column) == 0)
                    return true;
        }
        for (int j = 0; j < graph->ncolumn_rules; j++)
            if (run->plan->nodes[graph->column_rules[j].node].relation == key->confrelid &&
                strcmp(graph->column_rules[j].column, column) == 0)
                return true;
    }
    return false;
}

/* A partition numbers its columns otherwise. */
static AttrNumber number_in(const VdfForesight *f, Relation table, AttrNumber number)
{
    return table == f->table ? number
                             : get_attnum(RelationGetRelid(f->table), NameStr(TupleDescAttr(RelationGetDescr(table), number - 1)->attname));
}

static void add_key(VdfForesight *f, Relation table, const ForeignKeyCacheInfo *info, List **found)
{
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(info->conoid));
    Form_pg_constraint form;
    Key *k = (Key *) palloc0(sizeof(Key));
    int edge = vdf_edge_of(f->run->plan, info->conoid);

    if (!HeapTupleIsValid(tuple))
        return;
    form = (Form_pg_constraint) GETSTRUCT(tuple);
    for (int i = 0; i < info->nkeys; i++)
        k->columns = bms_add_member(k->columns, number_in(f, table, info->conkey[i]));
    k->leaf = table == f->table ? InvalidOid : RelationGetRelid(table);
    k->key.oid = form->oid;
    k->key.relation = k->key.declared_on = form->conrelid;
    k->key.referenced = form->confrelid;
    k->key.name = form->conname;
    k->key.full = form->confmatchtype == FKCONSTR_MATCH_FULL;
    /* NULL in a part is enough for MATCH FULL to fail. */
    k->claim = vdf_writes(f, k->columns, edge, false);
    if (k->claim == NULL && k->key.full && info->nkeys > 1)
        k->claim = vdf_writes(f, k->columns, -1, true);
    k->parent_changes = parent_changes(f->run, form, info);
    if (k->claim != NULL && !OidIsValid(form->conparentid) && vdf_key_enforced(form) && !vdf_key_period(form))
        *found = lappend(*found, k);
    ReleaseSysCache(tuple);
}

static void add_keys(VdfForesight *f, Relation table, List **found)
{
    ListCell *cell;

    foreach (cell, (List *) copyObjectImpl(RelationGetFKeyList(table))) {
        ForeignKeyCacheInfo *info = lfirst_node(ForeignKeyCacheInfo, cell);
        bool written = false, given = info->nkeys > 1;
        ListCell *other;

        foreach (other, f->claims)
            for (int i = 0; i < info->nkeys; i++)
                if (((VdfClaim *) lfirst(other))->number == number_in(f, table, info->conkey[i])) {
                    written = true;
                    given = given || !((VdfClaim *) lfirst(other))->null;
                }
        if (written && given)
            add_key(f, table, info, found);
    }
}

static List *keys_written(VdfForesight *f)
{
    List *found = NIL;
    ListCell *cell;

    add_keys(f, f->table, &found);
    if (f->table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        foreach (cell, find_all_inheritors(RelationGetRelid(f->table), AccessShareLock, NULL)) {
            Relation part;

            if (lfirst_oid(cell) == RelationGetRelid(f->table))
                continue;
            part = table_open(lfirst_oid(cell), NoLock);
            add_keys(f, part, &found);
            table_close(part, NoLock);
        }
    return found;
}

bool vdf_writes_keys(VdfForesight *f)
{
    return f->claims != NIL && keys_written(f) != NIL;
}

/* Rows whose key leads nowhere, computed as the owner of the rows and looked up as the owner of the parents. */
static void foresee_key(VdfForesight *f, const Key *k, VdfRowSet *known)
{
    VdfRun *run = f->run;
    VdfEdge edge = {};
    AttrNumber attributes[INDEX_MAX_KEYS], number;
    int n;
    Bitmapset *old = bms_intersect(k->columns, f->changed);
    StringInfoData values, given, before, after, where;
    VdfKeys keys = {};
    VdfStatement statement;
    VdfRowSink s;
    uint64 rows;
    char *text = psprintf("foreign key \"%s\" would be violated", NameStr(k->key.name));

    if (k->parent_changes || bms_overlap(k->columns, vdf_foresight_changing(f)) ||
        (OidIsValid(k->leaf) && bms_overlap(vdf_facts_routing(run->plan, RelationGetRelid(f->table)), f->changed))) {
        vdf_foresight_note(run, k->claim->edge, psprintf("not foreseen: whether %s", text));
        return;
    }
    vdf_key_details(&k->key, &edge, attributes, &n);
    initStringInfo(&values);
    initStringInfo(&given);
    initStringInfo(&before);
    initStringInfo(&after);
    initStringInfo(&where);
    for (int i = 0; i < n; i++) {
        const VdfPair *p = &edge.pairs[i];

        appendStringInfo(&values, ", c.%s%s AS vdf_f%d", p->child, p->child_cast, i);
        appendStringInfo(&given, "%sc.%s IS NOT NULL", i ? (k->key.full ? " OR " : " AND ") : "", p->child);
        appendStringInfo(&where, "%sp.%s%s %s a.vdf_f%d", i ? " AND " : "", p->parent_column, p->parent_cast, p->op, i);
        number = get_attnum(RelationGetRelid(f->table), get_attname(k->key.relation, attributes[i], false));
        if (bms_is_member(number, old)) {
            appendStringInfo(&before, "%sc.vdf_o%d", before.len ? ", " : "", number);
            appendStringInfo(&after, "%sc.%s", after.len ? ", " : "", p->child);
        }
    }
    /* What keeps its key is not checked again. */
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT c.vdf_t, c.vdf_i%s FROM %s c WHERE c.vdf_w AND (%s) AND ROW(%s)::pg_catalog.record "
                             "OPERATOR(pg_catalog.*<>) ROW(%s)::pg_catalog.record%s",
                             values.data, vdf_foresight_rows(f, k->columns, old), given.data, before.data, after.data,
                             OidIsValid(k->leaf) ? psprintf(" AND c.vdf_t OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", vdf_partition_leaves(k->leaf)) : "");
    statement.owner = run->plan->nodes[f->node].owner;
    vdf_detach_inputs(run, &statement, f->edges, f->nedges, f->found);
    vdf_collect(run, &statement, &keys);
    if (keys.count == 0)
        return;
    vdf_row_sink(&s, vdf_rowset_create(), NULL);
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT a.vdf_t, a.vdf_i FROM vdf_a a WHERE NOT EXISTS (SELECT FROM %s p WHERE %s)",
                             vdf_from_clause(k->key.referenced), where.data);
    statement.owner = vdf_relation_owner(k->key.referenced);
    vdf_statement_input(&statement, "vdf_a", &keys);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    vdf_keys_free(&keys);
    (void) vdf_rowset_without(s.rows, known, &rows);
    if (rows > 0)
        vdf_foresight_refuse(f, k->claim, rows, text);
}

void vdf_foresee_keys(VdfForesight *f, VdfRowSet **known)
{
    ListCell *cell;

    foreach (cell, f->claims == NIL ? NIL : keys_written(f)) {
        Key *k = (Key *) lfirst(cell);
        int edge = vdf_edge_of(f->run->plan, k->key.oid);

        foresee_key(f, k, edge >= 0 ? known[edge] : NULL);
    }
}
