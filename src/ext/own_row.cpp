/*
 * own_row.cpp: the tombstone of a person goes on naming what was queued for it, and must not keep it; the row of anybody
 * else must. The key is not on record: the key of a row is brought under the pseudonym and compared.
 */
#include "ext/pg.h"
#include "ext/call.h"
#include "ext/evidence.h"
#include "ext/own_row.h"
#include "ext/queue_scope.h"

VdfTombstone *vdf_tombstone_read(HeapTuple row, TupleDesc desc, int first)
{
    VdfTombstone *tombstone = (VdfTombstone *) palloc0(sizeof(VdfTombstone));
    AttrNumber number;
    int32 typmod;
    bool isnull;
    Datum root;

    tombstone->subject = SPI_getvalue(row, desc, first);
    tombstone->pseudonym = DatumGetByteaPCopy(SPI_getbinval(row, desc, first + 1, &isnull));
    tombstone->key_id = DatumGetInt32(SPI_getbinval(row, desc, first + 2, &isnull));
    root = SPI_getbinval(row, desc, first + 3, &isnull);
    if (isnull)
        return tombstone;
    tombstone->key_column = SPI_getvalue(row, desc, first + 4);
    number = get_attnum(DatumGetObjectId(root), tombstone->key_column);
    if (number == InvalidAttrNumber)
        return tombstone;
    tombstone->root = DatumGetObjectId(root);
    get_atttypetypmodcoll(tombstone->root, number, &tombstone->key_type, &typmod, &tombstone->key_collation);
    return tombstone;
}

char *vdf_tombstone_key(const VdfTombstone *tombstone, Oid relation, int n)
{
    AttrNumber number = OidIsValid(tombstone->root) ? get_attnum(relation, tombstone->key_column) : InvalidAttrNumber;

    if (number == InvalidAttrNumber || get_atttype(relation, number) != tombstone->key_type)
        return pstrdup("NULL::pg_catalog.text");
    return psprintf("CASE WHEN c.tableoid OPERATOR(pg_catalog.=) ANY ($%d) THEN c.%s END", n, quote_identifier(tombstone->key_column));
}

Datum vdf_tombstone_tables(const VdfTombstone *tombstone)
{
    List *tables = OidIsValid(tombstone->root) ? find_all_inheritors(tombstone->root, AccessShareLock, NULL) : NIL;
    Datum *oids = (Datum *) palloc(sizeof(Datum) * (list_length(tables) + 1));
    int n = 0;
    ListCell *cell;

    foreach (cell, tables)
        oids[n++] = ObjectIdGetDatum(lfirst_oid(cell));
    return PointerGetDatum(construct_array(oids, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

/* Two people who go together and name one file would otherwise keep it for each other. */
static bool is_removed_by_its_own(const VdfTombstone *tombstone, const char *key, const char *kind, const char *service, Datum target)
{
    static const char sql[] =
        "SELECT 1 FROM vedfolnir.deletion AS d JOIN vedfolnir.cleanup_task AS t ON t.deletion_id = d.id AND t.open AND NOT t.shared "
        "AND t.kind = $3 AND t.service = $4 AND vedfolnir.normalise_target(t.kind, t.target) = $5 "
        "WHERE d.pseudonym = ANY ($1) AND d.subject = $2 AND d.mode = 'tombstone' LIMIT 1";
    Oid types[] = {BYTEAARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[5];

    if (!vdf_pseudonyms(tombstone->subject, key, &values[0]))
        return false;
    values[1] = CStringGetTextDatum(tombstone->subject);
    values[2] = CStringGetTextDatum(kind);
    values[3] = CStringGetTextDatum(service);
    values[4] = target;
    vdf_queue_execute(sql, 5, types, values, NULL);
    return SPI_processed > 0;
}

bool vdf_tombstone_keeps(const VdfTombstone *tombstone, Datum key, bool isnull, const char *kind, const char *service, Datum target)
{
    VdfPseudonym pseudonym;
    char *canonical;

    if (isnull)
        return true;
    canonical = vdf_canonical_key(tombstone->key_type, tombstone->key_collation, key);
    pseudonym.key_id = tombstone->key_id;
    if (!vdf_pseudonym_under(tombstone->subject, canonical, &pseudonym))
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the secret of the deletion's pseudonym is gone"),
                        errdetail("Whether a row is the person's own or names the target for somebody else cannot be told."),
                        errhint("Remove the target by hand and call vedfolnir_abandon_tasks().")));
    if (VARSIZE_ANY_EXHDR(tombstone->pseudonym) == sizeof(pseudonym.bytes) &&
        memcmp(VARDATA_ANY(tombstone->pseudonym), pseudonym.bytes, sizeof(pseudonym.bytes)) == 0)
        return false;
    return !is_removed_by_its_own(tombstone, canonical, kind, service, target);
}
