#include "ext/lock_wait.h"

#include "ext/guc.h"
#include "ext/pg.h"

static emit_log_hook_type previous_hook = NULL;
static bool watching = false;
static bool wanted_in_log = false;
static char blockers[256];

/* "Process holding the lock: 123, 456. Wait queue: ...": the numbers before the first full stop. */
static void read_holders(const char *detail)
{
    size_t length = 0;
    const char *at = detail;

    while (*at && !isdigit((unsigned char) *at))
        at++;
    while (*at && *at != '.' && length + 1 < sizeof(blockers))
        blockers[length++] = *at++;
    blockers[length] = '\0';
}

static void watch_log(ErrorData *error)
{
    if (watching && error->elevel == LOG && error->message_id != NULL &&
        strstr(error->message_id, "still waiting for") != NULL && error->detail_log != NULL) {
        read_holders(error->detail_log);
        if (!wanted_in_log)
            error->output_to_server = false;
    }
    if (previous_hook)
        previous_hook(error);
}

/* A run that ended in an error must not go on watching. */
static void forget(XactEvent event, void *arg)
{
    if (event == XACT_EVENT_ABORT)
        watching = false;
}

static void forget_sub(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
    if (event == SUBXACT_EVENT_ABORT_SUB)
        watching = false;
}

void vdf_lock_wait_init(void)
{
    RegisterXactCallback(forget, NULL);
    RegisterSubXactCallback(forget_sub, NULL);
    previous_hook = emit_log_hook;
    emit_log_hook = watch_log;
}

void vdf_lock_wait_begin(void)
{
    blockers[0] = '\0';
    watching = vdf_lock_timeout > 0;
    wanted_in_log = log_lock_waits;
    if (!watching)
        return;
    (void) set_config_option("log_lock_waits", "on", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    if (DeadlockTimeout >= vdf_lock_timeout)
        (void) set_config_option("deadlock_timeout", psprintf("%d", Max(vdf_lock_timeout / 2, 1)), PGC_SUSET, PGC_S_SESSION,
                                 GUC_ACTION_SAVE, true, 0, false);
}

void vdf_lock_wait_end(void)
{
    watching = false;
}

const char *vdf_lock_wait_blockers(void)
{
    return blockers;
}
