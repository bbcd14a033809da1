#include "ext/partial_index.h"

bool vdf_index_holds_values(Relation index, int ncolumns, const AttrNumber *columns)
{
    List *values = NIL;

    if (heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
        return true;
    for (int i = 0; i < ncolumns; i++) {
        NullTest *test = makeNode(NullTest);
        Oid type, collation;
        int32 typmod;

        get_atttypetypmodcoll(index->rd_index->indrelid, columns[i], &type, &typmod, &collation);
        test->arg = (Expr *) makeVar(1, columns[i], type, typmod, collation, 0);
        test->nulltesttype = IS_NOT_NULL;
        test->location = -1;
        values = lappend(values, test);
    }
    return predicate_implied_by(RelationGetIndexPredicate(index), values, false);
}
