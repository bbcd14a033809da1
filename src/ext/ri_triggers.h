/*
 * ri_triggers.h: which triggers of referential integrity a DELETE of ours fires.
 */
#ifndef VEDFOLNIR_RI_TRIGGERS_H
#define VEDFOLNIR_RI_TRIGGERS_H

#include "ext/execute.h"

/*
 * Leaves the ON DELETE triggers of walked edges out of this executor's private copy of the trigger descriptors.
 * No catalogue change: the RI triggers of everybody else still fire. The tables are locked now, so that a key that is
 * not in the plan is younger than the plan.
 */
void vdf_drop_ri_triggers(VdfExecutor *executor, QueryDesc *query);
/* Can this DELETE leave AFTER trigger events behind? */
bool vdf_has_after_triggers(QueryDesc *query);

#endif
