/*
 * new_key.h: foreign keys of rows that phase N changes, which may lead to nothing.
 */
#ifndef VEDFOLNIR_NEW_KEY_H
#define VEDFOLNIR_NEW_KEY_H

#include "ext/way.h"

/* The edge of a key in the plan, -1 if the walk does not come there. */
int vdf_edge_of(const VdfDeletionPlan *plan, Oid constraint);
/* Does what is written concern a foreign key of the node's relation, beyond what an edge does with its own? */
bool vdf_writes_keys(VdfForesight *f);
/* Rows whose key would lead nowhere; known: per edge, the rows that are told already, as in a dry run their parent is still there. */
void vdf_foresee_keys(VdfForesight *f, VdfRowSet **known);

#endif
