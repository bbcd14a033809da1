/*
 * old_key.h: foreign keys of other tables that refer to what phase N changes.
 */
#ifndef VEDFOLNIR_OLD_KEY_H
#define VEDFOLNIR_OLD_KEY_H

#include "ext/way.h"

/* Is a column written that a foreign key refers to? */
bool vdf_writes_old_keys(VdfForesight *f);
/* Rows to whose old key others refer: blockers, or notes where the others change with them (ON UPDATE CASCADE and so on). */
void vdf_foresee_old_keys(VdfForesight *f);

#endif
