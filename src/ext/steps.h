/*
 * steps.h: the rows of the result.
 */
#ifndef VEDFOLNIR_STEPS_H
#define VEDFOLNIR_STEPS_H

#include "ext/run.h"

typedef struct VdfStep
{
    char *relation;
    char *via; /* may be NULL */
    const char *action;
    uint64 rows;
    uint64 collateral;
    char *note; /* may be NULL */
} VdfStep;

/* Totals, for the notice. */
typedef struct VdfTotals
{
    uint64 rows;
    uint64 relations;
    uint64 references;
    uint64 tasks;
    uint64 kept;
    int blocking;
} VdfTotals;

/* The result of a walk, in the order of design 2.1. */
List *vdf_steps_of(VdfRun *run);
VdfTotals vdf_totals(VdfRun *run, List *steps);
/* SHA-256 over subject, keys, policies and steps; names, never OIDs. */
char *vdf_plan_hash(VdfRun *run, List *steps, const char *const *keys, int nkeys);
/* What a run would go by, without keys and counts: each edge with what is to happen behind it; names, never OIDs. */
void vdf_describe_plan(VdfDeletionPlan *plan, StringInfo text);
/* Writes the steps into the result of a set-returning function. */
void vdf_steps_return(FunctionCallInfo fcinfo, List *steps);
/* The type vedfolnir.step. */
Oid vdf_step_type(void);
Datum vdf_steps_array(List *steps);
List *vdf_steps_from_array(Datum array);

#endif
