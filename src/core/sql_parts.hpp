// sql_parts.hpp: the pieces that the statements of sql_text.hpp are made of.
#ifndef VEDFOLNIR_CORE_SQL_PARTS_HPP
#define VEDFOLNIR_CORE_SQL_PARTS_HPP

#include "core/plan.hpp"

#include <string>
#include <vector>

namespace vedfolnir {

inline const char *const EQ = "OPERATOR(pg_catalog.=)";

// How the columns of the referred rows are addressed, and those of the referring rows.
enum class Parent
{
    keys,    // d.vdf_k<n>
    relation // p."column"
};
enum class Child
{
    relation, // c."column"
    keys      // a.vdf_f<edge>_<pair>
};

// A text with %1%, %2% ... filled in. Not a stream: a stream that runs out of memory goes on with less text.
class Pattern {
  public:
    explicit Pattern(const char *text) : text_(text) {}
    Pattern &operator%(const std::string &value)
    {
        values_.push_back(value);
        return *this;
    }
    Pattern &operator%(int value) { return *this % std::to_string(value); }
    std::string str() const;

  private:
    const char *text_;
    std::vector<std::string> values_;
};

std::string number(int n);
std::string join(const std::vector<std::string> &parts, const char *separator);
int key_number(const Plan &plan, int node, const std::string &column);
std::string in_leaves(const std::string &alias, const std::string &leaves);
// The child side of a pair as it stands in the relation (alias c) or in a key set (alias a).
std::string child_in_relation(const Pair &pair);
// Its cast was applied when the row was taken, as the owner of its relation: a cast may be a function of
// anybody.
std::string child_in_keys(int edge, size_t pair);
std::string compare(const Pair &pair, const std::string &parent, const std::string &child);
// The pair that compares one element where the column is an array of references.
Pair one_element(Pair pair);
std::string pairs_condition(const Plan &plan, int number_of_edge, Parent parent, Child child);
bool shields_tombstone(const Plan &plan, const Edge &edge);
// A tombstone stays even where a cycle of delete edges leads back to it.
std::string except_tombstone(const Plan &plan);
std::string root_condition(const Plan &plan, const std::string &alias);

} // namespace vedfolnir
#endif
