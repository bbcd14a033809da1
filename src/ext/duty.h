/*
 * duty.h: who may do what.
 */
#ifndef VEDFOLNIR_DUTY_H
#define VEDFOLNIR_DUTY_H

#include "ext/pg.h"

/* Does the current role hold the duty, itself or through a role that it is a member of? Superusers hold all. */
bool vdf_has_duty(const char *duty);
/* Raises 42501 unless it does. */
void vdf_require_duty(const char *duty);

#endif
