// sql_text.hpp: the SQL of each step. Identifiers come quoted from the catalogue, values only as parameters.
//
// Names inside the statements: c is the relation, d the key set of the parents (ephemeral relation vdf_d), a a key
// set of the relation itself. Columns of key sets are vdf_t (tableoid), vdf_i (ctid), vdf_u (number of the person),
// vdf_e (number of the edge), vdf_f<edge>_<pair> (referring values), vdf_k<n> (referred values), vdf_x<n> (targets).
#ifndef VEDFOLNIR_CORE_SQL_TEXT_HPP
#define VEDFOLNIR_CORE_SQL_TEXT_HPP

#include "core/plan.hpp"

namespace vedfolnir
{

// Which columns a step returns.
struct RowShape
{
    bool identity = false;   // vdf_t, vdf_i
    bool users = false;      // vdf_u
    bool collateral = false; // vdf_e, vdf_f...
    bool keys = false;       // vdf_k...
    bool targets = false;    // vdf_x...
};

enum class RootKeys
{
    one, // $1 is a key
    many // $1 is an array of keys
};

// Finds (and with lock = true locks) the root rows: vdf_r (key), vdf_l (label as text), vdf_u.
std::string sql_find_root(const Plan &plan, RootKeys keys, bool lock);
// The root rows that were found, as rows of the plan; deletes them when del is set.
std::string sql_take_root(const Plan &plan, const RowShape &shape, bool del);
// A root row that is gone: its key, and NULL for everything that is not known any more.
std::string sql_take_ghost(const Plan &plan, const RowShape &shape);
// The rows behind an edge; deletes or locks them.
std::string sql_take_edge(const Plan &plan, int edge, const RowShape &shape, bool del, bool lock);
// All rows of a relation: which of them go is told by the scan that is put into the plan. part: a partition, or "" for
// the relation of the node.
std::string sql_take_node(const Plan &plan, int node, const RowShape &shape, bool del, const std::string &part);
// Identity, edge and person of the rows whose reference the edge changes.
// scan: every row of the relation, for a statement that is told in another way which ones refer to the keys.
std::string sql_find_references(const Plan &plan, int edge, bool users, bool lock, bool scan);
// The root row of a tombstone, as one more reference (edge -1).
std::string sql_find_tombstone(const Plan &plan, bool users, bool lock);
// One UPDATE per row with all its columns; edges: those that found references. Parameters: one per reassign edge
// without expression, in the order of edges.
std::string sql_detach(const Plan &plan, int node, const std::vector<int> &edges, bool tombstone);
// The rows of vdf_m as that UPDATE would leave them: vdf_t, vdf_i, vdf_w (does it touch the row?), the columns that it
// sets, and others (", c.column AS column" ...). Same parameters.
std::string sql_new_rows(const Plan &plan, int node, const std::vector<int> &edges, bool tombstone,
                         const std::string &others);
// Rows (identity) that still refer to the key set; used by dry run, proof and blockers.
std::string sql_find_left(const Plan &plan, int edge);
// Rows of key set vdf_a whose reference through the edge leads to a row that stays.
// parents_go: some of the parents go too, vdf_d has them.
std::string sql_find_foreign(const Plan &plan, int edge, bool parents_go);
// All parents of the rows, those that go included: for an edge by which a row has several.
std::string sql_find_other_parents(const Plan &plan, int edge);
// A row of a cycle whose reference leads to none of its rows, if there is one.
std::string sql_leads_out(const Plan &plan, int edge, bool parents_go);
// Rows of key set vdf_a that the edge ties to key set vdf_d.
std::string sql_follow_own(const Plan &plan, int edge, bool parents);
// References of the tombstone itself, through a delete edge, to rows that go.
std::string sql_find_tombstone_left(const Plan &plan, int edge);
// The parent row that a reassignment ($1 is the new value) or a default leads to.
std::string sql_find_successor(const Plan &plan, int edge);
// The new values of a reassigning expression: vdf_t, vdf_i, vdf_v.
std::string sql_find_new_values(const Plan &plan, int edge);
// Per row of vdf_a, identity of the parent row that vdf_v leads to: vdf_pt, vdf_pi, NULL for none.
std::string sql_find_successors(const Plan &plan, int edge);
// Number of rows that refer to a key ($1, typed as the key column); only for edges of one pair on the key column.
std::string sql_count_key(const Plan &plan, int edge);
// The referring values of all rows, and the number of those (vdf_a) that lead nowhere: two statements, because child
// and parent may have different owners.
std::string sql_find_referring(const Plan &plan, int edge);
std::string sql_count_dangling(const Plan &plan, int edge);
// Targets of vdf_x (rule, target) that rows of the rule's relation still name: vdf_t, vdf_i, vdf_n.
std::string sql_find_named(const Plan &plan, int rule, bool exclude_root);
// All that rows of the rule's relation name: vdf_t, vdf_i, vdf_target as it is spelled there.
std::string sql_scan_named(const Plan &plan, int rule);

// A target in its normal spelling, as SQL over functions of pg_catalog alone: it runs as the owner of any table.
std::string sql_normalised(const std::string &kind, const std::string &expression);

} // namespace vedfolnir
#endif
