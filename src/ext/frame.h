/*
 * frame.h: the plan, the checks of who and when, the lock timeout and the error context of one call, or of one
 * transaction of a call that has several.
 */
#ifndef VEDFOLNIR_FRAME_H
#define VEDFOLNIR_FRAME_H

#include "ext/call.h"
#include "ext/error_context.h"

typedef struct VdfFrame
{
    VdfDeletionPlan *plan;
    bool run; /* not a dry run */
    int level;
    VdfErrorContext context;
} VdfFrame;

/* Must be left in the same C function: an error context points into it. */
void vdf_frame_enter(VdfFrame *frame, VdfCall *call);
void vdf_frame_leave(VdfFrame *frame);

#endif
