/*
 * task_order.h: which task of a person waits for which.
 */
#ifndef VEDFOLNIR_TASK_ORDER_H
#define VEDFOLNIR_TASK_ORDER_H

#include "ext/pg.h"

/*
 * Makes the account deletions of each of these deletions a chain in the order of their rules; the first waits for the
 * last of the same person's earlier deletion. To be called after the tasks are written.
 */
void vdf_order_identities(const pg_uuid_t *deletions, int n);

#endif
