#include "ext/guc.h"

char *vdf_actor;
bool vdf_allow_unsafe;
bool vdf_fast_ri = true;
int vdf_lock_timeout = 5000;
int vdf_max_rows;
bool vdf_notify = true;
bool vdf_prove_all;
bool vdf_strict;

/* The transaction in which the actor was set: what a pooled connection left behind is somebody else's. */
static LocalTransactionId actor_set_in;

static void actor_assigned(const char *value, void *extra)
{
    actor_set_in = MyProc ? VDF_MY_LXID : InvalidLocalTransactionId;
}

bool vdf_actor_is_fresh(void)
{
    return actor_set_in != InvalidLocalTransactionId && actor_set_in == VDF_MY_LXID;
}

/* vdf_guc_init defines the settings, in alphabetical order. */
void vdf_guc_init(void)
{
    DefineCustomStringVariable("vedfolnir.actor", "Sets who acts through a trusted back end.",
                               "Set it per transaction; it is recorded in the audit.", &vdf_actor, "", PGC_SUSET, 0,
                               NULL, actor_assigned, NULL);
    DefineCustomBoolVariable("vedfolnir.allow_unsafe",
                             "Sets whether a deletion runs although RI triggers are disabled.", NULL,
                             &vdf_allow_unsafe, false, PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("vedfolnir.fast_ri",
                             "Sets whether the RI triggers that the walk makes superfluous are left out.",
                             "Off: PostgreSQL's own referential integrity fires everywhere.", &vdf_fast_ri, true,
                             PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomIntVariable("vedfolnir.lock_timeout", "Sets how long a deletion waits for a lock.",
                            "0 waits without limit.", &vdf_lock_timeout, 5000, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MS,
                            NULL, NULL, NULL);
    DefineCustomIntVariable("vedfolnir.max_rows", "Sets the number of rows above which a deletion is refused.",
                            "0 turns the limit off.", &vdf_max_rows, 0, 0, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("vedfolnir.notify", "Sets whether a deletion wakes the listener with NOTIFY.", NULL,
                             &vdf_notify, true, PGC_USERSET, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("vedfolnir.prove_all",
                             "Sets whether every edge is counted again after the deletion.",
                             "Off: only the edges where a trigger, a rule or a missing key could keep rows back.",
                             &vdf_prove_all, false, PGC_SUSET, 0, NULL, NULL, NULL);
    DefineCustomBoolVariable("vedfolnir.strict",
                             "Sets whether undeclared edges refuse a deletion even when no row stands behind them.",
                             NULL, &vdf_strict, false, PGC_USERSET, 0, NULL, NULL, NULL);
    MarkGUCPrefixReserved("vedfolnir");
}
