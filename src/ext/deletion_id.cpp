/*
 * deletion_id.cpp: the ids of deletions.
 */
#include "ext/work.h"

/* To ask for random values costs the same for many ids as for one. */
static void random_half(unsigned char *half)
{
    static unsigned char values[512];
    static size_t left = 0;

    if (left == 0 && !pg_strong_random(values, sizeof(values)))
        ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
    left = (left == 0 ? sizeof(values) : left) - UUID_LEN / 2;
    memcpy(half, values + left, UUID_LEN / 2);
}

/*
 * A UUID of version 7: ids grow with time, so that the rows of a deletion lie together in every index. The twelve bits
 * behind the millisecond are its fraction; ids of one session never go back.
 */
pg_uuid_t vdf_new_id(void)
{
    static uint64 last = 0;
    pg_uuid_t id;
    struct timespec now;
    uint64 time;

    clock_gettime(CLOCK_REALTIME, &now);
    time = ((uint64) now.tv_sec * 1000 + now.tv_nsec / 1000000) << 12 | ((uint64) (now.tv_nsec % 1000000) << 12) / 1000000;
    last = time = Max(time, last + 1);
    random_half(id.data + UUID_LEN / 2);
    for (int i = 0; i < 6; i++)
        id.data[i] = (unsigned char) (time >> (52 - i * 8));
    id.data[6] = (unsigned char) (0x70 | ((time >> 8) & 0x0f));
    id.data[7] = (unsigned char) time;
    id.data[8] = (unsigned char) ((id.data[8] & 0x3f) | 0x80);
    return id;
}
