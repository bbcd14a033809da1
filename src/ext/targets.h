/*
 * targets.h: the outside work that the rows of a deletion bring with them.
 */
#ifndef VEDFOLNIR_TARGETS_H
#define VEDFOLNIR_TARGETS_H

#include "ext/run.h"
#include "ext/target_set.h"

/* Tasks of one kind and service, for the result. */
typedef struct VdfTargetGroup
{
    const char *kind;
    const char *service;
    uint64 tasks;
    uint64 kept; /* targets that a row which stays still names */
} VdfTargetGroup;

struct VdfTargets
{
    VdfDeletionPlan *plan;
    VdfTargetGroup *groups;
    int ngroups;
    int *group_of;     /* per target rule */
    int *order_of;     /* per target rule: its place among those of identities; 0 for other kinds */
    TupleDesc raw_desc;
    TupleDesc settled_desc;
    VdfKeys raw;       /* vdf_g, vdf_target, vdf_u, vdf_s, vdf_r: as the rows came */
    VdfKeys *settled;  /* per group: vdf_target, vdf_u, vdf_s, vdf_n, vdf_r */
    VdfKeys *copies;   /* per rule: rows for a mirror, as raw */
    VdfKeys *renamed;  /* per rule, in a dry run: what rows that stay will name */
    Bitmapset **kept;  /* per group: numbers vdf_n */
    VdfTargetSet *set; /* while they are settled, if they fit into memory */
    bool looked;       /* some may belong to rows that stay after all */
};

/* What is done with a target. */
typedef struct VdfOperation
{
    const char *name;
    int phase;
} VdfOperation;

/* One or two. Who is only logged out everywhere keeps the account. */
int vdf_operations_of(const VdfRun *run, const char *kind, VdfOperation *operations);
VdfTargets *vdf_targets_create(VdfDeletionPlan *plan);
/* Takes the targets of a row: columns first ... of the slot, one per rule of the node. */
void vdf_targets_take(VdfRun *run, int node, TupleTableSlot *slot, int first, int user, bool shared);
/* Takes over what another run met and this one did not. */
void vdf_targets_add(VdfRun *run, VdfRun *look);
/* Removes doubles and the targets that other rows still name; afterwards the groups are final. */
void vdf_targets_settle(VdfRun *run, bool check_shared);
int vdf_targets_groups(VdfTargets *targets, VdfTargetGroup **groups);
/* Adds the number of targets of each person. */
void vdf_targets_per_user(VdfTargets *targets, uint64 *tasks);
/* Copies of the rows that went, into the mirrors. */
void vdf_targets_mirror(VdfRun *run);
void vdf_targets_free(VdfTargets *targets);
/* Writes the tasks; deletions holds the deletion id of each person. */
uint64 vdf_targets_enqueue(VdfRun *run, const pg_uuid_t *deletions);

/* Does clearing the edge, or a column rule of it, change what the target rule's expression is made of? */
bool vdf_edge_renames(VdfDeletionPlan *plan, int edge, int rule);
/* Do edges change what rows of the node name, and does that matter? */
bool vdf_may_rename(VdfRun *run, int node, const int *edges, int nedges);
/* In a dry run: what the rows of vdf_m will name. */
void vdf_foresee_targets(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found);

#endif
