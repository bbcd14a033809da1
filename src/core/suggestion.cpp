#include "core/suggestion.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <tuple>

namespace vedfolnir
{

namespace
{

std::string list_of(const std::vector<std::string> &words)
{
    std::string text;
    for (const std::string &w : words)
        text += (text.empty() ? "" : ", ") + w;
    return text;
}

// The state of one round: which tables go, which are the other half of a tombstone.
class Rules
{
  public:
    explicit Rules(const SchemaFacts &facts) : f_(facts), edges_of_(facts.tables.size())
    {
        for (size_t i = 0; i < f_.edges.size(); i++) {
            roles_.push_back(role_of_columns(f_.edges[i].columns));
            edges_of_[f_.edges[i].child].push_back(static_cast<int>(i));
        }
        goes_.assign(f_.tables.size(), false);
        half_.assign(f_.tables.size(), false);
        same_.assign(f_.tables.size(), false);
        goes_[f_.root] = same_[f_.root] = true;
        while (find_same())
            ;
        while (find_halves())
            ;
        while (spread())
            ;
    }

    std::vector<Suggestion> settle() const
    {
        std::vector<Suggestion> found;
        for (size_t i = 0; i < f_.edges.size(); i++) {
            const EdgeFacts &e = f_.edges[i];
            bool behind_half = half_[e.parent] && !goes_[e.parent];
            if (e.policy != Action::none || is_decided_link(e) || (!goes_[e.parent] && !behind_half) ||
                (behind_half && has_link(e)))
                continue;
            Suggestion s = decide(static_cast<int>(i));
            s.edge = static_cast<int>(i);
            s.as_link = behind_half;
            add_collateral(s);
            found.push_back(s);
        }
        return found;
    }

  private:
    // A link with an action of its own was decided when it was declared.
    static bool is_decided_link(const EdgeFacts &e) { return !e.foreign_key && e.declared != Action::none; }

    Action action_of(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        if (e.policy != Action::none)
            return e.policy;
        return is_decided_link(e) ? e.declared : decide(i).action;
    }

    // Is the same reference declared as a link to the root itself?
    bool has_link(const EdgeFacts &e) const
    {
        for (int i : edges_of_[e.child])
            if (!f_.edges[i].foreign_key && f_.edges[i].parent == f_.root && f_.edges[i].columns == e.columns)
                return true;
        return false;
    }

    bool find_halves()
    {
        bool changed = false;
        for (const EdgeFacts &e : f_.edges)
            if (!half_[e.child] && is_half(e))
                half_[e.child] = changed = true;
        return changed;
    }

    // One round: a table goes through an edge whose parent does. They only ever get more.
    bool spread()
    {
        bool changed = false;
        for (size_t i = 0; i < f_.edges.size(); i++) {
            const EdgeFacts &e = f_.edges[i];
            if (goes_[e.parent] && !goes_[e.child] && action_of(static_cast<int>(i)) == Action::del)
                goes_[e.child] = changed = true;
        }
        return changed;
    }

    // Tables with the key of the person, 1:1, are the person as well.
    bool find_same()
    {
        bool changed = false;
        for (const EdgeFacts &e : f_.edges)
            if (e.foreign_key && e.shared_key && same_[e.parent] && !same_[e.child])
                same_[e.child] = changed = true;
        return changed;
    }

    bool is_person(int table) const { return same_[table]; }
    bool stays(const EdgeFacts &e) const { return f_.tombstone && (e.parent == f_.root || half_[e.parent]); }
    // The other half of a tombstone: the same key, and others hold on to it.
    bool is_half(const EdgeFacts &e) const
    {
        return stays(e) && e.shared_key && e.child != f_.root && f_.tables[e.child].referenced &&
               (e.policy == Action::none || e.policy == Action::retain);
    }

    bool acts(int i) const { return roles_[i] != Role::owner && roles_[i] != Role::neutral; }
    const std::string &parent_name(const EdgeFacts &e) const { return f_.tables[e.parent].display; }

    int references(int table) const
    {
        int n = 0;
        for (int i : edges_of_[table])
            n += f_.edges[i].foreign_key && !acts(i);
        return n;
    }

    bool is_pure_link(int table) const
    {
        return f_.tables[table].content_free && !f_.tables[table].referenced && references(table) >= 2;
    }

    // Another edge that says whose the row is: to a person, another subject or an organisation.
    int other_owner(int edge, bool persons_only, bool must) const
    {
        const EdgeFacts &e = f_.edges[edge];
        for (int i : edges_of_[e.child]) {
            const EdgeFacts &o = f_.edges[i];
            if (i == edge || acts(i) || o.columns == e.columns || (must && o.nullable) || o.child == o.parent)
                continue;
            bool person = is_person(o.parent) || f_.tables[o.parent].subject;
            if (person || (!persons_only && is_organisation(f_.tables[o.parent].relation)))
                return i;
        }
        return -1;
    }

    // Does the table's author let its rows go with something else that goes?
    int other_cascade(int edge) const
    {
        for (int i : edges_of_[f_.edges[edge].child])
            if (i != edge && f_.edges[i].declared == Action::del && goes_[f_.edges[i].parent] &&
                !is_person(f_.edges[i].parent))
                return i;
        return -1;
    }

    Suggestion decide(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        std::string before;

        if (is_half(e))
            return of(Action::retain, "it has the key of " + parent_name(e) +
                                          ": the other half of a person whose row stays; clear its personal columns "
                                          "with vedfolnir_set_column()");
        if (e.declared == Action::del)
            return of(Action::del, "ON DELETE CASCADE is declared");
        if (e.declared == Action::set_default) {
            if (e.nullable || e.defaulted)
                return of(Action::set_default, "ON DELETE SET DEFAULT is declared");
            before = "ON DELETE SET DEFAULT is declared and there is no default for a NOT NULL column; ";
        }
        if (e.declared == Action::nullify) {
            if (e.nullable)
                return of(Action::nullify, "ON DELETE SET NULL is declared");
            before = "ON DELETE SET NULL is declared and cannot work on a NOT NULL column; ";
        }
        Suggestion s = undeclared(i);
        s.why = before + s.why;
        return s;
    }

    Suggestion undeclared(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        const TableFacts &child = f_.tables[e.child];
        const std::string columns = list_of(e.columns);

        if (e.shared_key && is_person(e.parent) && e.child != f_.root)
            return of(Action::del, "it has the key of " + parent_name(e) + ": one row per person");
        if (e.child == f_.root && e.parent == f_.root)
            return e.nullable     ? of(Action::nullify, columns + " names another person, whose row stays")
                   : f_.tombstone ? of(Action::retain, columns + " names a tombstone in the row of another person")
                                  : of(Action::block, columns + " cannot be NULL in the row of another person: reassign");
        if (!e.foreign_key && e.columns.empty())
            return of(Action::block, "the link is an expression: only a person can say whose the row is; delete and retain "
                                     "are possible");
        if (e.listed)
            return of(Action::nullify, columns + " lists several: the reference is taken out and the row stays");
        if (acts(i))
            return acting(i);
        if (is_pure_link(e.child))
            return of(Action::del, "the table only links " + parent_name(e) + " to other rows");
        if (is_evidence(child.relation) && is_person(e.parent) && (e.nullable || stays(e)))
            return evidence(i);
        return e.nullable ? nullable(i) : required(i);
    }

    Suggestion acting(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        const std::string columns = list_of(e.columns);
        std::string says = columns + " names who acted, not whose the row is";

        if (roles_[i] == Role::responsible)
            says = columns + " names who looks after the row, not whose it is";
        if (roles_[i] == Role::pointer)
            says = columns + " points at one of several, it does not own the row";
        bool foreign = other_owner(i, true, false) >= 0;
        if (e.nullable && stays(e) && !foreign && (roles_[i] == Role::actor || is_evidence(f_.tables[e.child].relation)))
            return of(Action::retain, says + "; the key stays, as that of a tombstone");
        if (e.nullable)
            return of(Action::nullify, says);
        if (stays(e))
            return of(Action::retain, says + "; it cannot be NULL, and the key stays as that of a tombstone");
        return of(Action::block, says + ", and it cannot be NULL: hand the rows over with reassign, or refuse");
    }

    Suggestion evidence(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        int with = other_cascade(i);

        if (with >= 0)
            return of(Action::del, "its rows already go with " + parent_name(f_.edges[with]) + " through " +
                                       f_.edges[with].name);
        if (stays(e))
            return of(Action::retain, "it looks like evidence; clear its personal columns with vedfolnir_set_column()");
        return of(Action::nullify, "it looks like evidence: the rows stay without the person; clear their personal columns "
                                   "with vedfolnir_set_column()");
    }

    Suggestion nullable(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        const std::string columns = list_of(e.columns);

        if (roles_[i] == Role::owner && is_person(e.parent) && other_owner(i, false, true) < 0)
            return of(Action::del, columns + " says whose the row is");
        if (stays(e))
            return of(Action::retain, columns + " may be NULL, so the row is not the person's alone; the key stays, as that "
                                                "of a tombstone");
        return of(Action::nullify, columns + " may be NULL, so the row can do without it");
    }

    Suggestion required(int i) const
    {
        const EdgeFacts &e = f_.edges[i];
        const std::string columns = list_of(e.columns);
        int other = other_owner(i, !is_person(e.parent), true);

        if (other >= 0) {
            const std::string whose = "the row also belongs to a row of " + parent_name(f_.edges[other]) + " (" +
                                      list_of(f_.edges[other].columns) + ")";
            if (stays(e))
                return of(Action::retain, whose + "; the key stays, as that of a tombstone");
            return of(Action::block, whose + ": decide whether it goes, with collateral => 'delete', or is reassigned");
        }
        if (is_person(e.parent))
            return of(Action::del, columns + " cannot be NULL and is the only owner");
        return of(Action::del, "the row cannot be without its row of " + parent_name(e) + ", which goes");
    }

    // Rows with two owners: whoever follows one edge takes what also hangs on the other.
    void add_collateral(Suggestion &s) const
    {
        const EdgeFacts &e = f_.edges[s.edge];
        if (s.action != Action::del)
            return;
        std::string others;
        bool person = false; // another edge says that the row is somebody else's own
        for (int i : edges_of_[e.child]) {
            const EdgeFacts &o = f_.edges[i];
            if (i != s.edge && o.columns != e.columns && (goes_[o.parent] || half_[o.parent]) &&
                action_of(i) == Action::del) {
                others += (others.empty() ? "" : ", ") + o.name;
                person = person || is_person(o.parent);
            }
        }
        bool root = e.child == f_.root, own = is_person(e.parent) && !root && !person;
        if (others.empty() && !root)
            return;
        if (e.declared != Action::del && !is_pure_link(e.child) && !own)
            return;
        s.collateral = true;
        if (root)
            s.why += "; other people's rows of " + f_.tables[e.child].display + " go with it, and all that is theirs";
        else if (own)
            s.why += "; the person's rows go also where they hang on what stays (" + others + ")";
        else
            s.why += "; rows that also belong to somebody who stays (" + others + ") go with it";
    }

    static Suggestion of(Action action, std::string why)
    {
        Suggestion s;
        s.action = action;
        s.why = std::move(why);
        return s;
    }

    const SchemaFacts &f_;
    std::vector<std::vector<int>> edges_of_;
    std::vector<Role> roles_;
    std::vector<bool> goes_, half_, same_;
};

} // namespace

std::vector<Suggestion> suggest(const SchemaFacts &facts)
{
    if (facts.root < 0 || facts.root >= static_cast<int>(facts.tables.size()))
        throw Error("XX000", "there is no root relation to suggest policies for");
    std::vector<Suggestion> found = Rules(facts).settle();
    auto key = [&](const Suggestion &s) {
        const TableFacts &t = facts.tables[facts.edges[s.edge].child];
        return std::tie(t.schema, t.relation, facts.edges[s.edge].name);
    };
    std::sort(found.begin(), found.end(), [&](const Suggestion &a, const Suggestion &b) { return key(a) < key(b); });
    return found;
}

} // namespace vedfolnir
