/*
 * pg.h: the only way to PostgreSQL's headers, and the only place for version shims.
 */
#ifndef VEDFOLNIR_PG_H
#define VEDFOLNIR_PG_H

extern "C" {
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/subtrans.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_attrdef.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_index.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_publication.h"
#include "catalog/pg_rewrite.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "commands/defrem.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "common/cryptohash.h"
#include "common/hashfn.h"
#include "common/hmac.h"
#include "common/sha2.h"
#include "executor/executor.h"
#include "executor/nodeHash.h"
#include "executor/nodeModifyTable.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/analyze.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_oper.h"
#include "parser/parse_relation.h"
#include "parser/parse_type.h"
#include "parser/parser.h"
#include "parser/parsetree.h"
#include "pgstat.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "rewrite/prs2lock.h"
#include "rewrite/rewriteDefine.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "tcop/dest.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "replication/syncrep.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/plancache.h"
#include "utils/queryenvironment.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/selfuncs.h"
#include "utils/snapmgr.h"
#include "utils/spccache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
#include "utils/varlena.h"
#include "utils/wait_event.h"
}

/* The versions whose executor was tried without the RI triggers of walked edges; elsewhere native RI stays on. */
#define VDF_FAST_RI_KNOWN (PG_VERSION_NUM >= 150000 && PG_VERSION_NUM < 190000)

/* The nth backend's status; 16 renamed the function and gave the old name another meaning. */
#if PG_VERSION_NUM >= 160000
#define vdf_backend_status(n) pgstat_get_local_beentry_by_index(n)
#else
#define vdf_backend_status(n) pgstat_fetch_stat_local_beentry(n)
#endif

#ifndef UUIDARRAYOID
#define UUIDARRAYOID 2951
#endif

#if PG_VERSION_NUM >= 170000
#define VDF_MY_LXID (MyProc->vxid.lxid)
#else
#define VDF_MY_LXID (MyProc->lxid)
#endif

#if PG_VERSION_NUM >= 180000
#define vdf_primary_key_index(relation) RelationGetPrimaryKeyIndex((relation), false)
#define vdf_append_prunes(append) ((append)->part_prune_index >= 0)
#define vdf_executor_run(query) ExecutorRun((query), ForwardScanDirection, 0)
#define vdf_key_enforced(form) ((form)->conenforced)
#define vdf_key_period(form) ((form)->conperiod)
#define vdf_check_enforced(check) ((check)->ccenforced)
#else
#define vdf_primary_key_index(relation) RelationGetPrimaryKeyIndex(relation)
#define vdf_append_prunes(append) ((append)->part_prune_info != NULL)
#define vdf_key_enforced(form) true
#define vdf_key_period(form) false
#define vdf_check_enforced(check) true
#define vdf_executor_run(query) ExecutorRun((query), ForwardScanDirection, 0, true)
#endif

#if PG_VERSION_NUM >= 160000
#define vdf_owns_relation(relation, role) object_ownercheck(RelationRelationId, (relation), (role))
#define vdf_raw_walker(node, walker, context) raw_expression_tree_walker((node), (walker), (context))
#define vdf_tree_walker(node, walker, context) expression_tree_walker((node), (walker), (context))
#define vdf_tree_mutator(node, mutator, context) expression_tree_mutator((node), (mutator), (context))
#else
#define vdf_owns_relation(relation, role) pg_class_ownercheck((relation), (role))
#define vdf_raw_walker(node, walker, context)                                                                       \
    raw_expression_tree_walker((node), (bool (*)()) (void (*)()) (walker), (context))
#define vdf_tree_walker(node, walker, context) \
    expression_tree_walker((node), (bool (*)()) (void (*)()) (walker), (context))
#define vdf_tree_mutator(node, mutator, context)                                                                     \
    expression_tree_mutator((node), (Node * (*) ()) (void (*)()) (mutator), (context))
#endif

/* Where a plan says which privileges on a relation are asked for; NULL: nowhere. */
#if PG_VERSION_NUM >= 160000
typedef RTEPermissionInfo VdfPermissions;
#define vdf_permissions_of(plan, entry)                                                                              \
    ((entry)->perminfoindex == 0 ? NULL : list_nth_node(RTEPermissionInfo, (plan)->permInfos, (entry)->perminfoindex - 1))
#else
typedef RangeTblEntry VdfPermissions;
#define vdf_permissions_of(plan, entry) (entry)
#endif

/* The range table of an executor that writes to one table. */
static inline void vdf_init_range_table(EState *estate, Relation table)
{
    RangeTblEntry *entry = makeNode(RangeTblEntry);

    entry->rtekind = RTE_RELATION;
    entry->relid = RelationGetRelid(table);
    entry->relkind = table->rd_rel->relkind;
    entry->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
    List *permissions = NIL;

    (void) addRTEPermissionInfo(&permissions, entry);
#endif
#if PG_VERSION_NUM >= 180000
    ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#elif PG_VERSION_NUM >= 160000
    ExecInitRangeTable(estate, list_make1(entry), permissions);
#else
    ExecInitRangeTable(estate, list_make1(entry));
#endif
}

/* A page in the buffer where it was last; false if it is not there any more. */
#if PG_VERSION_NUM >= 160000
#define vdf_read_recent_buffer(table, block, recent) ReadRecentBuffer((table)->rd_locator, MAIN_FORKNUM, (block), (recent))
#else
#define vdf_read_recent_buffer(table, block, recent) ReadRecentBuffer((table)->rd_node, MAIN_FORKNUM, (block), (recent))
#endif

#if PG_VERSION_NUM >= 160000
#define vdf_insert_index_tuples(target, slot, estate)                                                                \
    ExecInsertIndexTuples((target), (slot), (estate), false, false, NULL, NIL, false)
#else
#define vdf_insert_index_tuples(target, slot, estate) ExecInsertIndexTuples((target), (slot), (estate), false, false, NULL, NIL)
#endif

/* Has no row of the table NULL in the column? 18 knows NOT NULL that was never validated. */
#if PG_VERSION_NUM >= 180000
#define vdf_column_not_null(desc, i) (TupleDescCompactAttr((desc), (i))->attnullability == ATTNULLABLE_VALID)
#else
#define vdf_column_not_null(desc, i) (TupleDescAttr((desc), (i))->attnotnull)
#endif

#if PG_VERSION_NUM >= 180000
#define vdf_index_beginscan(table, index, snapshot, nkeys) index_beginscan((table), (index), (snapshot), NULL, (nkeys), 0)
#else
#define vdf_index_beginscan(table, index, snapshot, nkeys) index_beginscan((table), (index), (snapshot), (nkeys), 0)
#endif

/* The path that a kept statement was parsed under can take the place of search_path without a setting, up to 16. */
#if PG_VERSION_NUM < 170000
#define VDF_PATH_CAN_BE_PUSHED true
#define vdf_push_path(source) PushOverrideSearchPath((source)->search_path)
#define vdf_pop_path() PopOverrideSearchPath()
#else
#define VDF_PATH_CAN_BE_PUSHED false
#define vdf_push_path(source) ((void) (source))
#define vdf_pop_path() ((void) 0)
#endif

/* Does what is published hold the replica identity? 18 asks of generated columns too. */
#if PG_VERSION_NUM >= 180000
#define vdf_publishes_identity_for_delete(p) ((p)->cols_valid_for_delete && (p)->gencols_valid_for_delete)
#define vdf_publishes_identity_for_update(p) ((p)->cols_valid_for_update && (p)->gencols_valid_for_update)
#else
#define vdf_publishes_identity_for_delete(p) ((p)->cols_valid_for_delete)
#define vdf_publishes_identity_for_update(p) ((p)->cols_valid_for_update)
#endif

/* Names are quoted where they need it, whatever quote_all_identifiers says: they are compared, stored and hashed. */
static inline void vdf_quote_as_needed(GucAction action)
{
    if (quote_all_identifiers)
        (void) set_config_option("quote_all_identifiers", "off", PGC_USERSET, PGC_S_SESSION, action, true, 0, false);
}

static inline Datum vdf_call_quoting_as_needed(PGFunction body, FunctionCallInfo fcinfo)
{
    int level;
    Datum result;

    if (!quote_all_identifiers)
        return body(fcinfo);
    level = NewGUCNestLevel();
    vdf_quote_as_needed(GUC_ACTION_SAVE);
    result = body(fcinfo);
    AtEOXact_GUC(true, level);
    return result;
}

/* Declares an SQL-callable procedure that commits, with C linkage. */
#define VDF_PROCEDURE(name)                                                                                          \
    extern "C" {                                                                                                     \
    PG_FUNCTION_INFO_V1(name);                                                                                       \
    }                                                                                                                \
    Datum name(PG_FUNCTION_ARGS)

/* Declares an SQL-callable function with C linkage. */
#define VDF_FUNCTION(name)                                                                                           \
    static Datum name##_body(PG_FUNCTION_ARGS);                                                                      \
    VDF_PROCEDURE(name)                                                                                              \
    {                                                                                                                \
        return vdf_call_quoting_as_needed(name##_body, fcinfo);                                                      \
    }                                                                                                                \
    static Datum name##_body(PG_FUNCTION_ARGS)

#endif
