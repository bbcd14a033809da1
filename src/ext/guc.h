/*
 * guc.h: the settings, vedfolnir.*
 */
#ifndef VEDFOLNIR_GUC_H
#define VEDFOLNIR_GUC_H

#include "ext/pg.h"

extern char *vdf_actor;
extern bool vdf_allow_unsafe;
extern bool vdf_fast_ri;
extern int vdf_lock_timeout;
extern int vdf_max_rows;
extern bool vdf_notify;
extern bool vdf_prove_all;
extern bool vdf_strict;

void vdf_guc_init(void);
/* Was vedfolnir.actor set in this transaction? */
bool vdf_actor_is_fresh(void);

#endif
