#include "core/column_role.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace vedfolnir {

namespace {

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
bool begins_or_is(const std::string &word, std::string_view known)
{
    return word.compare(0, known.size(), known) == 0 &&
           (word.size() == known.size() || word.substr(known.size()) == "s" ||
            std::isdigit(static_cast<unsigned char>(word[known.size()])));
}

template <std::size_t N> bool any_of(const Words &words, const std::string_view (&known)[N])
{
    return std::any_of(words.begin(), words.end(), [&](const std::string &w) {
        return std::any_of(std::begin(known), std::end(known),
                           [&](std::string_view k) { return begins_or_is(w, k); });
    });
}

// Known when the library is built: nothing of it runs, and nothing can fail, when a backend loads it.
constexpr std::string_view ACTORS[] = {
    "editor",  "creator",   "updater",  "modifier", "changer", "deleter",   "approver",  "reviewer",
    "inviter", "requester", "verifier", "resolver", "closer",  "canceller", "auditor",   "grantor",
    "granter", "issuer",    "referrer", "referer",  "sponsor", "executor",  "initiator", "actor"};
constexpr std::string_view RESPONSIBLE[] = {
    "manager",     "admin",    "administrator", "moderator", "agent", "assignee", "assigned", "supervisor",
    "responsible", "operator", "handler",       "contact",   "lead",  "leader",   "delegate", "deputy"};
constexpr std::string_view OWNERS[] = {
    "owner",    "author",  "receiver", "recipient", "holder",   "subscriber",  "follower",
    "followee", "follows", "sender",   "poster",    "uploader", "participant", "buyer",
    "patient",  "student", "employee", "attendee",  "voter",    "blocker",     "blocked"};
constexpr std::string_view POINTERS[] = {"active",   "current",   "default", "primary",
                                         "selected", "preferred", "latest",  "featured"};
constexpr std::string_view ORGANISATIONS[] = {"company",  "companies",  "organisation", "organization",
                                              "org",      "tenant",     "workspace",    "enterprise",
                                              "employer", "agency",     "agencies",     "institution",
                                              "business", "businesses", "firm",         "corporation"};
constexpr std::string_view EVIDENCE[] = {"audit",   "log",   "history", "histories",
                                         "journal", "trail", "archive", "ledger"};

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
    static constexpr std::string_view ids[] = {"id",   "ids", "uuid", "uuids", "uid",
                                               "uids", "ref", "key",  "fk",    "guid"};
    static constexpr std::string_view nouns[] = {"user",     "person",  "member",   "account",
                                                 "customer", "profile", "identity", "employee",
                                                 "student",  "patient", "usr"};
    static constexpr std::string_view alone[] = {"user",     "owner",     "author",  "sender",
                                                 "receiver", "recipient", "creator", "editor",
                                                 "approver", "reviewer",  "assignee"};
    auto in = [](const auto &list, const std::string &word) {
        return std::find(std::begin(list), std::end(list), word) != std::end(list);
    };
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

} // namespace vedfolnir
