/*
 * wall.h: the only place where core (C++) and the extension (PostgreSQL) meet.
 * Plain structs and noexcept functions; every failure comes back in a VdfError that the caller owns.
 */
#ifndef VEDFOLNIR_WALL_H
#define VEDFOLNIR_WALL_H

#ifdef __cplusplus
extern "C" {
#endif

typedef struct VdfError
{
    char sqlstate[6];
    char message[512];
    char detail[1024];
    char hint[512];
} VdfError;

#ifdef __cplusplus
}
#endif
#endif
