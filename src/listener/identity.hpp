// identity.hpp: the kind identity, over the Admin REST API of Keycloak.
#ifndef VEDFOLNIR_LISTENER_IDENTITY_HPP
#define VEDFOLNIR_LISTENER_IDENTITY_HPP

#include "core/task.hpp"
#include "listener/http.hpp"

#include <functional>
#include <map>

namespace vedfolnir
{

class IdentityService : public Service
{
  public:
    IdentityService(IdentityConfig config, std::unique_ptr<HttpClient> http)
        : config_(std::move(config)), http_(std::move(http))
    {
    }
    void run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes) override;
    std::string check() override;

  private:
    struct Token
    {
        std::string text;
        std::chrono::steady_clock::time_point good_until;
    };
    struct User
    {
        std::string id;   // percent-encoded
        std::string path; // admin/realms/{realm}/users/{id}
        std::string representation;
    };

    Outcome settle(const Task &task);
    Outcome disable(const User &user);
    Outcome log_out(const User &user);
    Outcome see_no_sessions(const User &user);
    Outcome remove(const User &user);
    User find(const IdentityTarget &target);
    std::string search(const std::string &username);
    bool is_missing(const HttpResponse &response, const std::string &id);
    void require_view();

    const std::string &token(const std::string &realm);
    // With the token of the realm; a 401 is answered once by a new token.
    HttpResponse ask(const std::string &method, const std::string &path, const std::string &body = {});

    IdentityConfig config_;
    std::unique_ptr<HttpClient> http_;
    std::map<std::string, Token> tokens_;
    std::string realm_; // of the task at work, percent-encoded
};

} // namespace vedfolnir
#endif
