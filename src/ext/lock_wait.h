/*
 * lock_wait.h: whom a deletion waits for.
 *
 * When a lock wait times out the wait is over before the error is raised, and pg_blocking_pids() has nothing to say any
 * more. The server does name the holders in the message that log_lock_waits asks for, half-way through the wait; that
 * message is read by the log hook, and kept out of the log unless the administrator wants it there.
 */
#ifndef VEDFOLNIR_LOCK_WAIT_H
#define VEDFOLNIR_LOCK_WAIT_H

void vdf_lock_wait_init(void);
/* Inside the GUC nest level of a run: raises log_lock_waits, lowers deadlock_timeout below lock_timeout. */
void vdf_lock_wait_begin(void);
void vdf_lock_wait_end(void);
/* "123, 456", "" when unknown. */
const char *vdf_lock_wait_blockers(void);

#endif
