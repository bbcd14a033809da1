/*
 * old_key.h: foreign keys of other tables that refer to what phase N changes.
 */
#ifndef VEDFOLNIR_OLD_KEY_H
#define VEDFOLNIR_OLD_KEY_H

#include "ext/way.h"

/* Is a column written that a foreign key refers to, which forbids that while rows refer to it? */
bool vdf_writes_old_keys(VdfForesight *f);
/* Rows to whose old key others refer: blockers. */
void vdf_foresee_old_keys(VdfForesight *f);

#endif
