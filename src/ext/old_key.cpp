#include "ext/old_key.h"

#include "ext/catalog.h"
#include "ext/new_key.h"
#include "ext/report.h"

typedef struct OldKey
{
    VdfForeignKey key;
    VdfEdge edge;
    bool no_action;     /* another row may take the key over */
    const char *action; /* what the server then does to the rows that refer; NULL: it refuses */
    int n;
    AttrNumber *columns; /* of the node's relation */
    Bitmapset *numbers;
    VdfClaim *claim;
    Oid child; /* the relation that refers, or what it is a partition of */
    bool child_changes;
} OldKey;

/* Does what an edge does with its own reference end that of the key too? */
static bool ends(const VdfRun *run, int edge, const OldKey *k)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];

    if (run->plan->nodes[e->child].relation != k->child || vdf_action(run->plan, edge) == VDF_ACTION_RETAIN)
        return false;
    for (int i = 0; i < k->n; i++)
        for (int s = 0; s < e->nsets; s++)
            if (strcmp(e->sets[s].column, k->edge.pairs[i].child) == 0)
                return true;
    return false;
}

/* Does phase N write what refers? Then nobody can tell which of the two comes first, but for a tombstone, which comes last. */
static bool child_changes(const VdfForesight *f, const OldKey *k)
{
    const VdfRun *run = f->run;
    const VdfGraph *graph = &run->plan->graph;

    for (int j = 0; !f->tombstone && j < run->plan->view->ndetach; j++)
        if (ends(run, run->plan->view->detach[j], k))
            return true;
    for (int i = 0; i < k->n; i++) {
        for (int j = 0; j < graph->ncolumn_rules; j++)
            if (run->plan->nodes[graph->column_rules[j].node].relation == k->child &&
                strcmp(graph->column_rules[j].column, k->edge.pairs[i].child) == 0)
                return true;
    }
    return false;
}

static const char *action_on_update(char action)
{
    switch (action) {
    case FKCONSTR_ACTION_CASCADE: return "CASCADE";
    case FKCONSTR_ACTION_SETNULL: return "SET NULL";
    case FKCONSTR_ACTION_SETDEFAULT: return "SET DEFAULT";
    default: return NULL;
    }
}

/* NULL: nothing of the key changes. */
static OldKey *old_key(VdfForesight *f, Oid constraint, bool details)
{
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(constraint));
    AttrNumber referring[INDEX_MAX_KEYS], referred[INDEX_MAX_KEYS], set[INDEX_MAX_KEYS];
    Oid equal[INDEX_MAX_KEYS], equal_parent[INDEX_MAX_KEYS], equal_child[INDEX_MAX_KEYS];
    OldKey *k = (OldKey *) palloc0(sizeof(OldKey));
    Form_pg_constraint form;
    int nset;

    if (!HeapTupleIsValid(tuple))
        return NULL;
    form = (Form_pg_constraint) GETSTRUCT(tuple);
    k->no_action = form->confupdtype == FKCONSTR_ACTION_NOACTION;
    k->action = action_on_update(form->confupdtype);
    if (OidIsValid(form->conparentid) || !vdf_key_enforced(form) || vdf_key_period(form)) {
        ReleaseSysCache(tuple);
        return NULL;
    }
    DeconstructFkConstraintRow(tuple, &k->n, referring, referred, equal, equal_parent, equal_child, &nset, set);
    k->columns = (AttrNumber *) palloc(sizeof(AttrNumber) * k->n);
    for (int i = 0; i < k->n; i++) { /* a partition numbers its columns otherwise */
        k->columns[i] = get_attnum(RelationGetRelid(f->table), get_attname(form->confrelid, referred[i], false));
        k->numbers = bms_add_member(k->numbers, k->columns[i]);
    }
    k->key.oid = form->oid;
    k->key.relation = k->key.declared_on = form->conrelid;
    k->key.referenced = form->confrelid;
    k->key.name = form->conname;
    k->child = vdf_partition_root(form->conrelid);
    k->claim = vdf_writes(f, k->numbers, -1, true);
    ReleaseSysCache(tuple);
    if (k->claim == NULL)
        return NULL;
    if (details) {
        AttrNumber attributes[INDEX_MAX_KEYS];
        int n;

        vdf_key_details(&k->key, &k->edge, attributes, &n);
        k->child_changes = child_changes(f, k);
    }
    return k;
}

/* Most columns are in no unique index that a key could refer to. */
static bool writes_unique(const VdfForesight *f)
{
    Bitmapset *keys = RelationGetIndexAttrBitmap(f->table, INDEX_ATTR_BITMAP_KEY);

    for (int number = -1; (number = bms_next_member(f->changed, number)) >= 0;)
        if (bms_is_member(number - FirstLowInvalidHeapAttributeNumber, keys))
            return true;
    return f->table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE; /* a partition may have indexes of its own */
}

/* The server's own triggers tell of the keys: the catalogue has no index on what they refer to. */
static void add_keys(VdfForesight *f, Relation table, bool details, List **found)
{
    List *constraints = NIL;
    ListCell *cell;

    for (int i = 0; table->trigdesc != NULL && i < table->trigdesc->numtriggers; i++) {
        const Trigger *t = &table->trigdesc->triggers[i];

        if (OidIsValid(t->tgconstraint) && TRIGGER_FOR_UPDATE(t->tgtype) && t->tgenabled != TRIGGER_DISABLED &&
            RI_FKey_trigger_type(t->tgfoid) == RI_TRIGGER_PK)
            constraints = lappend_oid(constraints, t->tgconstraint);
    }
    foreach (cell, constraints) {
        OldKey *k = old_key(f, lfirst_oid(cell), details);
        int edge = k ? vdf_edge_of(f->run->plan, k->key.oid) : -1;

        /* Rows in the way of the tombstone are told with the edge. */
        if (k != NULL && !(f->tombstone && edge >= 0 && vdf_is_block(f->run->plan->view, edge)))
            *found = lappend(*found, k);
    }
}

/* Names decide the order, never OIDs. */
static int compare_keys(const ListCell *a, const ListCell *b)
{
    const OldKey *one = (const OldKey *) lfirst(a), *other = (const OldKey *) lfirst(b);
    int order = strcmp(vdf_relation_name(one->key.relation), vdf_relation_name(other->key.relation));

    return order != 0 ? order : strcmp(NameStr(one->key.name), NameStr(other->key.name));
}

static List *keys_written(VdfForesight *f, bool details)
{
    List *found = NIL;
    ListCell *cell;

    if (!writes_unique(f))
        return NIL;
    add_keys(f, f->table, details, &found);
    if (f->table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE)
        foreach (cell, find_all_inheritors(RelationGetRelid(f->table), AccessShareLock, NULL)) {
            Relation part = lfirst_oid(cell) == RelationGetRelid(f->table) ? NULL : table_open(lfirst_oid(cell), NoLock);

            if (part == NULL)
                continue;
            add_keys(f, part, details, &found);
            table_close(part, NoLock);
        }
    if (details)
        list_sort(found, compare_keys);
    return found;
}

bool vdf_writes_old_keys(VdfForesight *f)
{
    return f->claims != NIL && keys_written(f, false) != NIL;
}

/* The new key of a row, as the old one is given. */
static char *new_key(const VdfForesight *f, const OldKey *k, const char *alias)
{
    StringInfoData sql;

    initStringInfo(&sql);
    for (int i = 0; i < k->n; i++)
        appendStringInfo(&sql, "%s%s.%s%s", i ? ", " : "", alias,
                         quote_identifier(get_attname(RelationGetRelid(f->table), k->columns[i], false)),
                         vdf_cast(getBaseType(get_atttype(RelationGetRelid(f->table), k->columns[i]))));
    return psprintf("ROW(%s)::pg_catalog.record", sql.data);
}

/* Changed rows that leave their key, with the old one as vdf_f0 ... */
static char *leaving(const VdfForesight *f, const OldKey *k)
{
    char *rows = vdf_foresight_rows(f, k->numbers, k->numbers), *taken = pstrdup("");
    StringInfoData values, given, before;

    initStringInfo(&values);
    initStringInfo(&given);
    initStringInfo(&before);
    for (int i = 0; i < k->n; i++) {
        appendStringInfo(&values, ", c.vdf_o%d AS vdf_f%d", k->columns[i], i);
        appendStringInfo(&given, " AND c.vdf_o%d IS NOT NULL", k->columns[i]);
        appendStringInfo(&before, "%sc.vdf_o%d", i ? ", " : "", k->columns[i]);
    }
    if (k->no_action)
        taken = psprintf(" AND NOT EXISTS (SELECT FROM %s b WHERE b.vdf_w AND %s OPERATOR(pg_catalog.*=) ROW(%s)::pg_catalog.record)",
                         rows, new_key(f, k, "b"), before.data);
    return psprintf("SELECT c.vdf_t, c.vdf_i%s FROM %s c WHERE c.vdf_w%s AND c.vdf_t OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[]) "
                    "AND ROW(%s)::pg_catalog.record OPERATOR(pg_catalog.*<>) %s%s",
                    values.data, rows, given.data, vdf_partition_leaves(k->key.referenced), before.data, new_key(f, k, "c"), taken);
}

typedef struct ReferredSink
{
    VdfSink sink;
    VdfRun *run;
    const OldKey *key;
    VdfRowSet *goes; /* dry run: rows that refer and go; NULL: none */
    VdfRowSet *seen;
    uint64 rows;
} ReferredSink;

static void referred_row(VdfSink *sink, TupleTableSlot *slot)
{
    ReferredSink *s = (ReferredSink *) sink;
    const VdfPlanView *view = s->run->plan->view;
    Oid relation;
    ItemPointer tid;

    slot_getallattrs(slot);
    relation = DatumGetObjectId(slot->tts_values[2]);
    tid = (ItemPointer) DatumGetPointer(slot->tts_values[3]);
    if (s->goes != NULL && vdf_rowset_has(s->goes, relation, tid))
        return;
    /* A dry run has changed nothing. */
    for (int i = 0; i < view->ndetach; i++) {
        const VdfEdgeState *state = &s->run->edges[view->detach[i]];

        if (state->set != NULL && !state->failed && ends(s->run, view->detach[i], s->key) && vdf_rowset_has(state->set, relation, tid))
            return;
    }
    /* Changed rows are refused, referring rows change. */
    if (s->key->action == NULL) {
        relation = DatumGetObjectId(slot->tts_values[0]);
        tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    }
    s->rows += vdf_rowset_add(s->seen, relation, tid);
}

static char *phrase(const OldKey *k, uint64 rows)
{
    const char *relation = vdf_relation_name(k->key.relation);

    if (k->action == NULL)
        return psprintf("foreign key \"%s\" of %s would be violated", NameStr(k->key.name), relation);
    return psprintf("%s of %s %s with it: foreign key \"%s\" is ON UPDATE %s", rows == 0 ? "rows" : vdf_rows(rows), relation,
                    rows == 1 ? "changes" : "change", NameStr(k->key.name), k->action);
}

/* Computed as the owner of the rows and looked up as the owner of those that refer. */
static void foresee_key(VdfForesight *f, const OldKey *k)
{
    VdfRun *run = f->run;
    StringInfoData where;
    VdfKeys keys = {};
    VdfStatement statement;
    ReferredSink s;

    if (k->child_changes || bms_overlap(k->numbers, vdf_foresight_changing(f))) {
        vdf_foresight_note(run, k->claim->edge, psprintf("not foreseen: whether %s", phrase(k, 0)));
        return;
    }
    memset(&statement, 0, sizeof(statement));
    statement.sql = leaving(f, k);
    statement.owner = run->plan->nodes[f->node].owner;
    vdf_detach_inputs(run, &statement, f->edges, f->nedges, f->found);
    vdf_collect(run, &statement, &keys);
    if (keys.count == 0)
        return;
    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, referred_row);
    s.run = run;
    s.key = k;
    s.seen = vdf_rowset_create();
    for (int i = 0; i < run->plan->graph.nnodes; i++)
        if (run->plan->nodes[i].relation == k->child)
            s.goes = run->nodes[i].goes;
    initStringInfo(&where);
    for (int i = 0; i < k->n; i++) {
        const VdfPair *p = &k->edge.pairs[i];

        appendStringInfo(&where, "%sa.vdf_f%d%s %s c.%s%s", i ? " AND " : "", i, p->parent_cast, p->op, p->child, p->child_cast);
    }
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT a.vdf_t, a.vdf_i, c.tableoid, c.ctid FROM vdf_a a, %s c WHERE %s", vdf_from_clause(k->key.relation), where.data);
    statement.owner = vdf_relation_owner(k->key.relation);
    vdf_statement_input(&statement, "vdf_a", &keys);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    vdf_keys_free(&keys);
    if (s.rows > 0 && k->action != NULL)
        vdf_foresight_note(run, k->claim->edge, phrase(k, s.rows));
    else if (s.rows > 0)
        vdf_foresight_refuse(f, k->claim, s.rows, phrase(k, 0));
}

void vdf_foresee_old_keys(VdfForesight *f)
{
    ListCell *cell;

    foreach (cell, f->claims == NIL ? NIL : keys_written(f, true))
        foresee_key(f, (OldKey *) lfirst(cell));
}
