#include "ext/duty.h"

#include "ext/report.h"
#include "ext/store.h"

bool vdf_has_duty(const char *duty)
{
    VdfStore store;
    Oid role = GetUserId(), types[1] = {TEXTOID};
    Datum values[1];
    bool found = false;

    if (superuser_arg(role))
        return true;
    values[0] = CStringGetTextDatum(duty);
    vdf_store_open(&store);
    vdf_store_run(&store, "SELECT role_name FROM vedfolnir.duty WHERE duty OPERATOR(pg_catalog.=) $1", 1, types,
                  values, NULL, true);
    for (uint64 i = 0; i < store.count && !found; i++) {
        Oid holder = get_role_oid(vdf_store_text(&store, i, 1), true);

        found = OidIsValid(holder) && has_privs_of_role(role, holder);
    }
    vdf_store_close(&store);
    return found;
}

void vdf_require_duty(const char *duty)
{
    if (!vdf_has_duty(duty))
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied: the duty \"%s\" is missing", duty),
                        errdetail("Role \"%s\" does not hold the duty. Nothing was changed.",
                                  GetUserNameFromId(GetUserId(), false)),
                        errhint("An administrator can type: SELECT vedfolnir_grant('%s', '%s');",
                                GetUserNameFromId(GetUserId(), false), duty)));
}

/* Reads a duty name; 22023 for anything else. */
static const char *duty_argument(Datum value)
{
    static const char *const duties[] = {"admin", "operator", "viewer", "worker"};
    char *given = TextDatumGetCString(value);

    for (size_t i = 0; i < lengthof(duties); i++)
        if (strcmp(given, duties[i]) == 0)
            return duties[i];
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no duty \"%s\"", given),
                    errhint("The duties are admin, operator, viewer and worker.")));
    return NULL;
}

/* Functions that a duty may call; the duty itself is checked inside them again. */
static void change_execute(VdfStore *store, const char *role, const char *duty, bool grant)
{
    Oid types[1] = {TEXTOID};
    Datum values[1] = {CStringGetTextDatum(duty)};
    uint64 n;
    char **functions;

    vdf_store_run(store,
                  "SELECT p.oid::pg_catalog.regprocedure::pg_catalog.text FROM pg_catalog.pg_proc p "
                  "JOIN pg_catalog.pg_depend d ON d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass "
                  "AND d.objid OPERATOR(pg_catalog.=) p.oid AND d.deptype OPERATOR(pg_catalog.=) 'e' "
                  "JOIN pg_catalog.pg_extension x ON x.oid OPERATOR(pg_catalog.=) d.refobjid "
                  "AND x.extname OPERATOR(pg_catalog.=) 'vedfolnir' "
                  "WHERE vedfolnir.function_duty(p.proname::pg_catalog.text) OPERATOR(pg_catalog.=) ANY "
                  "(CASE WHEN $1 OPERATOR(pg_catalog.=) 'admin' THEN ARRAY['admin','viewer'] "
                  "WHEN $1 OPERATOR(pg_catalog.=) 'operator' THEN ARRAY['operator','viewer'] "
                  "ELSE ARRAY[$1] END)",
                  1, types, values, NULL, false);
    n = store->count;
    functions = (char **) palloc(sizeof(char *) * (n + 1));
    for (uint64 i = 0; i < n; i++)
        functions[i] = vdf_store_text(store, i, 1);
    for (uint64 i = 0; i < n; i++)
        vdf_store_run(store,
                      psprintf("%s ALL ON ROUTINE %s %s %s", grant ? "GRANT" : "REVOKE", functions[i],
                               grant ? "TO" : "FROM", quote_identifier(role)),
                      0, NULL, NULL, NULL, false);
    vdf_store_run(store,
                  psprintf("%s USAGE ON SCHEMA vedfolnir %s %s", grant ? "GRANT" : "REVOKE", grant ? "TO" : "FROM",
                           quote_identifier(role)),
                  0, NULL, NULL, NULL, false);
    if (strcmp(duty, "worker") != 0 || !grant)
        vdf_store_run(store,
                      psprintf("%s SELECT ON vedfolnir.queue_status, vedfolnir.waiting_tasks, vedfolnir.worker_status, vedfolnir.progress %s %s",
                               grant ? "GRANT" : "REVOKE", grant ? "TO" : "FROM", quote_identifier(role)),
                      0, NULL, NULL, NULL, false);
}

static void change_duty(Oid role, const char *duty, bool grant)
{
    VdfStore store;
    Oid types[2] = {NAMEOID, TEXTOID};
    Datum values[2];
    char *name = GetUserNameFromId(role, false);
    uint64 left;
    char **duties;

    vdf_require_duty("admin");
    values[0] = DirectFunctionCall1(namein, CStringGetDatum(name));
    values[1] = CStringGetTextDatum(duty);
    vdf_store_open(&store);
    if (grant)
        vdf_store_run(&store, "INSERT INTO vedfolnir.duty VALUES ($1, $2) ON CONFLICT DO NOTHING", 2, types, values, NULL,
                      false);
    else
        vdf_store_run(&store,
                      "DELETE FROM vedfolnir.duty WHERE role_name OPERATOR(pg_catalog.=) $1 AND duty "
                      "OPERATOR(pg_catalog.=) $2",
                      2, types, values, NULL, false);
    change_execute(&store, name, duty, grant);

    /* Duties share functions: what the remaining ones need is granted again. */
    if (!grant) {
        vdf_store_run(&store, "SELECT duty FROM vedfolnir.duty WHERE role_name OPERATOR(pg_catalog.=) $1", 1, types,
                      values, NULL, false);
        left = store.count;
        duties = (char **) palloc(sizeof(char *) * (left + 1));
        for (uint64 i = 0; i < left; i++)
            duties[i] = vdf_store_text(&store, i, 1);
        for (uint64 i = 0; i < left; i++)
            change_execute(&store, name, duties[i], true);
    }
    vdf_store_close(&store);
}

/* vedfolnir_grant(role regrole, duty text): gives a duty; 42501 without the duty admin, 22023 for no duty. */
VDF_FUNCTION(vedfolnir_grant)
{
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("role and duty must not be null")));
    change_duty(PG_GETARG_OID(0), duty_argument(PG_GETARG_DATUM(1)), true);
    PG_RETURN_VOID();
}

/* vedfolnir_revoke(role regrole, duty text): takes a duty back. */
VDF_FUNCTION(vedfolnir_revoke)
{
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("role and duty must not be null")));
    change_duty(PG_GETARG_OID(0), duty_argument(PG_GETARG_DATUM(1)), false);
    PG_RETURN_VOID();
}
