/*
 * dismissal.cpp: columns that look like references to a person and are none, by the word of an administrator.
 */
#include "ext/check.h"
#include "ext/duty.h"
#include "ext/names.h"
#include "ext/report.h"

/* One that fits the schema. */
typedef struct Dismissal
{
    Oid relation;
    char *column;
} Dismissal;

/* vedfolnir_dismiss_candidate(relation regclass, column_name name, reason text, subject name): 22004, 42501, 42703, 42704, 42809. */
VDF_FUNCTION(vedfolnir_dismiss_candidate)
{
    VdfStore store;
    Oid relation, types[6] = {NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEOID, TEXTOID};
    Datum values[6];

    vdf_require_duty("admin");
    for (int i = 0; i < 4; i++)
        if (PG_ARGISNULL(i))
            ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation, column_name, reason and subject must not be null")));
    relation = PG_GETARG_OID(0);
    (void) vdf_require_subject(NameStr(*PG_GETARG_NAME(3)));
    vdf_require_table(relation);
    (void) vdf_column_number(relation, NameStr(*PG_GETARG_NAME(1)));
    values[0] = PG_GETARG_DATUM(3);
    values[1] = ObjectIdGetDatum(relation);
    values[2] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(relation))));
    values[3] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(relation)));
    values[4] = PG_GETARG_DATUM(1);
    values[5] = PG_GETARG_DATUM(2);
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "INSERT INTO vedfolnir.dismissal VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (subject, relation, column_name) "
                  "DO UPDATE SET relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                  "reason = excluded.reason",
                  6, types, values, NULL, false);
    vdf_store_close(&store);
    PG_RETURN_VOID();
}

/* Names are compared, as everywhere: what was renamed or made anew has to be looked at again. */
static const char *const DISMISSALS =
    "SELECT d.relation, d.column_name, a.attname IS NOT NULL, format('%I.%I', d.relation_schema, d.relation_name) FROM vedfolnir.dismissal d "
    "LEFT JOIN (pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) "
    "ON c.oid = d.relation::oid AND c.relname = d.relation_name AND c.relnamespace::regnamespace::text = quote_ident(d.relation_schema) "
    "AND a.attname = d.column_name WHERE d.subject = $1 ORDER BY d.relation_schema, d.relation_name, d.column_name";

void vdf_review_dismissals(VdfReview *review)
{
    const char *subject = review->plan->configuration->subject;
    VdfStore store;
    Oid types[1] = {NAMEOID};
    Datum values[1] = {DirectFunctionCall1(namein, CStringGetDatum(subject))};
    bool isnull;

    vdf_store_open(&store);
    vdf_store_run(&store, DISMISSALS, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        Dismissal *d = (Dismissal *) palloc(sizeof(Dismissal));
        char *relation = vdf_store_text(&store, i, 4);

        d->relation = DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull));
        d->column = vdf_store_text(&store, i, 2);
        if (DatumGetBool(vdf_store_datum(&store, i, 3, &isnull)))
            review->dismissals = lappend(review->dismissals, d);
        else
            vdf_find(review, VDF_SEVERITY_WARNING, "stale_rule", psprintf("%s.%s", relation, quote_identifier(d->column)),
                     "was dismissed as a candidate, and is gone or renamed",
                     psprintf("SELECT vedfolnir_remove_dismissal(%s, %s%s);", quote_literal_cstr(relation),
                              quote_literal_cstr(d->column), vdf_subject_argument(subject)));
    }
    vdf_store_close(&store);
}

bool vdf_is_dismissed(const VdfReview *review, Oid relation, const char *column)
{
    ListCell *cell;

    foreach (cell, review->dismissals) {
        const Dismissal *d = (const Dismissal *) lfirst(cell);

        if (d->relation == relation && strcmp(d->column, column) == 0)
            return true;
    }
    return false;
}
