/*
 * target_set.h: targets in memory, each once per person, in as much memory as a hash join may take.
 */
#ifndef VEDFOLNIR_TARGET_SET_H
#define VEDFOLNIR_TARGET_SET_H

#include "ext/pg.h"

typedef struct VdfTargetSet VdfTargetSet;

/* What a set tells of each of its targets; number: of its text, the same for all persons, from 1. */
typedef struct VdfTargetEntry
{
    int number;
    int person;
    bool shared; /* of all that were added */
    int rule;    /* the earliest that was added */
} VdfTargetEntry;

VdfTargetSet *vdf_target_set_create(void);
void vdf_target_set_free(VdfTargetSet *set);
/* False: there is no room, and the set holds what it held. A path comes into its normal spelling. */
bool vdf_target_set_add(VdfTargetSet *set, int group, bool path, Datum target, int person, bool shared,
                        int rule);
/* The number of a text, 0 if no target of the group has it. */
int vdf_target_set_find(const VdfTargetSet *set, int group, bool path, Datum target);
/* All targets, those of a person side by side; persons are numbered from 1. */
const VdfTargetEntry *vdf_target_set_sorted(VdfTargetSet *set, int persons, int *n);
Datum vdf_target_set_text(const VdfTargetSet *set, int number);
int vdf_target_set_group(const VdfTargetSet *set, int number);

#endif
