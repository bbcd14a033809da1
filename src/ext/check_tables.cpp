/*
 * check_tables.cpp: what tables lack for a deletion that is quick and allowed: indexes, privileges, working triggers.
 */
#include "ext/catalog.h"
#include "ext/check.h"
#include "ext/facts.h"
#include "ext/report.h"
#include "ext/unique.h"

/* The size in words, read from the catalogue's last count: asking the file system for 2,000 tables takes too long. */
static char *scanned(Oid relation)
{
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    int64 bytes = 0;

    if (HeapTupleIsValid(tuple)) {
        bytes = (int64) Max(((Form_pg_class) GETSTRUCT(tuple))->relpages, 0) * BLCKSZ;
        ReleaseSysCache(tuple);
    }
    if (bytes == 0)
        return pstrdup("no index: a deletion scans the whole table");
    return psprintf("no index: a deletion scans %s",
                    text_to_cstring(DatumGetTextPP(DirectFunctionCall1(pg_size_pretty, Int64GetDatum(bytes)))));
}

static void review_index(VdfReview *review, int edge)
{
    VdfDeletionPlan *plan = review->plan;
    const VdfEdgeInfo *info = &plan->edges[edge];
    const char *missing = vdf_missing_index(plan, edge), *remedy = strstr(missing, "CREATE INDEX");
    StringInfoData object;

    if (remedy == NULL || plan->graph.edges[edge].pairs[0].any) /* no index helps to find one key in arrays */
        return;
    initStringInfo(&object);
    appendStringInfoString(&object, plan->graph.edges[edge].display);
    for (int i = 0; i < info->nattributes; i++)
        appendStringInfo(&object, "%s%s", i ? "," : ".", quote_identifier(get_attname(info->relation, info->attributes[i], false)));
    vdf_find(review, VDF_SEVERITY_WARNING, "missing_index", object.data, scanned(info->relation), remedy);
}

static void review_facts(VdfReview *review, Oid relation, bool goes)
{
    VdfFacts *facts = vdf_facts(review->plan, relation);
    char *name = vdf_relation_name(relation);
    char *keeper = goes ? facts->delete_keeper : facts->update_keeper;

    if (facts->disabled_ri)
        vdf_find(review, VDF_SEVERITY_ERROR, "disabled_trigger", name,
                 psprintf("the triggers of foreign key \"%s\" are disabled", facts->disabled_ri),
                 psprintf("ALTER TABLE %s ENABLE TRIGGER ALL;", name));
    if (goes ? facts->no_replica != NULL : facts->no_replica_update != NULL)
        vdf_find(review, VDF_SEVERITY_ERROR, "no_replica_identity", name,
                 psprintf("%s: %s is refused", goes ? facts->no_replica : facts->no_replica_update, goes ? "DELETE" : "UPDATE"),
                 goes ? facts->replica_remedy : facts->replica_update_remedy);
    if (facts->foreign)
        vdf_find(review, VDF_SEVERITY_WARNING, "foreign_table", name, "a part of the table is a foreign table", NULL);
    if (keeper)
        vdf_find(review, VDF_SEVERITY_NOTICE, "may_keep_rows", name,
                 psprintf("%s may keep rows back; every run counts again (VF003)", keeper), NULL);
}

/* Does the table have an edge of its own on the columns of an edge of the table that it inherits? */
static bool has_edge_like(const VdfDeletionPlan *plan, Oid heir, int edge)
{
    const VdfEdge *e = &plan->graph.edges[edge];

    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *other = &plan->graph.edges[i];
        bool same = plan->edges[i].relation == heir && other->npairs == e->npairs;

        for (int j = 0; same && j < e->npairs; j++)
            same = strcmp(other->pairs[j].child, e->pairs[j].child) == 0;
        if (same)
            return true;
    }
    return false;
}

/* The call that makes the inherited reference an edge. */
static char *heir_remedy(const VdfReview *review, Oid heir, int edge)
{
    const VdfEdgeInfo *info = &review->plan->edges[edge];
    StringInfoData columns;

    initStringInfo(&columns);
    for (int i = 0; i < info->nattributes; i++) {
        if (info->attributes[i] == InvalidAttrNumber || review->plan->graph.edges[edge].pairs[i].parent_column[0] == '"')
            return NULL;
        appendStringInfo(&columns, "%s%s", i ? ", " : "", quote_literal_cstr(get_attname(info->relation, info->attributes[i], false)));
    }
    appendStringInfoString(&columns, "], parent_columns => ARRAY[");
    for (int i = 0; i < info->nattributes; i++)
        appendStringInfo(&columns, "%s%s", i ? ", " : "",
                         quote_literal_cstr(review->plan->graph.edges[edge].pairs[i].parent_column));
    return psprintf("SELECT vedfolnir_add_link(%s, %s, %s, columns => ARRAY[%s], action => 'delete'%s);",
                    quote_literal_cstr(review->plan->graph.edges[edge].name), quote_literal_cstr(vdf_relation_name(heir)),
                    quote_literal_cstr(vdf_relation_name(info->parent_relation)), columns.data,
                    vdf_subject_argument(review->plan->configuration->subject));
}

/* Keys are not inherited: rows of a table that inherits stay, unless it has a key or link of its own. */
static void review_heirs(VdfReview *review, Oid relation, int edge)
{
    List *heirs;
    ListCell *cell;

    if (!has_subclass(relation) || get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE)
        return;
    heirs = find_all_inheritors(relation, AccessShareLock, NULL);
    foreach (cell, heirs) {
        Oid heir = lfirst_oid(cell);

        if (heir == relation || (edge >= 0 && has_edge_like(review->plan, heir, edge)))
            continue;
        if (edge < 0)
            vdf_find(review, VDF_SEVERITY_WARNING, "inheriting_table", vdf_relation_name(heir),
                     psprintf("inherits the root table, and its rows are not found as a %s",
                              review->plan->configuration->subject), NULL);
        else
            vdf_find(review, VDF_SEVERITY_WARNING, "inheriting_table", vdf_relation_name(heir),
                     psprintf("inherits %s and has no key like \"%s\" of its own: its rows stay",
                              review->plan->graph.edges[edge].display, review->plan->graph.edges[edge].name),
                     heir_remedy(review, heir, edge));
    }
}

/* It was when the subject was registered. */
static void review_key(VdfReview *review)
{
    Oid root = review->plan->configuration->relation;
    const char *column = review->plan->configuration->key_column;

    if (!vdf_is_unique(root, get_attnum(root, column)))
        vdf_find(review, VDF_SEVERITY_WARNING, "missing_index",
                 psprintf("%s.%s", vdf_relation_name(root), quote_identifier(column)),
                 "no unique index any more: a key that several rows have refuses their deletion",
                 psprintf("CREATE UNIQUE INDEX%s ON %s (%s);",
                          get_rel_relkind(root) == RELKIND_PARTITIONED_TABLE ? "" : " CONCURRENTLY", vdf_relation_name(root),
                          quote_identifier(column)));
}

static void review_each_table(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;
    List *seen = list_make1_oid(plan->configuration->relation);

    review_key(review);
    review_facts(review, plan->configuration->relation, !plan->configuration->tombstone);
    review_heirs(review, plan->configuration->relation, -1);
    for (int i = 0; i < plan->graph.nedges; i++) {
        Oid relation = plan->edges[i].relation;
        char action = vdf_action(plan, i);

        CHECK_FOR_INTERRUPTS();
        if (action != VDF_ACTION_RETAIN)
            review_index(review, i);
        review_heirs(review, relation, i);
        if (action == VDF_ACTION_BLOCK || !vdf_changes_rows(plan, i) || list_member_oid(seen, relation))
            continue;
        seen = lappend_oid(seen, relation);
        review_facts(review, relation, plan->view->component_of[plan->graph.edges[i].child] >= 0);
    }
}

/* Statements run as the owner of their table, who may lack what a deletion needs. */
static const char *const OWNERS =
    "SELECT format('%I.%I', n.nspname, c.relname), quote_ident(r.rolname), quote_ident(n.nspname), "
    "       has_schema_privilege(c.relowner, n.oid, 'USAGE') AS uses, "
    "       has_table_privilege(c.relowner, c.oid, 'SELECT') AND has_table_privilege(c.relowner, c.oid, 'DELETE') "
    "       AND has_table_privilege(c.relowner, c.oid, 'UPDATE') AS may "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner "
    "WHERE c.oid = ANY ($1) ORDER BY 1";

/* Operators need DELETE on the root table. */
static const char *const OPERATORS =
    "SELECT d.role_name, quote_ident(d.role_name) FROM vedfolnir.duty d JOIN pg_roles r ON r.rolname = d.role_name "
    "WHERE d.duty = 'operator' AND NOT has_table_privilege(r.oid, $1, 'DELETE') ORDER BY 1";

static void review_privileges(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {OIDARRAYOID};
    Datum values[1] = {review->goes};
    char *root = vdf_relation_name(review->plan->configuration->relation);
    bool isnull;

    vdf_store_open(&store);
    vdf_store_run(&store, OWNERS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *table = vdf_store_text(&store, i, 1), *role = vdf_store_text(&store, i, 2);

        if (!DatumGetBool(vdf_store_datum(&store, i, 4, &isnull)))
            vdf_find(review, VDF_SEVERITY_ERROR, "missing_privilege", table,
                     psprintf("its owner %s may not use schema %s, and statements run as the owner", role,
                              vdf_store_text(&store, i, 3)),
                     psprintf("GRANT USAGE ON SCHEMA %s TO %s;", vdf_store_text(&store, i, 3), role));
        if (!DatumGetBool(vdf_store_datum(&store, i, 5, &isnull)))
            vdf_find(review, VDF_SEVERITY_ERROR, "missing_privilege", table,
                     psprintf("its owner %s may not read, change or delete its rows, and statements run as the owner", role),
                     psprintf("GRANT SELECT, UPDATE, DELETE ON %s TO %s;", table, role));
    }
    types[0] = OIDOID;
    values[0] = ObjectIdGetDatum(review->plan->configuration->relation);
    vdf_store_run(&store, OPERATORS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++)
        vdf_find(review, VDF_SEVERITY_WARNING, "missing_privilege", root,
                 psprintf("role \"%s\" holds the duty operator and may not delete from the root table",
                          vdf_store_text(&store, i, 1)),
                 psprintf("GRANT DELETE ON %s TO %s;", root, vdf_store_text(&store, i, 2)));
    vdf_store_close(&store);
}

/* A function of the same name elsewhere may be the one that a search_path finds first. */
static const char *const SHADOWS =
    "SELECT p.oid::regprocedure::text, p.prokind FROM pg_proc p WHERE p.proname LIKE 'vedfolnir\\_%' "
    "AND EXISTS (SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'vedfolnir' "
    "  JOIN pg_proc o ON o.oid = d.objid WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND o.proname = p.proname) "
    "AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid AND x.extname = 'vedfolnir' "
    "  WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'e' AND d.objid = p.oid) ORDER BY 1";

static void review_shadows(VdfReview *review)
{
    VdfStore store;

    vdf_store_open(&store);
    vdf_store_run(&store, SHADOWS, 0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *function = vdf_store_text(&store, i, 1);

        vdf_find(review, VDF_SEVERITY_WARNING, "shadowed_function", function,
                 "a function of another schema has the name of one of ours; search_path decides which one is called",
                 psprintf("DROP ROUTINE %s;", function));
    }
    vdf_store_close(&store);
}

void vdf_review_tables(VdfReview *review)
{
    review_each_table(review);
    review_privileges(review);
    review_shadows(review);
}
