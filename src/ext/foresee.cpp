#include "ext/foresee.h"

#include "ext/catalog.h"
#include "ext/expression.h"
#include "ext/foresight.h"
#include "ext/report.h"
#include "ext/restriction.h"

/* Might the restriction refuse a value of this kind? A row that may move to another partition meets all that is demanded there. */
static bool concerns(const VdfRestriction *r, const VdfClaim *c, const Bitmapset *routing)
{
    if (OidIsValid(r->leaf) && bms_is_member(c->number, routing))
        return true;
    if (!bms_is_member(c->number, r->columns))
        return false;
    if (r->kind == VDF_RESTRICTION_NOT_NULL && r->test == NULL) /* of the whole table, a plain NULL is known without looking at rows */
        return (!c->null || OidIsValid(r->leaf)) && !c->given;
    return !c->null || r->nkeys == 0 || r->nulls_equal || !bms_is_member(c->number, r->plain);
}

/* Is the reference a column of arrays, each of which loses the elements that refer? A column rule sets all of it instead. */
static bool loses_elements(const VdfDeletionPlan *plan, int edge)
{
    const VdfGraph *graph = &plan->graph;
    const VdfEdge *e = &graph->edges[edge];

    if (vdf_action(plan, edge) != VDF_ACTION_NULLIFY || e->npairs == 0 || !e->pairs[0].any)
        return false;
    for (int i = 0; i < graph->ncolumn_rules; i++)
        if (graph->column_rules[i].edge == edge && strcmp(graph->column_rules[i].column, e->sets[0].column) == 0)
            return false;
    return true;
}

void vdf_foresee_arrays(VdfRun *run, const int *edges, int nedges, VdfKeys *found)
{
    for (int i = 0; i < nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[edges[i]];
        VdfStatement statement;
        uint64 rows;

        if (found->count == 0 || !loses_elements(run->plan, edges[i]))
            continue;
        memset(&statement, 0, sizeof(statement));
        statement.sql = psprintf("SELECT FROM %s c, vdf_m m WHERE c.ctid OPERATOR(pg_catalog.=) m.vdf_i AND c.tableoid OPERATOR(pg_catalog.=) "
                                 "m.vdf_t AND m.vdf_e OPERATOR(pg_catalog.=) %d AND pg_catalog.array_ndims(c.%s) OPERATOR(pg_catalog.>) 1",
                                 run->plan->graph.nodes[e->child].from, edges[i], e->sets[0].column);
        statement.owner = run->plan->nodes[e->child].owner;
        vdf_detach_inputs(run, &statement, edges, 0, found);
        statement.cache = vdf_plan_kept_for(run->plan, statement.sql, statement.nparams, statement.types);
        rows = vdf_execute(&run->executor, &statement);
        if (rows == 0)
            continue;
        run->edges[edges[i]].failed = true;
        vdf_block(run, edges[i], rows, psprintf("column %s has arrays of several dimensions, which lose no single elements", e->sets[0].column),
                  vdf_policy_call(run, edges[i], "'delete'"), true);
    }
}

bool vdf_may_be_refused(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    List *claims = vdf_claims(run, node, edges, nedges, tombstone);
    Oid relation = run->plan->nodes[node].relation;
    const Bitmapset *routing = claims == NIL ? NULL : vdf_facts_routing(run->plan, relation);
    ListCell *cell, *other;

    for (int i = 0; i < nedges; i++)
        if (loses_elements(run->plan, edges[i]))
            return true;
    foreach (cell, claims) {
        VdfClaim *c = (VdfClaim *) lfirst(cell);

        if (bms_is_member(c->number, routing) || get_typtype(get_atttype(relation, c->number)) == TYPTYPE_DOMAIN)
            return true;
        foreach (other, vdf_facts_restrictions(run->plan, relation))
            if (concerns((VdfRestriction *) lfirst(other), c, routing))
                return true;
    }
    return false;
}

/* A restriction that the new values concern, and the rows that it would refuse. */
typedef struct Doubt
{
    VdfRestriction *restriction;
    VdfClaim *claim;
    uint64 rows;
} Doubt;

typedef struct Foresight
{
    VdfForesight now;
    const Bitmapset *routing; /* columns that say to which partition a row goes */
    bool moves;               /* some of them are written */
    Bitmapset *read; /* by the restrictions in doubt */
    List *checks;    /* of Doubt */
    List *indexes;
} Foresight;

/* What a restriction is called in a message. */
static char *phrase(const VdfRestriction *r)
{
    switch (r->kind) {
    case VDF_RESTRICTION_NOT_NULL: return psprintf("column %s would be NULL, which is not allowed there", quote_identifier(r->name));
    case VDF_RESTRICTION_UNIQUE: return psprintf("unique index \"%s\" would be violated", r->name);
    case VDF_RESTRICTION_EXCLUSION: return psprintf("exclusion constraint \"%s\" would be violated", r->name);
    case VDF_RESTRICTION_PARTITION: return psprintf("no partition of %s would take the row", r->name);
    default: return psprintf("check constraint \"%s\" would be violated", r->name);
    }
}

static void doubt(Foresight *f, VdfRestriction *r)
{
    VdfClaim *claim = NULL;
    ListCell *cell;
    Doubt *d;

    foreach (cell, f->now.claims)
        if (claim == NULL && concerns(r, (VdfClaim *) lfirst(cell), f->routing))
            claim = (VdfClaim *) lfirst(cell);
    if (claim == NULL)
        return;
    if (r->unforeseeable || bms_overlap(bms_intersect(r->columns, f->now.changed), vdf_foresight_changing(&f->now)) ||
        (OidIsValid(r->leaf) && f->moves && bms_overlap(f->routing, vdf_foresight_changing(&f->now)))) {
        f->now.run->doubtful = true;
        if (r->kind == VDF_RESTRICTION_CHECK || r->kind == VDF_RESTRICTION_PARTITION ||
            (r->kind == VDF_RESTRICTION_NOT_NULL && claim->expression != NULL && vdf_expression_reads_row(RelationGetRelid(f->now.table), claim->expression)))
            vdf_foresight_note(f->now.run, claim->edge, psprintf("not foreseen: whether %s", phrase(r)));
        return;
    }
    d = (Doubt *) palloc0(sizeof(Doubt));
    d->restriction = r;
    d->claim = claim;
    f->read = bms_add_members(f->read, r->columns);
    if (OidIsValid(r->leaf) && f->moves)
        f->read = bms_add_members(f->read, f->routing);
    if (r->nkeys > 0)
        f->indexes = lappend(f->indexes, d);
    else
        f->checks = lappend(f->checks, d);
}

typedef struct DoubtSink
{
    VdfSink sink;
    Foresight *f;
    Doubt *doubt; /* an index; NULL: all checks */
    VdfRowSet *seen;
} DoubtSink;

static void refused_row(VdfSink *sink, TupleTableSlot *slot)
{
    DoubtSink *s = (DoubtSink *) sink;
    VdfRowSet *goes = s->f->now.run->nodes[s->f->now.node].goes;
    ListCell *cell;
    int i = 0;

    slot_getallattrs(slot);
    if (s->doubt == NULL) {
        foreach (cell, s->f->checks) {
            if (DatumGetBool(slot->tts_values[i++]))
                ((Doubt *) lfirst(cell))->rows++;
        }
        return;
    }
    /* In a dry run the rows that go are still there, and in nobody's way. */
    if (goes != NULL && !slot->tts_isnull[2] &&
        vdf_rowset_has(goes, DatumGetObjectId(slot->tts_values[2]), (ItemPointer) DatumGetPointer(slot->tts_values[3])))
        return;
    if (vdf_rowset_add(s->seen, DatumGetObjectId(slot->tts_values[0]), (ItemPointer) DatumGetPointer(slot->tts_values[1])))
        s->doubt->rows++;
}

static void ask(Foresight *f, const char *sql, Doubt *doubt)
{
    DoubtSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, refused_row);
    s.f = f;
    s.doubt = doubt;
    s.seen = doubt ? vdf_rowset_create() : NULL;
    vdf_foresight_ask(&f->now, sql, NULL, &s.sink);
}

/* Is a changed row where the restriction holds? */
static char *belongs(const Foresight *f, const VdfRestriction *r, const char *alias)
{
    if (!OidIsValid(r->leaf))
        return pstrdup("");
    return f->moves ? psprintf(" AND (%s)", vdf_routing_text(f->now.table, list_make1_oid(r->leaf), alias))
                    : psprintf(" AND %s.vdf_t OPERATOR(pg_catalog.=) %u::pg_catalog.oid", alias, r->leaf);
}

static List *leaves(Relation table)
{
    List *found = NIL;
    ListCell *cell;

    foreach (cell, find_all_inheritors(RelationGetRelid(table), AccessShareLock, NULL))
        if (get_rel_relkind(lfirst_oid(cell)) != RELKIND_PARTITIONED_TABLE)
            found = lappend_oid(found, lfirst_oid(cell));
    return found;
}

static void ask_checks(Foresight *f, const char *rows)
{
    StringInfoData list, any;
    ListCell *cell;

    initStringInfo(&list);
    initStringInfo(&any);
    foreach (cell, f->checks) {
        VdfRestriction *r = ((Doubt *) lfirst(cell))->restriction;
        char *test = r->kind == VDF_RESTRICTION_PARTITION
                         ? psprintf("NOT (%s)", vdf_routing_text(f->now.table, leaves(f->now.table), "n"))
                     : r->test ? psprintf("(%s) IS FALSE", vdf_restriction_text(f->now.table, r->test, "n", true))
                             : psprintf("n.%s IS NULL", quote_identifier(get_attname(RelationGetRelid(f->now.table), bms_singleton_member(r->columns), false)));

        test = psprintf("(%s%s)", test, belongs(f, r, "n"));
        appendStringInfo(&list, "%s%s", list.len ? ", " : "", test);
        appendStringInfo(&any, "%s%s", any.len ? " OR " : "", test);
    }
    ask(f, psprintf("SELECT %s FROM %s n WHERE n.vdf_w AND (%s)", list.data, rows, any.data), NULL);
}

/* Is a row of one alias in the way of a row of the other? */
static char *conflict(const Foresight *f, const VdfRestriction *r, const char *left, const char *right, bool fresh)
{
    StringInfoData sql;

    initStringInfo(&sql);
    for (int i = 0; i < r->nkeys; i++) {
        const char *collate = OidIsValid(r->collations[i]) ? vdf_collate(r->collations[i]) : "";
        char *a = psprintf("(%s)%s", vdf_restriction_text(f->now.table, r->keys[i], left, fresh), collate);
        char *b = psprintf("(%s)%s", vdf_restriction_text(f->now.table, r->keys[i], right, true), collate);

        appendStringInfo(&sql, " AND (%s %s %s", a, vdf_operator(r->operators[i]), b);
        if (r->nulls_equal)
            appendStringInfo(&sql, " OR (%s IS NULL AND %s IS NULL)", a, b);
        appendStringInfoChar(&sql, ')');
    }
    if (r->predicate != NULL)
        appendStringInfo(&sql, " AND (%s) AND (%s)", vdf_restriction_text(f->now.table, r->predicate, left, fresh),
                         vdf_restriction_text(f->now.table, r->predicate, right, true));
    return sql.data;
}

/* Rows o that stay as they are, and rows o that change as well. */
static void ask_index(Foresight *f, const char *rows, Doubt *d)
{
    const VdfRestriction *r = d->restriction;
    char *there = OidIsValid(r->leaf) ? psprintf(" AND o.tableoid OPERATOR(pg_catalog.=) %u::pg_catalog.oid", r->leaf) : pstrdup("");

    ask(f,
        psprintf("SELECT n.vdf_t, n.vdf_i, o.tableoid, o.ctid FROM %s n, %s o WHERE n.vdf_w%s%s%s AND NOT EXISTS (SELECT FROM vdf_m m WHERE "
                 "m.vdf_i OPERATOR(pg_catalog.=) o.ctid AND m.vdf_t OPERATOR(pg_catalog.=) o.tableoid) UNION ALL "
                 "SELECT n.vdf_t, n.vdf_i, NULL, NULL FROM %s n, %s o WHERE n.vdf_w AND (n.vdf_i OPERATOR(pg_catalog.<>) o.vdf_i "
                 "OR n.vdf_t OPERATOR(pg_catalog.<>) o.vdf_t)%s%s%s",
                 rows, f->now.run->plan->graph.nodes[f->now.node].from, conflict(f, r, "o", "n", false), belongs(f, r, "n"), there, rows, rows,
                 conflict(f, r, "o", "n", true), belongs(f, r, "n"), belongs(f, r, "o")),
        d);
}

/* A row whose new values belong to no partition. */
static void doubt_routing(Foresight *f)
{
    VdfRestriction *r = (VdfRestriction *) palloc0(sizeof(VdfRestriction));

    r->kind = VDF_RESTRICTION_PARTITION;
    r->name = f->now.run->plan->graph.nodes[f->now.node].display;
    r->columns = bms_copy(f->routing);
    doubt(f, r);
}

static void judge(Foresight *f, List *doubts)
{
    ListCell *cell;

    foreach (cell, doubts) {
        Doubt *d = (Doubt *) lfirst(cell);

        if (d->rows > 0)
            vdf_foresight_refuse(&f->now, d->claim, d->rows, phrase(d->restriction));
    }
}

void vdf_foresee(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    Foresight f = {};
    ListCell *cell, *other;
    char *rows;

    if (found->count == 0 || !vdf_may_be_refused(run, node, edges, nedges, tombstone))
        return;
    vdf_foresight_open(&f.now, run, node, edges, nedges, tombstone, found);
    f.routing = vdf_facts_routing(run->plan, RelationGetRelid(f.now.table));
    f.moves = bms_overlap(f.routing, f.now.changed);
    if (f.moves)
        doubt_routing(&f);
    foreach (cell, vdf_facts_restrictions(run->plan, RelationGetRelid(f.now.table)))
        doubt(&f, (VdfRestriction *) lfirst(cell));
    for (int number = bms_next_member(f.now.changed, -1); number >= 0; number = bms_next_member(f.now.changed, number))
        foreach (other, vdf_domain_restrictions(f.now.table, number))
            doubt(&f, (VdfRestriction *) lfirst(other));
    if (f.checks != NIL || f.indexes != NIL) {
        rows = vdf_foresight_rows(&f.now, f.read, NULL);
        if (f.checks != NIL)
            ask_checks(&f, rows);
        foreach (cell, f.indexes)
            ask_index(&f, rows, (Doubt *) lfirst(cell));
        judge(&f, f.checks);
        judge(&f, f.indexes);
    }
    vdf_foresight_close(&f.now);
}
