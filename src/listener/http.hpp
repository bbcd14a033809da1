// http.hpp: HTTP requests behind an interface, so that the error table can be tested without a server.
#ifndef VEDFOLNIR_LISTENER_HTTP_HPP
#define VEDFOLNIR_LISTENER_HTTP_HPP

#include "listener/config.hpp"
#include "listener/service.hpp"

#include <memory>
#include <stdexcept>

namespace vedfolnir
{

struct HttpRequest
{
    std::string method, url;
    std::vector<std::string> headers;
    std::string body;
};

struct HttpResponse
{
    long status = 0;
    Milliseconds retry_after{0};
    std::string body;
};

// No answer at all. Permanent if trying again cannot help: a certificate that is not trusted, an answer too long.
struct HttpFailure : std::runtime_error
{
    HttpFailure(const std::string &message, bool is_permanent) : std::runtime_error(message), permanent(is_permanent) {}
    bool permanent;
};

class HttpClient
{
  public:
    virtual ~HttpClient() = default;
    virtual HttpResponse send(const HttpRequest &request) = 0;
};

std::unique_ptr<HttpClient> make_curl_client(const HttpConfig &config);

// "120" or an HTTP date; 0 for anything else. At most a day.
Milliseconds parse_retry_after(const std::string &value, std::time_t now);

// What a status means if the service gives it no meaning of its own.
Outcome outcome_of_status(const HttpResponse &response, const char *what);
Outcome outcome_of_failure(const HttpFailure &failure);

} // namespace vedfolnir
#endif
