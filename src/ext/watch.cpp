/*
 * watch.cpp: an event trigger that notes each new way to a person when DDL makes it. Whatever goes wrong here is caught
 * by vedfolnir.note_paths(): nobody's DDL fails because of it.
 */
#include "ext/check.h"
#include "ext/duty.h"
#include "ext/report.h"

static const char *const NOTE =
    "INSERT INTO vedfolnir.watched_path (subject, relation, relation_schema, relation_name, edge, command, made_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (subject, relation, edge) DO NOTHING";

/* Notes the edges that a deletion of the subject meets; gives the number of new ones. */
static int note_paths(const char *subject, const char *command)
{
    VdfDeletionPlan *plan = vdf_plan_for(subject);
    VdfStore store;
    Oid types[7] = {NAMEOID, REGCLASSOID, NAMEOID, NAMEOID, NAMEOID, TEXTOID, NAMEOID};
    Datum values[7];
    char nulls[8] = "       ";
    int found = 0;

    values[0] = DirectFunctionCall1(namein, CStringGetDatum(subject));
    values[5] = command ? CStringGetTextDatum(command) : (Datum) 0;
    nulls[5] = command ? ' ' : 'n';
    values[6] = DirectFunctionCall1(namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
    vdf_store_open(&store);
    for (int i = 0; i < plan->graph.nedges; i++) {
        const VdfEdge *e = &plan->graph.edges[i];

        if (!OidIsValid(plan->edges[i].constraint))
            continue;
        values[1] = ObjectIdGetDatum(plan->edges[i].relation);
        values[2] = DirectFunctionCall1(namein, CStringGetDatum(e->schema));
        values[3] = DirectFunctionCall1(namein, CStringGetDatum(e->relation));
        values[4] = DirectFunctionCall1(namein, CStringGetDatum(e->name));
        if (vdf_store_run(&store, NOTE, 7, types, values, nulls, false) == 0)
            continue;
        found++;
        if (command)
            ereport(NOTICE, (errmsg("new way to a %s: %s via %s", subject, e->display, quote_identifier(e->name)),
                             errhint("SELECT * FROM vedfolnir_check(%s);",
                                     strcmp(subject, "user") == 0 ? "" : quote_literal_cstr(subject))));
    }
    vdf_store_close(&store);
    vdf_plan_release(plan);
    return found;
}

static List *subjects(void)
{
    VdfStore store;
    List *names = NIL;

    vdf_store_open(&store);
    vdf_store_run(&store, "SELECT subject FROM vedfolnir.subject ORDER BY 1", 0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < store.count; i++)
        names = lappend(names, vdf_store_text(&store, i, 1));
    vdf_store_close(&store);
    return names;
}

/* vedfolnir.note_path(command text): called by the event trigger; how many ways are new. */
VDF_FUNCTION(vedfolnir_note_path)
{
    List *names = subjects();
    ListCell *cell;
    int found = 0;

    if (GetUserId() != vdf_store_owner() && !superuser())
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for function note_path"),
                        errdetail("Only the event trigger of vedfolnir_watch() calls it.")));
    foreach (cell, names)
        found += note_paths((const char *) lfirst(cell), text_to_cstring(PG_GETARG_TEXT_PP(0)));
    PG_RETURN_INT32(found);
}

static bool trigger_exists(VdfStore *store)
{
    return vdf_store_run(store, "SELECT FROM pg_event_trigger WHERE evtname = 'vedfolnir_watch'", 0, NULL, NULL, NULL, true) > 0;
}

static void watch_on(void)
{
    List *names = subjects();
    ListCell *cell;
    VdfStore store;

    foreach (cell, names)
        (void) note_paths((const char *) lfirst(cell), NULL);
    vdf_store_open(&store);
    vdf_store_run(&store, "INSERT INTO vedfolnir.watch (switched_on_by) SELECT session_user WHERE NOT EXISTS (SELECT FROM vedfolnir.watch)", 0,
                  NULL, NULL, NULL, false);
    if (!trigger_exists(&store)) {
        vdf_store_run(&store,
                      "CREATE EVENT TRIGGER vedfolnir_watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE') "
                      "EXECUTE FUNCTION vedfolnir.note_paths()",
                      0, NULL, NULL, NULL, false);
        /* It goes with the extension. */
        vdf_store_run(&store, "ALTER EXTENSION vedfolnir ADD EVENT TRIGGER vedfolnir_watch", 0, NULL, NULL, NULL, false);
    }
    vdf_store_close(&store);
}

static void watch_off(void)
{
    VdfStore store;

    vdf_store_open(&store);
    if (trigger_exists(&store)) {
        vdf_store_run(&store, "ALTER EXTENSION vedfolnir DROP EVENT TRIGGER vedfolnir_watch", 0, NULL, NULL, NULL, false);
        vdf_store_run(&store, "DROP EVENT TRIGGER vedfolnir_watch", 0, NULL, NULL, NULL, false);
    }
    vdf_store_run(&store, "DELETE FROM vedfolnir.watched_path", 0, NULL, NULL, NULL, false);
    vdf_store_run(&store, "DELETE FROM vedfolnir.watch", 0, NULL, NULL, NULL, false);
    vdf_store_close(&store);
}

/* vedfolnir_watch(enabled boolean): 22004, 42501. */
VDF_FUNCTION(vedfolnir_watch)
{
    vdf_require_duty("admin");
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("enabled must not be null")));
    if (PG_GETARG_BOOL(0))
        watch_on();
    else
        watch_off();
    PG_RETURN_VOID();
}

/* Ways that DDL made and that nobody has looked at: a policy of any kind says that somebody did. */
static const char *const UNSEEN =
    "SELECT w.relation::oid, w.edge, w.command, w.made_by, w.seen_at::date FROM vedfolnir.watched_path w "
    "JOIN pg_constraint k ON k.conrelid = w.relation::oid AND k.conname = w.edge AND k.contype = 'f' "
    "WHERE w.subject = $1 AND w.command IS NOT NULL AND NOT EXISTS (SELECT FROM vedfolnir.policy p WHERE p.subject = w.subject "
    "AND p.relation = w.relation AND p.edge = w.edge) ORDER BY w.relation_schema, w.relation_name, w.edge";

void vdf_review_watched(VdfReview *review)
{
    VdfStore store;
    Oid types[1] = {NAMEOID};
    Datum values[1] = {DirectFunctionCall1(namein, CStringGetDatum(review->plan->configuration->subject))};
    bool isnull;

    vdf_store_open(&store);
    if (vdf_store_run(&store, "SELECT FROM vedfolnir.watch", 0, NULL, NULL, NULL, true) > 0 && !trigger_exists(&store))
        vdf_find(review, VDF_SEVERITY_WARNING, "watch_off", "vedfolnir_watch",
                 "the watch over DDL was on and its event trigger is not here, as after a restore", "SELECT vedfolnir_watch(true);");
    vdf_store_run(&store, UNSEEN, 1, types, values, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *relation = vdf_relation_name(DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull)));
        char *edge = vdf_store_text(&store, i, 2);
        const VdfSuggestion *s = vdf_suggestion_for(review->schema, DatumGetObjectId(vdf_store_datum(&store, i, 1, &isnull)), edge);

        vdf_find(review, VDF_SEVERITY_WARNING, "new_path", vdf_edge_object(relation, edge),
                 psprintf("made by %s of \"%s\" on %s, and nobody has decided since", vdf_store_text(&store, i, 3),
                          vdf_store_text(&store, i, 4), vdf_store_text(&store, i, 5)),
                 s ? vdf_suggested_call(review->schema, s) : NULL);
    }
    vdf_store_close(&store);
}
