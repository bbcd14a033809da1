// redis.cpp: exact keys by UNLINK whatever their type; patterns by SCAN until two passes find nothing. Never KEYS.
#include "listener/redis.hpp"

#include "core/error.hpp"
#include "listener/fault.hpp"

#include <algorithm>
#include <sys/time.h>

namespace vedfolnir
{
namespace
{

// The server does not answer; the tasks are not to blame.
struct Unreachable
{
    std::string why;
};

// The server answers and refuses what the configuration says.
struct Refused
{
    Outcome outcome;
};

bool starts_with(const std::string &text, const char *prefix)
{
    return text.rfind(prefix, 0) == 0;
}

timeval to_timeval(Milliseconds duration)
{
    return {static_cast<time_t>(duration.count() / 1000), static_cast<suseconds_t>(duration.count() % 1000 * 1000)};
}

std::string text_of(const redisReply *reply)
{
    return reply->str == nullptr ? std::string() : std::string(reply->str, reply->len);
}

constexpr size_t pipeline_length = 1000;

} // namespace

// Only the first word of a reply is kept: the rest may quote a key.
Outcome outcome_of_redis_error(const std::string &text)
{
    std::string word = text.substr(0, text.find(' '));
    // A code is a short word in capitals. A proxy in between may answer anything, also what is no text.
    if (word.size() > 32 || word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos)
        word = "something else";
    for (const char *code : {"WRONGPASS", "NOAUTH"})
        if (word == code)
            return {Verdict::dead, word + " (the password in the configuration is refused)", Milliseconds(0)};
    if (starts_with(text, "ERR invalid password") || starts_with(text, "ERR Client sent AUTH") ||
        starts_with(text, "ERR AUTH"))
        return {Verdict::dead, "the password in the configuration is refused", Milliseconds(0)};
    if (word == "NOPERM")
        return {Verdict::dead, "NOPERM (the user in the configuration may not do this)", Milliseconds(0)};
    if (word == "MOVED" || word == "ASK" || word == "CROSSSLOT")
        return {Verdict::dead, word + " (a clustered server is not supported)", Milliseconds(0)};
    for (const char *code : {"LOADING", "BUSY", "READONLY", "MASTERDOWN", "OOM", "TRYAGAIN", "CLUSTERDOWN", "NOREPLICAS",
                             "MISCONF", "UNKILLABLE"})
        if (word == code)
            return {Verdict::unavailable, "the server says " + word, Milliseconds(0)};
    return {Verdict::retry, "the server says " + word, Milliseconds(0)};
}

namespace
{

// The first byte of the class that begins behind "[", as Redis reads it; at is moved behind it. Nothing if it has none.
std::optional<char> byte_of_class(const std::string &pattern, size_t &at)
{
    bool listed[256] = {};
    const bool negated = at < pattern.size() && pattern[at] == '^';
    for (at += negated ? 1 : 0; at < pattern.size() && pattern[at] != ']'; at++) {
        if (pattern[at] == '\\' && at + 1 < pattern.size()) {
            listed[static_cast<unsigned char>(pattern[++at])] = true;
        } else if (at + 2 < pattern.size() && pattern[at + 1] == '-') {
            const auto [least, most] = std::minmax({static_cast<unsigned char>(pattern[at]), static_cast<unsigned char>(pattern[at + 2])});
            for (int byte = least; byte <= most; byte++)
                listed[byte] = true;
            at += 2;
        } else {
            listed[static_cast<unsigned char>(pattern[at])] = true;
        }
    }
    at++;
    for (int byte = 1; byte < 256; byte++)
        if (listed[byte] != negated)
            return static_cast<char>(byte);
    return std::nullopt;
}

} // namespace

std::optional<std::string> key_of_pattern(const std::string &pattern)
{
    std::string key;
    for (size_t at = 0; at < pattern.size();) {
        const char c = pattern[at++];
        if (c == '[') {
            const std::optional<char> byte = byte_of_class(pattern, at);
            if (!byte)
                return std::nullopt;
            key += *byte;
        } else if (c == '\\' && at < pattern.size()) {
            key += pattern[at++];
        } else if (c != '*') {
            key += c; // "?" fits itself
        }
    }
    return key;
}

void RedisService::append(const std::vector<std::string> &command)
{
    std::vector<const char *> words;
    std::vector<size_t> lengths;
    for (const std::string &word : command) {
        words.push_back(word.data());
        lengths.push_back(word.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(words.size()), words.data(), lengths.data()) != REDIS_OK) {
        const std::string why = context_->errstr;
        context_.reset();
        throw Unreachable{why};
    }
}

RedisService::Reply RedisService::next_reply()
{
    void *reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK || reply == nullptr) {
        const std::string why = context_->err == REDIS_ERR_EOF ? "the server closed the connection"
                                : context_->err == REDIS_ERR_IO && errno == EAGAIN
                                    ? "no answer in time"
                                    : std::string(context_->errstr);
        context_.reset();
        throw Unreachable{why};
    }
    return Reply(static_cast<redisReply *>(reply), [](redisReply *r) { freeReplyObject(r); });
}

RedisService::Reply RedisService::ask(const std::vector<std::string> &command)
{
    append(command);
    Reply reply = next_reply();
    if (reply->type == REDIS_REPLY_ERROR)
        throw Refused{outcome_of_redis_error(text_of(reply.get()))};
    return reply;
}

void RedisService::connect()
{
    if (context_)
        return;
    const timeval timeout = to_timeval(config_.timeout);
    context_.reset(config_.socket.empty() ? redisConnectWithTimeout(config_.host.c_str(), config_.port, timeout)
                                          : redisConnectUnixWithTimeout(config_.socket.c_str(), timeout));
    if (!context_ || context_->err != 0) {
        const std::string why = context_ ? context_->errstr : "out of memory";
        context_.reset();
        throw Unreachable{why};
    }
    redisSetTimeout(context_.get(), timeout);
    if (config_.socket.empty())
        redisEnableKeepAlive(context_.get());
    try {
        const std::string password = read_secret(config_.password);
        if (!config_.user.empty())
            ask({"AUTH", config_.user, password});
        else if (!password.empty())
            ask({"AUTH", password});
        if (config_.database != 0)
            ask({"SELECT", std::to_string(config_.database)});
        append({"INFO", "cluster"});
        const Reply info = next_reply();
        // A user without INFO is fine: a clustered server would still answer MOVED.
        if (info->type == REDIS_REPLY_STRING && text_of(info.get()).find("cluster_enabled:1") != std::string::npos)
            throw Refused{{Verdict::dead, "a clustered server is not supported", Milliseconds(0)}};
        if (info->type == REDIS_REPLY_ERROR && !starts_with(text_of(info.get()), "NOPERM"))
            throw Refused{outcome_of_redis_error(text_of(info.get()))};
    } catch (const Error &error) {
        context_.reset();
        throw Refused{{Verdict::unavailable, error.what(), Milliseconds(0)}};
    } catch (...) {
        // Never go on with a connection that was not let in as configured.
        context_.reset();
        throw;
    }
}

void RedisService::run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes)
{
    // What is away may be back under the same address as another server: after a failover the old primary goes on to answer
    // those who are connected to it.
    auto hang_up_if_away = [&] {
        for (const Outcome &outcome : outcomes)
            if (outcome.verdict == Verdict::unavailable && outcome.retry_after.count() == 0)
                context_.reset();
    };
    auto settle_rest = [&outcomes](const Outcome &reason) {
        for (Outcome &outcome : outcomes)
            if (outcome.verdict == Verdict::released)
                outcome = reason;
    };
    // A connection that was idle may be gone without the server being down: one new try.
    for (bool fresh = false;;) {
        fresh = fresh || !context_;
        try {
            connect();
            run_connected(tasks, progress, outcomes);
            hang_up_if_away();
            return;
        } catch (const Unreachable &failure) {
            if (fresh) {
                settle_rest({Verdict::unavailable, failure.why, Milliseconds(0)});
                return;
            }
            fresh = true;
        } catch (const Refused &refusal) {
            settle_rest(refusal.outcome);
            hang_up_if_away();
            return;
        }
    }
}

void RedisService::run_connected(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes)
{
    std::vector<size_t> keys;
    for (size_t i = 0; i < tasks.size(); i++) {
        if (tasks[i].kind == "redis_key" && outcomes[i].verdict == Verdict::released)
            keys.push_back(i);
        if (keys.size() == pipeline_length || (i + 1 == tasks.size() && !keys.empty())) {
            if (!progress.go_on())
                return;
            if (config_.deny_prefix.empty())
                remove_keys(tasks, keys, outcomes);
            else
                deny_keys(tasks, keys, outcomes);
            keys.clear();
        }
    }
    for (size_t i = 0; i < tasks.size(); i++)
        if (tasks[i].kind == "redis_pattern" && outcomes[i].verdict == Verdict::released) {
            if (!progress.go_on())
                return;
            outcomes[i] = remove_pattern(tasks[i], progress);
        }
}

void RedisService::remove_keys(const std::vector<Task> &tasks, const std::vector<size_t> &order,
                               std::vector<Outcome> &outcomes)
{
    for (size_t index : order)
        append({knows_unlink_ ? "UNLINK" : "DEL", tasks[index].target});
    std::vector<size_t> again;
    for (size_t index : order) {
        const Reply reply = next_reply();
        if (reply->type == REDIS_REPLY_INTEGER)
            outcomes[index].verdict = reply->integer > 0 ? Verdict::done : Verdict::skipped;
        else if (knows_unlink_ && starts_with(text_of(reply.get()), "ERR unknown command"))
            again.push_back(index);
        else
            outcomes[index] = outcome_of_redis_error(text_of(reply.get()));
    }
    VDF_FAULT("effect");
    if (!again.empty()) {
        knows_unlink_ = false; // before Redis 4
        remove_keys(tasks, again, outcomes);
    }
}

// The mark comes first: a session that is written after it can be refused by the application, and one that comes
// back with a restarted server is removed by the second pass. The mark says whether there was a first one: a try that
// was cut off before the key was removed is none, and a mark that is gone starts both again.
void RedisService::deny_keys(const std::vector<Task> &tasks, const std::vector<size_t> &order,
                             std::vector<Outcome> &outcomes)
{
    static const std::string to_remove = "1", removed = "2";
    const std::string lifetime = std::to_string(std::max<long long>(config_.deny_ttl.count() / 1000, 1));
    const auto mark_of = [&](size_t index) { return config_.deny_prefix + tasks[index].target; };
    for (size_t index : order)
        append({"SET", mark_of(index), to_remove, "EX", lifetime, "NX"});
    std::vector<size_t> marked, marked_before;
    for (size_t index : order) {
        const Reply reply = next_reply();
        if (reply->type == REDIS_REPLY_ERROR)
            outcomes[index] = outcome_of_redis_error(text_of(reply.get()));
        else
            (reply->type == REDIS_REPLY_STATUS ? marked : marked_before).push_back(index);
    }
    for (size_t index : marked_before)
        append({"GET", mark_of(index)});
    std::set<size_t> second_pass;
    for (size_t index : marked_before) {
        const Reply reply = next_reply();
        if (reply->type == REDIS_REPLY_ERROR) {
            outcomes[index] = outcome_of_redis_error(text_of(reply.get()));
            continue;
        }
        marked.push_back(index);
        if (text_of(reply.get()) == removed)
            second_pass.insert(index);
    }
    VDF_FAULT("denied");
    // Nothing is settled before the mark says so: the connection may fail on the way.
    std::vector<Outcome> found(outcomes.size());
    remove_keys(tasks, marked, found);
    std::vector<size_t> first_pass;
    for (size_t index : marked)
        if (second_pass.count(index) == 0 && (found[index].verdict == Verdict::done || found[index].verdict == Verdict::skipped))
            first_pass.push_back(index);
        else
            outcomes[index] = found[index];
    for (size_t index : first_pass)
        append({"SET", mark_of(index), removed, "EX", lifetime});
    for (size_t index : first_pass) {
        const Reply reply = next_reply();
        outcomes[index] = reply->type == REDIS_REPLY_ERROR
                              ? outcome_of_redis_error(text_of(reply.get()))
                              : Outcome{Verdict::unavailable, "removed; a second pass follows", config_.second_pass};
    }
}

// A replica answers SCAN, also one that has no keys yet, and refuses only to write. So a key that the pattern asks to remove is
// removed, whether it is there or not.
void RedisService::see_it_takes_writes(const Task &task)
{
    if (const std::optional<std::string> key = key_of_pattern(task.target))
        ask({"DEL", *key});
}

Outcome RedisService::remove_pattern(const Task &task, Progress &progress)
{
    int64_t removed = 0;
    for (int empty_passes = 0; empty_passes < 2;) {
        std::string cursor = "0";
        int64_t found = 0;
        do {
            if (!progress.go_on())
                return {};
            const Reply page =
                ask({"SCAN", cursor, "MATCH", task.target, "COUNT", std::to_string(config_.scan_count)});
            if (page->type != REDIS_REPLY_ARRAY || page->elements != 2 || page->element[1]->type != REDIS_REPLY_ARRAY)
                return {Verdict::retry, "SCAN gave an answer of another form", Milliseconds(0)};
            cursor = text_of(page->element[0]);
            const redisReply *keys = page->element[1];
            for (size_t i = 0; i < keys->elements; i++)
                append({knows_unlink_ ? "UNLINK" : "DEL", text_of(keys->element[i])});
            for (size_t i = 0; i < keys->elements; i++) {
                const Reply reply = next_reply();
                if (reply->type == REDIS_REPLY_ERROR) {
                    for (i++; i < keys->elements; i++)
                        next_reply();
                    if (knows_unlink_ && starts_with(text_of(reply.get()), "ERR unknown command")) {
                        knows_unlink_ = false;
                        found++; // look again
                        break;
                    }
                    return outcome_of_redis_error(text_of(reply.get()));
                }
                removed += reply->integer;
            }
            found += static_cast<int64_t>(keys->elements);
            VDF_FAULT("effect");
        } while (cursor != "0");
        empty_passes = found == 0 ? empty_passes + 1 : 0;
    }
    see_it_takes_writes(task);
    return {removed > 0 ? Verdict::done : Verdict::skipped, {}, Milliseconds(0)};
}

std::string RedisService::place() const
{
    const std::string address =
        config_.socket.empty() ? config_.host + ":" + std::to_string(config_.port) : config_.socket;
    return config_.database == 0 ? address : address + " database " + std::to_string(config_.database);
}

std::string RedisService::check()
{
    try {
        connect();
        ask({"PING"});
    } catch (const Unreachable &failure) {
        throw Error("08001", place() + ": " + failure.why);
    } catch (const Refused &refusal) {
        context_.reset();
        throw Error("28000", place() + ": " + refusal.outcome.message);
    }
    return place();
}

} // namespace vedfolnir
