/*
 * check.h: a review of schema and configuration: is every way to a person decided, and does it still fit?
 */
#ifndef VEDFOLNIR_CHECK_H
#define VEDFOLNIR_CHECK_H

#include "ext/deletion_plan.h"
#include "ext/schema_facts.h"
#include "ext/store.h"

typedef enum VdfSeverity
{
    VDF_SEVERITY_ERROR,
    VDF_SEVERITY_WARNING,
    VDF_SEVERITY_NOTICE
} VdfSeverity;

typedef struct VdfFinding
{
    VdfSeverity severity;
    const char *code;
    char *object;
    char *message;
    char *remedy; /* a call; may be NULL */
} VdfFinding;

typedef struct VdfReview
{
    VdfDeletionPlan *plan;
    VdfSchema *schema;
    bool sample;
    Datum goes;    /* oid[]: tables whose rows go, the root among them */
    Datum persons; /* oid[]: the root, and tables that share its key and stay */
    List *findings; /* of VdfFinding */
    List *proposals; /* names that were proposed for links */
    List *dismissals; /* dismissal.cpp */
} VdfReview;

/* Relations of the application. No join with pg_namespace: its estimate is too low where there are many schemas. */
#define VDF_APPLICATION_RELATION                                                                                     \
    "c.relnamespace NOT IN (SELECT s.oid FROM pg_namespace s "                                                       \
    "WHERE s.nspname IN ('pg_catalog', 'information_schema', 'vedfolnir')) "
#define VDF_SCHEMA_NAME "c.relnamespace::regnamespace::text COLLATE \"C\""

/* A column that may be a reference to a person. */
typedef struct VdfCandidate
{
    Oid relation;
    char *column;
    Oid type;
    bool array;
    char *type_column; /* of a polymorphic pair; may be NULL */
    bool nullable;
} VdfCandidate;

void vdf_find(VdfReview *review, VdfSeverity severity, const char *code, const char *object, const char *message,
              const char *remedy);
/* "schema.table (edge)" and "schema.table.column" */
char *vdf_edge_object(const char *relation, const char *edge);
char *vdf_column_object(Oid relation, const char *column);

/* What the name of a column says. */
bool vdf_is_persons_name(const char *column, const char *root_relation);
bool vdf_is_actors_name(const char *column);

/* Does an edge refer through the column, or a link through an expression that names it? Or has somebody said that it is no reference? */
bool vdf_column_settled(const VdfReview *review, Oid relation, const char *column);
/* The action that the same column would get if it had a key. */
char vdf_candidate_action(VdfReview *review, const VdfCandidate *candidate);
/* As much of a name as fits, whole characters only. */
char *vdf_clipped(const char *name, int length);
/* A name for a link that the relation does not have yet, made of two words or, without a table, one. */
char *vdf_link_name(VdfReview *review, Oid relation, const char *table, const char *column);
/* The call that declares a link to a table, InvalidOid: the root; reference: its columns or expression, as arguments. */
char *vdf_link_call(VdfReview *review, Oid relation, const char *name, Oid parent, const char *reference, char action,
                    const char *more);
char *vdf_candidate_call(VdfReview *review, const VdfCandidate *candidate, Oid parent, const char *more);
/* "argument => '{column}'" */
char *vdf_columns_argument(const char *argument, const char *column);

/* An expression that may stand in a personal column of a row that stays; NULL when none comes to mind. */
char *vdf_replacement(Oid relation, const char *column);

/* Edges without a decision, impossible decisions, rules whose object is gone. */
void vdf_review_edges(VdfReview *review);
void vdf_review_rules(VdfReview *review);
/* Reads what was dismissed; must come before the candidates. */
void vdf_review_dismissals(VdfReview *review);
bool vdf_is_dismissed(const VdfReview *review, Oid relation, const char *column);
/* Indexes, privileges, triggers, copies, functions that shadow ours. */
void vdf_review_tables(VdfReview *review);
void vdf_review_copies(VdfReview *review);
/* Indexes for the question whether a row that stays names a target. */
void vdf_review_lookups(VdfReview *review);
/* Columns that look like references to a person and have no key. */
void vdf_review_candidates(VdfReview *review);
/* Columns that hold e-mail addresses, in rows to which nothing leads. */
void vdf_review_addresses(VdfReview *review);
/* The same by the values in them. */
void vdf_review_values(VdfReview *review);
/* Ways to a person that DDL made while vedfolnir_watch() was on. */
void vdf_review_watched(VdfReview *review);
/* Deletions in batches that are not finished; running.cpp. */
void vdf_review_running(VdfReview *review);

#endif
