/*
 * suggest.cpp: what to decide for the edges that nobody has decided yet.
 */
#include "ext/deletion_plan.h"
#include "ext/duty.h"
#include "ext/report.h"
#include "ext/schema_facts.h"
#include "ext/store.h"

static char *subject_argument(FunctionCallInfo fcinfo)
{
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("subject must not be null")));
    return pstrdup(NameStr(*PG_GETARG_NAME(0)));
}

static void put_suggestion(FunctionCallInfo fcinfo, const VdfSchema *schema, const VdfSuggestion *s)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    Datum values[5];
    bool nulls[5] = {false};

    values[0] = CStringGetTextDatum(schema->displays[s->edge]);
    values[1] = DirectFunctionCall1(namein, CStringGetDatum(schema->facts.edges[s->edge].name));
    values[2] = CStringGetTextDatum(vdf_action_name(s->action));
    values[3] = CStringGetTextDatum(s->collateral ? "delete" : "refuse");
    values[4] = CStringGetTextDatum(s->why);
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* vedfolnir_suggest_policies(subject name): one row per edge without a policy; 22004, 42501, 42704. */
VDF_FUNCTION(vedfolnir_suggest_policies)
{
    VdfSchema *schema = vdf_schema_of(subject_argument(fcinfo));

    vdf_require_review(schema->configuration->relation);
    InitMaterializedSRF(fcinfo, 0);
    for (int i = 0; i < schema->nsuggestions; i++)
        if (!schema->suggestions[i].as_link)
            put_suggestion(fcinfo, schema, &schema->suggestions[i]);
    return (Datum) 0;
}

static bool write_suggestion(VdfStore *store, const VdfSchema *schema, const VdfSuggestion *s)
{
    Oid relation = schema->relations[s->edge];
    Oid types[8] = {NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEOID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[8];

    values[0] = DirectFunctionCall1(namein, CStringGetDatum(schema->configuration->subject));
    values[1] = ObjectIdGetDatum(relation);
    values[2] = DirectFunctionCall1(namein, CStringGetDatum(get_namespace_name(get_rel_namespace(relation))));
    values[3] = DirectFunctionCall1(namein, CStringGetDatum(get_rel_name(relation)));
    values[4] = DirectFunctionCall1(namein, CStringGetDatum(schema->facts.edges[s->edge].name));
    values[5] = CStringGetTextDatum(vdf_action_name(s->action));
    values[6] = CStringGetTextDatum(psprintf("suggested: %s", s->why));
    values[7] = CStringGetTextDatum(s->collateral ? "delete" : "refuse");
    return vdf_store_run(store,
                         "INSERT INTO vedfolnir.policy (subject, relation, relation_schema, relation_name, edge, action, "
                         "reason, collateral) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
                         "ON CONFLICT (subject, relation, edge) DO NOTHING",
                         8, types, values, NULL, false) > 0;
}

/* vedfolnir_apply_suggestions(subject name): writes the suggestions and returns those written; 22004, 42501, 42704. */
VDF_FUNCTION(vedfolnir_apply_suggestions)
{
    VdfSchema *schema;
    VdfStore store;

    vdf_require_duty("admin");
    schema = vdf_schema_of(subject_argument(fcinfo));
    InitMaterializedSRF(fcinfo, 0);
    vdf_store_open(&store);
    for (int i = 0; i < schema->nsuggestions; i++)
        if (!schema->suggestions[i].as_link && write_suggestion(&store, schema, &schema->suggestions[i]))
            put_suggestion(fcinfo, schema, &schema->suggestions[i]);
    vdf_store_close(&store);
    return (Datum) 0;
}
