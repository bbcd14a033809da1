/*
 * people.cpp: the root rows of the keys of a call.
 */
#include "ext/report.h"
#include "ext/work.h"

typedef struct RootSink
{
    VdfSink sink;
    VdfWork *work;
} RootSink;

static void root_row(VdfSink *sink, TupleTableSlot *slot)
{
    VdfWork *w = ((RootSink *) sink)->work;
    VdfRun *run = w->run;
    int user;
    MemoryContext caller;

    slot_getallattrs(slot);
    vdf_keys_add(run, &run->root, sink->desc, slot, 3);
    user = DatumGetInt32(slot->tts_values[2]) - 1;
    /* The unique index that was there when the subject was registered is gone, or sees its keys in another collation. */
    if (w->keys[user] != NULL)
        ereport(ERROR, (errcode(ERRCODE_CARDINALITY_VIOLATION), errmsg("the key belongs to several rows of %s", run->plan->graph.nodes[run->plan->graph.root].display),
                        errdetail("Nothing was changed."), errhint("Make column %s unique.", run->plan->graph.key_column)));
    caller = MemoryContextSwitchTo(run->context);
    w->keys[user] = vdf_key_text(run->plan, slot->tts_values[0]);
    w->labels[user] = slot->tts_isnull[1] ? NULL : TextDatumGetCString(slot->tts_values[1]);
    MemoryContextSwitchTo(caller);
}

/* By the key column's collation: it decides which keys are one. */
typedef struct KeyOrder
{
    TypeCacheEntry *type;
    Oid collation;
} KeyOrder;

static int compare_keys(const void *a, const void *b, void *arg)
{
    KeyOrder *order = (KeyOrder *) arg;

    return DatumGetInt32(FunctionCall2Coll(&order->type->cmp_proc_finfo, order->collation, *(const Datum *) a, *(const Datum *) b));
}

/* Reads the keys; many are sorted, so that two calls lock the same rows in the same order. */
void vdf_read_keys(VdfWork *w)
{
    VdfDeletionPlan *plan = w->run->plan;
    KeyOrder order = {lookup_type_cache(plan->key_type, TYPECACHE_CMP_PROC_FINFO), plan->key_collation};
    int kept = 0;

    w->n = w->call->nkeys;
    w->values = (Datum *) palloc(sizeof(Datum) * (w->n + 1));
    for (int i = 0; i < w->n; i++)
        w->values[i] = vdf_key_datum(plan, w->call->keys[i]);
    if (w->n < 2)
        return;
    if (!OidIsValid(order.type->cmp_proc))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("keys of type %s cannot be sorted", format_type_be(plan->key_type)),
                        errhint("Delete the users one by one.")));
    qsort_arg(w->values, w->n, sizeof(Datum), compare_keys, &order);
    for (int i = 0; i < w->n; i++)
        if (kept == 0 || compare_keys(&w->values[kept - 1], &w->values[i], &order) != 0)
            w->values[kept++] = w->values[i];
    w->n = kept;
}

void vdf_lock_person(const char *subject, const char *key)
{
    char *text = psprintf("%s:%s", subject, key);

    (void) DirectFunctionCall1(pg_advisory_xact_lock_int8,
                               Int64GetDatum((int64) DatumGetUInt64(hash_any_extended((const unsigned char *) text, strlen(text),
                                                                                     0x7664666c))));
}

void vdf_lock_people(VdfWork *w)
{
    for (int i = 0; i < w->n; i++)
        vdf_lock_person(w->call->subject, vdf_key_canonical(w->run->plan, w->values[i]));
}

void vdf_find_people(VdfWork *w, bool lock)
{
    VdfRun *run = w->run;
    VdfDeletionPlan *plan = run->plan;
    VdfStatement statement;
    RootSink sink;
    Oid type = plan->key_type;
    Datum value = w->n > 0 ? w->values[0] : (Datum) 0;

    memset(&sink, 0, sizeof(sink));
    vdf_sink_init(&sink.sink, NULL, root_row);
    sink.work = w;
    w->keys = (char **) palloc0(sizeof(char *) * (w->n + 1));
    w->labels = (char **) palloc0(sizeof(char *) * (w->n + 1));
    if (w->n == 0)
        return;
    vdf_statement_of(run, &statement, VDF_SQL_FIND_ROOT, -1,
                     (lock ? VDF_LOCK : 0) | (run->many ? VDF_MANY : 0),
                     plan->nodes[plan->graph.root].owner);
    if (run->many) {
        int16 length;
        bool by_value;
        char align;

        get_typlenbyvalalign(type, &length, &by_value, &align);
        value = PointerGetDatum(construct_array(w->values, w->n, type, length, by_value, align));
        type = get_array_type(type);
        if (!OidIsValid(type))
            ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("keys of type %s have no array type", format_type_be(plan->key_type)),
                            errhint("Delete the users one by one.")));
        statement.cache = NULL;
    }
    statement.nparams = 1;
    statement.types = &type;
    statement.values = &value;
    statement.sink = &sink.sink;
    (void) vdf_execute(&run->executor, &statement);
}


void vdf_find_ghost(VdfWork *w)
{
    VdfRun *run = w->run;
    MemoryContext caller = MemoryContextSwitchTo(run->context);
    Datum values[3] = {w->values[0], (Datum) 0, Int32GetDatum(1)};
    bool nulls[3] = {false, true, false};

    run->root.desc = CreateTemplateTupleDesc(3);
    TupleDescInitEntry(run->root.desc, 1, "vdf_r", run->plan->key_type, run->plan->key_typmod, 0);
    TupleDescInitEntryCollation(run->root.desc, 1, run->plan->key_collation);
    TupleDescInitEntry(run->root.desc, 2, "vdf_l", TEXTOID, -1, 0);
    TupleDescInitEntry(run->root.desc, 3, "vdf_u", INT4OID, -1, 0);
    run->root.store = vdf_keys_store();
    tuplestore_putvalues(run->root.store, run->root.desc, values, nulls);
    run->root.count = 1;
    run->ghost = true;
    w->keys[0] = vdf_key_text(run->plan, w->values[0]);
    MemoryContextSwitchTo(caller);
}

bool vdf_has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    bool letters = false;
    char *within = str_tolower(text, strlen(text), DEFAULT_COLLATION_OID), *sought;

    while (length > 0 && word[length - 1] == ' ') /* of a char(n) */
        length--;
    sought = str_tolower(word, length, DEFAULT_COLLATION_OID);
    length = strlen(sought);
    for (size_t i = 0; i < length; i++)
        letters = letters || IS_HIGHBIT_SET(sought[i]) || isalpha((unsigned char) sought[i]);
    /* A name says whose it is in the middle of a word too ("Lovelace's", "Lovelaces"); a number is part of another one. */
    for (const char *at = within; length > 0 && *at; at++)
        if (strncmp(at, sought, length) == 0 &&
            ((letters && length > 3) || ((at == within || !isalnum((unsigned char) at[-1])) && !isalnum((unsigned char) at[length]))))
            return true;
    return false;
}

/* The reason is kept for ever, so it must not name the person, as typed or as stored. */
void vdf_check_reason(VdfWork *w)
{
    bool named = false;

    if (w->call->reason == NULL)
        return;
    for (int i = 0; i < w->call->nkeys; i++)
        named = named || vdf_has_word(w->call->reason, w->call->keys[i]);
    for (int i = 0; i < w->n; i++)
        if (named || (w->keys[i] && vdf_has_word(w->call->reason, w->keys[i])) ||
            (w->labels[i] && vdf_has_word(w->call->reason, w->labels[i])))
            ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the reason names the person"),
                            errdetail("It would stay in the audit. Nothing was changed."),
                            errhint("Write a ticket number that does not contain the key or the name.")));
}

