// Suggestions: what names, nullability, declared actions and the shape of tables say of an edge.
#include "bridge/wall.h"
#include "core/error.hpp"
#include "core/suggestion.hpp"

#include <gtest/gtest.h>

#include <map>

using namespace vedfolnir;

namespace
{

class Schema
{
  public:
    explicit Schema(bool tombstone = false)
    {
        facts.tombstone = tombstone;
        facts.root = table("users");
    }
    int table(const std::string &name)
    {
        auto found = numbers_.find(name);
        if (found != numbers_.end())
            return found->second;
        TableFacts t;
        t.schema = "public";
        t.relation = name;
        t.display = "public." + name;
        facts.tables.push_back(t);
        return numbers_[name] = static_cast<int>(facts.tables.size()) - 1;
    }
    EdgeFacts &edge(const std::string &child, const std::string &column, const std::string &parent, bool nullable = false,
                    Action declared = Action::none)
    {
        EdgeFacts e;
        e.child = table(child);
        e.parent = table(parent);
        e.name = child + "_" + column;
        e.columns = {column};
        e.nullable = nullable;
        e.declared = declared;
        if (e.child != e.parent)
            facts.tables[e.parent].referenced = true;
        facts.edges.push_back(e);
        return facts.edges.back();
    }
    void content_free(const std::string &name) { facts.tables[table(name)].content_free = true; }

    // "" when there is no row, "link ..." for what needs a link, "... +" with collateral
    std::string of(const std::string &name) const
    {
        for (const Suggestion &s : suggest(facts))
            if (facts.edges[s.edge].name == name)
                return std::string(s.as_link ? "link " : "") + action_name(s.action) + (s.collateral ? " +" : "");
        return "";
    }
    std::string why(const std::string &name) const
    {
        for (const Suggestion &s : suggest(facts))
            if (facts.edges[s.edge].name == name)
                return s.why;
        return "";
    }

    SchemaFacts facts;

  private:
    std::map<std::string, int> numbers_;
};

const bool null = true, must = false;

} // namespace

TEST(RoleOfColumns, TellsOwnersFromActors)
{
    for (const char *name : {"created_by", "updated_by", "last_editor_id", "approved_by", "invited_by", "createdBy", "last_seen_user",
                             "deactivated_by_user_id", "auditor_id", "requester_id"})
        EXPECT_EQ(role_of_columns({name}), Role::actor) << name;
    for (const char *name : {"author_id", "owner_id", "receiver_user_id", "followerId", "followee_id"})
        EXPECT_EQ(role_of_columns({name}), Role::owner) << name;
    for (const char *name : {"admin_user_id", "sales_manager_id", "assignee_id"})
        EXPECT_EQ(role_of_columns({name}), Role::responsible) << name;
    for (const char *name : {"user_id", "company_user_id", "person", "baby_id", "logged_user"})
        EXPECT_EQ(role_of_columns({name}), Role::neutral) << name;
    EXPECT_EQ(role_of_columns({"active_platform_id"}), Role::pointer);
    EXPECT_EQ(role_of_columns({"tenant_id", "created_by"}), Role::actor);
    EXPECT_EQ(role_of_columns({}), Role::neutral);
}

TEST(NamesPerson, SeesReferencesWithoutAKey)
{
    for (const char *name : {"user_id", "userId", "owner_id", "created_by", "approved_by_user_id", "member_ids", "last_editor_id",
                             "recipient", "company_user_id", "identity_id"})
        EXPECT_TRUE(names_person(name, "identities")) << name;
    for (const char *name : {"id", "order_id", "user_count", "by", "users", "follows", "batch_id", "email", "status", "session_id"})
        EXPECT_FALSE(names_person(name, "identities")) << name;
    EXPECT_TRUE(names_person("player_id", "game_players"));
    EXPECT_FALSE(names_person("player_id", "users"));
    VdfError error;
    bool answer = false;
    EXPECT_TRUE(vdf_names_person("user_id", "users", &answer, &error) && answer);
    EXPECT_TRUE(vdf_names_person(nullptr, nullptr, &answer, &error) && !answer);
    EXPECT_TRUE(vdf_names_actor("created_by", &answer, &error) && answer);
    EXPECT_TRUE(vdf_names_actor("user_id", &answer, &error) && !answer);
}

TEST(Suggest, TakesTheDeclaredAction)
{
    Schema s;
    s.edge("posts", "created_by", "users", must, Action::del);
    s.edge("events", "user_id", "users", null, Action::nullify);
    s.edge("tickets", "user_id", "users", must, Action::set_default).defaulted = true;
    EXPECT_EQ(s.of("posts_created_by"), "delete");
    EXPECT_EQ(s.of("events_user_id"), "nullify");
    EXPECT_EQ(s.of("tickets_user_id"), "default");
}

TEST(Suggest, DoesNotBelieveSetNullOnNotNull)
{
    Schema s;
    s.edge("notes", "user_id", "users", must, Action::nullify);
    s.edge("settings", "updated_by", "users", must, Action::nullify);
    EXPECT_EQ(s.of("notes_user_id"), "delete");
    EXPECT_EQ(s.of("settings_updated_by"), "block");
    EXPECT_NE(s.why("settings_updated_by").find("cannot work on a NOT NULL column"), std::string::npos);
}

TEST(Suggest, KeepsRowsInWhichSomebodyOnlyActed)
{
    Schema s;
    s.edge("alerts", "resolved_by", "users", null);
    s.edge("settings", "updated_by", "users", must);
    EXPECT_EQ(s.of("alerts_resolved_by"), "nullify");
    EXPECT_EQ(s.of("settings_updated_by"), "block");
    EXPECT_NE(s.why("settings_updated_by").find("reassign"), std::string::npos);
}

TEST(Suggest, DeletesOnlyBehindTheOnlyOwner)
{
    Schema s;
    s.edge("sessions", "user_id", "users", must);
    s.edge("messages", "sender_id", "users", must);
    s.edge("messages", "receiver_id", "users", must);
    EXPECT_EQ(s.of("sessions_user_id"), "delete");
    EXPECT_EQ(s.of("messages_sender_id"), "block");
    EXPECT_EQ(s.of("messages_receiver_id"), "block");
}

TEST(Suggest, TakesLinksBetweenPeopleWithCollateral)
{
    Schema s;
    s.edge("follows", "follower_id", "users", must);
    s.edge("follows", "followee_id", "users", must);
    s.content_free("follows");
    EXPECT_EQ(s.of("follows_follower_id"), "delete +");
    EXPECT_EQ(s.of("follows_followee_id"), "delete +");
    EXPECT_NE(s.why("follows_follower_id").find("follows_followee_id"), std::string::npos);

    // Something hangs on the row: it is more than a link.
    s.edge("follow_notes", "follow_id", "follows", must);
    EXPECT_EQ(s.of("follows_follower_id"), "block");
}

TEST(Suggest, LeavesRecordsOfAnOrganisation)
{
    Schema s;
    s.edge("contracts", "user_id", "users", must);
    s.edge("contracts", "company_id", "companies", must);
    EXPECT_EQ(s.of("contracts_user_id"), "block");
    EXPECT_NE(s.why("contracts_user_id").find("public.companies"), std::string::npos);
    EXPECT_EQ(s.of("contracts_company_id"), "");
    EXPECT_FALSE(is_organisation("company_users"));
    EXPECT_TRUE(is_organisation("Organisations"));
}

TEST(Suggest, OpensTheEdgesBehindADeletedTable)
{
    Schema s;
    s.edge("comments", "post_id", "posts", must);
    s.edge("attachments", "comment_id", "comments", must);
    s.edge("pins", "current_post_id", "posts", null);
    EXPECT_EQ(s.of("attachments_comment_id"), "");
    s.edge("posts", "author_id", "users", must);
    EXPECT_EQ(s.of("comments_post_id"), "delete");
    EXPECT_EQ(s.of("attachments_comment_id"), "delete");
    EXPECT_EQ(s.of("pins_current_post_id"), "nullify");

    // A foreign comment under an own post is somebody else's row.
    s.edge("comments", "user_id", "users", must);
    EXPECT_EQ(s.of("comments_user_id"), "delete");
    EXPECT_EQ(s.of("comments_post_id"), "block");
    EXPECT_EQ(s.of("attachments_comment_id"), "delete");
}

TEST(Suggest, SaysWhoseRowsCascadeTakes)
{
    Schema s;
    s.edge("posts", "user_id", "users", must, Action::del);
    s.edge("comments", "user_id", "users", must, Action::del);
    s.edge("comments", "post_id", "posts", must, Action::del);
    s.edge("users", "invited_by", "users", null, Action::del);
    EXPECT_EQ(s.of("posts_user_id"), "delete");
    EXPECT_EQ(s.of("comments_post_id"), "delete +");
    EXPECT_EQ(s.of("comments_user_id"), "delete +");
    EXPECT_EQ(s.of("users_invited_by"), "delete +");
    EXPECT_NE(s.why("comments_post_id").find("comments_user_id"), std::string::npos);
}

TEST(Suggest, StaysAwayFromOtherPeople)
{
    Schema s;
    s.edge("users", "invited_by", "users", null);
    s.edge("users", "mentor_id", "users", must);
    EXPECT_EQ(s.of("users_invited_by"), "nullify");
    EXPECT_EQ(s.of("users_mentor_id"), "block");
}

TEST(Suggest, KeepsEvidenceUnlessItGoesAnyway)
{
    Schema s;
    s.edge("user_audit_log", "user_id", "users", null);
    s.edge("job_audit_log", "user_id", "users", null);
    s.edge("jobs", "user_id", "users", must, Action::del);
    s.edge("job_audit_log", "job_id", "jobs", null, Action::del);
    s.edge("catalogues", "user_id", "users", must);
    EXPECT_EQ(s.of("user_audit_log_user_id"), "nullify");
    EXPECT_EQ(s.of("job_audit_log_user_id"), "delete +");
    EXPECT_EQ(s.of("catalogues_user_id"), "delete");
    EXPECT_TRUE(is_evidence("audit_identity20231115"));
}

TEST(Suggest, LeavesWhatIsDecided)
{
    Schema s;
    s.edge("posts", "user_id", "users", must).policy = Action::nullify;
    s.edge("comments", "post_id", "posts", must);
    s.edge("notes", "user_id", "users", must).foreign_key = false;
    EdgeFacts &link = s.edge("mails", "user_id", "users", must, Action::del);
    link.foreign_key = false;
    s.edge("parts", "mail_id", "mails", must);
    EXPECT_EQ(s.of("posts_user_id"), "");
    EXPECT_EQ(s.of("comments_post_id"), "");
    EXPECT_EQ(s.of("notes_user_id"), "delete");
    EXPECT_EQ(s.of("mails_user_id"), "");
    EXPECT_EQ(s.of("parts_mail_id"), "delete");
}

TEST(Suggest, TakesTheOtherHalfOfADeletedPerson)
{
    Schema s;
    s.edge("profiles", "id", "users", must).shared_key = true;
    s.edge("notes", "profile_id", "profiles", must);
    EXPECT_EQ(s.of("profiles_id"), "delete");
    EXPECT_EQ(s.of("notes_profile_id"), "delete");
}

TEST(Suggest, KeepsTheOtherHalfOfATombstone)
{
    Schema s(true);
    s.edge("members", "id", "users", must, Action::del).shared_key = true;
    s.edge("profiles", "user_id", "users", must, Action::del).shared_key = true;
    s.edge("consents", "member_id", "members", must);
    s.edge("consents", "company_id", "companies", must);
    s.edge("mails", "receiver_id", "members", must);
    s.edge("mails", "creator_id", "users", null);
    s.edge("mail_parts", "mail_id", "mails", must);
    s.edge("documents", "member_id", "members", null);
    s.edge("offers", "manager_id", "members", null);
    EXPECT_EQ(s.of("members_id"), "retain");
    EXPECT_EQ(s.of("profiles_user_id"), "delete"); // nobody holds on to it
    EXPECT_EQ(s.of("consents_member_id"), "link retain");
    EXPECT_EQ(s.of("mails_receiver_id"), "link delete");
    EXPECT_EQ(s.of("mails_creator_id"), "nullify");
    EXPECT_EQ(s.of("documents_member_id"), "link retain");
    EXPECT_EQ(s.of("offers_manager_id"), "link nullify");
    EXPECT_EQ(s.of("mail_parts_mail_id"), ""); // the link is not there yet
    EdgeFacts &link = s.edge("mails", "receiver_id", "users", must, Action::del);
    link.foreign_key = false;
    link.name = "received_by";
    EXPECT_EQ(s.of("mails_receiver_id"), "");
    EXPECT_EQ(s.of("mail_parts_mail_id"), "delete");
}

TEST(Suggest, KeepsTheKeyOfATombstoneInAuditColumns)
{
    Schema s(true);
    s.edge("offers", "last_editor_id", "users", null);
    s.edge("settings", "updated_by", "users", must);
    s.edge("tickets", "assignee_id", "users", null);
    EXPECT_EQ(s.of("offers_last_editor_id"), "retain");
    EXPECT_EQ(s.of("settings_updated_by"), "retain");
    EXPECT_EQ(s.of("tickets_assignee_id"), "nullify");
}

TEST(Suggest, OrdersByName)
{
    Schema s;
    s.edge("b", "user_id", "users", must);
    s.edge("a", "z_user_id", "users", must);
    s.edge("a", "a_user_id", "users", null);
    std::vector<Suggestion> found = suggest(s.facts);
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(s.facts.edges[found[0].edge].name, "a_a_user_id");
    EXPECT_EQ(s.facts.edges[found[1].edge].name, "a_z_user_id");
    EXPECT_EQ(s.facts.edges[found[2].edge].name, "b_user_id");
}

TEST(Suggest, CopesWithCyclesAndDepth)
{
    Schema s;
    s.edge("t0", "user_id", "users", must);
    for (int i = 1; i < 300; i++)
        s.edge("t" + std::to_string(i), "up_id", "t" + std::to_string(i - 1), must);
    s.edge("t0", "down_id", "t299", must);
    EXPECT_EQ(s.of("t299_up_id"), "delete");
    EXPECT_EQ(s.of("t0_down_id"), "block"); // t0 has an owner of its own
}

TEST(Suggest, CrossesTheWall)
{
    VdfTableFacts tables[2] = {{"public", "users", "public.users", false, true, true},
                               {"public", "posts", "public.posts", false, false, false}};
    const char *columns[1] = {"user_id"};
    VdfEdgeFacts edge = {1, 0, "posts_user_id_fkey", 1, columns, 0, 0, true, false, false, false, false};
    VdfSchemaFacts facts = {2, tables, 1, &edge, 0, false};
    VdfSuggestion out[1];
    VdfError error;
    int n = 0;

    ASSERT_TRUE(vdf_suggest(&facts, out, &n, &error));
    ASSERT_EQ(n, 1);
    EXPECT_EQ(out[0].action, VDF_ACTION_DELETE);
    EXPECT_STREQ(out[0].why, "user_id cannot be NULL and is the only owner");
    facts.root = -1;
    EXPECT_FALSE(vdf_suggest(&facts, out, &n, &error));
    EXPECT_STREQ(error.sqlstate, "XX000");
}

TEST(Suggest, TakesAPersonOutOfAList)
{
    Schema s;
    EdgeFacts &list = s.edge("rooms", "member_ids", "users", must);
    list.foreign_key = false;
    list.listed = true;
    EXPECT_EQ(s.of("rooms_member_ids"), "nullify");
}

TEST(Suggest, LeavesAnExpressionToAPerson)
{
    Schema s;
    EdgeFacts &link = s.edge("events", "data", "users", must);
    link.foreign_key = false;
    link.columns.clear();
    EXPECT_EQ(s.of("events_data"), "block");
}

TEST(Suggest, KnowsADefaultThatCannotWork)
{
    Schema s;
    s.edge("flags", "user_id", "users", must, Action::set_default);
    EXPECT_EQ(s.of("flags_user_id"), "delete");
    s.edge("marks", "user_id", "users", must, Action::set_default).defaulted = true;
    s.edge("notes", "user_id", "users", null, Action::set_default);
    EXPECT_EQ(s.of("marks_user_id"), "default");
    EXPECT_EQ(s.of("notes_user_id"), "default");
}

// A person's comments go wherever they stand; other people's comments under a post are decided by the post's author.
TEST(Suggest, TakesOwnRowsThatHangOnWhatStays)
{
    Schema s;
    s.edge("posts", "author_id", "users", must);
    s.edge("comments", "post_id", "posts", must, Action::del);
    s.edge("comments", "user_id", "users", must);
    EXPECT_EQ(s.of("comments_user_id"), "delete +");
    EXPECT_EQ(s.of("comments_post_id"), "delete +");

    Schema undeclared;
    undeclared.edge("posts", "author_id", "users", must);
    undeclared.edge("comments", "post_id", "posts", must);
    undeclared.edge("comments", "user_id", "users", must);
    EXPECT_EQ(undeclared.of("comments_user_id"), "delete");
    EXPECT_EQ(undeclared.of("comments_post_id"), "block");

    Schema two;
    two.edge("chats", "first_user_id", "users", must, Action::del);
    two.edge("chats", "second_user_id", "users", must, Action::del);
    EXPECT_EQ(two.of("chats_first_user_id"), "delete +");
    EXPECT_EQ(two.of("chats_second_user_id"), "delete +");
}

// A table with the key of the person, row by row, is the person: what names its rows has an owner.
TEST(Suggest, TakesTheOtherHalfForThePerson)
{
    Schema s;
    s.edge("profiles", "id", "users", must, Action::del).shared_key = true;
    s.edge("consents", "profile_id", "profiles", must);
    s.edge("consents", "company_id", "companies", must);
    EXPECT_EQ(s.of("consents_profile_id"), "block");
}
