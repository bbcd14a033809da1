#include "ext/evidence.h"

#include "ext/bulk_insert.h"
#include "ext/guc.h"
#include "ext/store.h"

VdfEarlier vdf_earlier_deletion(const char *subject, const char *key)
{
    VdfEarlier earlier;
    VdfStore store;
    Oid types[2] = {BYTEAARRAYOID, NAMEOID};
    Datum values[2];
    NameData name;

    memset(&earlier, 0, sizeof(earlier));
    /* A deletion that this call waited for is younger than the statement's snapshot. */
    PushActiveSnapshot(GetLatestSnapshot());
    if (!vdf_pseudonyms(subject, key, &values[0])) {
        PopActiveSnapshot();
        return earlier;
    }
    namestrcpy(&name, subject);
    values[1] = NameGetDatum(&name);
    vdf_store_open(&store);
    vdf_store_run(&store,
                  "SELECT id, state FROM vedfolnir.deletion WHERE pseudonym OPERATOR(pg_catalog.=) ANY ($1) "
                  "AND subject OPERATOR(pg_catalog.=) $2 AND mode OPERATOR(pg_catalog.<>) 'expire' "
                  "ORDER BY created_at DESC LIMIT 1",
                  2, types, values, NULL, true);
    if (store.count > 0) {
        bool isnull;

        earlier.found = true;
        earlier.id = *DatumGetUUIDP(vdf_store_datum(&store, 0, 1, &isnull));
        earlier.state = vdf_store_text(&store, 0, 2);
    }
    vdf_store_close(&store);
    PopActiveSnapshot();
    return earlier;
}

/* An actor that is a key of the subject is a person too: only the pseudonym is stored. */
static char *actor_of(VdfRun *run, const VdfDeletionRecord *record)
{
    VdfPseudonym pseudonym;
    char *key;

    if (vdf_actor == NULL || vdf_actor[0] == '\0')
        return NULL;
    key = vdf_key_canonical_if_any(run->plan, vdf_actor);
    if (key == NULL)
        return vdf_actor;
    (void) vdf_pseudonym(record->subject, key, true, &pseudonym);
    /* Who deleted themselves is no key any more. */
    for (int i = 0; i < record->n; i++)
        if (memcmp(record->pseudonyms[i].bytes, pseudonym.bytes, sizeof(pseudonym.bytes)) == 0)
            return vdf_pseudonym_hex(&pseudonym);
    return vdf_is_key(run->plan, vdf_actor) ? vdf_pseudonym_hex(&pseudonym) : vdf_actor;
}

static Datum name_of(NameData *name, const char *text)
{
    namestrcpy(name, text);
    return NameGetDatum(name);
}

/* A value of a row, NULL where there is no text. */
static void set_text(Datum *value, bool *isnull, const char *text)
{
    *value = text ? CStringGetTextDatum(text) : (Datum) 0;
    *isnull = text == NULL;
}

void vdf_record_deletion(VdfRun *run, const VdfDeletionRecord *record)
{
    static const char *const columns[] = {"id", "subject", "pseudonym", "key_id", "session_user", "current_user",
                                          "actor", "reason", "mode", "plan_hash", "request_id", "state",
                                          "created_at", "completed_at"};
    Datum values[lengthof(columns)], states[3];
    bool nulls[lengthof(columns)] = {false};
    NameData subject, session, current;
    VdfBulkInsert *insert;

    values[1] = name_of(&subject, record->subject);
    values[4] = name_of(&session, GetUserNameFromId(GetSessionUserId(), false));
    values[5] = name_of(&current, GetUserNameFromId(GetUserId(), false));
    set_text(&values[6], &nulls[6], actor_of(run, record));
    set_text(&values[7], &nulls[7], record->reason);
    set_text(&values[8], &nulls[8], record->mode);
    set_text(&values[9], &nulls[9], record->plan_hash);
    values[10] = record->request_id ? UUIDPGetDatum(record->request_id) : (Datum) 0;
    nulls[10] = record->request_id == NULL;
    states[0] = CStringGetTextDatum("running");
    states[1] = CStringGetTextDatum("pending");
    states[2] = CStringGetTextDatum("complete");
    insert = vdf_bulk_insert_begin(&run->executor, "deletion", lengthof(columns), columns);
    for (int i = 0; i < record->n; i++) {
        bool complete = !record->begins && record->tasks[i] == 0;

        if (record->running[i])
            continue;
        values[0] = UUIDPGetDatum(&record->ids[i]);
        values[2] = vdf_pseudonym_bytea(&record->pseudonyms[i]);
        values[3] = Int32GetDatum(record->pseudonyms[i].key_id);
        values[11] = states[record->begins ? 0 : complete ? 2 : 1];
        values[12] = values[13] = TimestampTzGetDatum(GetCurrentTimestamp());
        nulls[13] = !complete;
        vdf_bulk_insert_row(insert, values, nulls);
    }
    (void) vdf_bulk_insert_end(insert);
}

/* An edge, or the root row, under the title that the audit counts it by. */
typedef struct AuditEdge
{
    int edge; /* -1: the root row */
    const char *relation;
    const char *action;
    Datum relation_text;
    Datum action_text;
} AuditEdge;

static int compare_titles(const void *a, const void *b)
{
    const AuditEdge *left = (const AuditEdge *) a, *right = (const AuditEdge *) b;
    int order = strcmp(left->relation, right->relation);

    return order ? order : strcmp(left->action, right->action);
}

/* Kept with the plan; a tombstone's root row has another action in an expiry. */
typedef struct VdfAuditTitles
{
    bool tombstone;
    int count;
    AuditEdge edges[FLEXIBLE_ARRAY_MEMBER];
} VdfAuditTitles;

static VdfAuditTitles *make_titles(const VdfDeletionPlan *plan, bool tombstone)
{
    VdfAuditTitles *titles =
        (VdfAuditTitles *) palloc0(offsetof(VdfAuditTitles, edges) + sizeof(AuditEdge) * (plan->graph.nedges + 1));
    AuditEdge *edges = titles->edges;
    int n = 0;

    for (int i = -1; i < plan->graph.nedges; i++) {
        if (i >= 0 && vdf_action(plan, i) == VDF_ACTION_BLOCK)
            continue;
        edges[n].edge = i;
        edges[n].relation = i < 0 ? plan->graph.nodes[plan->graph.root].display : plan->graph.edges[i].display;
        edges[n].action = i >= 0 ? vdf_action_name(vdf_action(plan, i)) : tombstone ? "tombstone" : "delete";
        n++;
    }
    qsort(edges, n, sizeof(AuditEdge), compare_titles);
    for (int i = 0; i < n; i++) {
        edges[i].relation_text = CStringGetTextDatum(edges[i].relation);
        edges[i].action_text = CStringGetTextDatum(edges[i].action);
    }
    titles->tombstone = tombstone;
    titles->count = n;
    return titles;
}

/* Those that the audit counts, edges of one title side by side. */
static const AuditEdge *audit_edges(VdfRun *run, int *count)
{
    VdfDeletionPlan *plan = run->plan;

    if (plan->titles == NULL || plan->titles->tombstone != run->tombstone) {
        MemoryContext caller = MemoryContextSwitchTo(plan->context);

        plan->titles = make_titles(plan, run->tombstone);
        MemoryContextSwitchTo(caller);
    }
    *count = plan->titles->count;
    return plan->titles->edges;
}

static uint64 rows_of(VdfRun *run, int user, int edge)
{
    VdfUserCounts *counts = &run->user_counts[edge + 1];

    if (!run->many)
        return edge < 0 ? run->root_rows : run->edges[edge].rows;
    return user < counts->room ? counts->rows[user] : 0;
}

/* One row per relation and action of a person; people are numbered from 1. */
static void add_counts(VdfRun *run, VdfBulkInsert *insert, int user, const AuditEdge *edges, int n, Datum *values)
{
    static const bool nulls[8] = {false};

    for (int i = 0, next; i < n; i = next) {
        uint64 rows = 0;

        for (next = i; next < n && compare_titles(&edges[i], &edges[next]) == 0; next++)
            rows += rows_of(run, user, edges[next].edge);
        if (rows == 0)
            continue;
        values[4] = edges[i].relation_text;
        values[5] = edges[i].action_text;
        values[6] = Int64GetDatum((int64) rows);
        values[7] = TimestampTzGetDatum(GetCurrentTimestamp());
        vdf_bulk_insert_row(insert, values, nulls);
    }
}

void vdf_record_audit(VdfRun *run, const VdfDeletionRecord *record)
{
    static const char *const columns[] = {"deletion_id", "subject", "pseudonym", "key_id",
                                          "relation", "action", "row_count", "created_at"};
    Datum values[lengthof(columns)];
    int nedges;
    const AuditEdge *edges = audit_edges(run, &nedges);
    VdfBulkInsert *insert = vdf_bulk_insert_begin(&run->executor, "audit_log", lengthof(columns), columns);

    values[1] = CStringGetTextDatum(record->subject);
    for (int i = 0; i < record->n; i++) {
        values[0] = UUIDPGetDatum(&record->ids[i]);
        values[2] = vdf_pseudonym_bytea(&record->pseudonyms[i]);
        values[3] = Int32GetDatum(record->pseudonyms[i].key_id);
        add_counts(run, insert, i + 1, edges, nedges, values);
    }
    (void) vdf_bulk_insert_end(insert);
}
