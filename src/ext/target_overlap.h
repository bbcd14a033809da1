/*
 * target_overlap.h: can a row that stays name a target that another row brought?
 */
#ifndef VEDFOLNIR_TARGET_OVERLAP_H
#define VEDFOLNIR_TARGET_OVERLAP_H

#include "ext/deletion_plan.h"

/*
 * Could a row, through one rule, name a target that another row got through another rule (or the same)? False only
 * where the templates exclude it: other literal beginnings, or one column that is unique. Rules are numbers of target
 * rules of the plan; both are of one kind and service.
 */
bool vdf_targets_may_overlap(VdfDeletionPlan *plan, int rule, int other);

/* check_lookups.cpp: is there the index that tells who else names a target? */
bool vdf_lookup_indexed(VdfDeletionPlan *plan, int rule);

#endif
