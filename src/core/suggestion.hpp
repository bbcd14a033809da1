// suggestion.hpp: what a person who knows the schema would most likely decide for each edge, and why.
#ifndef VEDFOLNIR_CORE_SUGGESTION_HPP
#define VEDFOLNIR_CORE_SUGGESTION_HPP

#include "core/column_role.hpp"
#include "core/graph.hpp"

#include <string>
#include <vector>

namespace vedfolnir
{

struct TableFacts
{
    std::string schema;
    std::string relation;
    std::string display;
    bool content_free = false; // keys, references, times, flags and numbers only
    bool referenced = false;   // some foreign key refers to it
    bool subject = false;      // root of a registered subject
};

struct EdgeFacts
{
    int child = -1;
    int parent = -1;
    std::string name;
    std::vector<std::string> columns; // empty: a link by expression
    Action declared = Action::none;
    Action policy = Action::none;
    bool foreign_key = true;
    bool nullable = false;   // the reference can be cleared
    bool defaulted = false;  // each column has a default
    bool listed = false;     // a column is an array of references
    bool shared_key = false; // its columns are the child's primary key: one row per parent row
};

struct SchemaFacts
{
    std::vector<TableFacts> tables;
    std::vector<EdgeFacts> edges;
    int root = -1;
    bool tombstone = false;
};

struct Suggestion
{
    int edge = -1;
    Action action = Action::none;
    bool collateral = false; // rows of other people may go with it
    bool as_link = false;    // the parent is the other half of a tombstone: it needs a link to the root instead
    std::string why;
};

// One suggestion for each edge without a policy that the walk reaches once the suggestions are followed; by name.
std::vector<Suggestion> suggest(const SchemaFacts &facts);

} // namespace vedfolnir
#endif
