/*
 * export.cpp: the configuration of a subject as SQL that can be loaded again.
 */
#include "ext/evidence.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/schema_facts.h"
#include "ext/steps.h"
#include "ext/store.h"

/* Parts from here on belong to no subject: the duties, whose roles another cluster may lack, and the watch. */
#define SHARED_PARTS 9
#define ALL_PARTS 11

/* One statement a row; the order depends on names alone, but for identities: theirs is the order in which accounts go. $2 is the last argument of each call, or empty; $3 bounds the parts. */
static const char *const EXPORT =
    "SELECT x.line FROM ("
    "SELECT 1 AS part, ''::text AS a, ''::text AS b, ''::text AS c, ''::text AS d, format("
    "  'SELECT vedfolnir_register_subject(%L, key_column => %L%s, mode => %L%s);', format('%I.%I', relation_schema, relation_name), "
    "  key_column, CASE WHEN label_column IS NULL THEN '' ELSE format(', label_column => %L', label_column) END, mode, $2) AS line "
    "FROM vedfolnir.subject WHERE subject = $1 "
    "UNION ALL SELECT 2, '', '', '', '', format('SELECT vedfolnir_set_tenancy(%L, %L, %L%s);', "
    "  format('%I.%I', relation_schema, relation_name), tenant_column, administrator, $2) FROM vedfolnir.tenancy WHERE subject = $1 "
    "UNION ALL SELECT 3, relation_schema, relation_name, link, '', format('SELECT vedfolnir_add_link(%L, %L, %L%s%s, parent_columns => %L, "
    "action => %L%s%s);', link, format('%I.%I', relation_schema, relation_name), format('%I.%I', parent_schema, parent_name), "
    "  CASE WHEN columns IS NULL THEN '' ELSE format(', columns => %L', columns) END, CASE WHEN expression IS NULL THEN '' ELSE format(', expression => %L', expression) END, parent_columns, action, "
    "  CASE WHEN condition IS NULL THEN '' ELSE format(', condition => %L', condition) END, $2) FROM vedfolnir.link WHERE subject = $1 "
    "UNION ALL SELECT 4, relation_schema, relation_name, edge, '', format('SELECT vedfolnir_set_policy(%L, %L, %L%s%s%s%s);', "
    "  format('%I.%I', relation_schema, relation_name), edge, action, CASE WHEN reason IS NULL THEN '' ELSE format(', reason => %L', reason) END, "
    "  CASE collateral WHEN 'refuse' THEN '' ELSE format(', collateral => %L', collateral) END, "
    "  CASE WHEN reassign_to IS NULL THEN '' ELSE format(', reassign_to => %L', reassign_to) END, $2) FROM vedfolnir.policy WHERE subject = $1 "
    "UNION ALL SELECT 5, relation_schema, relation_name, edge, column_name, format('SELECT vedfolnir_set_column(%L, %L, %L%s%s);', "
    "  format('%I.%I', relation_schema, relation_name), column_name, expression, "
    "  CASE edge WHEN '' THEN '' ELSE format(', edge => %L', edge) END, $2) FROM vedfolnir.column_rule WHERE subject = $1 "
    "UNION ALL SELECT 6, CASE kind WHEN 'identity' THEN '' ELSE relation_schema END, CASE kind WHEN 'identity' THEN to_char(id, 'FM0000000000') ELSE relation_name END, "
    "  kind || ' ' || service, target, format('SELECT vedfolnir_add_cleanup(%L, %L, %L, "
    "service => %L%s%s);', format('%I.%I', relation_schema, relation_name), kind, target, service, "
    "  CASE on_expire WHEN 'no' THEN '' ELSE format(', on_expire => %L', on_expire) END, $2) FROM vedfolnir.cleanup_rule WHERE subject = $1 "
    "UNION ALL SELECT 7, mirror_schema, mirror_name, relation_schema, relation_name, format('SELECT vedfolnir_add_mirror(%L, %L, "
    "columns => %L%s);', format('%I.%I', relation_schema, relation_name), format('%I.%I', mirror_schema, mirror_name), columns, $2) "
    "FROM vedfolnir.mirror WHERE subject = $1 "
    "UNION ALL SELECT 8, relation_schema, relation_name, column_name, '', format('SELECT vedfolnir_dismiss_candidate(%L, %L, reason => %L%s);', "
    "  format('%I.%I', relation_schema, relation_name), column_name, reason, $2) FROM vedfolnir.dismissal WHERE subject = $1 "
    "UNION ALL SELECT " CppAsString2(SHARED_PARTS) ", role_name, duty, '', '', format('SELECT vedfolnir_grant(oid::regrole, %L) FROM pg_catalog.pg_roles WHERE rolname = %L;', "
    "  duty, role_name) FROM vedfolnir.duty "
    "UNION ALL SELECT 10, '', '', '', '', 'SELECT vedfolnir_watch(true);' WHERE EXISTS (SELECT FROM vedfolnir.watch)"
    ") x WHERE x.part < $3 ORDER BY x.part, x.a COLLATE \"C\", x.b COLLATE \"C\", x.c COLLATE \"C\", x.d COLLATE \"C\"";

static void read_lines(VdfStore *store, Name subject, int parts)
{
    Oid types[3] = {NAMEOID, TEXTOID, INT4OID};
    Datum values[3] = {NameGetDatum(subject), CStringGetTextDatum(vdf_subject_argument(NameStr(*subject))), Int32GetDatum(parts)};

    vdf_store_open(store);
    vdf_store_run(store, EXPORT, 3, types, values, NULL, true);
}

static Name subject_argument(FunctionCallInfo fcinfo)
{
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("subject must not be null")));
    return PG_GETARG_NAME(0);
}

/* vedfolnir_export_policy(subject name): one statement a row; 22004, 42501, 42704. */
VDF_FUNCTION(vedfolnir_export_policy)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    Name subject = subject_argument(fcinfo);
    VdfStore store;

    vdf_require_review(vdf_require_subject(NameStr(*subject)));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
    read_lines(&store, subject, ALL_PARTS);
    for (uint64 i = 0; i < store.count; i++) {
        Datum row[1] = {CStringGetTextDatum(vdf_store_text(&store, i, 1))};
        bool nulls[1] = {false};

        tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
    }
    vdf_store_close(&store);
    return (Datum) 0;
}

/*
 * vedfolnir_policy_hash(subject name): SHA-256 over what a run would go by and over every line that the export has of the
 * subject, so that nothing which can be declared is left out; names and no counts; 22004, 42501, 42704.
 */
VDF_FUNCTION(vedfolnir_policy_hash)
{
    Name subject = subject_argument(fcinfo);
    VdfDeletionPlan *plan = vdf_plan_for(NameStr(*subject));
    StringInfoData text;
    VdfStore store;

    vdf_require_review(plan->configuration->relation);
    initStringInfo(&text);
    vdf_describe_plan(plan, &text);
    vdf_plan_release(plan);
    read_lines(&store, subject, SHARED_PARTS);
    for (uint64 i = 0; i < store.count; i++)
        appendStringInfo(&text, "%s\n", vdf_store_text(&store, i, 1));
    vdf_store_close(&store);
    PG_RETURN_TEXT_P(cstring_to_text(vdf_sha256_hex(text.data, text.len)));
}
