#include "ext/configuration.h"

#include "bridge/wall.h"
#include "ext/candidates.h"
#include "ext/expression.h"
#include "ext/report.h"
#include "ext/store.h"

char vdf_action_of(const char *name)
{
    static const char actions[] = {VDF_ACTION_DELETE,   VDF_ACTION_NULLIFY, VDF_ACTION_DEFAULT,
                                   VDF_ACTION_REASSIGN, VDF_ACTION_RETAIN,  VDF_ACTION_BLOCK};

    for (size_t i = 0; i < lengthof(actions); i++)
        if (strcmp(vdf_action_name(actions[i]), name) == 0)
            return actions[i];
    return VDF_ACTION_NONE;
}

void vdf_configuration_stale(VdfConfiguration *configuration, const char *schema, const char *table, const char *edge,
                             const char *message)
{
    VdfStale *stale = (VdfStale *) palloc0(sizeof(VdfStale));

    stale->schema = pstrdup(schema);
    stale->table = pstrdup(table);
    stale->relation = quote_qualified_identifier(schema, table);
    stale->edge = edge && edge[0] ? pstrdup(edge) : NULL;
    stale->message = pstrdup(message);
    configuration->stale = lappend(configuration->stale, stale);
}

/* Compares the names that stand beside an OID with today's; an object that moved away makes every run refuse. */
static bool still_named(VdfConfiguration *configuration, VdfStore *store, uint64 row, int column, const char *what,
                        const char *edge, Oid *relation)
{
    bool isnull;
    char *schema, *name, *now;

    *relation = DatumGetObjectId(vdf_store_datum(store, row, column, &isnull));
    schema = vdf_store_text(store, row, column + 1);
    name = vdf_store_text(store, row, column + 2);
    now = get_rel_name(*relation);
    if (now != NULL && strcmp(now, name) == 0 &&
        strcmp(get_namespace_name(get_rel_namespace(*relation)), schema) == 0)
        return true;
    vdf_configuration_stale(configuration, schema, name, edge,
                            now == NULL ? psprintf("%s names a table that does not exist any more", what)
                                        : psprintf("%s was declared for a table that is now %s", what,
                                                   vdf_relation_name(*relation)));
    return false;
}

/* A column that an expression names and the table has no more; the rule that holds it is stale. */
static bool still_valid(VdfConfiguration *configuration, Oid relation, const char *what, const char *edge,
                        const char *expression)
{
    char *missing = expression ? vdf_expression_missing_column(relation, expression) : NULL;

    if (missing == NULL)
        return true;
    vdf_configuration_stale(configuration, get_namespace_name(get_rel_namespace(relation)), get_rel_name(relation), edge,
                            psprintf("%s names column \"%s\", which does not exist any more", what, missing));
    return false;
}

static char **names_of(Datum array, int *n)
{
    Datum *items;
    bool *nulls;
    char **names;

    deconstruct_array(DatumGetArrayTypeP(array), NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &items, &nulls, n);
    names = (char **) palloc(sizeof(char *) * (*n + 1));
    for (int i = 0; i < *n; i++)
        names[i] = pstrdup(NameStr(*DatumGetName(items[i])));
    return names;
}

static void read_policies(VdfConfiguration *c, VdfStore *store, Oid *types, Datum *values)
{
    vdf_store_run(store,
                  "SELECT relation, relation_schema, relation_name, edge, action, reason, collateral, reassign_to, "
                  "reassign_parsed FROM vedfolnir.policy WHERE subject OPERATOR(pg_catalog.=) $1 "
                  "ORDER BY relation_schema, relation_name, edge",
                  1, types, values, NULL, true);
    c->policies = (VdfPolicy *) palloc(sizeof(VdfPolicy) * (store->count + 1));
    for (uint64 i = 0; i < store->count; i++) {
        VdfPolicy *p = &c->policies[c->npolicies];

        memset(p, 0, sizeof(VdfPolicy));
        p->edge = vdf_store_text(store, i, 4);
        if (!still_named(c, store, i, 1, "a policy", p->edge, &p->relation))
            continue;
        p->schema = vdf_store_text(store, i, 2);
        p->table = vdf_store_text(store, i, 3);
        p->action = vdf_action_of(vdf_store_text(store, i, 5));
        p->reason = vdf_store_text(store, i, 6);
        p->collateral_ok = strcmp(vdf_store_text(store, i, 7), "delete") == 0;
        p->reassign_to = vdf_store_text(store, i, 8);
        p->reassign_expression = vdf_store_text(store, i, 9);
        if (still_valid(c, p->relation, "a policy", p->edge, p->reassign_expression))
            c->npolicies++;
    }
}

static void read_links(VdfConfiguration *c, VdfStore *store, Oid *types, Datum *values)
{
    vdf_store_run(store,
                  "SELECT relation, relation_schema, relation_name, parent, parent_schema, parent_name, link, columns, "
                  "parsed, parent_columns, action, condition_parsed FROM vedfolnir.link "
                  "WHERE subject OPERATOR(pg_catalog.=) $1 ORDER BY relation_schema, relation_name, link",
                  1, types, values, NULL, true);
    c->links = (VdfLink *) palloc(sizeof(VdfLink) * (store->count + 1));
    for (uint64 i = 0; i < store->count; i++) {
        VdfLink *l = &c->links[c->nlinks];
        bool isnull;
        Datum columns;
        int n;

        memset(l, 0, sizeof(VdfLink));
        l->link = vdf_store_text(store, i, 7);
        if (!still_named(c, store, i, 1, "a link", l->link, &l->relation) ||
            !still_named(c, store, i, 4, "the parent of a link", l->link, &l->parent))
            continue;
        columns = vdf_store_datum(store, i, 8, &isnull);
        if (!isnull)
            l->columns = names_of(columns, &n);
        l->expression = vdf_store_text(store, i, 9);
        l->parent_columns = names_of(vdf_store_datum(store, i, 10, &isnull), &l->npairs);
        l->action = vdf_action_of(vdf_store_text(store, i, 11));
        l->condition = vdf_store_text(store, i, 12);
        if (still_valid(c, l->relation, "a link", l->link, l->expression) &&
            still_valid(c, l->relation, "a link", l->link, l->condition))
            c->nlinks++;
    }
}

static void read_columns(VdfConfiguration *c, VdfStore *store, Oid *types, Datum *values)
{
    vdf_store_run(store,
                  "SELECT relation, relation_schema, relation_name, edge, column_name, parsed FROM vedfolnir.column_rule "
                  "WHERE subject OPERATOR(pg_catalog.=) $1 ORDER BY relation_schema, relation_name, edge, column_name",
                  1, types, values, NULL, true);
    c->columns = (VdfColumnSetting *) palloc(sizeof(VdfColumnSetting) * (store->count + 1));
    for (uint64 i = 0; i < store->count; i++) {
        VdfColumnSetting *s = &c->columns[c->ncolumns];

        s->edge = vdf_store_text(store, i, 4);
        s->column = vdf_store_text(store, i, 5);
        if (!still_named(c, store, i, 1, "a column rule", s->edge, &s->relation))
            continue;
        s->schema = vdf_store_text(store, i, 2);
        s->table = vdf_store_text(store, i, 3);
        s->expression = vdf_store_text(store, i, 6);
        if (get_attnum(s->relation, s->column) == InvalidAttrNumber) {
            vdf_configuration_stale(c, s->schema, s->table, s->edge,
                                    psprintf("a column rule names column \"%s\", which does not exist any more", s->column));
            continue;
        }
        if (still_valid(c, s->relation, "a column rule", s->edge, s->expression))
            c->ncolumns++;
    }
}

static void read_cleanups(VdfConfiguration *c, VdfStore *store, Oid *types, Datum *values)
{
    vdf_store_run(store,
                  "SELECT relation, relation_schema, relation_name, kind, target, parsed, service, on_expire, id "
                  "FROM vedfolnir.cleanup_rule WHERE subject OPERATOR(pg_catalog.=) $1 ORDER BY kind, service, "
                  "relation_schema, relation_name, target COLLATE pg_catalog.\"C\"",
                  1, types, values, NULL, true);
    c->cleanups = (VdfCleanup *) palloc(sizeof(VdfCleanup) * (store->count + 1));
    for (uint64 i = 0; i < store->count; i++) {
        VdfCleanup *r = &c->cleanups[c->ncleanups];
        char *expire;
        bool isnull;

        memset(r, 0, sizeof(VdfCleanup));
        if (!still_named(c, store, i, 1, "a clean-up rule", NULL, &r->relation))
            continue;
        r->kind = vdf_store_text(store, i, 4);
        r->target = vdf_store_text(store, i, 5);
        r->expression = vdf_store_text(store, i, 6);
        r->service = vdf_store_text(store, i, 7);
        expire = vdf_store_text(store, i, 8);
        r->on_expire = strcmp(expire, "delete") == 0    ? VDF_EXPIRE_DELETE
                       : strcmp(expire, "enqueue") == 0 ? VDF_EXPIRE_ENQUEUE
                                                        : VDF_EXPIRE_NO;
        r->id = DatumGetInt32(vdf_store_datum(store, i, 9, &isnull));
        if (still_valid(c, r->relation, "a clean-up rule", NULL, r->expression))
            c->ncleanups++;
    }
}

/* A mirror is expanded like the target of a clean-up rule; its row type is made anew, for columns come and go. */
static const char *const MIRRORS =
    "SELECT m.relation, m.relation_schema, m.relation_name, m.mirror, m.mirror_schema, m.mirror_name, m.columns::pg_catalog.text, "
    "pg_catalog.string_agg(COALESCE('(' OPERATOR(pg_catalog.||) p.value OPERATOR(pg_catalog.||) ')', 'NULL'), ', ' ORDER BY a.attnum), "
    "pg_catalog.string_agg(pg_catalog.quote_ident(p.key), ', ' ORDER BY a.attnum), "
    "(SELECT pg_catalog.min(k) FROM pg_catalog.jsonb_object_keys(m.parsed) k WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute x "
    "  WHERE x.attrelid OPERATOR(pg_catalog.=) m.mirror::pg_catalog.oid AND x.attname::pg_catalog.text OPERATOR(pg_catalog.=) k "
    "  AND NOT x.attisdropped)) "
    "FROM vedfolnir.mirror m LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) m.mirror::pg_catalog.oid "
    "AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped "
    "LEFT JOIN LATERAL pg_catalog.jsonb_each_text(m.parsed) p ON p.key OPERATOR(pg_catalog.=) a.attname::pg_catalog.text "
    "WHERE m.subject OPERATOR(pg_catalog.=) $1 GROUP BY m.subject, m.relation, m.mirror ORDER BY m.mirror_schema, m.mirror_name, m.relation_schema, "
    "m.relation_name";

static void read_mirrors(VdfConfiguration *c, VdfStore *store, Oid *types, Datum *values)
{
    vdf_store_run(store, MIRRORS, 1, types, values, NULL, true);
    c->cleanups = (VdfCleanup *) repalloc(c->cleanups, sizeof(VdfCleanup) * (c->ncleanups + store->count + 1));
    for (uint64 i = 0; i < store->count; i++) {
        VdfCleanup *r = &c->cleanups[c->ncleanups];
        char *missing = vdf_store_text(store, i, 10);

        memset(r, 0, sizeof(VdfCleanup));
        if (!still_named(c, store, i, 1, "a mirror", NULL, &r->relation) ||
            !still_named(c, store, i, 4, "the table of a mirror", NULL, &r->mirror))
            continue;
        if (missing != NULL) {
            vdf_configuration_stale(c, vdf_store_text(store, i, 2), vdf_store_text(store, i, 3), NULL,
                                    psprintf("a mirror sets column \"%s\" of %s, which does not exist any more", missing,
                                             vdf_relation_name(r->mirror)));
            continue;
        }
        r->kind = pstrdup("mirror");
        r->service = vdf_relation_name(r->mirror);
        r->target = vdf_store_text(store, i, 7);
        r->expression = psprintf("ROW(%s)::%s", vdf_store_text(store, i, 8), r->service);
        r->mirror_columns = vdf_store_text(store, i, 9);
        if (still_valid(c, r->relation, "a mirror", NULL, r->expression))
            c->ncleanups++;
    }
}

VdfConfiguration *vdf_configuration_read(const char *subject)
{
    VdfConfiguration *c = (VdfConfiguration *) palloc0(sizeof(VdfConfiguration));
    VdfStore store;
    Oid types[1] = {NAMEOID};
    Datum values[1];
    NameData name;
    const char *stored;

    namestrcpy(&name, subject);
    values[0] = NameGetDatum(&name);
    vdf_store_open(&store);
    /* The catalogue is always read as it is now. By the snapshot of the statement or the transaction a plan would be kept
     * that knows of a new key and not of the policy that was set with it, and nothing would tell of it again. */
    PushActiveSnapshot(GetLatestSnapshot());
    if (vdf_store_run(&store,
                      "SELECT relation, relation_schema, relation_name, key_column, label_column, mode "
                      "FROM vedfolnir.subject WHERE subject OPERATOR(pg_catalog.=) $1",
                      1, types, values, NULL, true) == 0)
        vdf_raise_not_registered(subject);
    c->subject = pstrdup(subject);
    c->key_column = vdf_store_text(&store, 0, 4);
    c->label_column = vdf_store_text(&store, 0, 5);
    c->tombstone = strcmp(vdf_store_text(&store, 0, 6), "tombstone") == 0;
    stored = quote_qualified_identifier(vdf_store_text(&store, 0, 2), vdf_store_text(&store, 0, 3));
    if (!still_named(c, &store, 0, 1, "the subject", NULL, &c->relation))
        ereport(ERROR, (errcode(ERRCODE_VDF_BLOCKED), errmsg("the root table of subject \"%s\" is gone or renamed", subject),
                        errdetail("It was %s. Nothing was changed.", stored),
                        errhint("Register it again: SELECT vedfolnir_register_subject(...);")));
    if (get_attnum(c->relation, c->key_column) == InvalidAttrNumber ||
        (c->label_column != NULL && get_attnum(c->relation, c->label_column) == InvalidAttrNumber))
        ereport(ERROR,
                (errcode(ERRCODE_VDF_BLOCKED),
                 errmsg("the key or label column of subject \"%s\" is gone or renamed", subject),
                 errdetail("Nothing was changed."),
                 errhint("Register it again: SELECT vedfolnir_register_subject('%s');", stored)));
    read_policies(c, &store, types, values);
    read_links(c, &store, types, values);
    read_columns(c, &store, types, values);
    read_cleanups(c, &store, types, values);
    read_mirrors(c, &store, types, values);
    PopActiveSnapshot();
    vdf_store_close(&store);
    return c;
}
