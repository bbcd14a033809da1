// webhook.cpp: one POST per task. The receiver sees the same key for every try and may ignore all but the first.
#include "listener/webhook.hpp"

#include "core/error.hpp"
#include "listener/fault.hpp"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace vedfolnir
{

std::string hmac_sha256(const std::string &key, const std::string &message)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char *>(message.data()),
         message.size(), digest, &length);
    std::string text;
    for (unsigned int i = 0; i < length; i++) {
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

Outcome WebhookService::send(const Task &task, const std::string &secret)
{
    nlohmann::ordered_json body;
    body["deletion_id"] = task.deletion;
    body["kind"] = task.kind;
    body["operation"] = task.operation;
    body["target"] = task.target;
    HttpRequest request;
    request.method = "POST";
    request.url = config_.http.url;
    request.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    request.headers = {"Content-Type: application/json",
                       "Idempotency-Key: " + task.deletion + "-" + std::to_string(task.id),
                       "Vedfolnir-Signature: sha256=" + hmac_sha256(secret, request.body)};
    try {
        const HttpResponse response = http_->send(request);
        VDF_FAULT("effect");
        if (response.status >= 200 && response.status <= 299)
            return {Verdict::done, {}, Milliseconds(0)};
        if (response.status == 410) // the receiver says that it is gone; 404 may be a wrong address
            return {Verdict::skipped, {}, Milliseconds(0)};
        // To a webhook 409 says nothing about later.
        if (response.status == 409)
            return {Verdict::dead, "webhook gives HTTP status 409", Milliseconds(0)};
        return outcome_of_status(response, "webhook");
    } catch (const HttpFailure &failure) {
        return outcome_of_failure(failure);
    }
}

void WebhookService::run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes)
{
    std::string secret;
    try {
        secret = read_secret(config_.secret);
    } catch (const Error &error) {
        for (Outcome &outcome : outcomes)
            outcome = {Verdict::unavailable, error.what(), Milliseconds(0)};
        return;
    }
    for (size_t i = 0; i < tasks.size(); i++) {
        if (!progress.go_on())
            return;
        outcomes[i] = send(tasks[i], secret);
        if (outcomes[i].verdict == Verdict::unavailable) {
            for (size_t rest = i + 1; rest < tasks.size(); rest++)
                outcomes[rest] = outcomes[i];
            return;
        }
    }
}

// Nothing is sent: a receiver may take any call for an order.
std::string WebhookService::check()
{
    read_secret(config_.secret);
    return config_.http.url;
}

} // namespace vedfolnir
