// scripted_http.hpp: a server that answers from a list, and an identity service that asks it.
#ifndef VEDFOLNIR_TEST_SCRIPTED_HTTP_HPP
#define VEDFOLNIR_TEST_SCRIPTED_HTTP_HPP

#include "listener/identity.hpp"

#include <deque>
#include <gtest/gtest.h>

namespace vedfolnir
{

// Answers requests from a list; each entry says which request it expects.
class ScriptedHttp : public HttpClient
{
  public:
    struct Step
    {
        std::string expected; // "METHOD path"
        HttpResponse response;
        bool fails = false, permanent = false;
    };

    HttpResponse send(const HttpRequest &request) override
    {
        const std::string got = request.method + request.url.substr(std::string("https://id").size());
        requests.push_back(request);
        seen.push_back(got);
        if (steps.empty()) {
            ADD_FAILURE() << "unexpected request " << got;
            return {500, Milliseconds(0), ""};
        }
        const Step step = steps.front();
        steps.pop_front();
        EXPECT_EQ(got, step.expected);
        if (step.fails)
            throw HttpFailure("Timeout was reached", step.permanent);
        return step.response;
    }
    void expect(const std::string &request, long status, const std::string &body = "", long retry_after = 0)
    {
        steps.push_back({request, {status, Milliseconds(retry_after * 1000), body}});
    }
    void expect_failure(const std::string &request, bool permanent = false)
    {
        steps.push_back({request, {}, true, permanent});
    }

    std::deque<Step> steps;
    std::vector<HttpRequest> requests;
    std::vector<std::string> seen;
};

struct Going : Progress
{
    bool go_on() override { return going; }
    std::set<std::string> paths_in_use(const Task &, const std::vector<std::string> &) override { return {}; }
    bool going = true;
};

inline const std::string token_path = "POST/realms/r1/protocol/openid-connect/token";
inline const std::string token_body = R"({"access_token":"t1","expires_in":60})";
inline const std::string user_path = "/admin/realms/r1/users/u-1";
inline const std::string user_body = R"({"id":"u-1","username":"ann","enabled":true,"attributes":{"k":["v"]}})";
inline const std::string gone_body = R"({"error":"User not found"})";
inline const std::string view_path = "GET/admin/realms/r1/attack-detection/brute-force/users/-"; // shown to who may view every user
inline const std::string view_body = R"({"numFailures":0,"disabled":false})";
inline const std::string id_search = "GET/admin/realms/r1/users?search=id:u-1";
inline const std::string disabled_body = R"({"id":"u-1","username":"ann","enabled":false})";

class Identity : public ::testing::Test
{
  protected:
    Identity()
    {
        auto client = std::make_unique<ScriptedHttp>();
        http = client.get();
        IdentityConfig config;
        config.http.url = "https://id/";
        config.client_id = "vedfolnir";
        config.client_secret.text = "s&cret";
        config.realms = {"r1", "r 2"};
        service = std::make_unique<IdentityService>(config, std::move(client));
    }
    Outcome run(const std::string &operation, const std::string &target)
    {
        std::vector<Outcome> outcomes(1);
        Going going;
        service->run({make_task(operation, target)}, going, outcomes);
        EXPECT_TRUE(http->steps.empty()) << "not every expected request was sent";
        return outcomes[0];
    }
    static Task make_task(const std::string &operation, const std::string &target)
    {
        Task task;
        task.kind = "identity";
        task.operation = operation;
        task.target = target;
        return task;
    }
    void expect_user() { http->expect("GET" + user_path, 200, user_body); }

    ScriptedHttp *http;
    std::unique_ptr<IdentityService> service;
};

} // namespace vedfolnir
#endif
