/*
 * foreign_keys.cpp: the foreign keys of the database, and those that a table inherits the columns of without the key.
 */
#include "ext/catalog.h"

static int key_columns(const VdfForeignKey *key, AttrNumber *referring, AttrNumber *referred)
{
    AttrNumber set[INDEX_MAX_KEYS];
    Oid equal[INDEX_MAX_KEYS], equal_parent[INDEX_MAX_KEYS], equal_child[INDEX_MAX_KEYS];
    int n, nset;

    DeconstructFkConstraintRow(key->row, &n, referring, referred, equal, equal_parent, equal_child, &nset, set);
    return n;
}

AttrNumber vdf_referred_column(const VdfForeignKey *key)
{
    AttrNumber referring[INDEX_MAX_KEYS], referred[INDEX_MAX_KEYS];

    (void) key_columns(key, referring, referred);
    return referred[0];
}

static int referring_columns(const VdfForeignKey *key, AttrNumber *referring)
{
    AttrNumber referred[INDEX_MAX_KEYS];

    return key_columns(key, referring, referred);
}

/* Does the relation have a key of its own to the same table over columns of the same names? */
static bool has_own_key(const VdfForeignKey *keys, int n, const VdfForeignKey *inherited, Oid relation)
{
    AttrNumber theirs[INDEX_MAX_KEYS], own[INDEX_MAX_KEYS];
    int ntheirs = referring_columns(inherited, theirs);

    for (int i = 0; i < n; i++) {
        bool same = keys[i].relation == relation && keys[i].referenced == inherited->referenced &&
                    referring_columns(&keys[i], own) == ntheirs;

        for (int j = 0; same && j < ntheirs; j++)
            same = strcmp(get_attname(relation, own[j], false), get_attname(inherited->relation, theirs[j], false)) == 0;
        if (same)
            return true;
    }
    return false;
}

/* The tables that inherit the columns of a key and not the key. Where one has a key of its own, that is what is inherited from it. */
static List *heirs_without_key(const VdfForeignKey *keys, int n, const VdfForeignKey *key)
{
    List *found = NIL, *todo = list_make1_oid(key->relation);
    ListCell *cell;

    for (int i = 0; i < list_length(todo); i++)
        foreach (cell, find_inheritance_children(list_nth_oid(todo, i), NoLock)) {
            Oid heir = lfirst_oid(cell);

            if (list_member_oid(todo, heir) || get_rel_relkind(heir) != RELKIND_RELATION || has_own_key(keys, n, key, heir))
                continue;
            todo = lappend_oid(todo, heir);
            found = lappend_oid(found, heir);
        }
    return found;
}

/* Rows of an inheriting table show up in the table that has the key, but no key looks after them. */
static VdfForeignKey *add_inheriting_tables(VdfForeignKey *keys, int *count)
{
    int n = *count, room = *count;

    for (int i = 0; i < *count; i++) {
        ListCell *cell;

        if (get_rel_relkind(keys[i].relation) != RELKIND_RELATION || !has_subclass(keys[i].relation))
            continue;
        foreach (cell, heirs_without_key(keys, *count, &keys[i])) {
            if (n == room) {
                room = room * 2 + 16;
                keys = (VdfForeignKey *) repalloc(keys, sizeof(VdfForeignKey) * room);
            }
            keys[n] = keys[i];
            keys[n].relation = lfirst_oid(cell);
            keys[n].enforced = keys[n].validated = keys[n].deferrable = false;
            n++;
        }
    }
    *count = n;
    return keys;
}

/* Both tables of a key: what is deferred is pending on either. */
static List *deferrable_on(List *relations, Form_pg_constraint form)
{
    if (!form->condeferrable || !OidIsValid(form->conrelid))
        return relations;
    relations = lappend_oid(relations, form->conrelid);
    return OidIsValid(form->confrelid) ? lappend_oid(relations, form->confrelid) : relations;
}

VdfForeignKey *vdf_foreign_keys(int *count, List **deferrable)
{
    Relation catalog = table_open(ConstraintRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, InvalidOid, false, NULL, 0, NULL);
    int n = 0, room = 256;
    VdfForeignKey *keys = (VdfForeignKey *) palloc(sizeof(VdfForeignKey) * room);
    HeapTuple tuple;

    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Form_pg_constraint form = (Form_pg_constraint) GETSTRUCT(tuple);
        VdfForeignKey *key;

        *deferrable = deferrable_on(*deferrable, form);
        if (form->contype != CONSTRAINT_FOREIGN || OidIsValid(form->conparentid) ||
            isOtherTempNamespace(form->connamespace))
            continue;
        if (n == room) {
            room *= 2;
            keys = (VdfForeignKey *) repalloc(keys, sizeof(VdfForeignKey) * room);
        }
        key = &keys[n++];
        memset(key, 0, sizeof(VdfForeignKey));
        key->oid = form->oid;
        key->relation = key->declared_on = form->conrelid;
        key->referenced = form->confrelid;
        key->name = form->conname;
        key->delete_type = form->confdeltype;
        key->full = form->confmatchtype == FKCONSTR_MATCH_FULL;
        key->validated = form->convalidated;
        key->deferrable = form->condeferrable;
        key->enforced = vdf_key_enforced(form);
        key->period = vdf_key_period(form);
        key->row = heap_copytuple(tuple);
    }
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
    list_sort(*deferrable, list_oid_cmp);
    list_deduplicate_oid(*deferrable);
    *count = n;
    return add_inheriting_tables(keys, count);
}

void vdf_foreign_keys_end(VdfForeignKey *keys, int count)
{
    for (int i = 0; i < count; i++) {
        if (keys[i].declared_on == keys[i].relation) /* the heirs have the same row */
            heap_freetuple(keys[i].row);
    }
    for (int i = 0; i < count; i++)
        keys[i].row = NULL;
}
