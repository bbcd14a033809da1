/*
 * queue_scope.h: what the queue's entry points share. Include after pg.h.
 */
#ifndef VEDFOLNIR_EXT_QUEUE_SCOPE_H
#define VEDFOLNIR_EXT_QUEUE_SCOPE_H

/* The errors of a task t, with room for one more: an outage may see thousands of tries, of which the last is kept. */
#define VDF_EARLIER_ENTRIES                                                                                                      \
    "CASE WHEN pg_catalog.jsonb_array_length(t.errors) >= 1000 THEN t.errors - (-1) ELSE COALESCE(t.errors, '[]') END"

/* Who the caller was before an entry point became the owner of the queue. */
typedef struct QueueScope
{
    Oid user;
    int security_context;
} QueueScope;

/* Connects SPI and becomes the owner of vedfolnir.cleanup_task. An error undoes both, as for any SPI user. */
void vdf_queue_enter(QueueScope *scope);
void vdf_queue_leave(const QueueScope *scope);

/* Runs one statement under a fresh snapshot; the result is in SPI_tuptable and SPI_processed. */
void vdf_queue_execute(const char *sql, int count, Oid *types, Datum *values, const char *nulls);

/*
 * The same with a plan that is kept for the session. It is made without a look at the parameters: a batch has any number
 * of tasks, and statistics of a queue are always behind. The functions that use it switch off what a wrong guess would
 * lead to, see 60_queue_functions.sql.
 */
void vdf_queue_execute_kept(SPIPlanPtr *plan, const char *sql, int count, Oid *types, Datum *values, const char *nulls);

/* A kept plan of a query, under the newest snapshot whatever the isolation level. */
void vdf_queue_look(SPIPlanPtr *plan, const char *sql, int count, Oid *types, Datum *values);

/* Appends the rows in SPI_tuptable to the set that the function returns. */
void vdf_queue_put_rows(FunctionCallInfo fcinfo);

/* 22004 unless the first arguments are all given. */
void vdf_queue_require_arguments(FunctionCallInfo fcinfo, int count);

/* 22023 unless the arrays have as many elements each. */
void vdf_queue_require_same_length(const Datum *arrays, int count);

/* 22023 unless each element is done or skipped. */
void vdf_queue_require_outcomes(Datum outcomes);

/* 22023 unless the interval is longer than zero. */
void vdf_queue_require_lease(Datum lease);

/* 55000 */
[[noreturn]] void vdf_queue_lease_not_held(void);

/* bigint[] with one element. */
Datum vdf_queue_one_id(Datum id);

/* The login role's name as text: a lease belongs to it. */
Datum vdf_queue_session_role(void);

#endif
