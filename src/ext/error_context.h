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

#endif
