// Which answers of Keycloak show that there is no such user, and which do not (R75).
#include "core/error.hpp"
#include "scripted_http.hpp"

using namespace vedfolnir;

using IdentityMissing = Identity;

TEST_F(IdentityMissing, IsSkippedIfItIsGone)
{
    http->expect(token_path, 200, token_body);
    http->expect("GET" + user_path, 404, R"({"error":"User not found"})");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::skipped);
    expect_user();
    http->expect("DELETE" + user_path, 404, gone_body);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::skipped) << "gone between two requests";
}

TEST_F(IdentityMissing, FindsByNameExactly)
{
    const std::string search = "GET/admin/realms/r1/users?exact=true&username=Ann%20B%2F1";
    http->expect(token_path, 200, token_body);
    http->expect(search, 200, R"([{"id":"u-1","username":"ann b/1"},{"id":"u-2","username":"ann b/12"}])");
    http->expect("GET" + user_path, 200, user_body);
    http->expect("DELETE" + user_path, 204);
    http->expect("GET" + user_path, 404, gone_body);
    EXPECT_EQ(run("delete", "r1/username=Ann%20B%2F1").verdict, Verdict::done);
    http->expect(search, 200, "[]");
    http->expect(view_path, 200, view_body);
    http->expect(search, 200, "[]");
    EXPECT_EQ(run("delete", "r1/username=Ann%20B%2F1").verdict, Verdict::skipped);
    http->expect(search, 200, R"([{"id":"u-1","username":"ann b/1"},{"id":"u-2","username":"ANN B/1"}])");
    EXPECT_EQ(run("delete", "r1/username=Ann%20B%2F1").verdict, Verdict::dead) << "two hits";
    http->expect(search, 200, "<html>");
    EXPECT_EQ(run("delete", "r1/username=Ann%20B%2F1").verdict, Verdict::retry);
}

TEST_F(IdentityMissing, DoesNotTakeAnEmptySearchForAMissingUserUnlessItSeesEveryUser)
{
    const std::string search = "GET/admin/realms/r1/users?exact=true&username=ann";
    const struct
    {
        long status;
        const char *body, *message;
        Verdict verdict;
    } table[] = {{403, R"({"error":"HTTP 403 Forbidden"})", "the role view-users of the realm", Verdict::dead},
                 {404, "", "attack-detection/brute-force gives HTTP status 404", Verdict::retry},
                 {404, R"({"error":"Realm not found."})", "the realm does not exist", Verdict::dead},
                 {405, "", "HTTP status 405", Verdict::dead},
                 {429, "", "HTTP status 429", Verdict::retry},
                 {500, "", "HTTP status 500", Verdict::retry},
                 {503, "", "HTTP status 503", Verdict::unavailable},
                 {200, "", "not JSON", Verdict::retry},
                 {200, "<html>", "not JSON", Verdict::retry},
                 {200, "[]", "another form", Verdict::retry},
                 {200, "7", "another form", Verdict::retry},
                 {200, "{}", "another form", Verdict::retry}};
    for (const char *operation : {"disable", "logout", "delete"}) {
        http->expect(token_path, 200, token_body);
        for (const auto &row : table) {
            // An old server gives others whose names contain this one: to see somebody is not to see everybody.
            for (const char *others : {"[]", R"([{"id":"u-2","username":"anna"}])"}) {
                http->expect(search, 200, others);
                http->expect(view_path, row.status, row.body);
                const Outcome outcome = run(operation, "r1/username=ann");
                EXPECT_EQ(outcome.verdict, row.verdict) << operation << row.status << row.body;
                EXPECT_NE(outcome.message.find(row.message), std::string::npos) << outcome.message;
                EXPECT_EQ(outcome.message.find("ann"), std::string::npos) << outcome.message;
                if (row.status == 403)
                    http->expect(token_path, 200, token_body);
            }
        }
        http->expect(search, 200, "[]");
        http->expect_failure(view_path);
        EXPECT_EQ(run(operation, "r1/username=ann").verdict, Verdict::unavailable);
        // The role came between the two questions.
        http->expect(search, 200, "[]");
        http->expect(view_path, 200, view_body);
        http->expect(search, 200, R"([{"id":"u-1","username":"ann"}])");
        http->expect("GET" + user_path, 403);
        EXPECT_EQ(run(operation, "r1/username=ann").verdict, Verdict::dead);
    }
}

TEST_F(IdentityMissing, IsCheckedForWhetherItSeesEveryUserOfEachRealm)
{
    const auto expect_questions = [&](const std::string &realm, long status, const std::string &body) {
        http->expect("GET/admin/realms/" + realm + "/users?max=1", 200, "[]");
        http->expect("GET/admin/realms/" + realm + "/attack-detection/brute-force/users/-", status, body);
    };
    const std::string other_token_path = "POST/realms/r%202/protocol/openid-connect/token";
    http->expect(other_token_path, 200, token_body);
    expect_questions("r%202", 200, view_body);
    http->expect(token_path, 200, token_body);
    expect_questions("r1", 403, "");
    try {
        service->check();
        ADD_FAILURE() << "a client that sees nobody of a realm passes";
    } catch (const Error &error) {
        EXPECT_NE(std::string(error.what()).find("lacks the role view-users of the realm"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(http->steps.empty());
    expect_questions("r%202", 404, "");
    EXPECT_THROW(service->check(), Error);
    expect_questions("r%202", 200, view_body);
    http->expect(token_path, 200, token_body);
    expect_questions("r1", 200, view_body);
    EXPECT_EQ(service->check(), "https://id/") << "an empty realm is no fault";
    EXPECT_TRUE(http->steps.empty());
}

TEST_F(IdentityMissing, DoesNotTakeAMissingRealmForAMissingUser)
{
    http->expect(token_path, 200, token_body);
    http->expect("GET" + user_path, 404, R"({"error":"Realm not found."})");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::dead);
}

TEST_F(IdentityMissing, DoesNotTakeAnyNotFoundForAMissingUser)
{
    // A gateway whose server is away or that lets nobody in, a wrong base URL.
    http->expect(token_path, 200, token_body);
    for (const char *body : {"", "404 page not found", "{}", R"({"status":404,"error":"Not Found","path":"/admin"})"}) {
        http->expect("GET" + user_path, 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry) << body;
        expect_user();
        http->expect("DELETE" + user_path, 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry) << body;
        expect_user();
        http->expect("DELETE" + user_path, 204);
        http->expect("GET" + user_path, 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry) << body;
        expect_user();
        http->expect("POST" + user_path + "/logout", 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("logout", "r1/u-1").verdict, Verdict::retry) << body;
        expect_user();
        http->expect("POST" + user_path + "/logout", 204);
        http->expect("GET" + user_path + "/sessions", 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("logout", "r1/u-1").verdict, Verdict::retry) << body;
        expect_user();
        http->expect("PUT" + user_path, 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::retry) << body;
        expect_user();
        http->expect("PUT" + user_path, 204);
        http->expect("POST" + user_path + "/logout", 204);
        http->expect("GET" + user_path, 404, body);
        http->expect(view_path, 404, body);
        EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::retry) << body;
    }
}

// A gateway that lets searches through but not what lies below users/: the user is there.
TEST_F(IdentityMissing, DoesNotTakeABareNotFoundForAMissingUserIfASearchFindsIt)
{
    http->expect(token_path, 200, token_body);
    const auto finds = [&](const std::string &request, const char *operation) {
        http->expect(request, 404, "");
        http->expect(view_path, 200, view_body);
        http->expect(id_search, 200, "[" + user_body + "]");
        const Outcome outcome = run(operation, "r1/u-1");
        EXPECT_EQ(outcome.verdict, Verdict::retry) << operation << " " << request;
        EXPECT_EQ(outcome.message, "an answer has HTTP status 404 and does not come from the users of the realm");
    };
    finds("GET" + user_path, "delete");
    expect_user();
    finds("DELETE" + user_path, "delete");
    expect_user();
    http->expect("DELETE" + user_path, 204);
    finds("GET" + user_path, "delete");
    expect_user();
    finds("POST" + user_path + "/logout", "logout");
    expect_user();
    http->expect("POST" + user_path + "/logout", 204);
    finds("GET" + user_path + "/sessions", "logout");
    expect_user();
    finds("PUT" + user_path, "disable");
    expect_user();
    http->expect("PUT" + user_path, 204);
    finds("POST" + user_path + "/logout", "disable");
    expect_user();
    http->expect("PUT" + user_path, 204);
    http->expect("POST" + user_path + "/logout", 204);
    finds("GET" + user_path, "disable");
    // Found by its name, and then not by its id.
    http->expect("GET/admin/realms/r1/users?exact=true&username=ann", 200, "[" + user_body + "]");
    http->expect("GET" + user_path, 404, "");
    http->expect(view_path, 200, view_body);
    http->expect(id_search, 200, "[" + user_body + "]");
    EXPECT_EQ(run("delete", "r1/username=ann").verdict, Verdict::retry);
    // A client that does not see the user does not find it either.
    http->expect("GET" + user_path, 404, "");
    http->expect(view_path, 403, "");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::dead);
    // The id in the search is encoded as in the path.
    http->expect(token_path, 200, token_body);
    http->expect("GET/admin/realms/r1/users/f%3Ax%2B1%26y", 404, "");
    http->expect(view_path, 200, view_body);
    http->expect("GET/admin/realms/r1/users?search=id:f%3Ax%2B1%26y", 200, "[{}]");
    EXPECT_EQ(run("delete", "r1/f:x+1&y").verdict, Verdict::retry);
}

TEST_F(IdentityMissing, TakesABareNotFoundFromWhereUsersAreFound)
{
    http->expect(token_path, 200, token_body);
    http->expect("GET" + user_path, 404, "");
    http->expect(view_path, 200, view_body);
    http->expect(id_search, 200, "[]");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::skipped);
    expect_user();
    http->expect("DELETE" + user_path, 204);
    http->expect("GET" + user_path, 404, "{}");
    http->expect(view_path, 200, view_body);
    http->expect(id_search, 200, "[]");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::done);
    for (const auto &[status, body] : {std::pair<int, const char *>(200, "{}"), {200, "<html>"}, {400, "[]"}, {404, "[]"}, {500, "[]"}}) {
        http->expect("GET" + user_path, 404, "");
        http->expect(view_path, 200, view_body);
        http->expect(id_search, status, body);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry) << status << body;
    }
}

TEST_F(IdentityMissing, DoesNotTakeAnOddAnswerForAMissingUser)
{
    const std::string search = "GET/admin/realms/r1/users?exact=true&username=ann";
    http->expect(token_path, 200, token_body);
    for (const char *body : {"{}", "null", "7", R"([{"username":"ann"}])", R"([{"username":"ann","id":""}])", "[7]", R"([{"id":"u-1"}])"}) {
        http->expect(search, 200, body);
        EXPECT_EQ(run("delete", "r1/username=ann").verdict, Verdict::retry) << body;
    }
    const std::string deep(100000, '[');
    http->expect(search, 200, deep);
    EXPECT_EQ(run("delete", "r1/username=ann").verdict, Verdict::retry);
    for (const char *body : {R"({"id":"u-1","enabled":"no"})", R"({"id":"u-1","enabled":null})", R"({"id":"u-1"})", "[]"}) {
        expect_user();
        http->expect("PUT" + user_path, 204);
        http->expect("POST" + user_path + "/logout", 204);
        http->expect("GET" + user_path, 200, body);
        EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::retry) << body;
    }
    http->expect("GET" + user_path, 200, R"({"id":"u-1","attributes":)" + deep);
    EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::retry);
}

TEST_F(IdentityMissing, ComparesNamesAsTheServerDoesInAnyScript)
{
    const std::string search = "GET/admin/realms/r1/users?exact=true&username=%C3%84NNE"; // capital A with two dots
    http->expect(token_path, 200, token_body);
    http->expect(search, 200, "[{\"id\":\"u-1\",\"username\":\"\xC3\xA4nne\"}]");
    http->expect("GET" + user_path, 200, user_body);
    http->expect("DELETE" + user_path, 204);
    http->expect("GET" + user_path, 404, gone_body);
    EXPECT_EQ(run("delete", "r1/username=%C3%84NNE").verdict, Verdict::done);
    http->expect(search, 200, "[{\"id\":\"u-1\",\"username\":\"anne\"}]");
    EXPECT_EQ(run("delete", "r1/username=%C3%84NNE").verdict, Verdict::dead) << "the search found somebody, so nobody is gone";
    http->expect("GET/admin/realms/r1/users?exact=true&username=%FF", 200, "[]");
    EXPECT_EQ(run("delete", "r1/username=%FF").verdict, Verdict::dead);
}
