#include "ext/pseudonym.h"

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

Datum vdf_pseudonym_bytea(const VdfPseudonym *pseudonym)
{
    bytea *value = (bytea *) palloc(VARHDRSZ + PG_SHA256_DIGEST_LENGTH);

    SET_VARSIZE(value, VARHDRSZ + PG_SHA256_DIGEST_LENGTH);
    memcpy(VARDATA(value), pseudonym->bytes, PG_SHA256_DIGEST_LENGTH);
    return PointerGetDatum(value);
}

bool vdf_pseudonyms(const char *subject, const char *key, Datum *array)
{
    List *secrets = read_secrets();
    Datum *pseudonyms = (Datum *) palloc(sizeof(Datum) * (list_length(secrets) + 1));
    int n = 0;
    ListCell *cell;

    foreach (cell, secrets) {
        VdfPseudonym pseudonym;

        hmac_under((Secret *) lfirst(cell), subject, key, pseudonym.bytes);
        pseudonyms[n++] = vdf_pseudonym_bytea(&pseudonym);
    }
    *array = PointerGetDatum(construct_array(pseudonyms, n, BYTEAOID, -1, false, TYPALIGN_INT));
    return n > 0;
}

char *vdf_hex(const void *bytes, int length)
{
    char *hex = (char *) palloc(length * 2 + 1);

    hex[hex_encode((const char *) bytes, length, hex)] = '\0';
    return hex;
}

char *vdf_pseudonym_hex(const VdfPseudonym *pseudonym)
{
    return vdf_hex(pseudonym->bytes, PG_SHA256_DIGEST_LENGTH);
}

char *vdf_sha256_hex(const char *data, int length)
{
    pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);
    uint8 digest[PG_SHA256_DIGEST_LENGTH];

    if (pg_cryptohash_init(context) < 0 || pg_cryptohash_update(context, (const uint8 *) data, length) < 0 ||
        pg_cryptohash_final(context, digest, sizeof(digest)) < 0)
        elog(ERROR, "could not compute a hash");
    pg_cryptohash_free(context);
    return vdf_hex(digest, sizeof(digest));
}
