/*
 * error_context.h: what is added to, and taken from, errors that pass through a deletion.
 */
#ifndef VEDFOLNIR_ERROR_CONTEXT_H
#define VEDFOLNIR_ERROR_CONTEXT_H

#include "ext/deletion_plan.h"

typedef struct VdfErrorContext
{
    ErrorContextCallback callback;
    VdfDeletionPlan *plan;
} VdfErrorContext;

void vdf_error_context_push(VdfErrorContext *context, VdfDeletionPlan *plan);
void vdf_error_context_pop(VdfErrorContext *context);

typedef struct VdfValueContext
{
    ErrorContextCallback callback;
    Oid relation;
} VdfValueContext;

/* While statements compute what rules say of a relation's rows: a value that cannot be converted is not shown. */
void vdf_value_context_push(VdfValueContext *context, Oid relation);
void vdf_value_context_pop(VdfValueContext *context);

#endif
