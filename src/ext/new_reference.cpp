#include "ext/new_reference.h"

#include "ext/catalog.h"
#include "ext/expression.h"
#include "ext/foresight.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/restriction.h"

/* An edge of the node as SQL over its changed rows (c) and the parents that go (d). */
typedef struct Way
{
    int edge;
    Bitmapset *pairs;     /* columns of the node's relation that refer */
    Bitmapset *condition; /* columns that the condition reads */
    bool computed;        /* by an expression: a NULL in a column need not clear it */
    bool unknown;         /* reads the whole row */
    char *refers;
    char *applies; /* NULL: always */
} Way;

/* The columns that an expression of an edge reads, and its text over new rows. */
static char *expression_text(VdfForesight *f, Relation table, Node *node, Bitmapset **columns, bool *unknown)
{
    Bitmapset *read = NULL;
    int number = -1;

    if (!vdf_columns_read(table, node, &read))
        *unknown = true;
    while ((number = bms_next_member(read, number)) >= 0) { /* a partition numbers its columns otherwise */
        const char *name = get_attname(RelationGetRelid(table), number, true);

        if (name != NULL && get_attnum(RelationGetRelid(f->table), name) != InvalidAttrNumber)
            *columns = bms_add_member(*columns, get_attnum(RelationGetRelid(f->table), name));
    }
    return vdf_restriction_text(table, node, "c", true);
}

static Node *parse(Oid relation, const char *text)
{
    int level = vdf_set_path();
    Node *node = vdf_expression_parse(relation, text, true);

    vdf_unset_path(level);
    return node;
}

static int key_number(const VdfPlanView *view, int node, const char *column)
{
    for (int i = 0; i < view->nkeys[node]; i++)
        if (strcmp(view->keys[node][i], column) == 0)
            return i;
    elog(ERROR, "a key column of the plan is missing");
}

static Way way_of(VdfForesight *f, int edge)
{
    VdfDeletionPlan *plan = f->run->plan;
    const VdfEdge *e = &plan->graph.edges[edge];
    Relation table = table_open(plan->edges[edge].relation, AccessShareLock);
    Way w = {};
    StringInfoData sql;

    w.edge = edge;
    initStringInfo(&sql);
    for (int i = 0; i < e->npairs; i++) {
        const VdfPair *p = &e->pairs[i];
        Node *node;
        char *value;

        if (p->child_is_column) {
            Form_pg_attribute a = TupleDescAttr(RelationGetDescr(table), get_attnum(RelationGetRelid(table), vdf_unquoted(p->child)) - 1);

            node = (Node *) makeVar(1, a->attnum, a->atttypid, a->atttypmod, a->attcollation, 0);
            w.computed = w.computed || a->attgenerated != '\0';
        } else {
            node = parse(plan->edges[edge].relation, p->child);
            w.computed = true;
        }
        value = psprintf("(%s)%s", expression_text(f, table, node, &w.pairs, &w.unknown), p->child_cast);
        appendStringInfo(&sql, "%sd.vdf_k%d%s %s %s", i ? " AND " : "", key_number(plan->view, e->parent, p->parent_column), p->parent_cast,
                         p->op, p->any ? psprintf("ANY (%s)", value) : value);
    }
    if (e->parent_leaves)
        appendStringInfo(&sql, " AND d.vdf_t OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", e->parent_leaves);
    if (e->child_leaves)
        appendStringInfo(&sql, " AND c.vdf_t OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])", e->child_leaves);
    w.refers = sql.data;
    if (e->condition != NULL)
        w.applies = expression_text(f, table, parse(plan->edges[edge].relation, e->condition), &w.condition, &w.unknown);
    table_close(table, AccessShareLock);
    return w;
}

/* What an edge does with its own reference was looked at where it was found: a successor that stays. */
static bool is_own(const VdfForesight *f, const VdfClaim *c, int edge)
{
    const VdfEdge *e;

    if (c->edge != edge || edge < 0 || c->rule)
        return false;
    e = &f->run->plan->graph.edges[edge];
    return vdf_action(f->run->plan, edge) != VDF_ACTION_DEFAULT || e->nsets >= e->npairs;
}

/* The first claim that writes one of the columns, other than the edge's own; null: NULL counts too. */
static VdfClaim *writes(const VdfForesight *f, const Bitmapset *columns, int edge, bool null)
{
    ListCell *cell;

    foreach (cell, f->claims) {
        VdfClaim *c = (VdfClaim *) lfirst(cell);

        if ((null || !c->null) && bms_is_member(c->number, columns) && !is_own(f, c, edge))
            return c;
    }
    return NULL;
}

static bool is_block(const VdfPlanView *view, int edge)
{
    for (int i = 0; i < view->nblock; i++)
        if (view->block[i] == edge)
            return true;
    return false;
}

/* The claim by which rows may come to refer through the edge; NULL: none can. */
static VdfClaim *brings_up(const VdfForesight *f, const Way *w)
{
    VdfClaim *claim = writes(f, w->pairs, w->edge, w->computed);

    return claim ? claim : writes(f, w->condition, -1, true);
}

/* Nobody can tell beforehand. */
static bool is_changing(VdfForesight *f, const Way *w)
{
    return w->unknown || bms_overlap(bms_union(w->pairs, w->condition), vdf_foresight_changing(f));
}

/* Is it worth to look closer? By names alone: most edges refer by columns that nothing else writes. */
static bool may_matter(const VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];
    TupleConstr *constr = RelationGetDescr(f->table)->constr;
    ListCell *cell;

    if (e->condition != NULL || (constr != NULL && constr->has_generated_stored))
        return true;
    for (int i = 0; i < e->npairs; i++) {
        if (!e->pairs[i].child_is_column)
            return true;
        foreach (cell, f->claims)
            if (!is_own(f, (VdfClaim *) lfirst(cell), edge) && strcmp(((VdfClaim *) lfirst(cell))->column, e->pairs[i].child) == 0)
                return true;
    }
    return false;
}

/* Edges of the node whose parents go; a tombstone's retained rows refer to a row that stays. */
static bool matters(const VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];
    const VdfKeys *parents = &f->run->nodes[e->parent].all;

    return e->child == f->node && e->npairs > 0 && vdf_action(f->run->plan, edge) != VDF_ACTION_RETAIN && parents->count > 0 &&
           (parents->store != NULL || parents->packed != NULL) && may_matter(f, edge);
}

bool vdf_may_come_up(const VdfDeletionPlan *plan, int edge)
{
    const VdfGraph *graph = &plan->graph;
    const VdfEdge *e = &graph->edges[edge];

    for (int i = 0; i < e->npairs; i++) {
        for (int j = 0; j < graph->ncolumn_rules; j++)
            if (graph->column_rules[j].node == e->child && strcmp(graph->column_rules[j].column, e->pairs[i].child) == 0)
                return true;
        for (int j = 0; j < plan->view->ndetach; j++) {
            const VdfEdge *other = &graph->edges[plan->view->detach[j]];
            char action = vdf_action(plan, plan->view->detach[j]);

            for (int k = 0; other->child == e->child && (action == VDF_ACTION_REASSIGN || action == VDF_ACTION_DEFAULT) && k < other->nsets; k++)
                if (strcmp(other->sets[k].column, e->pairs[i].child) == 0)
                    return true;
        }
    }
    return false;
}

/* A key of the node's relation whose columns are written. */
typedef struct Key
{
    VdfForeignKey key;
    Bitmapset *columns;
    VdfClaim *claim;
} Key;

/* The edge of a key in the plan, -1 if the walk does not come there. */
static int edge_of(const VdfDeletionPlan *plan, Oid constraint)
{
    for (int i = 0; i < plan->graph.nedges; i++)
        if (plan->edges[i].constraint == constraint)
            return i;
    return -1;
}

static void add_key(VdfForesight *f, const ForeignKeyCacheInfo *info, List **found)
{
    HeapTuple tuple = SearchSysCache1(CONSTROID, ObjectIdGetDatum(info->conoid));
    Form_pg_constraint form;
    Key *k = (Key *) palloc0(sizeof(Key));
    int edge = edge_of(f->run->plan, info->conoid);

    if (!HeapTupleIsValid(tuple))
        return;
    form = (Form_pg_constraint) GETSTRUCT(tuple);
    for (int i = 0; i < info->nkeys; i++)
        k->columns = bms_add_member(k->columns, info->conkey[i]);
    k->key.oid = form->oid;
    k->key.relation = k->key.declared_on = form->conrelid;
    k->key.referenced = form->confrelid;
    k->key.name = form->conname;
    k->key.full = form->confmatchtype == FKCONSTR_MATCH_FULL;
    /* NULL in a part is enough for MATCH FULL to fail. */
    k->claim = writes(f, k->columns, edge, false);
    if (k->claim == NULL && k->key.full && info->nkeys > 1)
        k->claim = writes(f, k->columns, -1, true);
    if (k->claim != NULL && !OidIsValid(form->conparentid) && vdf_key_enforced(form) && !vdf_key_period(form))
        *found = lappend(*found, k);
    ReleaseSysCache(tuple);
}

static List *keys_written(VdfForesight *f)
{
    List *found = NIL;
    ListCell *cell;

    foreach (cell, RelationGetFKeyList(f->table)) {
        ForeignKeyCacheInfo *info = lfirst_node(ForeignKeyCacheInfo, cell);
        bool written = false, given = info->nkeys > 1;
        ListCell *other;

        foreach (other, f->claims)
            for (int i = 0; i < info->nkeys; i++)
                if (((VdfClaim *) lfirst(other))->number == info->conkey[i]) {
                    written = true;
                    given = given || !((VdfClaim *) lfirst(other))->null;
                }
        if (written && given)
            add_key(f, info, &found);
    }
    return found;
}

bool vdf_may_refer(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    VdfForesight f;
    bool answer;

    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, NULL);
    answer = f.claims != NIL && keys_written(&f) != NIL;
    for (int i = 0; f.claims != NIL && !answer && i < run->plan->graph.nedges; i++)
        if (matters(&f, i)) {
            Way w = way_of(&f, i);

            answer = brings_up(&f, &w) != NULL || ((is_block(run->plan->view, i) || tombstone) && writes(&f, w.pairs, -1, true) != NULL);
        }
    vdf_foresight_close(&f);
    return answer;
}

/* Rows by what the last column says of them. */
typedef struct RowSink
{
    VdfSink sink;
    VdfRowSet *rows;   /* all of them */
    VdfRowSet *chosen; /* where it says true; may be NULL */
} RowSink;

static void found_row(VdfSink *sink, TupleTableSlot *slot)
{
    RowSink *s = (RowSink *) sink;
    Oid relation;
    ItemPointer tid;

    slot_getallattrs(slot);
    relation = DatumGetObjectId(slot->tts_values[0]);
    tid = (ItemPointer) DatumGetPointer(slot->tts_values[1]);
    (void) vdf_rowset_add(s->rows, relation, tid);
    if (s->chosen != NULL && !slot->tts_isnull[2] && DatumGetBool(slot->tts_values[2]))
        (void) vdf_rowset_add(s->chosen, relation, tid);
}

static void row_sink(RowSink *s, VdfRowSet *rows, VdfRowSet *chosen)
{
    memset(s, 0, sizeof(RowSink));
    vdf_sink_init(&s->sink, NULL, found_row);
    s->rows = rows;
    s->chosen = chosen;
}

/* The changed rows that will refer to a row that goes, and those of them that the condition holds for. */
static void ask_way(VdfForesight *f, const Way *w, VdfRowSet *refer, VdfRowSet *apply)
{
    RowSink s;

    row_sink(&s, refer, apply);
    vdf_foresight_ask(f,
                      psprintf("SELECT c.vdf_t, c.vdf_i, %s FROM %s c, vdf_d d WHERE c.vdf_w AND %s",
                               w->applies ? psprintf("(%s)", w->applies) : "true",
                               vdf_foresight_rows(f, bms_union(w->pairs, w->condition), NULL), w->refers),
                      &f->run->nodes[f->run->plan->graph.edges[w->edge].parent].all, &s.sink);
}

/* The rows that refer as they are. */
static VdfRowSet *ask_now(VdfRun *run, int edge)
{
    VdfRowSet *rows = vdf_rowset_create();
    VdfStatement statement;
    RowSink s;

    row_sink(&s, rows, NULL);
    vdf_statement_of(run, &statement, VDF_SQL_FIND_LEFT, edge, 0, run->plan->edges[edge].owner);
    vdf_statement_input(&statement, "vdf_d", &run->nodes[run->plan->graph.edges[edge].parent].all);
    if (run->tombstone && run->plan->graph.edges[edge].child == run->plan->graph.root && vdf_action(run->plan, edge) == VDF_ACTION_DELETE)
        vdf_statement_input(&statement, "vdf_root", &run->root);
    statement.sink = &s.sink;
    (void) vdf_execute(&run->executor, &statement);
    return rows;
}

/* Of an edge that does not block: rows that refer only since they are changed. PostgreSQL would refuse those of a key. */
static VdfRowSet *foresee_way(VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];
    Way w = way_of(f, edge);
    VdfClaim *claim = brings_up(f, &w);
    VdfRowSet *refer, *apply, *now;
    uint64 rows;
    char *text = psprintf("a row that goes would be referred to through %s \"%s\"", e->link ? "link" : "foreign key", e->name);

    if (claim == NULL)
        return NULL;
    if (is_changing(f, &w)) {
        vdf_foresight_note(f->run, claim->edge, psprintf("not foreseen: whether %s", text));
        return NULL;
    }
    refer = vdf_rowset_create();
    apply = vdf_rowset_create();
    ask_way(f, &w, refer, apply);
    now = ask_now(f->run, edge);
    /* What the edge itself changes is looked at by its old reference, and refers again only by what a rule gives it. */
    for (int i = 0; i < f->nedges; i++)
        if (f->edges[i] == edge)
            now = NULL;
    (void) vdf_rowset_without(apply, now, &rows);
    if (rows > 0)
        vdf_foresight_refuse(f, claim, rows, text);
    return apply;
}

/* Rows whose key leads nowhere, computed as the owner of the rows and looked up as the owner of the parents. */
static void foresee_key(VdfForesight *f, const Key *k, VdfRowSet *known)
{
    VdfRun *run = f->run;
    VdfEdge edge = {};
    AttrNumber attributes[INDEX_MAX_KEYS];
    int n;
    Bitmapset *old = bms_intersect(k->columns, f->changed);
    StringInfoData values, given, before, after, where;
    VdfKeys keys = {};
    VdfStatement statement;
    RowSink s;
    uint64 rows;
    char *text = psprintf("foreign key \"%s\" would be violated", NameStr(k->key.name));

    if (bms_overlap(k->columns, vdf_foresight_changing(f))) {
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
        if (bms_is_member(attributes[i], old)) {
            appendStringInfo(&before, "%sc.vdf_o%d", before.len ? ", " : "", attributes[i]);
            appendStringInfo(&after, "%sc.%s", after.len ? ", " : "", p->child);
        }
    }
    /* What keeps its key is not checked again. */
    memset(&statement, 0, sizeof(statement));
    statement.sql = psprintf("SELECT c.vdf_t, c.vdf_i%s FROM %s c WHERE c.vdf_w AND (%s) AND ROW(%s)::pg_catalog.record "
                             "OPERATOR(pg_catalog.*<>) ROW(%s)::pg_catalog.record",
                             values.data, vdf_foresight_rows(f, k->columns, old), given.data, before.data, after.data);
    statement.owner = run->plan->nodes[f->node].owner;
    vdf_detach_inputs(run, &statement, f->edges, f->nedges, f->found);
    vdf_collect(run, &statement, &keys);
    if (keys.count == 0)
        return;
    row_sink(&s, vdf_rowset_create(), NULL);
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

/* A tombstone that refers to itself refers to a row that stays. */
static bool refers_to_itself(const VdfForesight *f, int edge)
{
    const VdfEdge *e = &f->run->plan->graph.edges[edge];

    return f->tombstone && e->parent == e->child && vdf_action(f->run->plan, edge) == VDF_ACTION_DELETE;
}

void vdf_foresee_references(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;
    VdfRowSet **known; /* in a dry run a parent that goes is still there */
    ListCell *cell;

    if (found->count == 0)
        return;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    known = (VdfRowSet **) palloc0(sizeof(VdfRowSet *) * (run->plan->graph.nedges + 1));
    for (int i = 0; f.claims != NIL && i < run->plan->graph.nedges; i++)
        if (matters(&f, i) && !refers_to_itself(&f, i)) {
            if (!is_block(run->plan->view, i))
                known[i] = foresee_way(&f, i);
            else {
                Way w = way_of(&f, i);

                if (brings_up(&f, &w) == NULL || is_changing(&f, &w))
                    continue;
                known[i] = vdf_rowset_create(); /* told with the edge that blocks */
                ask_way(&f, &w, known[i], NULL);
            }
        }
    foreach (cell, f.claims == NIL ? NIL : keys_written(&f)) {
        Key *k = (Key *) lfirst(cell);
        int edge = edge_of(run->plan, k->key.oid);

        foresee_key(&f, k, edge >= 0 ? known[edge] : NULL);
    }
    vdf_foresight_close(&f);
}

static void foresee_block(VdfForesight *f, int edge)
{
    VdfEdgeState *state = &f->run->edges[edge];
    Way w = way_of(f, edge);
    VdfRowSet *refer, *apply;
    RowSink s;
    uint64 n;

    if ((writes(f, w.pairs, -1, true) == NULL && writes(f, w.condition, -1, true) == NULL) || is_changing(f, &w))
        return;
    refer = vdf_rowset_create();
    apply = vdf_rowset_create();
    ask_way(f, &w, refer, apply);
    row_sink(&s, vdf_rowset_create(), NULL);
    vdf_foresight_ask(f, psprintf("SELECT c.vdf_t, c.vdf_i FROM %s c WHERE c.vdf_w", vdf_foresight_rows(f, NULL, NULL)), NULL, &s.sink);
    state->touched = s.rows;
    state->cleared = vdf_rowset_without(s.rows, refer, &n);
    if (!is_block(f->run->plan->view, edge))
        return; /* the tombstone's own references */
    if (state->before == NULL)
        state->before = ask_now(f->run, edge);
    (void) vdf_rowset_without(apply, state->before, &state->added);
    if (vdf_rows_in_the_way(f->run, edge) > 0)
        f->run->untouched = true;
}

/* Conditions and expressions may read other tables, which they see as they are before references are cleared. */
void vdf_look_at_blocks(VdfRun *run)
{
    for (int i = 0; i < run->plan->view->nblock; i++) {
        int edge = run->plan->view->block[i];
        const VdfEdge *e = &run->plan->graph.edges[edge];
        bool reads = e->condition != NULL;

        for (int j = 0; j < e->npairs; j++)
            reads = reads || !e->pairs[j].child_is_column;
        if (reads && e->npairs > 0 && run->nodes[e->parent].all.count > 0)
            run->edges[edge].before = ask_now(run, edge);
    }
}

void vdf_foresee_blocks(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;

    if (found->count == 0)
        return;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    for (int i = 0; f.claims != NIL && i < run->plan->graph.nedges; i++)
        if (matters(&f, i) && (is_block(run->plan->view, i) || (tombstone && vdf_action(run->plan, i) == VDF_ACTION_DELETE)))
            foresee_block(&f, i);
    vdf_foresight_close(&f);
}
