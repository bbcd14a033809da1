/*
 * schema_facts.h: tables and references of the whole database, as suggestions and checks look at them.
 */
#ifndef VEDFOLNIR_SCHEMA_FACTS_H
#define VEDFOLNIR_SCHEMA_FACTS_H

#include "bridge/wall.h"
#include "ext/configuration.h"
#include "ext/pg.h"

typedef struct VdfSchema
{
    VdfConfiguration *configuration;
    VdfSchemaFacts facts;
    Oid *relations;      /* per edge: the relation that a policy names (a partition keeps its own) */
    char **displays;     /* per edge: the same, qualified */
    Oid *tables;         /* per table of the facts */
    bool *halves;        /* per table: it shares the key of a tombstone and stays, so its key is the person's */
    VdfSuggestion *suggestions;
    int nsuggestions;
} VdfSchema;

/* Gathers the facts of a subject and lets core judge them; everything in the current memory context. */
VdfSchema *vdf_schema_of(const char *subject);
/* The call that follows a suggestion; not for those that need a link instead. */
char *vdf_suggested_call(const VdfSchema *schema, const VdfSuggestion *suggestion);
/* What is suggested for an edge; NULL when it is decided or not reached. */
const VdfSuggestion *vdf_suggestion_for(const VdfSchema *schema, Oid relation, const char *edge);
/* An edge behind a table that had better stay: the call above that settles it, and what stays; NULL when there is none. */
char *vdf_suggested_above(const VdfSchema *schema, Oid relation, const char *edge, const char **stays);
/* "{a,b}": names as the text of an array. */
char *vdf_name_array(const char *const *names, int n);
/* ", subject => '...'", or "" for the default one. */
const char *vdf_subject_argument(const char *subject);
/* Raises 42501 unless the caller may look: viewer, operator or admin, or DELETE on the root table. */
void vdf_require_review(Oid root);

#endif
