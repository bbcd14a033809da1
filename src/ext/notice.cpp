/*
 * notice.cpp: what a call says beside its rows.
 */
#include "ext/report.h"
#include "ext/work.h"

void vdf_log_refusal(VdfWork *w, const char *sqlstate)
{
    VdfPseudonym pseudonym;

    if (w->n == 0 || !vdf_pseudonym(w->call->subject, vdf_key_canonical(w->run->plan, w->values[0]), false, &pseudonym))
        memset(&pseudonym, 0, sizeof(pseudonym));
    ereport(LOG, (errcode(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4])),
                  errmsg("vedfolnir: deletion refused with %s, pseudonym %s, session user \"%s\", current user \"%s\"", sqlstate,
                         vdf_pseudonym_hex(&pseudonym), GetUserNameFromId(GetSessionUserId(), false),
                         GetUserNameFromId(GetUserId(), false)),
                  errhidestmt(true), errhidecontext(true)));
}

void vdf_raise_blocked(VdfWork *w)
{
    List *blockers = w->run->blockers;
    VdfBlocker *only = list_length(blockers) == 1 ? (VdfBlocker *) linitial(blockers) : NULL;
    StringInfoData detail, hint;
    ListCell *cell;

    initStringInfo(&detail);
    initStringInfo(&hint);
    foreach (cell, blockers) {
        VdfBlocker *b = (VdfBlocker *) lfirst(cell);

        appendStringInfo(&detail, "%s%s%s: %s%s%s.\n", b->relation, b->via ? " via " : "", b->via ? quote_identifier(b->via) : "",
                         b->rows ? vdf_rows(b->rows) : "", b->rows ? (b->listed ? ", " : " ") : "", b->reason);
        if (b->remedy)
            appendStringInfo(&hint, "%s%s", hint.len ? "\n" : "", b->remedy);
    }
    appendStringInfoString(&detail, "Nothing was changed.");
    vdf_log_refusal(w, "VF007");
    ereport(ERROR, (errcode(ERRCODE_VDF_BLOCKED),
                    errmsg("cannot delete the %s: %d %s in the way", w->call->subject, list_length(blockers),
                           list_length(blockers) == 1 ? "edge is" : "edges are"),
                    errdetail_internal("%s", detail.data), hint.len ? errhint("%s", hint.data) : 0,
                    only ? err_generic_string(PG_DIAG_SCHEMA_NAME, only->schema) : 0,
                    only ? err_generic_string(PG_DIAG_TABLE_NAME, only->table) : 0,
                    only && only->via ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, only->via) : 0));
}

char *vdf_uuid_text(const pg_uuid_t *id)
{
    return DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(id)));
}

char *vdf_further_arguments(VdfCall *call)
{
    return strcmp(call->subject, "user") == 0 ? pstrdup("") : psprintf(", subject => %s", quote_literal_cstr(call->subject));
}

static char *plural(uint64 n, const char *one, const char *many)
{
    return psprintf("%s %s", vdf_number(n), n == 1 ? one : many);
}

/* What to type after a dry run: decide what is undecided, accept what is in the way, or run. */
static char *next_call(VdfWork *w, VdfTotals totals, const char *more)
{
    ListCell *cell;
    char *remedy = NULL;

    foreach (cell, w->run->blockers) {
        VdfBlocker *b = (VdfBlocker *) lfirst(cell);

        if (strcmp(b->reason, "no policy") == 0)
            return psprintf("SELECT * FROM vedfolnir_suggest_policies(%s);",
                            strcmp(w->call->subject, "user") == 0 ? "" : quote_literal_cstr(w->call->subject));
        if (remedy == NULL)
            remedy = b->remedy;
    }
    if (remedy != NULL)
        return remedy;
    if (totals.blocking > 0)
        return psprintf("SELECT * FROM vedfolnir_check(%s);",
                        strcmp(w->call->subject, "user") == 0 ? "" : quote_literal_cstr(w->call->subject));
    return psprintf("SELECT * FROM %s(%s, dry_run => false%s);", w->call->function, w->call->shown, more);
}

void vdf_notice_dry(VdfWork *w, VdfTotals totals)
{
    StringInfoData text;
    char *more = vdf_further_arguments(w->call);

    initStringInfo(&text);
    if (w->call->expire)
        appendStringInfo(&text, "dry run, nothing was deleted: %s would go, %s would be queued", vdf_rows(totals.rows),
                         plural(totals.tasks, "task", "tasks"));
    else
        appendStringInfo(&text, "dry run, nothing was deleted: %s of %s would go, %s would be cleared, %s would be queued",
                         vdf_rows(totals.rows), plural(totals.relations, "relation", "relations"),
                         plural(totals.references, "reference", "references"), plural(totals.tasks, "task", "tasks"));
    if (w->run->tombstone)
        appendStringInfo(&text, ", %s would become a tombstone", vdf_rows(w->run->root_rows));
    if (totals.blocking > 0)
        appendStringInfo(&text, ", %s", plural(totals.blocking, "edge blocks", "edges block"));
    ereport(NOTICE, (errmsg_internal("%s", text.data), errhint("%s", next_call(w, totals, more))));
}

static uint64 earlier_rows(VdfWork *w)
{
    uint64 rows = 0;

    for (int i = 0; w->running != NULL && i < w->n; i++)
        rows += w->running[i].rows;
    return rows;
}

void vdf_notice_run(VdfWork *w, VdfTotals totals, const pg_uuid_t *id, bool open)
{
    StringInfoData text;

    initStringInfo(&text);
    if (w->call->expire)
        appendStringInfo(&text, "sessions expired: %s deleted, %s queued", vdf_rows(totals.rows),
                         plural(totals.tasks, "task", "tasks"));
    else
        appendStringInfo(&text, "deleted: %s of %s, %s cleared, %s queued", vdf_rows(totals.rows),
                         plural(totals.relations, "relation", "relations"), plural(totals.references, "reference", "references"),
                         plural(totals.tasks, "task", "tasks"));
    if (w->run->tombstone)
        appendStringInfo(&text, ", %s became a tombstone", vdf_rows(w->run->root_rows));
    ereport(NOTICE,
            (errmsg_internal("%s", text.data),
             earlier_rows(w) > 0 ? errdetail("This was the last transaction of deletion %s, which is %s; batches had deleted %s before.",
                                             vdf_uuid_text(id), open ? "pending until its tasks are done" : "complete",
                                             vdf_rows(earlier_rows(w)))
             : open ? errdetail("Deletion %s is pending until its tasks are done; %s queued.", vdf_uuid_text(id),
                                plural(totals.tasks, "task was", "tasks were"))
                    : errdetail("Deletion %s is complete; no tasks were queued.", vdf_uuid_text(id)),
             w->call->expire
                 ? errhint("SELECT * FROM vedfolnir.queue_status;")
                 : errhint("SELECT * FROM vedfolnir_verify_user(%s%s);", w->call->many ? quote_literal_cstr(w->keys[0]) : w->call->shown,
                     vdf_further_arguments(w->call))));
}

