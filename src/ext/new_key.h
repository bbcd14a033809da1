/*
 * new_key.h: foreign keys of rows that phase N changes, which may lead to nothing.
 */
#ifndef VEDFOLNIR_NEW_KEY_H
#define VEDFOLNIR_NEW_KEY_H

#include "ext/way.h"

/* Does what is written concern a foreign key of the node's relation, beyond what an edge does with its own? */
bool vdf_writes_keys(VdfForesight *f);
/* Rows whose key would lead nowhere; known: per edge, the rows that are told already, as in a dry run their parent is still there. */
void vdf_foresee_keys(VdfForesight *f, VdfRowSet **known);

#endif
