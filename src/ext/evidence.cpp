#include "ext/evidence.h"

#include "ext/bulk_insert.h"
#include "ext/guc.h"
#include "ext/report.h"
#include "ext/store.h"

/* Subject and key with a separator that neither can contain. */
static void hmac(const uint8 *secret, int length, const char *subject, const char *key, uint8 *result)
{
    pg_hmac_ctx *context = pg_hmac_create(PG_SHA256);

    if (pg_hmac_init(context, secret, length) < 0 ||
        pg_hmac_update(context, (const uint8 *) subject, strlen(subject) + 1) < 0 ||
        pg_hmac_update(context, (const uint8 *) key, strlen(key)) < 0 ||
        pg_hmac_final(context, result, PG_SHA256_DIGEST_LENGTH) < 0)
        elog(ERROR, "could not compute a pseudonym");
    pg_hmac_free(context);
}

typedef struct Secret
{
    int key_id;
    bytea *bytes;
} Secret;

static int compare_secrets(const ListCell *a, const ListCell *b)
{
    return ((Secret *) lfirst(b))->key_id - ((Secret *) lfirst(a))->key_id;
}

/*
 * The newest first. By the latest snapshot: a secret that another transaction made meanwhile must be found at every
 * isolation level.
 */
static List *read_secrets(void)
{
    Oid relation = get_relname_relid("secret", get_namespace_oid("vedfolnir", false));
    Relation table = table_open(relation, AccessShareLock);
    AttrNumber key_id = get_attnum(relation, "key_id"), bytes = get_attnum(relation, "secret");
    Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
    SysScanDesc scan = systable_beginscan(table, InvalidOid, false, snapshot, 0, NULL);
    List *secrets = NIL;
    HeapTuple tuple;

    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        Secret *secret = (Secret *) palloc(sizeof(Secret));
        bool isnull;

        secret->key_id = DatumGetInt32(heap_getattr(tuple, key_id, RelationGetDescr(table), &isnull));
        secret->bytes = DatumGetByteaPCopy(heap_getattr(tuple, bytes, RelationGetDescr(table), &isnull));
        secrets = lappend(secrets, secret);
    }
    systable_endscan(scan);
    UnregisterSnapshot(snapshot);
    table_close(table, AccessShareLock);
    list_sort(secrets, compare_secrets);
    return secrets;
}

/* Two first deletions at once must not make two secrets. */
static List *make_secret(void)
{
    VdfStore store;
    bytea *secret = (bytea *) palloc(VARHDRSZ + 32);
    Oid types[1] = {BYTEAOID};
    Datum values[1];
    List *secrets;

    SET_VARSIZE(secret, VARHDRSZ + 32);
    if (!pg_strong_random(VARDATA(secret), 32))
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate a secret")));
    values[0] = PointerGetDatum(secret);
    vdf_store_open(&store);
    vdf_store_run(&store, "LOCK TABLE vedfolnir.secret IN SHARE ROW EXCLUSIVE MODE", 0, NULL, NULL, NULL, false);
    secrets = read_secrets();
    if (secrets == NIL) {
        vdf_store_insert_row(&store, "secret", "INSERT INTO vedfolnir.secret (secret) VALUES ($1)", 1, types, values);
        CommandCounterIncrement();
        secrets = read_secrets();
        vdf_store_require_rows("secret", 1, secrets == NIL ? 0 : 1); /* a trigger after it may have taken it away */
    }
    vdf_store_close(&store);
    return secrets;
}

static void hmac_under(const Secret *secret, const char *subject, const char *key, uint8 *result)
{
    hmac((const uint8 *) VARDATA(secret->bytes), VARSIZE(secret->bytes) - VARHDRSZ, subject, key, result);
}

static bool newest_secret(bool create, Secret *secret)
{
    List *secrets = read_secrets();

    if (secrets == NIL && create)
        secrets = make_secret();
    if (secrets != NIL)
        *secret = *(Secret *) linitial(secrets);
    return secrets != NIL;
}

bool vdf_pseudonym(const char *subject, const char *key, bool create, VdfPseudonym *pseudonym)
{
    Secret secret;

    if (!newest_secret(create, &secret))
        return false;
    pseudonym->key_id = secret.key_id;
    hmac_under(&secret, subject, key, pseudonym->bytes);
    return true;
}

bool vdf_pseudonym_under(const char *subject, const char *key, VdfPseudonym *pseudonym)
{
    ListCell *cell;

    foreach (cell, read_secrets()) {
        const Secret *secret = (const Secret *) lfirst(cell);

        if (secret->key_id != pseudonym->key_id)
            continue;
        hmac_under(secret, subject, key, pseudonym->bytes);
        return true;
    }
    return false;
}

void vdf_pseudonyms_of_people(const char *subject, int n, const char *const *keys, VdfPseudonym *pseudonyms)
{
    Secret secret;

    (void) newest_secret(true, &secret);
    for (int i = 0; i < n; i++) {
        pseudonyms[i].key_id = secret.key_id;
        hmac_under(&secret, subject, keys[i], pseudonyms[i].bytes);
    }
}

static Datum bytea_of(const uint8 *bytes)
{
    bytea *value = (bytea *) palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

    SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
    memcpy(VARDATA(value), bytes, PG_SHA256_DIGEST_LENGTH);
    return PointerGetDatum(value);
}

bool vdf_pseudonyms(const char *subject, const char *key, Datum *array)
{
    List *secrets = read_secrets();
    Datum *pseudonyms = (Datum *) palloc(sizeof(Datum) * (list_length(secrets) + 1));
    int n = 0;
    ListCell *cell;

    foreach (cell, secrets) {
        uint8 bytes[PG_SHA256_DIGEST_LENGTH];

        hmac_under((Secret *) lfirst(cell), subject, key, bytes);
        pseudonyms[n++] = bytea_of(bytes);
    }
    *array = PointerGetDatum(construct_array(pseudonyms, n, BYTEAOID, -1, false, TYPALIGN_INT));
    return n > 0;
}

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

static char *hex_of(const uint8 *bytes, int length)
{
    static const char digits[] = "0123456789abcdef";
    char *hex = (char *) palloc(length * 2 + 1);

    for (int i = 0; i < length; i++) {
        hex[i * 2] = digits[bytes[i] >> 4];
        hex[i * 2 + 1] = digits[bytes[i] & 0x0f];
    }
    hex[length * 2] = '\0';
    return hex;
}

char *vdf_pseudonym_hex(const VdfPseudonym *pseudonym)
{
    return hex_of(pseudonym->bytes, PG_SHA256_DIGEST_LENGTH);
}

char *vdf_sha256_hex(const char *data, int length)
{
    pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
    uint8 digest[PG_SHA256_DIGEST_LENGTH];

    if (pg_cryptohash_init(context) < 0 || pg_cryptohash_update(context, (const uint8 *) data, length) < 0 ||
        pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
        elog(ERROR, "could not compute a hash");
    pg_cryptohash_free(context);
    return hex_of(digest, sizeof(digest));
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
        values[2] = bytea_of(record->pseudonyms[i].bytes);
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
    NameData subject;
    int nedges;
    const AuditEdge *edges = audit_edges(run, &nedges);
    VdfBulkInsert *insert = vdf_bulk_insert_begin(&run->executor, "audit_log", lengthof(columns), columns);

    values[1] = name_of(&subject, record->subject);
    for (int i = 0; i < record->n; i++) {
        values[0] = UUIDPGetDatum(&record->ids[i]);
        values[2] = bytea_of(record->pseudonyms[i].bytes);
        values[3] = Int32GetDatum(record->pseudonyms[i].key_id);
        add_counts(run, insert, i + 1, edges, nedges, values);
    }
    (void) vdf_bulk_insert_end(insert);
}
