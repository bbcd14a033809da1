/*
 * wall.h: the only place where core (C++) and the extension (PostgreSQL) meet.
 * Plain structs and noexcept functions; every failure comes back in a VdfError that the caller owns.
 */
#ifndef VEDFOLNIR_WALL_H
#define VEDFOLNIR_WALL_H

#include <stddef.h>

#ifdef __cplusplus
#define VDF_NOEXCEPT noexcept
extern "C" {
#else
#define VDF_NOEXCEPT
#endif

typedef struct VdfError
{
    char sqlstate[6];
    char message[512];
    char detail[1024];
    char hint[512];
} VdfError;

/* Actions, as core/graph.hpp has them. */
#define VDF_ACTION_NONE 0
#define VDF_ACTION_DELETE 'd'
#define VDF_ACTION_NULLIFY 'n'
#define VDF_ACTION_DEFAULT 'f'
#define VDF_ACTION_REASSIGN 'r'
#define VDF_ACTION_RETAIN 'k'
#define VDF_ACTION_BLOCK 'b'

/* ---- the graph, as gathered from the catalogue; strings may be NULL for "" ---- */

typedef struct VdfPair
{
    const char *parent_column;
    const char *parent_cast;
    const char *op;
    const char *child;
    const char *child_cast;
    bool child_is_column;
    bool any;
} VdfPair;

typedef struct VdfSet
{
    const char *column;
    const char *defaults;
    bool not_null;
} VdfSet;

typedef struct VdfNode
{
    const char *schema;
    const char *relation;
    const char *display;
    const char *from;
} VdfNode;

typedef struct VdfEdge
{
    int child;
    int parent;
    const char *name;
    const char *schema;
    const char *relation;
    const char *display;
    const char *from;
    const char *parent_from;
    char declared;
    char policy;
    bool link;
    bool collateral_ok;
    bool validated;
    int npairs;
    const VdfPair *pairs;
    int nsets;
    const VdfSet *sets;
    const char *parent_leaves;
    const char *child_leaves;
    const char *condition;
    const char *reassign_expression;
    const char *blocker;
} VdfEdge;

typedef struct VdfColumnRule
{
    int edge;
    int node;
    const char *column;
    const char *expression;
} VdfColumnRule;

typedef struct VdfTargetRule
{
    int node;
    const char *kind;
    const char *expression;
    const char *filter;
} VdfTargetRule;

typedef struct VdfGraph
{
    int nnodes;
    const VdfNode *nodes;
    int nedges;
    const VdfEdge *edges;
    int ncolumn_rules;
    const VdfColumnRule *column_rules;
    int ntarget_rules;
    const VdfTargetRule *target_rules;
    int root;
    const char *key_column;
    const char *key_op;
    const char *label_column;
    bool tombstone;
} VdfGraph;

/* ---- the plan ---- */

typedef struct VdfPlan VdfPlan; /* owned by core; freed by vdf_plan_free */

typedef struct VdfComponent
{
    int nnodes;
    const int *nodes;
    int nouter;
    const int *outer;
    int ninner;
    const int *inner;
    bool loop;
} VdfComponent;

typedef struct VdfPlanView
{
    int ncomponents;
    const VdfComponent *components;
    int ndetach;
    const int *detach;
    int nblock;
    const int *block;
    const int *component_of; /* per node, -1: not reached */
    const int *nkeys;        /* per node: referred columns */
    const char *const *const *keys; /* their names, quoted */
    const int *ninto;        /* per node: delete edges that lead into it */
    const int *const *into;
    const int *ntargets;     /* per node: clean-up rules */
} VdfPlanView;

typedef enum VdfSql
{
    VDF_SQL_FIND_ROOT,
    VDF_SQL_TAKE_ROOT,
    VDF_SQL_TAKE_GHOST,
    VDF_SQL_TAKE_EDGE,
    VDF_SQL_FIND_REFERENCES,
    VDF_SQL_FIND_TOMBSTONE,
    VDF_SQL_DETACH,
    VDF_SQL_NEW_ROWS,
    VDF_SQL_FIND_LEFT,
    VDF_SQL_FIND_FOREIGN,
    VDF_SQL_FIND_OTHER_PARENTS,
    VDF_SQL_FOLLOW_OWN,
    VDF_SQL_FIND_TOMBSTONE_LEFT,
    VDF_SQL_FIND_SUCCESSOR,
    VDF_SQL_FIND_NEW_VALUES,
    VDF_SQL_FIND_SUCCESSORS,
    VDF_SQL_FIND_REFERRING,
    VDF_SQL_COUNT_KEY,
    VDF_SQL_COUNT_DANGLING,
    VDF_SQL_FIND_NAMED,
    VDF_SQL_SCAN_NAMED,
    VDF_SQL_TAKE_NODE,
    VDF_SQL_LEADS_OUT
} VdfSql;

/* Flags of a statement. */
#define VDF_IDENTITY 0x01
#define VDF_USERS 0x02
#define VDF_COLLATERAL 0x04
#define VDF_KEYS 0x08
#define VDF_TARGETS 0x10
#define VDF_DELETE 0x20 /* delete instead of select */
#define VDF_LOCK 0x40
#define VDF_MANY 0x80      /* $1 is an array of keys */
#define VDF_TOMBSTONE 0x100 /* detach: the root row is among the rows; find named: leave the root row out */
#define VDF_SCAN 0x200      /* find references: every row; a key scan picks those that are meant */

typedef struct VdfSqlRequest
{
    VdfSql kind;
    int number; /* edge, node or rule */
    unsigned flags;
    int nedges; /* VDF_SQL_DETACH, VDF_SQL_NEW_ROWS */
    const int *edges;
    const char *from; /* VDF_SQL_TAKE_NODE: the relation to address; NULL: that of the node */
    const char *others; /* VDF_SQL_NEW_ROWS: ", c.column AS column" ... */
} VdfSqlRequest;

/* What an edge does: its policy, else its declared action; NO ACTION and RESTRICT block. */
char vdf_edge_action(char declared, char policy) VDF_NOEXCEPT;
const char *vdf_action_name(char action) VDF_NOEXCEPT;

/* Marks the edges whose parent the walk can reach. Reads child, parent, declared, policy. */
bool vdf_reachable(const VdfGraph *graph, unsigned char *reachable, VdfError *error) VDF_NOEXCEPT;
bool vdf_plan_create(const VdfGraph *graph, VdfPlan **plan, VdfError *error) VDF_NOEXCEPT;
const VdfPlanView *vdf_plan_view(const VdfPlan *plan) VDF_NOEXCEPT;
/* The text lives until the next call for the same plan. */
bool vdf_plan_sql(VdfPlan *plan, const VdfSqlRequest *request, const char **text, VdfError *error) VDF_NOEXCEPT;
/* A target in its normal spelling as SQL; 54000 when the buffer is too small. */
bool vdf_normalised_sql(const char *kind, const char *expression, char *buffer, int size, VdfError *error) VDF_NOEXCEPT;
/* The same for a path in memory; returns its new length. */
size_t vdf_path_as_sql(char *path, size_t length) VDF_NOEXCEPT;
/* Nodes that batches may empty, from the leaves up; referred: per edge, do rows stand behind it? Writes at most nnodes. */
bool vdf_plan_peel(const VdfPlan *plan, const bool *referred, int *nodes, int *n, VdfError *error) VDF_NOEXCEPT;
/* Marks the nodes through which the walk may come to a node. */
bool vdf_plan_ancestors(const VdfPlan *plan, int node, bool *found, VdfError *error) VDF_NOEXCEPT;
void vdf_plan_free(VdfPlan *plan) VDF_NOEXCEPT;
/* C++ objects that are alive on core's side of the wall; 0 when no plan is held. */
long vdf_live_plans(void) VDF_NOEXCEPT;

/* Clean-up templates: "{column}" and literal text, or "= expression". Calls each() per column name; false stops. */
typedef struct VdfTemplatePart
{
    bool column;
    const char *text;
} VdfTemplatePart;
#define VDF_TEMPLATE_PARTS 64
/* Splits a template; texts live in buffer. 22023 for a malformed one. */
bool vdf_template_parse(const char *text, VdfTemplatePart *parts, int *nparts, char *buffer, int size,
                        VdfError *error) VDF_NOEXCEPT;
/* Why the listener would take no target of a template, whatever is in the columns; empty where it may. */
bool vdf_template_refusal(const char *kind, const char *text, char *refusal, int size, VdfError *error) VDF_NOEXCEPT;

/*
 * ---- targets of clean-up tasks, core/task.hpp ----
 * Reads length bytes and writes at most capacity bytes, without a terminating NUL. Gives the number of bytes written,
 * or -1. What is written is never longer than what is read.
 */
int vdf_normalise_path(const char *path, int length, char *out, int capacity, VdfError *error) VDF_NOEXCEPT;
/* Leaves of a target of an identity its realm, decoded, in place; returns its length. */
size_t vdf_realm_of_target(char *target, size_t length) VDF_NOEXCEPT;

/* ---- suggestions, core/suggestion.hpp ---- */

typedef struct VdfTableFacts
{
    const char *schema;
    const char *relation;
    const char *display;
    bool content_free;
    bool referenced;
    bool subject;
} VdfTableFacts;

typedef struct VdfEdgeFacts
{
    int child;
    int parent;
    const char *name;
    int ncolumns;
    const char *const *columns;
    char declared;
    char policy;
    bool foreign_key;
    bool nullable;
    bool defaulted;
    bool listed;
    bool shared_key;
} VdfEdgeFacts;

typedef struct VdfSchemaFacts
{
    int ntables;
    const VdfTableFacts *tables;
    int nedges;
    const VdfEdgeFacts *edges;
    int root;
    bool tombstone;
} VdfSchemaFacts;

typedef struct VdfSuggestion
{
    int edge;
    char action;
    bool collateral;
    bool as_link;
    char why[768];
} VdfSuggestion;

/* What a column's name says. */
bool vdf_names_person(const char *column, const char *root_relation, bool *answer, VdfError *error) VDF_NOEXCEPT;
bool vdf_names_actor(const char *column, bool *answer, VdfError *error) VDF_NOEXCEPT;
/* Writes at most one suggestion per edge; their number comes back in n. */
bool vdf_suggest(const VdfSchemaFacts *facts, VdfSuggestion *suggestions, int *n, VdfError *error) VDF_NOEXCEPT;

#ifdef VEDFOLNIR_FAULTS
/* The test build: the count-th pass of an entry above, or of a place of the extension, fails. */
void vdf_fault_arm(const char *entry, const char *what, long count) VDF_NOEXCEPT;
bool vdf_fault_due(const char *place) VDF_NOEXCEPT;
long vdf_fault_reached(void) VDF_NOEXCEPT;
long vdf_fault_blocks(void) VDF_NOEXCEPT;
#endif

#ifdef __cplusplus
}
#endif
#endif
