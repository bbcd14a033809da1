// webhook.hpp: the kind webhook: tells another processor, signed and with an idempotency key.
#ifndef VEDFOLNIR_LISTENER_WEBHOOK_HPP
#define VEDFOLNIR_LISTENER_WEBHOOK_HPP

#include "listener/http.hpp"

namespace vedfolnir
{

class WebhookService : public Service
{
  public:
    WebhookService(WebhookConfig config, std::unique_ptr<HttpClient> http)
        : config_(std::move(config)), http_(std::move(http))
    {
    }
    void run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes) override;
    std::string check() override;

  private:
    Outcome send(const Task &task, const std::string &secret);

    WebhookConfig config_;
    std::unique_ptr<HttpClient> http_;
};

// HMAC-SHA256 in hexadecimal.
std::string hmac_sha256(const std::string &key, const std::string &message);

} // namespace vedfolnir
#endif
