/*
 * plan_cache.cpp: plans and their statements, kept for the session until the catalogue or the configuration changes.
 */
#include "ext/deletion_plan.h"

#include "ext/fault.h"
#include "ext/report.h"
#include "ext/steps.h"

/* A statement of the plan, and the executor's plan for its small key sets. */
typedef struct StatementKey
{
    int kind;
    int number;
    unsigned flags;
    uint32 edges;
} StatementKey;

typedef struct StatementEntry
{
    StatementKey key;
    const char *sql;
    VdfKeptPlan cached[VDF_KEPT_SIZES];
} StatementEntry;

/* A statement that is put together for a call, from what the plan knows. */
typedef struct TextEntry
{
    uint64 hash;
    const char *sql;
    VdfKeptPlan cached[VDF_KEPT_SIZES];
} TextEntry;

/* Each set of edges that can be done has texts of its own; beyond this many, plans are made anew. */
#define MOST_TEXTS 500

const char *vdf_plan_text(VdfDeletionPlan *plan, VdfSql kind, int number, unsigned flags, int nedges, const int *edges,
                          VdfKeptPlan **cache)
{
    StatementKey key;
    StatementEntry *entry;
    bool found;

    memset(&key, 0, sizeof(key));
    key.kind = kind;
    key.number = number;
    key.flags = flags;
    key.edges = nedges ? DatumGetUInt32(hash_any((const unsigned char *) edges, nedges * sizeof(int))) : 0;
    entry = (StatementEntry *) hash_search(plan->statements, &key, HASH_FIND, &found);
    if (!found || nedges > 1) { /* sets of edges may collide: their text is made anew */
        VdfSqlRequest request = {kind, number, flags, nedges, edges, NULL, NULL};
        VdfError error;
        const char *text;

        if (!vdf_plan_sql(plan->core, &request, &text, &error))
            vdf_raise(&error);
        VDF_PLACE("text");
        if (nedges > 1) {
            *cache = NULL;
            return pstrdup(text);
        }
        /* Entered when its text is there: an entry that an error left half made would be used the next time. */
        text = MemoryContextStrdup(plan->context, text);
        entry = (StatementEntry *) hash_search(plan->statements, &key, HASH_ENTER, &found);
        entry->sql = text;
        memset(entry->cached, 0, sizeof(entry->cached));
    }
    /* A plan that is not kept could not give the executor's plans back after an error. */
    *cache = plan->kept ? entry->cached : NULL;
    return entry->sql;
}

VdfKeptPlan *vdf_plan_kept_for(VdfDeletionPlan *plan, const char *sql, int nparams, const Oid *types)
{
    uint64 hash = hash_any_extended((const unsigned char *) sql, strlen(sql), 0);
    TextEntry *entry;
    bool found;

    if (!plan->kept)
        return NULL;
    if (nparams > 0)
        hash = hash_any_extended((const unsigned char *) types, nparams * sizeof(Oid), hash);
    entry = (TextEntry *) hash_search(plan->texts, &hash, HASH_FIND, &found);
    if (found)
        return strcmp(entry->sql, sql) == 0 ? entry->cached : NULL;
    if (hash_get_num_entries(plan->texts) >= MOST_TEXTS)
        return NULL;
    sql = MemoryContextStrdup(plan->context, sql);
    entry = (TextEntry *) hash_search(plan->texts, &hash, HASH_ENTER, &found);
    entry->sql = sql;
    memset(entry->cached, 0, sizeof(entry->cached));
    return entry->cached;
}

/* One plan per subject. */
static List *kept = NIL;

static void drop_plans(VdfKeptPlan *cached)
{
    for (int i = 0; i < VDF_KEPT_SIZES; i++)
        if (cached[i].source)
            DropCachedPlan(cached[i].source);
}

static void drop(VdfDeletionPlan *plan)
{
    HASH_SEQ_STATUS scan;
    StatementEntry *entry;
    TextEntry *text;

    hash_seq_init(&scan, plan->statements);
    while ((entry = (StatementEntry *) hash_seq_search(&scan)) != NULL)
        drop_plans(entry->cached);
    hash_seq_init(&scan, plan->texts);
    while ((text = (TextEntry *) hash_seq_search(&scan)) != NULL)
        drop_plans(text->cached);
    MemoryContextDelete(plan->context);
}

/* Counts what was told, so that news during the making of a plan is not missed. */
static uint64 news = 0;

static void invalidate(Oid relation)
{
    ListCell *cell;

    news++;
    foreach (cell, kept) {
        VdfDeletionPlan *plan = (VdfDeletionPlan *) lfirst(cell);

        if (!OidIsValid(relation) || hash_search(plan->relations, &relation, HASH_FIND, NULL) != NULL)
            plan->valid = false;
    }
}

static void relation_changed(Datum arg, Oid relation)
{
    invalidate(relation);
}

/* Constraints, operators, types, collations and schemas are named in the statements. */
static void name_changed(Datum arg, int cache, uint32 hash)
{
    invalidate(InvalidOid);
}

static void unpin(SubTransactionId inside)
{
    ListCell *cell;

    foreach (cell, kept) {
        VdfDeletionPlan *plan = (VdfDeletionPlan *) lfirst(cell);

        if (plan->pinned && (inside == InvalidSubTransactionId || plan->pinned_in == inside))
            plan->pinned = false;
    }
}

static void transaction_ended(XactEvent event, void *arg)
{
    if (event == XACT_EVENT_ABORT || event == XACT_EVENT_COMMIT || event == XACT_EVENT_PREPARE)
        unpin(InvalidSubTransactionId);
}

static void subtransaction_ended(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
    if (event == SUBXACT_EVENT_ABORT_SUB)
        unpin(mine);
}

void vdf_plan_cache_init(void)
{
    static const int caches[] = {CONSTROID, OPEROID, TYPEOID, COLLOID, NAMESPACEOID};

    CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
    for (size_t i = 0; i < lengthof(caches); i++)
        CacheRegisterSyscacheCallback(caches[i], name_changed, (Datum) 0);
    RegisterXactCallback(transaction_ended, NULL);
    RegisterSubXactCallback(subtransaction_ended, NULL);
}

static VdfDeletionPlan *make(const char *subject, MemoryContext parent)
{
    static uint64 plans = 0;
    VdfDeletionPlan *plan = vdf_plan_make(subject, parent);

    plan->serial = ++plans;
    plan->statements = vdf_make_hash("vedfolnir statements", sizeof(StatementKey), sizeof(StatementEntry), plan->context);
    plan->texts = vdf_make_hash("vedfolnir texts", sizeof(uint64), sizeof(TextEntry), plan->context);
    return plan;
}

/* Puts a new plan under the session's memory; until then an error takes it away with the transaction. */
static VdfDeletionPlan *keep(const char *subject)
{
    uint64 before = news;
    VdfDeletionPlan *plan = make(subject, CurrentMemoryContext);
    MemoryContext caller;

    plan->valid = news == before;
    plan->kept = true;
    MemoryContextSetParent(plan->context, CacheMemoryContext);
    caller = MemoryContextSwitchTo(CacheMemoryContext);
    kept = lappend(kept, plan);
    MemoryContextSwitchTo(caller);
    return plan;
}

VdfDeletionPlan *vdf_plan_for(const char *subject)
{
    VdfDeletionPlan *plan = NULL;
    ListCell *cell;

    AcceptInvalidationMessages();
    foreach (cell, kept) {
        VdfDeletionPlan *candidate = (VdfDeletionPlan *) lfirst(cell);

        if (strcmp(candidate->configuration->subject, subject) == 0)
            plan = candidate;
    }
    /* A trigger of a deletion may call for another: it gets a plan of its own. */
    if (plan != NULL && plan->pinned) {
        plan = make(subject, CurrentMemoryContext);
        plan->pinned = true;
        return plan;
    }
    if (plan != NULL && !plan->valid) {
        kept = list_delete_ptr(kept, plan);
        drop(plan);
        plan = NULL;
    }
    if (plan == NULL)
        plan = keep(subject);
    plan->pinned = true;
    plan->pinned_in = GetCurrentSubTransactionId();
    return plan;
}

void vdf_plan_release(VdfDeletionPlan *plan)
{
    if (plan->kept)
        plan->pinned = false;
    else
        MemoryContextDelete(plan->context);
}

void vdf_plan_check(VdfDeletionPlan *plan)
{
    VdfDeletionPlan *now;
    StringInfoData then_text, now_text;

    AcceptInvalidationMessages();
    if (!plan->kept || plan->valid)
        return;
    /* Not every news is a change: ANALYZE is told in the same way. */
    now = vdf_plan_make(plan->configuration->subject, CurrentMemoryContext);
    initStringInfo(&then_text);
    initStringInfo(&now_text);
    vdf_describe_plan(plan, &then_text);
    vdf_describe_plan(now, &now_text);
    if (strcmp(then_text.data, now_text.data) != 0)
        ereport(ERROR, (errcode(ERRCODE_VDF_PLAN_CHANGED), errmsg("the schema or the policy changed during the deletion"),
                        errdetail("Nothing was changed."), errhint("Run the statement again.")));
    MemoryContextDelete(now->context);
}

Oid vdf_plan_configuration_relation(void)
{
    return get_relname_relid("subject", get_namespace_oid("vedfolnir", false));
}

/* Trigger of the configuration tables, so that no way to write them is missed: tells every session. */
VDF_FUNCTION(vedfolnir_configuration_changed)
{
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED), errmsg("this function is called by triggers only")));
    CacheInvalidateRelcacheByRelid(vdf_plan_configuration_relation());
    return PointerGetDatum(NULL);
}
