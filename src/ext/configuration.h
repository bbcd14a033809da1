/*
 * configuration.h: what the administrator declared for a subject, as read from the extension's tables.
 */
#ifndef VEDFOLNIR_CONFIGURATION_H
#define VEDFOLNIR_CONFIGURATION_H

#include "ext/pg.h"

typedef struct VdfPolicy
{
    Oid relation;
    char *edge;
    char action;
    char *reason;
    bool collateral_ok;
    char *reassign_to;
    char *reassign_expression;
    bool used;
    char *schema; /* as declared */
    char *table;
} VdfPolicy;

typedef struct VdfLink
{
    Oid relation;
    char *link;
    Oid parent;
    char **columns; /* NULL: expression */
    char *expression;
    char **parent_columns;
    int npairs;
    char action;
    char *condition;
} VdfLink;

typedef struct VdfColumnSetting
{
    Oid relation;
    char *edge; /* "": the root row */
    char *column;
    char *expression;
    char *schema;
    char *table;
} VdfColumnSetting;

typedef enum VdfOnExpire
{
    VDF_EXPIRE_NO,
    VDF_EXPIRE_ENQUEUE,
    VDF_EXPIRE_DELETE
} VdfOnExpire;

typedef struct VdfCleanup
{
    int id;
    Oid relation;
    char *kind;
    char *target;
    char *expression;
    char *service;
    VdfOnExpire on_expire;
    Oid mirror;           /* kind "mirror": the audit table; the expression is a row of it */
    char *mirror_columns; /* those that a copy sets */
} VdfCleanup;

/* A rule whose object is gone or renamed. */
typedef struct VdfStale
{
    char *relation; /* as declared, quoted */
    char *schema;
    char *table;
    char *edge; /* may be NULL */
    char *message;
} VdfStale;

typedef struct VdfConfiguration
{
    char *subject;
    Oid relation;
    char *key_column;
    char *label_column; /* may be NULL */
    bool tombstone;
    int npolicies;
    VdfPolicy *policies;
    int nlinks;
    VdfLink *links;
    int ncolumns;
    VdfColumnSetting *columns;
    int ncleanups;
    VdfCleanup *cleanups;
    List *stale; /* of VdfStale */
} VdfConfiguration;

/* Reads everything into the current memory context. 42704 with a hint when the subject is not registered. */
VdfConfiguration *vdf_configuration_read(const char *subject);
/* Parses an action's name; 0 when there is none of that name. */
char vdf_action_of(const char *name);
void vdf_configuration_stale(VdfConfiguration *configuration, const char *schema, const char *table, const char *edge,
                             const char *message);

#endif
