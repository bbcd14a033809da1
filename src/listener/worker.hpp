// worker.hpp: the loop of one service: claim a batch, do it outside any transaction, settle it.
#ifndef VEDFOLNIR_LISTENER_WORKER_HPP
#define VEDFOLNIR_LISTENER_WORKER_HPP

#include "listener/batch.hpp"

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
    // Claims, does and settles batches until nothing is due. Gives the number of tasks claimed; Error if the database
    // fails.
    int round();
    // The service did not answer in the last round.
    bool unavailable() const { return unavailable_rounds_ > 0; }

  private:
    using Clock = std::chrono::steady_clock;
    class LeaseKeeper;

    // A connection that one thread uses at a time.
    struct Line
    {
        std::mutex mutex;
        std::unique_ptr<Database> database;
        std::unique_ptr<Queue> queue;
    };

    Queue &queue(Line &line);
    void disconnect(Line &line);
    std::vector<std::string> allowed_kinds();
    Batch claim();
    Batch claim_ahead();
    void execute(Batch &batch);
    void settle(Batch &batch, Line &line);
    void release(const Batch &batch);
    bool extend(const std::vector<Task> &tasks);
    bool is_still_held(Batch &batch);
    void refuse_bad_targets(Batch &batch) const;
    void skip_targets_in_use(Batch &batch);
    void ask_in_use(Batch &batch);
    void pause_if_unavailable(Batch &batch);

    const Config &config_;
    const ServiceConfig &service_config_;
    const std::string name_;
    Signals &signals_;
    std::unique_ptr<Service> service_;
    Line line_;
    Line settling_; // while batches overlap; closed when there is nothing to do
    std::set<std::string> refused_sources_;
    int unavailable_rounds_ = 0;
    Milliseconds next_try_{0}; // when one of our own failures is due again; 0: none
};

} // namespace vedfolnir
#endif
