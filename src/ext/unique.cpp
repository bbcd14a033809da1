#include "ext/unique.h"

bool vdf_keeps_apart(Oid number, const Bitmapset *columns)
{
    Relation index = index_open(number, AccessShareLock);
    Form_pg_index form = index->rd_index;
    bool unique = form->indisunique && form->indimmediate && form->indisvalid && !form->indisexclusion &&
                  heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL);

    for (int i = 0; unique && i < form->indnkeyatts; i++)
        unique = form->indkey.values[i] > 0 && bms_is_member(form->indkey.values[i], columns);
    index_close(index, AccessShareLock);
    return unique;
}

bool vdf_is_unique(Oid relation, AttrNumber column)
{
    Relation table = table_open(relation, AccessShareLock);
    ListCell *cell;
    bool found = false;

    foreach (cell, RelationGetIndexList(table)) {
        Relation index = index_open(lfirst_oid(cell), AccessShareLock);

        found = found || (index->rd_index->indisunique && index->rd_index->indisvalid && index->rd_index->indnkeyatts == 1 &&
                          index->rd_index->indkey.values[0] == column &&
                          heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL));
        index_close(index, AccessShareLock);
    }
    table_close(table, AccessShareLock);
    return found;
}
