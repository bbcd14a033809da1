// Keycloak and webhooks against a scripted server: the error table, row by row (R75).
#include "listener/webhook.hpp"
#include "scripted_http.hpp"

#include <nlohmann/json.hpp>

using namespace vedfolnir;

TEST_F(Identity, DisablesLogsOutAndLooksAfterwards)
{
    http->expect(token_path, 200, token_body);
    expect_user();
    http->expect("PUT" + user_path, 204);
    http->expect("POST" + user_path + "/logout", 204);
    http->expect("GET" + user_path, 200, disabled_body);
    http->expect("GET" + user_path + "/sessions", 200, "[]");
    EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::done);
    EXPECT_EQ(http->requests[0].body, "grant_type=client_credentials&client_id=vedfolnir&client_secret=s%26cret");
    EXPECT_EQ(http->requests[1].headers[0], "Authorization: Bearer t1");
    const auto sent = nlohmann::json::parse(http->requests[2].body);
    EXPECT_FALSE(sent["enabled"].get<bool>());
    EXPECT_EQ(sent["attributes"]["k"][0], "v") << "what is not changed must be sent back";
}

TEST_F(Identity, LogsOutAndLeavesTheAccountAsItIs)
{
    http->expect(token_path, 200, token_body);
    expect_user();
    http->expect("POST" + user_path + "/logout", 204);
    http->expect("GET" + user_path + "/sessions", 200, "[]");
    EXPECT_EQ(run("logout", "r1/u-1").verdict, Verdict::done);
    expect_user();
    http->expect("POST" + user_path + "/logout", 204);
    http->expect("GET" + user_path + "/sessions", 200, R"([{"id":"s"}])");
    EXPECT_EQ(run("logout", "r1/u-1").verdict, Verdict::retry);
    expect_user();
    http->expect("POST" + user_path + "/logout", 403);
    EXPECT_EQ(run("logout", "r1/u-1").verdict, Verdict::dead);
}

TEST_F(Identity, DeletesAndLooksAfterwards)
{
    http->expect(token_path, 200, token_body);
    expect_user();
    http->expect("DELETE" + user_path, 204);
    http->expect("GET" + user_path, 404, gone_body);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::done);
}

TEST_F(Identity, DoesNotBelieveWhatItDoesNotSee)
{
    http->expect(token_path, 200, token_body);
    expect_user();
    http->expect("DELETE" + user_path, 204);
    http->expect("GET" + user_path, 200, user_body);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry);
    expect_user();
    http->expect("PUT" + user_path, 204);
    http->expect("POST" + user_path + "/logout", 204);
    http->expect("GET" + user_path, 200, user_body);
    EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::retry);
    expect_user();
    http->expect("PUT" + user_path, 204);
    http->expect("POST" + user_path + "/logout", 204);
    http->expect("GET" + user_path, 200, disabled_body);
    http->expect("GET" + user_path + "/sessions", 200, R"([{"id":"s"}])");
    EXPECT_EQ(run("disable", "r1/u-1").verdict, Verdict::retry);
}

TEST_F(Identity, NamesTheRoleThatIsMissingAndAsksForANewTokenAtTheNextTry)
{
    http->expect(token_path, 200, token_body);
    http->expect("GET" + user_path, 403);
    EXPECT_EQ(run("delete", "r1/u-1").message, "the client in the configuration lacks the role view-users of the realm (HTTP status 403)");
    http->expect(token_path, 200, R"({"access_token":"t2","expires_in":60})");
    expect_user();
    http->expect("DELETE" + user_path, 403);
    EXPECT_EQ(run("delete", "r1/u-1").message, "the client in the configuration lacks the role manage-users of the realm (HTTP status 403)");
    EXPECT_EQ(http->requests[3].headers[0], "Authorization: Bearer t2");
}

TEST_F(Identity, KeepsToItsRealms)
{
    EXPECT_EQ(run("delete", "master/u-1").verdict, Verdict::dead);
    http->expect("POST/realms/r%202/protocol/openid-connect/token", 200, token_body);
    http->expect("GET/admin/realms/r%202/users/u-1", 404, gone_body);
    EXPECT_EQ(run("delete", "r%202/u-1").verdict, Verdict::skipped);
    EXPECT_EQ(run("wipe", "r1/u-1").verdict, Verdict::dead);
}

TEST_F(Identity, RenewsTheTokenOnce)
{
    http->expect(token_path, 200, token_body);
    http->expect("GET" + user_path, 401);
    http->expect(token_path, 200, R"({"access_token":"t2","expires_in":60})");
    http->expect("GET" + user_path, 404, gone_body);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::skipped);
    EXPECT_EQ(http->requests[3].headers[0], "Authorization: Bearer t2");
    http->expect("GET" + user_path, 401);
    http->expect(token_path, 200, token_body);
    http->expect("GET" + user_path, 401);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::dead);
}

TEST_F(Identity, KeepsTheTokenWhileItIsGood)
{
    http->expect(token_path, 200, token_body);
    for (int i = 0; i < 3; i++) {
        http->expect("GET" + user_path, 404, gone_body);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::skipped);
    }
}

TEST_F(Identity, AsksForANewTokenBeforeTheOldOneEnds)
{
    for (int i = 0; i < 2; i++) {
        http->expect(token_path, 200, R"({"access_token":"t1","expires_in":5})");
        http->expect("GET" + user_path, 404, gone_body);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::skipped);
    }
}

TEST_F(Identity, RenewsATokenThatEndsInTheMiddleOfABatch)
{
    const std::string other = "/admin/realms/r1/users/u-2", third = "/admin/realms/r1/users/u-3";
    const auto deletes = [&](const std::string &path) {
        http->expect("GET" + path, 200, user_body);
        http->expect("DELETE" + path, 204);
        http->expect("GET" + path, 404, gone_body);
    };
    http->expect(token_path, 200, token_body);
    deletes(user_path);
    // After the first change of the second: it is not done again, only seen.
    http->expect("GET" + other, 200, user_body);
    http->expect("DELETE" + other, 204);
    http->expect("GET" + other, 401);
    http->expect(token_path, 200, R"({"access_token":"t2","expires_in":60})");
    http->expect("GET" + other, 404, gone_body);
    deletes(third);
    std::vector<Outcome> outcomes(3);
    Going going;
    service->run({make_task("delete", "r1/u-1"), make_task("delete", "r1/u-2"), make_task("delete", "r1/u-3")}, going, outcomes);
    EXPECT_TRUE(http->steps.empty());
    for (const Outcome &outcome : outcomes)
        EXPECT_EQ(outcome.verdict, Verdict::done);
}

TEST_F(Identity, IsDeadIfAFreshTokenIsRefusedAfterTheChange)
{
    http->expect(token_path, 200, token_body);
    expect_user();
    http->expect("DELETE" + user_path, 401);
    http->expect(token_path, 200, token_body);
    http->expect("DELETE" + user_path, 401);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::dead);
}

TEST_F(Identity, WaitsOrGivesUpAsTheTableSays)
{
    const struct
    {
        long status;
        Verdict verdict;
    } table[] = {{400, Verdict::dead},        {403, Verdict::dead},        {405, Verdict::dead},
                 {301, Verdict::dead},        {408, Verdict::retry},       {409, Verdict::retry},
                 {429, Verdict::retry},       {500, Verdict::retry},       {502, Verdict::unavailable},
                 {503, Verdict::unavailable}, {504, Verdict::unavailable}, {418, Verdict::dead}};
    http->expect(token_path, 200, token_body);
    for (const auto &row : table) {
        http->expect("GET" + user_path, row.status, "", 7);
        const Outcome outcome = run("delete", "r1/u-1");
        EXPECT_EQ(outcome.verdict, row.verdict) << row.status;
        EXPECT_EQ(outcome.retry_after.count(), row.verdict == Verdict::dead ? 0 : 7000) << row.status;
        const auto renew = [&] { // a token that lacks a role is not kept
            if (row.status == 403)
                http->expect(token_path, 200, token_body);
        };
        renew();
        expect_user();
        http->expect("DELETE" + user_path, row.status, "", 7);
        EXPECT_EQ(run("delete", "r1/u-1").verdict, row.verdict) << row.status;
        renew();
    }
    http->expect_failure("GET" + user_path);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::unavailable);
    http->expect_failure("GET" + user_path, true);
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::dead);
}

TEST_F(Identity, TellsRefusedClientsFromBusyServers)
{
    const std::pair<long, Verdict> table[] = {{400, Verdict::dead}, {401, Verdict::dead}, {403, Verdict::dead},
                                              {404, Verdict::dead}, {429, Verdict::retry}, {500, Verdict::retry},
                                              {503, Verdict::unavailable}};
    for (const auto &[status, verdict] : table) {
        http->expect(token_path, status);
        const Outcome outcome = run("delete", "r1/u-1");
        EXPECT_EQ(outcome.verdict, verdict) << status;
        EXPECT_EQ(outcome.message.find("cret"), std::string::npos);
    }
    http->expect(token_path, 200, "{}");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry);
    http->expect(token_path, 200, "not json");
    EXPECT_EQ(run("delete", "r1/u-1").verdict, Verdict::retry);
}

TEST_F(Identity, DoesNotTryTheRestOfABatchOnAServerThatIsAway)
{
    http->expect_failure(token_path);
    std::vector<Outcome> outcomes(3);
    Going going;
    service->run({make_task("delete", "r1/a"), make_task("delete", "r1/b"), make_task("delete", "r1/c")}, going, outcomes);
    for (const Outcome &outcome : outcomes)
        EXPECT_EQ(outcome.verdict, Verdict::unavailable);
    EXPECT_EQ(http->seen.size(), 1u);
}

TEST_F(Identity, StopsWhenToldTo)
{
    std::vector<Outcome> outcomes(1);
    Going going;
    going.going = false;
    service->run({make_task("delete", "r1/a")}, going, outcomes);
    EXPECT_EQ(outcomes[0].verdict, Verdict::released);
}

TEST(Hmac, FitsTheVectorsOfRfc4231)
{
    EXPECT_EQ(hmac_sha256("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Webhook, SignsAndFollowsItsTable)
{
    auto client = std::make_unique<ScriptedHttp>();
    ScriptedHttp *http = client.get();
    WebhookConfig config;
    config.http.url = "https://id/hook";
    config.secret.text = "key";
    WebhookService service(config, std::move(client));
    Task task;
    task.id = 7;
    task.deletion = "d-1";
    task.kind = "webhook";
    task.operation = "post";
    task.target = "customer \"1\"";
    const std::pair<long, Verdict> table[] = {{200, Verdict::done},  {204, Verdict::done},  {410, Verdict::skipped},
                                              {404, Verdict::dead},  {401, Verdict::dead},  {409, Verdict::dead},
                                              {302, Verdict::dead},  {408, Verdict::retry}, {425, Verdict::retry},
                                              {429, Verdict::retry}, {500, Verdict::retry}, {503, Verdict::unavailable}};
    Going going;
    for (const auto &[status, verdict] : table) {
        http->expect("POST/hook", status);
        std::vector<Outcome> outcomes(1);
        service.run({task}, going, outcomes);
        EXPECT_EQ(outcomes[0].verdict, verdict) << status;
    }
    const HttpRequest &request = http->requests[0];
    EXPECT_EQ(request.body, R"({"deletion_id":"d-1","kind":"webhook","operation":"post","target":"customer \"1\""})");
    EXPECT_EQ(request.headers[1], "Idempotency-Key: d-1-7");
    EXPECT_EQ(request.headers[2], "Vedfolnir-Signature: sha256=" + hmac_sha256("key", request.body));
    EXPECT_EQ(http->requests[1].headers[1], request.headers[1]) << "the same key for every try";
}

TEST(RetryAfter, IsSecondsOrADate)
{
    EXPECT_EQ(parse_retry_after(" 120\r\n", 0).count(), 120000);
    EXPECT_EQ(parse_retry_after("0", 0).count(), 0);
    EXPECT_EQ(parse_retry_after("99999999999999999999", 0).count(), 86400000);
    EXPECT_EQ(parse_retry_after("Sun, 22 Nov 2026 00:01:00 GMT", 1795305600).count(), 60000);
    EXPECT_EQ(parse_retry_after("Sun, 22 Nov 2026 00:01:00 GMT", 1795305600 + 3600).count(), 0);
    for (const char *bad : {"", "soon", "-5", "1.5"})
        EXPECT_EQ(parse_retry_after(bad, 1795305600).count(), 0) << bad;
}
