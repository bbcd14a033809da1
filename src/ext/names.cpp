#include "ext/names.h"

#include "ext/candidates.h"
#include "ext/report.h"
#include "ext/store.h"

const char *vdf_closest(const char *given, List *names)
{
    const char *best = NULL;
    int best_distance = Max(3, (int) strlen(given) / 3) + 1;
    ListCell *cell;

    foreach (cell, names) {
        const char *name = (const char *) lfirst(cell);
        int distance = varstr_levenshtein_less_equal(given, Min(strlen(given), 255), name, Min(strlen(name), 255), 1, 1, 1,
                                                     best_distance, false);

        if (distance < best_distance) {
            best_distance = distance;
            best = name;
        }
    }
    return best;
}

char *vdf_unquoted(const char *identifier)
{
    char *name = pstrdup(identifier), *to = name;

    if (identifier[0] != '"')
        return name;
    for (const char *from = identifier + 1; from[0] && from[1]; from++) {
        *to++ = *from;
        if (from[0] == '"')
            from++;
    }
    *to = '\0';
    return name;
}

AttrNumber vdf_column_number(Oid relation, const char *column)
{
    AttrNumber number = get_attnum(relation, column);
    List *names = NIL;
    Relation table;
    const char *closest;

    if (number > 0)
        return number;
    table = relation_open(relation, AccessShareLock);
    for (int i = 0; i < RelationGetNumberOfAttributes(table); i++)
        if (!TupleDescAttr(RelationGetDescr(table), i)->attisdropped)
            names = lappend(names, pstrdup(NameStr(TupleDescAttr(RelationGetDescr(table), i)->attname)));
    relation_close(table, AccessShareLock);
    closest = vdf_closest(column, names);
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of %s does not exist", column, vdf_relation_name(relation)),
                    closest ? errhint("Perhaps you meant the column \"%s\".", closest) : 0));
    return InvalidAttrNumber;
}

static List *edge_names(const char *subject, Oid relation)
{
    VdfStore store;
    Oid types[2] = {OIDOID, NAMEOID};
    Datum values[2];
    NameData name;
    List *names = NIL;

    namestrcpy(&name, subject);
    values[0] = ObjectIdGetDatum(relation);
    values[1] = NameGetDatum(&name);
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "SELECT conname FROM pg_catalog.pg_constraint WHERE conrelid OPERATOR(pg_catalog.=) $1 "
                  "AND contype OPERATOR(pg_catalog.=) 'f' AND conparentid OPERATOR(pg_catalog.=) 0 "
                  "UNION SELECT k.conname FROM pg_catalog.pg_constraint k WHERE k.contype OPERATOR(pg_catalog.=) 'f' "
                  "AND k.conrelid OPERATOR(pg_catalog.=) ANY (ARRAY(WITH RECURSIVE up(oid) AS (SELECT i.inhparent FROM "
                  "pg_catalog.pg_inherits i WHERE i.inhrelid OPERATOR(pg_catalog.=) $1 UNION SELECT i.inhparent FROM "
                  "pg_catalog.pg_inherits i JOIN up u ON i.inhrelid OPERATOR(pg_catalog.=) u.oid) SELECT up.oid FROM up "
                  "JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) up.oid AND r.relkind OPERATOR(pg_catalog.=) 'r')) "
                  "UNION SELECT link FROM vedfolnir.link WHERE relation::pg_catalog.oid OPERATOR(pg_catalog.=) $1 "
                  "AND subject OPERATOR(pg_catalog.=) $2 ORDER BY 1",
                  2, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++)
        names = lappend(names, vdf_store_text(&store, i, 1));
    vdf_store_close(&store);
    return names;
}

void vdf_require_edge(const char *subject, Oid relation, const char *edge)
{
    List *names = edge_names(subject, relation);
    const char *closest;
    ListCell *cell;

    foreach (cell, names)
        if (strcmp((const char *) lfirst(cell), edge) == 0)
            return;
    closest = vdf_closest(edge, names);
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("%s has no foreign key or link \"%s\"", vdf_relation_name(relation), edge),
                    closest ? errhint("Perhaps you meant \"%s\".", closest)
                            : errhint("SELECT relation, edge FROM vedfolnir_suggest_policies();")));
}

Oid vdf_require_subject(const char *subject)
{
    VdfStore store;
    Oid types[1] = {NAMEOID}, relation = InvalidOid;
    Datum values[1];
    NameData name;
    bool isnull;

    namestrcpy(&name, subject);
    values[0] = NameGetDatum(&name);
    vdf_store_open(&store);
    if (vdf_store_run(&store, "SELECT relation FROM vedfolnir.subject WHERE subject OPERATOR(pg_catalog.=) $1", 1, types,
                      values, NULL, true) > 0)
        relation = DatumGetObjectId(vdf_store_datum(&store, 0, 1, &isnull));
    vdf_store_close(&store);
    if (!OidIsValid(relation))
        vdf_raise_not_registered(subject);
    return relation;
}

void vdf_require_table(Oid relation)
{
    char kind = get_rel_relkind(relation);

    if (kind == '\0')
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation with OID %u does not exist", relation)));
    if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is not a table", vdf_relation_name(relation)),
                        errdetail("Views, foreign tables and sequences have no rows of their own to delete.")));
    if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is a temporary table", vdf_relation_name(relation))));
    /* Statements run as the owner: a link could make anybody a superuser, or remove the evidence. */
    if (relation < FirstNormalObjectId)
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is a system table", vdf_relation_name(relation)),
                        errdetail("Its rows belong to nobody.")));
    if (get_rel_namespace(relation) == get_namespace_oid("vedfolnir", false))
        ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("%s is a table of the extension", vdf_relation_name(relation)),
                        errdetail("Only the extension writes it.")));
}

void vdf_require_owner(Oid relation)
{
    if (!vdf_owns_relation(relation, GetUserId()))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("must be owner of table %s", get_rel_name(relation)),
                        errdetail("Expressions run as the owner of the table.")));
}
