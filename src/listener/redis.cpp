// redis.cpp: exact keys by UNLINK whatever their type; patterns by SCAN until two passes find nothing. Never KEYS.
#include "listener/redis.hpp"

#include "core/error.hpp"
#include "listener/fault.hpp"
#include "listener/redis_pattern.hpp"

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

void RedisService::append(const std::string_view *words, size_t count)
{
    std::vector<const char *> starts(count);
    std::vector<size_t> lengths(count);
    for (size_t i = 0; i < count; i++) {
        starts[i] = words[i].data();
        lengths[i] = words[i].size();
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(count), starts.data(), lengths.data()) != REDIS_OK) {
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

RedisService::Reply RedisService::ask(std::initializer_list<std::string_view> command)
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
        } catch (...) {
            context_.reset(); // answers may be outstanding
            throw;
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

// One command removes the keys of a page; its answer and the next page come in one go. Both are read before either is
// looked at: an answer that is left over would be taken for that of a later command.
Outcome RedisService::remove_pattern(const Task &task, Progress &progress)
{
    const auto append_scan = [&, count = std::to_string(config_.scan_count)](const std::string &from) {
        append({"SCAN", from, "MATCH", task.target, "COUNT", count});
    };
    const auto ask_for_page = [&](const std::string &from) { return append_scan(from), next_reply(); };
    int64_t removed = 0;
    int empty_passes = 0;
    bool found = false; // in this pass
    std::string cursor = "0";
    for (Reply page = ask_for_page(cursor);;) {
        if (page->type == REDIS_REPLY_ERROR)
            throw Refused{outcome_of_redis_error(text_of(page.get()))};
        if (page->type != REDIS_REPLY_ARRAY || page->elements != 2 || page->element[1]->type != REDIS_REPLY_ARRAY)
            return {Verdict::retry, "SCAN gave an answer of another form", Milliseconds(0)};
        cursor = text_of(page->element[0]);
        const redisReply *keys = page->element[1];
        found = found || keys->elements > 0;
        if (cursor == "0") {
            empty_passes = found ? 0 : empty_passes + 1;
            found = false;
            if (empty_passes == 2)
                break;
        }
        if (!progress.go_on())
            return {};
        if (keys->elements == 0) {
            page = ask_for_page(cursor);
            continue;
        }
        std::vector<std::string_view> command = {knows_unlink_ ? "UNLINK" : "DEL"};
        for (size_t i = 0; i < keys->elements; i++)
            command.emplace_back(keys->element[i]->str, keys->element[i]->len);
        append(command.data(), command.size());
        append_scan(cursor);
        const Reply reply = next_reply();
        page = next_reply();
        VDF_FAULT("effect");
        if (reply->type != REDIS_REPLY_ERROR)
            removed += reply->integer;
        else if (knows_unlink_ && starts_with(text_of(reply.get()), "ERR unknown command"))
            knows_unlink_ = false; // before Redis 4; another pass follows one that found keys
        else
            return outcome_of_redis_error(text_of(reply.get()));
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
