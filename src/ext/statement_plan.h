/*
 * statement_plan.h: the executor's plan of a statement, kept for small key sets.
 */
#ifndef VEDFOLNIR_STATEMENT_PLAN_H
#define VEDFOLNIR_STATEMENT_PLAN_H

#include "ext/execute.h"

/* Once, when the library is loaded. */
void vdf_statement_plan_init(void);
/* Does the statement share a plan with later ones? */
bool vdf_plan_is_kept(VdfStatement *statement);
/* The rows of a key set that a kept plan is made for. */
double vdf_keys_estimate(const VdfKeys *keys);
/* Parses and plans under a search_path of our own. A plan that is kept comes with *cached, to be released after use. */
PlannedStmt *vdf_statement_plan(VdfStatement *statement, QueryEnvironment *environment, ParamListInfo params, CachedPlan **cached);

#endif
