// worker.hpp: the loop of one service: claim a batch, do it outside any transaction, settle it.
#ifndef VEDFOLNIR_LISTENER_WORKER_HPP
#define VEDFOLNIR_LISTENER_WORKER_HPP

#include "listener/service.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace vedfolnir
{

// What the threads share: wake-ups, the wish to stop, and counts for the heartbeat.
class Signals
{
  public:
    void wake();
    void stop();
    bool stopping() const { return stopping_; }
    // Waits for a wake-up that came after seen, at most so long.
    void wait(uint64_t seen, Milliseconds longest);
    uint64_t generation();

    std::atomic<int64_t> done{0}, skipped{0}, failed{0};

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    uint64_t generation_ = 0;
    std::atomic<bool> stopping_{false};
};

class Worker
{
  public:
    Worker(const Config &config, const ServiceConfig &service, std::string name, Signals &signals);
    ~Worker();
    Worker(const Worker &) = delete;
    Worker &operator=(const Worker &) = delete;

    // Works until it is told to stop; survives every failure of the database and the service.
    void loop();
    // Claims and settles one batch. Gives the number of tasks claimed; Error if the database fails.
    int round();
    // The service did not answer in the last round.
    bool unavailable() const { return unavailable_rounds_ > 0; }

  private:
    class LeaseKeeper;

    Queue &queue();
    void disconnect();
    std::vector<std::string> allowed_kinds();
    void settle(const std::vector<Task> &tasks, std::vector<Outcome> &outcomes, Milliseconds took);
    void refuse_bad_targets(const std::vector<Task> &tasks, std::vector<Outcome> &outcomes) const;
    void skip_targets_in_use(const std::vector<Task> &tasks, std::vector<Outcome> &outcomes);
    void pause_if_unavailable(const std::vector<Outcome> &outcomes);
    Milliseconds delay_of(const Task &task, const Outcome &outcome) const;

    const Config &config_;
    const ServiceConfig &service_config_;
    const std::string name_;
    Signals &signals_;
    std::unique_ptr<Service> service_;
    std::unique_ptr<Database> database_;
    std::unique_ptr<Queue> queue_;
    std::set<std::string> refused_sources_;
    int unavailable_rounds_ = 0;
    Milliseconds next_try_{0}; // when one of our own failures is due again; 0: none
};

} // namespace vedfolnir
#endif
