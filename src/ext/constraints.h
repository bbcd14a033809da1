/*
 * constraints.h: deferred constraints are checked before the call returns.
 */
#ifndef VEDFOLNIR_CONSTRAINTS_H
#define VEDFOLNIR_CONSTRAINTS_H

#include "ext/run.h"

/* True as well where a trigger may have made a constraint that the plan does not know. */
bool vdf_deferred_may_be_pending(const VdfRun *run);
/*
 * SET CONSTRAINTS ... IMMEDIATE, by name, for the deferrable constraints of the tables that the run changed, each as
 * the owner of its table: what they have to say is said inside the call. Where nothing is pending, they stay as they are.
 */
void vdf_force_immediate(VdfRun *run);
/* SET CONSTRAINTS ... IMMEDIATE for one of them, given all that are deferrable. */
void vdf_constraint_immediate(Form_pg_constraint form, List *deferrable);
bool vdf_constraint_runs_code(Form_pg_constraint form);

#endif
