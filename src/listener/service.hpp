// service.hpp: what does the work of one kind of task. A batch goes in, one outcome per task comes out.
#ifndef VEDFOLNIR_LISTENER_SERVICE_HPP
#define VEDFOLNIR_LISTENER_SERVICE_HPP

#include "listener/config.hpp"
#include "listener/queue.hpp"

#include <memory>

namespace vedfolnir
{

enum class Verdict {
    done,        // it is gone now
    skipped,     // it was gone before, or is still in use
    retry,       // it failed and may work later; counts towards max_attempts
    unavailable, // the service as a whole does not answer; never dead for that
    dead,        // it can never work
    released     // not tried; somebody else may take it at once
};

struct Outcome
{
    Verdict verdict = Verdict::released;
    std::string message;         // why; never the target
    Milliseconds retry_after{0}; // 0: by the usual backoff
};

// What a service may ask of its worker in the middle of a batch.
class Progress
{
  public:
    virtual ~Progress() = default;
    // Renews the lease when it is time to. False: stop, and leave the rest as released.
    virtual bool go_on() = 0;
    virtual std::set<std::string> paths_in_use(const Task &task, const std::vector<std::string> &paths) = 0;
};

class Service
{
  public:
    virtual ~Service() = default;
    // outcomes has one element per task, all released.
    virtual void run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes) = 0;
    // A task takes so little time that the next batch may be claimed while this one is being done.
    virtual bool is_quick() const { return false; }
    // For --check: Error if it cannot work. Gives where it leads to.
    virtual std::string check() = 0;
    // Frees connections that nobody has used for a while.
    virtual void idle() {}
};

std::unique_ptr<Service> make_service(const ServiceConfig &config);

} // namespace vedfolnir
#endif
