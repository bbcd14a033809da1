#include "ext/foresee.h"

#include "ext/catalog.h"
#include "ext/foresight.h"
#include "ext/report.h"
#include "ext/restriction.h"

/* Might the restriction refuse a value of this kind? */
static bool concerns(const VdfRestriction *r, const VdfClaim *c)
{
    if (!bms_is_member(c->number, r->columns))
        return false;
    if (r->kind == VDF_RESTRICTION_NOT_NULL && r->test == NULL)
        return !c->null && !c->given; /* a plain NULL is known without looking at rows */
    return !c->null || r->nkeys == 0 || r->nulls_equal || !bms_is_member(c->number, r->plain);
}

bool vdf_may_be_refused(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    List *claims = vdf_claims(run, node, edges, nedges, tombstone);
    Oid relation = run->plan->nodes[node].relation;
    ListCell *cell, *other;

    if (claims == NIL)
        return false;
    foreach (cell, claims) {
        VdfClaim *c = (VdfClaim *) lfirst(cell);

        if (get_typtype(get_atttype(relation, c->number)) == TYPTYPE_DOMAIN)
            return true;
        foreach (other, vdf_facts_restrictions(run->plan, relation))
            if (concerns((VdfRestriction *) lfirst(other), c))
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
    default: return psprintf("check constraint \"%s\" would be violated", r->name);
    }
}

static void doubt(Foresight *f, VdfRestriction *r)
{
    VdfClaim *claim = NULL;
    ListCell *cell;
    Doubt *d;

    foreach (cell, f->now.claims)
        if (claim == NULL && concerns(r, (VdfClaim *) lfirst(cell)))
            claim = (VdfClaim *) lfirst(cell);
    if (claim == NULL)
        return;
    if (r->unforeseeable || bms_overlap(bms_intersect(r->columns, f->now.changed), vdf_foresight_changing(&f->now))) {
        if (r->kind == VDF_RESTRICTION_CHECK)
            vdf_foresight_note(f->now.run, claim->edge, psprintf("not foreseen: whether %s", phrase(r)));
        return;
    }
    d = (Doubt *) palloc0(sizeof(Doubt));
    d->restriction = r;
    d->claim = claim;
    f->read = bms_add_members(f->read, r->columns);
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

static void ask_checks(Foresight *f, const char *rows)
{
    StringInfoData list, any;
    ListCell *cell;

    initStringInfo(&list);
    initStringInfo(&any);
    foreach (cell, f->checks) {
        VdfRestriction *r = ((Doubt *) lfirst(cell))->restriction;
        char *test = r->test ? psprintf("(%s) IS FALSE", vdf_restriction_text(f->now.table, r->test, "n", true))
                             : psprintf("n.%s IS NULL", quote_identifier(get_attname(RelationGetRelid(f->now.table), bms_singleton_member(r->columns), false)));

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
    ask(f,
        psprintf("SELECT n.vdf_t, n.vdf_i, o.tableoid, o.ctid FROM %s n, %s o WHERE n.vdf_w%s AND NOT EXISTS (SELECT FROM vdf_m m WHERE "
                 "m.vdf_i OPERATOR(pg_catalog.=) o.ctid AND m.vdf_t OPERATOR(pg_catalog.=) o.tableoid) UNION ALL "
                 "SELECT n.vdf_t, n.vdf_i, NULL, NULL FROM %s n, %s o WHERE n.vdf_w AND (n.vdf_i OPERATOR(pg_catalog.<>) o.vdf_i "
                 "OR n.vdf_t OPERATOR(pg_catalog.<>) o.vdf_t)%s",
                 rows, f->now.run->plan->graph.nodes[f->now.node].from, conflict(f, d->restriction, "o", "n", false), rows, rows,
                 conflict(f, d->restriction, "o", "n", true)),
        d);
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
