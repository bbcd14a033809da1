#include "core/suggestion.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

namespace vedfolnir
{

namespace
{

using Words = std::vector<std::string>;

// "createdByUserId" and "created_by_user_id" are the same words.
Words words_of(const std::string &name)
{
    Words words(1);
    for (size_t i = 0; i < name.size(); i++) {
        unsigned char c = static_cast<unsigned char>(name[i]);
        bool hump = std::isupper(c) && i > 0 && std::islower(static_cast<unsigned char>(name[i - 1]));
        if (hump || !std::isalnum(c))
            words.emplace_back();
        if (std::isalnum(c))
            words.back() += static_cast<char>(std::tolower(c));
    }
    words.erase(std::remove(words.begin(), words.end(), ""), words.end());
    return words;
}

// "audit_identity20231115" is an audit table as well.
bool begins_or_is(const std::string &word, const std::string &known)
{
    return word.compare(0, known.size(), known) == 0 &&
           (word.size() == known.size() || word.substr(known.size()) == "s" ||
            std::isdigit(static_cast<unsigned char>(word[known.size()])));
}

bool any_of(const Words &words, const Words &known)
{
    return std::any_of(words.begin(), words.end(), [&](const std::string &w) {
        return std::any_of(known.begin(), known.end(), [&](const std::string &k) { return begins_or_is(w, k); });
    });
}

std::string list_of(const Words &words)
{
    std::string text;
    for (const std::string &w : words)
        text += (text.empty() ? "" : ", ") + w;
    return text;
}

const Words ACTORS = {"editor",   "creator",  "updater",  "modifier", "changer", "deleter",  "approver", "reviewer",
                      "inviter",  "requester", "verifier", "resolver", "closer",  "canceller", "auditor", "grantor",
                      "granter",  "issuer",   "referrer", "referer",  "sponsor", "executor", "initiator", "actor"};
const Words RESPONSIBLE = {"manager",   "admin",      "administrator", "moderator", "agent",   "assignee", "assigned",
                           "supervisor", "responsible", "operator",      "handler",   "contact", "lead",     "leader",
                           "delegate",  "deputy"};
const Words OWNERS = {"owner",    "author",   "receiver", "recipient", "holder",      "subscriber", "follower", "followee",
                      "follows",  "sender",   "poster",   "uploader",  "participant", "buyer",      "patient",  "student",
                      "employee", "attendee", "voter",    "blocker",   "blocked"};
const Words POINTERS = {"active", "current", "default", "primary", "selected", "preferred", "latest", "featured"};
const Words ORGANISATIONS = {"company",  "companies",  "organisation", "organization", "org",     "tenant",
                             "workspace", "enterprise", "employer",     "agency",       "agencies", "institution",
                             "business", "businesses", "firm",         "corporation"};
const Words EVIDENCE = {"audit", "log", "history", "histories", "journal", "trail", "archive", "ledger"};

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
        goes_[f_.root] = true;
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

    bool is_person(int table) const { return table == f_.root || half_[table]; }
    bool stays(const EdgeFacts &e) const { return f_.tombstone && is_person(e.parent); }
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
        if (e.declared == Action::set_default)
            return of(Action::set_default, "ON DELETE SET DEFAULT is declared");
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

        if (!e.foreign_key && e.columns.empty())
            return of(Action::block, "the link is an expression: only a person can say whose the row is");
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
        for (int i : edges_of_[e.child]) {
            const EdgeFacts &o = f_.edges[i];
            if (i != s.edge && o.columns != e.columns && (goes_[o.parent] || half_[o.parent]) &&
                action_of(i) == Action::del)
                others += (others.empty() ? "" : ", ") + o.name;
        }
        bool root = e.child == f_.root;
        if (others.empty() && !root)
            return;
        if (e.declared != Action::del && !is_pure_link(e.child))
            return;
        s.collateral = true;
        if (root)
            s.why += "; other people's rows of " + f_.tables[e.child].display + " go with it, and all that is theirs";
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
    std::vector<bool> goes_, half_;
};

} // namespace

Role role_of_columns(const std::vector<std::string> &columns)
{
    Role role = Role::neutral;
    for (const std::string &column : columns) {
        Words words = words_of(column);
        if (std::find(words.begin(), words.end(), "by") != words.end() || any_of(words, ACTORS) ||
            (!words.empty() && words[0] == "last"))
            return Role::actor;
        if (any_of(words, RESPONSIBLE))
            role = Role::responsible;
        else if (any_of(words, POINTERS) && role == Role::neutral)
            role = Role::pointer;
        else if (any_of(words, OWNERS) && role == Role::neutral)
            role = Role::owner;
    }
    return role;
}

bool is_organisation(const std::string &relation)
{
    Words words = words_of(relation);
    return words.size() == 1 && any_of(words, ORGANISATIONS);
}

bool is_evidence(const std::string &relation)
{
    return any_of(words_of(relation), EVIDENCE);
}

// "identities" and "identity" are the same word.
static std::string singular(const std::string &word)
{
    auto ends = [&](const std::string &end) {
        return word.size() > end.size() && word.compare(word.size() - end.size(), end.size(), end) == 0;
    };
    if (ends("ies"))
        return word.substr(0, word.size() - 3) + "y";
    if (ends("sses") || ends("xes"))
        return word.substr(0, word.size() - 2);
    if (ends("s") && !ends("ss"))
        return word.substr(0, word.size() - 1);
    return word == "people" ? "person" : word;
}

bool names_person(const std::string &column, const std::string &root_relation)
{
    static const Words ids = {"id", "ids", "uuid", "uuids", "uid", "uids", "ref", "key", "fk", "guid"};
    static const Words nouns = {"user", "person", "member", "account", "customer", "profile", "identity", "employee", "student",
                                "patient", "usr"};
    static const Words alone = {"user", "owner", "author", "sender", "receiver", "recipient", "creator", "editor", "approver",
                                "reviewer", "assignee"};
    auto in = [](const Words &list, const std::string &word) { return std::find(list.begin(), list.end(), word) != list.end(); };
    Words words = words_of(column), root = words_of(root_relation);
    bool id = false;
    while (!words.empty() && in(ids, words.back())) {
        id = true;
        words.pop_back();
    }
    if (words.empty())
        return false;
    const std::string last = singular(words.back());
    if (words.size() > 1 && (words.back() == "by" || words[words.size() - 2] == "by"))
        return true;
    if (!id)
        return words.size() == 1 && in(alone, words.back());
    return in(nouns, last) || (!root.empty() && last == singular(root.back())) || any_of({last}, ACTORS) ||
           any_of({last}, OWNERS) || any_of({last}, RESPONSIBLE);
}

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
