/*
 * frame.cpp: what surrounds the work of every call that deletes or looks.
 */
#include "ext/frame.h"

#include "ext/guc.h"
#include "ext/report.h"

static void check_state(void)
{
    if (SessionReplicationRole != SESSION_REPLICATION_ROLE_ORIGIN && !vdf_allow_unsafe)
        ereport(ERROR, (errcode(ERRCODE_VDF_UNSAFE_STATE), errmsg("cannot delete while session_replication_role is not origin"),
                        errdetail("Triggers and foreign keys would not be enforced. Nothing was changed."),
                        errhint("RESET session_replication_role;")));
    if (synchronous_commit < SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
        (void) set_config_option("synchronous_commit", "local", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
    if (synchronous_commit < SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
        ereport(ERROR, (errcode(ERRCODE_VDF_NOT_DURABLE), errmsg("the transaction cannot be made durable"),
                        errdetail("synchronous_commit is off and cannot be raised. Nothing was changed.")));
}

static int set_lock_timeout(void)
{
    int level = NewGUCNestLevel();

    (void) set_config_option("lock_timeout", psprintf("%d", vdf_lock_timeout), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
                             true, 0, false);
    return level;
}

void vdf_frame_enter(VdfFrame *frame, VdfCall *call)
{
    frame->plan = vdf_plan_for(call->subject);
    frame->run = !call->dry;
    if (call->dry) {
        vdf_require_look(frame->plan);
        return;
    }
    vdf_require_run(frame->plan);
    PreventCommandIfReadOnly("vedfolnir_delete_user()");
    check_state();
    frame->level = set_lock_timeout();
    vdf_error_context_push(&frame->context, frame->plan);
}

void vdf_frame_leave(VdfFrame *frame)
{
    if (frame->run) {
        vdf_error_context_pop(&frame->context);
        AtEOXact_GUC(true, frame->level);
    }
    vdf_plan_release(frame->plan);
}
