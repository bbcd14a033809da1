/*
 * queue.h: what other parts of the extension need of the queue. Include after pg.h.
 */
#ifndef VEDFOLNIR_EXT_QUEUE_H
#define VEDFOLNIR_EXT_QUEUE_H

/*
 * Lets the state of the given deletions (uuid[]) follow their tasks: pending, complete, attention or closed.
 * To be called inside SPI as the owner of the queue. A deletion that is still running is left alone.
 */
void vdf_settle_deletions(Datum deletion_ids);

#endif
