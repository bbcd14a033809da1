// queue.hpp: the queue's SQL functions as calls. No transaction is open between two calls.
#ifndef VEDFOLNIR_LISTENER_QUEUE_HPP
#define VEDFOLNIR_LISTENER_QUEUE_HPP

#include "listener/backoff.hpp"
#include "listener/database.hpp"

#include <set>

namespace vedfolnir
{

struct Task
{
    int64_t id = 0;
    int64_t fence = 0;
    std::string deletion, kind, operation, service, target;
    bool readable = true; // false: the target is too long, or UTF-8 lacks one of its characters
    int attempts = 0;
};

struct Source
{
    std::string relation, kind, service;
};

struct Depth
{
    std::string service;
    int64_t open = 0, dead = 0;
};

struct Counters
{
    int64_t done = 0, skipped = 0, failed = 0;
};

class Queue
{
  public:
    // Version handshake: Error 0A000 for a schema version that this program does not know, 42704 without extension.
    explicit Queue(Database &database);

    const std::string &version() const { return version_; }
    std::string role();

    std::vector<Task> claim(const std::string &worker, int batch, Milliseconds lease,
                            const std::vector<std::string> &kinds, const std::string &service);
    int finish(const std::vector<Task> &tasks, const std::vector<std::string> &outcomes);
    bool fail(const Task &task, const std::string &message, bool permanent, Milliseconds retry_after);
    // The service as a whole was away, or a second pass follows: Task::attempts will not count this one.
    bool postpone(const Task &task, const std::string &message, Milliseconds retry_after);
    int release(const std::vector<Task> &tasks);
    int extend(const std::vector<Task> &tasks, Milliseconds lease);
    std::set<int64_t> targets_in_use(const std::vector<Task> &tasks);
    std::set<std::string> paths_in_use(const Task &task, const std::vector<std::string> &paths);
    std::vector<Source> sources();
    std::vector<Depth> depth();
    // A moment of the past by the server's clock: that of this machine may be hours away from it.
    std::string server_time(Milliseconds ago);
    void heartbeat(const std::string &worker, const std::string &started_at, const Counters &counters);
    int64_t prune(Milliseconds older_than);

    void begin() { database_.query("BEGIN"); }
    void commit() { database_.query("COMMIT"); }
    Database &database() { return database_; }

  private:
    std::vector<std::string> nameable(const std::vector<std::string> &paths);
    std::string function(const char *name) const { return schema_ + "." + name; }

    Database &database_;
    std::string schema_, version_;
};

// Known schema versions; anything else is refused.
bool is_known_schema_version(const std::string &version);

} // namespace vedfolnir
#endif
