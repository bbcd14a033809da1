// http.cpp: libcurl with everything off that could send a request elsewhere: redirects, other protocols, proxies.
#include "listener/http.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <mutex>
#include <strings.h>

namespace vedfolnir
{
namespace
{

struct Answer
{
    HttpResponse response;
    size_t limit = 0;
    bool too_long = false;
    std::string retry_after, date;
};

size_t take_body(char *data, size_t size, size_t count, void *user)
{
    Answer &answer = *static_cast<Answer *>(user);
    if (answer.response.body.size() + size * count > answer.limit) {
        answer.too_long = true;
        return 0;
    }
    answer.response.body.append(data, size * count);
    return size * count;
}

size_t take_header(char *data, size_t size, size_t count, void *user)
{
    Answer &answer = *static_cast<Answer *>(user);
    const std::string line(data, size * count);
    for (const auto &[name, value] : {std::pair<std::string, std::string *>("retry-after:", &answer.retry_after), {"date:", &answer.date}})
        if (line.size() > name.size() && strncasecmp(line.c_str(), name.c_str(), name.size()) == 0)
            *value = line.substr(name.size());
    return size * count;
}

class CurlClient : public HttpClient
{
  public:
    explicit CurlClient(HttpConfig config) : config_(std::move(config))
    {
        static std::once_flag once;
        std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    }

    HttpResponse send(const HttpRequest &request) override
    {
        // The handle keeps its connections; everything else is set anew.
        if (!handle_)
            handle_.reset(curl_easy_init());
        CURL *curl = handle_.get();
        curl_easy_reset(curl);
        Answer answer;
        answer.limit = static_cast<size_t>(config_.max_response);
        std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
        for (const std::string &header : request.headers) {
            curl_slist *longer = curl_slist_append(headers.get(), header.c_str());
            if (longer == nullptr)
                throw HttpFailure("out of memory", false);
            static_cast<void>(headers.release());
            headers.reset(longer);
        }
        curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        curl_easy_setopt(curl, CURLOPT_PROXY, ""); // whatever the environment names
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(config_.timeout.count()));
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "vedfolnir-listener/" VEDFOLNIR_VERSION);
        if (!config_.ca_file.empty())
            curl_easy_setopt(curl, CURLOPT_CAINFO, config_.ca_file.c_str());
        if (request.method != "GET" && request.method != "DELETE") {
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
        }
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer);
        const CURLcode code = curl_easy_perform(curl);
        if (answer.too_long)
            throw HttpFailure("the answer is longer than max_response", true);
        if (code != CURLE_OK)
            throw HttpFailure(curl_easy_strerror(code), code == CURLE_PEER_FAILED_VERIFICATION ||
                                                            code == CURLE_SSL_CACERT_BADFILE ||
                                                            code == CURLE_URL_MALFORMAT);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.response.status);
        // A date is one of the server's clock, which may be hours away from ours.
        const std::time_t server_time = curl_getdate(answer.date.c_str(), nullptr);
        answer.response.retry_after = parse_retry_after(answer.retry_after, server_time > 0 ? server_time : std::time(nullptr));
        return answer.response;
    }

  private:
    HttpConfig config_;
    std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_{nullptr, curl_easy_cleanup};
};

} // namespace

std::unique_ptr<HttpClient> make_curl_client(const HttpConfig &config)
{
    return std::make_unique<CurlClient>(config);
}

Milliseconds parse_retry_after(const std::string &value, std::time_t now)
{
    const size_t first = value.find_first_not_of(" \t\r\n");
    if (first == std::string::npos)
        return Milliseconds(0);
    const std::string text = value.substr(first, value.find_last_not_of(" \t\r\n") - first + 1);
    constexpr long long day = 86400;
    long long seconds = 0;
    if (text.find_first_not_of("0123456789") == std::string::npos)
        seconds = text.size() > 6 ? day : std::stoll(text);
    else if (const std::time_t then = curl_getdate(text.c_str(), nullptr); then > now)
        seconds = then - now;
    return Milliseconds(std::min(seconds, day) * 1000);
}

Outcome outcome_of_status(const HttpResponse &response, const char *what)
{
    const std::string message = std::string(what) + " gives HTTP status " + std::to_string(response.status);
    switch (response.status) {
    case 502:
    case 503:
    case 504: return {Verdict::unavailable, message, response.retry_after};
    case 408:
    case 409:
    case 425:
    case 429: return {Verdict::retry, message, response.retry_after};
    default: break;
    }
    if (response.status >= 500)
        return {Verdict::retry, message, response.retry_after};
    return {Verdict::dead, message, Milliseconds(0)};
}

Outcome outcome_of_failure(const HttpFailure &failure)
{
    return {failure.permanent ? Verdict::dead : Verdict::unavailable, failure.what(), Milliseconds(0)};
}

} // namespace vedfolnir
