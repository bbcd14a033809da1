/*
 * facts.h: what else the catalogue says of a table: triggers, rules, row security, replica identity, indexes.
 */
#ifndef VEDFOLNIR_FACTS_H
#define VEDFOLNIR_FACTS_H

#include "ext/deletion_plan.h"

typedef struct VdfFacts
{
    Oid relation; /* hash key */
    char *delete_keeper; /* what may keep rows back: trigger "x", rule "y"; NULL when nothing can */
    char *update_keeper;
    bool delete_rule;
    bool update_rule;
    char *delete_trigger;  /* a trigger of the application that fires on DELETE, for the note */
    char *update_trigger;
    char *no_replica;      /* why a publication forbids DELETE; NULL when none does */
    char *no_replica_update;
    char *replica_remedy; /* of DELETE; NULL: none that could be typed */
    char *replica_update_remedy;
    char *disabled_ri;     /* constraint whose RI trigger is disabled */
    List *restrictions;    /* see vdf_facts_restrictions */
    bool restrictions_known;
    Bitmapset *routing; /* columns that say to which partition a row goes; known with the restrictions */
    bool foreign;          /* the table, or a partition of it, is a foreign table */
} VdfFacts;

/* Looked up when rows are met, not beforehand: a thousand tables would be a thousand locks. */
VdfFacts *vdf_facts(VdfDeletionPlan *plan, Oid relation);
/* Of VdfRestriction: what may refuse new values; of the table itself, not of its partitions. Looked up when it is asked for. */
List *vdf_facts_restrictions(VdfDeletionPlan *plan, Oid relation);
const Bitmapset *vdf_facts_routing(VdfDeletionPlan *plan, Oid relation);
/* "" or the CREATE INDEX that an edge's referring columns lack. */
const char *vdf_missing_index(VdfDeletionPlan *plan, int edge);

#endif
