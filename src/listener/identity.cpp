// identity.cpp: disable and log out first, delete last, or only log out; each is looked at afterwards, not assumed.
#include "listener/identity.hpp"

#include "core/error.hpp"
#include "listener/fault.hpp"

#include <nlohmann/json.hpp>
#include <algorithm>
#include <cstdlib>
#include <cwctype>
#include <locale.h>

namespace vedfolnir
{
namespace
{

using nlohmann::json;

// Ends the work on one task with an outcome.
struct Settled
{
    Outcome outcome;
};

[[noreturn]] void dead(const std::string &message)
{
    throw Settled{{Verdict::dead, message, Milliseconds(0)}};
}

[[noreturn]] void again(const std::string &message)
{
    throw Settled{{Verdict::retry, message, Milliseconds(0)}};
}

// The parser itself does not recurse, but copying and writing do.
bool is_deep(const std::string &text)
{
    int depth = 0;
    for (char c : text) {
        depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
        if (depth > 1000)
            return true;
    }
    return false;
}

json parse_answer(const HttpResponse &response, const char *what)
{
    if (is_deep(response.body))
        again(std::string(what) + " gives an answer that is nested too deeply");
    json answer = json::parse(response.body, nullptr, false);
    if (answer.is_discarded())
        again(std::string(what) + " gives an answer that is not JSON");
    return answer;
}

std::string text_member(const json &object, const char *name)
{
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string without_slash(std::string url)
{
    while (!url.empty() && url.back() == '/')
        url.pop_back();
    return url;
}

// "Realm not found" is a mistake in the configuration, not an identity that is gone.
bool is_missing_realm(const HttpResponse &response)
{
    return response.status == 404 && (response.body.find("Realm not found") != std::string::npos ||
                                      response.body.find("Realm does not exist") != std::string::npos);
}

// The server compares names without regard to case, in any script.
std::wstring lower_case(const std::string &name)
{
    static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
    if (utf8 == static_cast<locale_t>(nullptr))
        dead("the locale C.UTF-8 is missing on this machine");
    const locale_t before = uselocale(utf8);
    std::wstring wide(name.size() + 1, L'\0');
    const size_t length = mbstowcs(&wide[0], name.c_str(), wide.size());
    wide.resize(length == static_cast<size_t>(-1) ? 0 : length);
    for (wchar_t &c : wide)
        c = static_cast<wchar_t>(towlower(static_cast<wint_t>(c)));
    uselocale(before);
    if (length == static_cast<size_t>(-1))
        dead("the user name is not UTF-8");
    return wide;
}

} // namespace

const std::string &IdentityService::token(const std::string &realm)
{
    const auto now = std::chrono::steady_clock::now();
    const auto known = tokens_.find(realm);
    if (known != tokens_.end() && now < known->second.good_until)
        return known->second.text;
    std::string secret;
    try {
        secret = read_secret(config_.client_secret);
    } catch (const Error &error) {
        throw Settled{{Verdict::unavailable, error.what(), Milliseconds(0)}};
    }
    HttpRequest request;
    request.method = "POST";
    request.url = without_slash(config_.http.url) + "/realms/" + realm + "/protocol/openid-connect/token";
    request.headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json"};
    request.body = "grant_type=client_credentials&client_id=" + escape_percent(config_.client_id) +
                   "&client_secret=" + escape_percent(secret);
    const HttpResponse response = http_->send(request);
    if (response.status == 400 || response.status == 401 || response.status == 403)
        dead("the client in the configuration is refused (HTTP status " + std::to_string(response.status) + ")");
    if (response.status == 404)
        dead("the realm of the token does not exist");
    if (response.status != 200)
        throw Settled{outcome_of_status(response, "token endpoint")};
    const json answer = parse_answer(response, "token endpoint");
    Token token;
    token.text = text_member(answer, "access_token");
    if (token.text.empty())
        throw Settled{{Verdict::retry, "token endpoint gives no token", Milliseconds(0)}};
    long long seconds = 60;
    if (answer.contains("expires_in") && answer["expires_in"].is_number_integer())
        seconds = answer["expires_in"].get<long long>();
    token.good_until = now + std::chrono::seconds(std::max(seconds - 10, 0LL));
    return (tokens_[realm] = token).text;
}

HttpResponse IdentityService::ask(const std::string &method, const std::string &path, const std::string &body)
{
    const std::string realm = config_.token_realm.empty() ? realm_ : escape_percent(config_.token_realm);
    for (bool fresh = false;; fresh = true) {
        HttpRequest request;
        request.method = method;
        request.url = without_slash(config_.http.url) + "/" + path;
        request.headers = {"Authorization: Bearer " + token(realm), "Accept: application/json"};
        if (method == "PUT" || method == "POST")
            request.headers.push_back("Content-Type: application/json");
        request.body = body;
        HttpResponse response = http_->send(request);
        if (response.status == 401) {
            tokens_.erase(realm);
            if (!fresh)
                continue;
            dead("a fresh token is refused (HTTP status 401)");
        }
        if (response.status == 403) {
            // The token keeps the roles that it was given with; one granted meanwhile is to count at the next try.
            tokens_.erase(realm);
            dead(std::string("the client in the configuration lacks the role ") + (method == "GET" ? "view-users" : "manage-users") +
                 " of the realm (HTTP status 403)");
        }
        if (is_missing_realm(response))
            dead("the realm does not exist");
        return response;
    }
}

// A search leaves out without a word whom the client may not see. The login failures of nobody are shown to those who may view
// every user of the realm, also of an empty one; all others get 403.
void IdentityService::require_view()
{
    const HttpResponse response = ask("GET", "admin/realms/" + realm_ + "/attack-detection/brute-force/users/-");
    if (response.status == 404)
        again("it is not known whether the client may view every user: attack-detection/brute-force gives HTTP status 404");
    if (response.status != 200)
        throw Settled{outcome_of_status(response, "attack-detection/brute-force")};
    if (!parse_answer(response, "attack-detection/brute-force").contains("numFailures"))
        again("attack-detection/brute-force gives an answer of another form");
}

// A gateway that has lost its way to the server, or lets nobody in here, gives 404 as well. Where the server does not say itself
// that it has no such user, a search among all users of the realm has to find nobody of this id.
bool IdentityService::is_missing(const HttpResponse &response, const std::string &id)
{
    if (response.status != 404)
        return false;
    if (response.body.find("User not found") != std::string::npos)
        return true;
    require_view();
    const HttpResponse users = ask("GET", "admin/realms/" + realm_ + "/users?search=id:" + id);
    const json found = json::parse(users.body, nullptr, false);
    // A server that takes this for a part of a name finds nobody either.
    if (users.status != 200 || !found.is_array() || !found.empty())
        again("an answer has HTTP status 404 and does not come from the users of the realm");
    return true;
}

// The id, percent-encoded; empty if the search finds nobody.
std::string IdentityService::search(const std::string &username)
{
    const HttpResponse response = ask("GET", "admin/realms/" + realm_ + "/users?exact=true&username=" + escape_percent(username));
    if (response.status != 200)
        throw Settled{outcome_of_status(response, "search of the user")};
    const json found = parse_answer(response, "search of the user");
    if (!found.is_array())
        again("search of the user gives an answer of another form");
    const std::wstring name = lower_case(username);
    std::string id;
    int hits = 0;
    for (const json &user : found) {
        const std::string candidate = text_member(user, "username");
        if (candidate.empty() || text_member(user, "id").empty())
            again("search of the user gives an answer of another form");
        if (lower_case(candidate) == name) {
            id = escape_percent(text_member(user, "id"));
            hits++;
        }
    }
    if (hits > 1)
        dead("the user name fits two users");
    // The search is exact; only an old server gives names that merely contain this one.
    if (hits == 0 && !found.empty() && std::any_of(username.begin(), username.end(), [](char c) { return (c & 0x80) != 0; }))
        dead("the search finds a user whose name is spelled in another way");
    return id;
}

// No such user ends the task as skipped: somebody was faster.
IdentityService::User IdentityService::find(const IdentityTarget &target)
{
    User user;
    if (target.id.empty()) {
        const std::string username = unescape_percent(target.username);
        user.id = search(username);
        if (user.id.empty()) {
            require_view();
            // The first answer may be one from before the role was given.
            user.id = search(username);
        }
        if (user.id.empty())
            throw Settled{{Verdict::skipped, {}, Milliseconds(0)}};
    } else {
        user.id = escape_percent(unescape_percent(target.id));
    }
    user.path = "admin/realms/" + realm_ + "/users/" + user.id;
    const HttpResponse response = ask("GET", user.path);
    if (is_missing(response, user.id))
        throw Settled{{Verdict::skipped, {}, Milliseconds(0)}};
    if (response.status != 200)
        throw Settled{outcome_of_status(response, "user")};
    user.representation = response.body;
    return user;
}

Outcome IdentityService::disable(const User &user)
{
    // The whole representation is sent back: what is left out of it may be taken as removed.
    json representation = parse_answer({200, Milliseconds(0), user.representation}, "user");
    if (!representation.is_object())
        again("user is no JSON object");
    representation["enabled"] = false;
    for (const auto &[method, path, body] :
         {std::tuple<std::string, std::string, std::string>("PUT", user.path, representation.dump()),
          std::tuple<std::string, std::string, std::string>("POST", user.path + "/logout", "{}")}) {
        const HttpResponse response = ask(method, path, body);
        if (is_missing(response, user.id))
            return {Verdict::skipped, {}, Milliseconds(0)};
        if (response.status < 200 || response.status > 299)
            return outcome_of_status(response, method == "PUT" ? "disabling the user" : "logging the user out");
    }
    VDF_FAULT("effect");
    const HttpResponse after = ask("GET", user.path);
    if (is_missing(after, user.id))
        return {Verdict::done, {}, Milliseconds(0)};
    if (after.status != 200)
        return outcome_of_status(after, "user");
    const json state = parse_answer(after, "user");
    if (!state.is_object() || !state.contains("enabled") || state["enabled"] != false)
        return {Verdict::retry, "the user is still enabled afterwards", Milliseconds(0)};
    return see_no_sessions(user);
}

Outcome IdentityService::log_out(const User &user)
{
    const HttpResponse response = ask("POST", user.path + "/logout", "{}");
    if (is_missing(response, user.id))
        return {Verdict::skipped, {}, Milliseconds(0)};
    if (response.status < 200 || response.status > 299)
        return outcome_of_status(response, "logging the user out");
    VDF_FAULT("effect");
    return see_no_sessions(user);
}

Outcome IdentityService::see_no_sessions(const User &user)
{
    const HttpResponse sessions = ask("GET", user.path + "/sessions");
    if (is_missing(sessions, user.id))
        return {Verdict::done, {}, Milliseconds(0)};
    if (sessions.status != 200)
        return outcome_of_status(sessions, "sessions of the user");
    const json open = parse_answer(sessions, "sessions of the user");
    if (open.is_array() && open.empty())
        return {Verdict::done, {}, Milliseconds(0)};
    return {Verdict::retry, "the user still has sessions afterwards", Milliseconds(0)};
}

Outcome IdentityService::remove(const User &user)
{
    const HttpResponse response = ask("DELETE", user.path);
    if (is_missing(response, user.id))
        return {Verdict::skipped, {}, Milliseconds(0)};
    if (response.status < 200 || response.status > 299)
        return outcome_of_status(response, "deleting the user");
    VDF_FAULT("effect");
    const HttpResponse after = ask("GET", user.path);
    if (is_missing(after, user.id))
        return {Verdict::done, {}, Milliseconds(0)};
    if (after.status != 200)
        return outcome_of_status(after, "user");
    return {Verdict::retry, "the user is still there afterwards", Milliseconds(0)};
}

Outcome IdentityService::settle(const Task &task)
{
    try {
        const IdentityTarget target = parse_identity_target(task.target);
        const std::string realm = unescape_percent(target.realm);
        if (config_.realms.count(realm) == 0)
            dead("the realm is not on the list of the service");
        realm_ = escape_percent(realm);
        if (task.operation == "disable")
            return disable(find(target));
        if (task.operation == "logout")
            return log_out(find(target));
        if (task.operation == "delete")
            return remove(find(target));
        return {Verdict::dead, "the operation of the task is not known to this listener", Milliseconds(0)};
    } catch (const Settled &settled) {
        return settled.outcome;
    } catch (const HttpFailure &failure) {
        return outcome_of_failure(failure);
    } catch (const Error &error) {
        return {Verdict::dead, error.what(), Milliseconds(0)};
    } catch (const json::exception &) {
        // Its text may quote the answer.
        return {Verdict::retry, "an answer has another form than expected", Milliseconds(0)};
    }
}

void IdentityService::run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes)
{
    for (size_t i = 0; i < tasks.size(); i++) {
        if (!progress.go_on())
            return;
        outcomes[i] = settle(tasks[i]);
        // The others would run into the same time limit, one after the other.
        if (outcomes[i].verdict == Verdict::unavailable) {
            for (size_t rest = i + 1; rest < tasks.size(); rest++)
                outcomes[rest] = outcomes[i];
            return;
        }
    }
}

std::string IdentityService::check()
{
    try {
        for (const std::string &realm : config_.realms) {
            realm_ = escape_percent(realm);
            const HttpResponse response = ask("GET", "admin/realms/" + realm_ + "/users?max=1");
            if (response.status != 200)
                throw Error("08001", config_.http.url + ": " + outcome_of_status(response, "realm").message);
            require_view();
        }
    } catch (const Settled &settled) {
        throw Error("28000", config_.http.url + ": " + settled.outcome.message);
    } catch (const HttpFailure &failure) {
        throw Error("08001", config_.http.url + ": " + failure.what());
    }
    return config_.http.url;
}

} // namespace vedfolnir
