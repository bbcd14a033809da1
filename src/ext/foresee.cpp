#include "ext/foresee.h"

#include "ext/catalog.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/restriction.h"
#include "ext/schema_facts.h"

/* One value that may be written into one column. */
typedef struct Claim
{
    const char *column; /* quoted */
    AttrNumber number;
    int edge;               /* -1: the tombstone */
    const char *expression; /* NULL: NULL, or a key that was given */
    bool null;              /* nothing but NULL */
    bool given;             /* a key: never NULL */
    bool rule;              /* of a column rule */
} Claim;

static void add_claim(List **claims, Oid relation, const char *column, int edge, const char *expression, bool given, bool rule)
{
    Claim *c = (Claim *) palloc0(sizeof(Claim));

    c->column = column;
    c->number = get_attnum(relation, vdf_unquoted(column));
    c->edge = edge;
    c->null = !given && (expression == NULL || vdf_expression_is_null(expression));
    c->expression = c->null ? NULL : expression;
    c->given = given;
    c->rule = rule;
    *claims = lappend(*claims, c);
}

static void add_rules(VdfRun *run, List **claims, int node, int edge)
{
    const VdfGraph *graph = &run->plan->graph;

    for (int i = 0; i < graph->ncolumn_rules; i++)
        if (graph->column_rules[i].edge == edge && graph->column_rules[i].node == node)
            add_claim(claims, run->plan->nodes[node].relation, graph->column_rules[i].column, edge, graph->column_rules[i].expression, false, true);
}

/* By rank: the first one of a column is to blame. */
static List *claims_of(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    Oid relation = run->plan->nodes[node].relation;
    List *claims = NIL;

    for (int i = 0; i < nedges; i++) {
        const VdfEdge *e = &run->plan->graph.edges[edges[i]];
        char action = vdf_action(run->plan, edges[i]);

        for (int j = 0; j < e->nsets && action != VDF_ACTION_RETAIN; j++)
            if (action == VDF_ACTION_NULLIFY)
                add_claim(&claims, relation, e->sets[j].column, edges[i], NULL, e->pairs[0].any, false); /* of an array, the others stay */
            else if (action == VDF_ACTION_REASSIGN)
                add_claim(&claims, relation, e->sets[j].column, edges[i], e->reassign_expression, e->reassign_expression == NULL, false);
            else
                add_claim(&claims, relation, e->sets[j].column, edges[i], e->sets[j].defaults, false, false);
        add_rules(run, &claims, node, edges[i]);
    }
    if (tombstone)
        add_rules(run, &claims, node, -1);
    return claims;
}

/* Might the restriction refuse a value of this kind? */
static bool concerns(const VdfRestriction *r, const Claim *c)
{
    if (!bms_is_member(c->number, r->columns))
        return false;
    if (r->kind == VDF_RESTRICTION_NOT_NULL && r->test == NULL)
        return !c->null && !c->given; /* a plain NULL is known without looking at rows */
    return !c->null || r->nkeys == 0 || r->nulls_equal || !bms_is_member(c->number, r->plain);
}

bool vdf_may_be_refused(VdfRun *run, int node, const int *edges, int nedges, bool tombstone)
{
    List *claims = claims_of(run, node, edges, nedges, tombstone);
    Oid relation = run->plan->nodes[node].relation;
    ListCell *cell, *other;

    if (claims == NIL)
        return false;
    foreach (cell, claims) {
        Claim *c = (Claim *) lfirst(cell);

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
    Claim *claim;
    uint64 rows;
} Doubt;

typedef struct Foresight
{
    VdfRun *run;
    int node;
    const int *edges;
    int nedges;
    bool tombstone;
    Relation table;
    VdfKeys *found;
    List *claims;
    Bitmapset *changed;
    Bitmapset *changing; /* those whose new value is another each time */
    Bitmapset *read;     /* by the restrictions in doubt */
    List *checks;        /* of Doubt */
    List *indexes;
} Foresight;

static char *column_name(const Foresight *f, int number)
{
    return pstrdup(quote_identifier(NameStr(TupleDescAttr(RelationGetDescr(f->table), number - 1)->attname)));
}

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

static void note(VdfRun *run, int edge, char *text)
{
    MemoryContext caller = MemoryContextSwitchTo(run->context);
    char **note = edge >= 0 ? &run->edges[edge].note : &run->root_note;

    *note = *note ? psprintf("%s; %s", *note, text) : pstrdup(text);
    MemoryContextSwitchTo(caller);
}

static bool is_changing(const Foresight *f, const Claim *c)
{
    int level;
    bool answer;

    if (c->expression == NULL)
        return false;
    level = vdf_set_path();
    answer = contain_volatile_functions(vdf_expression_parse(RelationGetRelid(f->table), c->expression, true));
    vdf_unset_path(level);
    return answer;
}

static void doubt(Foresight *f, VdfRestriction *r)
{
    Claim *claim = NULL;
    ListCell *cell;
    Doubt *d;

    foreach (cell, f->claims)
        if (claim == NULL && concerns(r, (Claim *) lfirst(cell)))
            claim = (Claim *) lfirst(cell);
    if (claim == NULL)
        return;
    if (r->unforeseeable || bms_overlap(bms_intersect(r->columns, f->changed), f->changing)) {
        if (r->kind == VDF_RESTRICTION_CHECK)
            note(f->run, claim->edge, psprintf("not foreseen: whether %s", phrase(r)));
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

/* The rows of vdf_m as they would be, with the columns that are read. */
static char *new_rows(const Foresight *f)
{
    VdfSqlRequest request = {VDF_SQL_NEW_ROWS, f->node, f->tombstone ? (unsigned) VDF_TOMBSTONE : 0u, f->nedges, f->edges, NULL, NULL};
    StringInfoData sql, others;
    const char *text;
    VdfError error;
    int number = -1;

    initStringInfo(&sql);
    initStringInfo(&others);
    while ((number = bms_next_member(f->read, number)) >= 0) {
        Form_pg_attribute a = TupleDescAttr(RelationGetDescr(f->table), number - 1);
        char *name = column_name(f, number);

        if (!bms_is_member(number, f->changed)) {
            appendStringInfo(&others, ", c.%s AS %s", name, name);
            appendStringInfo(&sql, ", v.%s", name);
        } else /* as UPDATE would store it, but for the domain, which is looked at apart */
            appendStringInfo(&sql, ", v.%s%s%s AS %s", name, vdf_cast(getBaseType(a->atttypid)),
                             OidIsValid(a->attcollation) ? vdf_collate(a->attcollation) : "", name);
    }
    request.others = others.data;
    if (!vdf_plan_sql(f->run->plan->core, &request, &text, &error))
        vdf_raise(&error);
    return psprintf("(SELECT v.vdf_t, v.vdf_i, v.vdf_w%s FROM (%s) v)", sql.data, text);
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
    VdfRowSet *goes = s->f->run->nodes[s->f->node].goes;
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
    VdfStatement statement;
    DoubtSink s;

    memset(&s, 0, sizeof(s));
    vdf_sink_init(&s.sink, NULL, refused_row);
    s.f = f;
    s.doubt = doubt;
    s.seen = doubt ? vdf_rowset_create() : NULL;
    memset(&statement, 0, sizeof(statement));
    statement.sql = sql;
    statement.owner = f->run->plan->nodes[f->node].owner;
    statement.sink = &s.sink;
    vdf_detach_inputs(f->run, &statement, f->edges, f->nedges, f->found);
    (void) vdf_execute(&f->run->executor, &statement);
}

static void ask_checks(Foresight *f, const char *rows)
{
    StringInfoData list, any;
    ListCell *cell;

    initStringInfo(&list);
    initStringInfo(&any);
    foreach (cell, f->checks) {
        VdfRestriction *r = ((Doubt *) lfirst(cell))->restriction;
        char *test = r->test ? psprintf("(%s) IS FALSE", vdf_restriction_text(f->table, r->test, "n", true))
                             : psprintf("n.%s IS NULL", column_name(f, bms_singleton_member(r->columns)));

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
        char *a = psprintf("(%s)%s", vdf_restriction_text(f->table, r->keys[i], left, fresh), collate);
        char *b = psprintf("(%s)%s", vdf_restriction_text(f->table, r->keys[i], right, true), collate);

        appendStringInfo(&sql, " AND (%s %s %s", a, vdf_operator(r->operators[i]), b);
        if (r->nulls_equal)
            appendStringInfo(&sql, " OR (%s IS NULL AND %s IS NULL)", a, b);
        appendStringInfoChar(&sql, ')');
    }
    if (r->predicate != NULL)
        appendStringInfo(&sql, " AND (%s) AND (%s)", vdf_restriction_text(f->table, r->predicate, left, fresh),
                         vdf_restriction_text(f->table, r->predicate, right, true));
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
                 rows, f->run->plan->graph.nodes[f->node].from, conflict(f, d->restriction, "o", "n", false), rows, rows,
                 conflict(f, d->restriction, "o", "n", true)),
        d);
}

static char *remedy(const Foresight *f, const Claim *c)
{
    if (!c->rule)
        return vdf_policy_call(f->run, c->edge, "'delete'");
    return psprintf("SELECT vedfolnir_set_column(%s, %s, '...'%s%s);", quote_literal_cstr(f->run->plan->graph.nodes[f->node].display),
                    quote_literal_cstr(get_attname(RelationGetRelid(f->table), c->number, false)),
                    c->edge < 0 ? "" : psprintf(", edge => %s", quote_literal_cstr(f->run->plan->graph.edges[c->edge].name)),
                    vdf_subject_argument(f->run->plan->configuration->subject));
}

/* A BEFORE trigger sees the row between us and the constraint, and may put it right. */
static void judge(Foresight *f, List *doubts)
{
    const char *keeper = vdf_facts(f->run->plan, RelationGetRelid(f->table))->update_keeper;
    ListCell *cell;

    foreach (cell, doubts) {
        Doubt *d = (Doubt *) lfirst(cell);
        int edge = d->claim->edge;

        if (d->rows == 0)
            continue;
        if (keeper != NULL)
            note(f->run, edge, psprintf("%s by %s unless %s prevents it", phrase(d->restriction), vdf_rows(d->rows), keeper));
        else if (edge < 0)
            vdf_block_root(f->run, d->rows, phrase(d->restriction), remedy(f, d->claim));
        else {
            f->run->edges[edge].failed = f->run->edges[edge].failed || !d->claim->rule;
            vdf_block(f->run, edge, d->rows, phrase(d->restriction), remedy(f, d->claim), true);
        }
    }
}

void vdf_foresee(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    Foresight f = {};
    ListCell *cell, *other;
    char *rows;

    if (found->count == 0 || !vdf_may_be_refused(run, node, edges, nedges, tombstone))
        return;
    f.run = run;
    f.node = node;
    f.edges = edges;
    f.nedges = nedges;
    f.tombstone = tombstone;
    f.found = found;
    f.table = table_open(run->plan->nodes[node].relation, AccessShareLock);
    f.claims = claims_of(run, node, edges, nedges, tombstone);
    foreach (cell, f.claims) {
        Claim *c = (Claim *) lfirst(cell);

        f.changed = bms_add_member(f.changed, c->number);
        if (is_changing(&f, c))
            f.changing = bms_add_member(f.changing, c->number);
    }
    foreach (cell, vdf_facts_restrictions(run->plan, RelationGetRelid(f.table)))
        doubt(&f, (VdfRestriction *) lfirst(cell));
    for (int number = bms_next_member(f.changed, -1); number >= 0; number = bms_next_member(f.changed, number))
        foreach (other, vdf_domain_restrictions(f.table, number))
            doubt(&f, (VdfRestriction *) lfirst(other));
    if (f.checks != NIL || f.indexes != NIL) {
        rows = new_rows(&f);
        if (f.checks != NIL)
            ask_checks(&f, rows);
        foreach (cell, f.indexes)
            ask_index(&f, rows, (Doubt *) lfirst(cell));
        judge(&f, f.checks);
        judge(&f, f.indexes);
    }
    table_close(f.table, AccessShareLock);
}
