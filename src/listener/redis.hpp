// redis.hpp: the kinds redis_key and redis_pattern, over one pipelined connection.
#ifndef VEDFOLNIR_LISTENER_REDIS_HPP
#define VEDFOLNIR_LISTENER_REDIS_HPP

#include "listener/service.hpp"

#include <hiredis/hiredis.h>
#include <initializer_list>
#include <string_view>

namespace vedfolnir
{

class RedisService : public Service
{
  public:
    RedisService(std::string name, RedisConfig config) : name_(std::move(name)), config_(std::move(config)) {}
    void run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes) override;
    bool is_quick() const override { return true; }
    std::string check() override;

  private:
    using Reply = std::unique_ptr<redisReply, void (*)(redisReply *)>;

    void connect();
    void append(const std::string_view *words, size_t count);
    void append(std::initializer_list<std::string_view> command) { append(command.begin(), command.size()); }
    Reply next_reply(); // Unreachable if the connection fails
    Reply ask(std::initializer_list<std::string_view> command);

    void run_connected(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes);
    void remove_keys(const std::vector<Task> &tasks, const std::vector<size_t> &order, std::vector<Outcome> &outcomes);
    void deny_keys(const std::vector<Task> &tasks, const std::vector<size_t> &order, std::vector<Outcome> &outcomes);
    void see_it_takes_writes(const Task &task);
    Outcome remove_pattern(const Task &task, Progress &progress);
    std::string place() const;

    std::string name_;
    RedisConfig config_;
    std::unique_ptr<redisContext, decltype(&redisFree)> context_{nullptr, redisFree};
    bool knows_unlink_ = true;
};

// What an error reply of Redis means for its task.
Outcome outcome_of_redis_error(const std::string &text);

} // namespace vedfolnir
#endif
