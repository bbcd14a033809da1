// worker.cpp: at least once, never twice at a time: the fence settles who holds a task.
#include "listener/worker.hpp"

#include "core/error.hpp"
#include "core/task.hpp"
#include "listener/fault.hpp"
#include "listener/settlement.hpp"

#include <algorithm>
#include <future>

namespace vedfolnir
{
namespace
{

constexpr const char *unreadable = "target is longer than 65536 bytes, or has a character that UTF-8 lacks";
// A batch that takes less is worth claiming another meanwhile.
constexpr Milliseconds quick{200};

// Nobody knows what rows name: no task is done.
void could_not_ask(const Error &error, std::vector<Outcome> &outcomes)
{
    if (is_connection_failure(error.sqlstate()))
        throw error; // the leases end by themselves
    for (Outcome &outcome : outcomes)
        if (outcome.verdict == Verdict::released)
            outcome = {Verdict::retry, "could not ask what is still in use: " + error.sqlstate(), Milliseconds(0)};
}

} // namespace

void Signals::wake()
{
    const std::lock_guard<std::mutex> guard(mutex_);
    generation_++;
    changed_.notify_all();
}

void Signals::stop()
{
    stopping_ = true;
    wake();
}

uint64_t Signals::generation()
{
    const std::lock_guard<std::mutex> guard(mutex_);
    return generation_;
}

void Signals::wait(uint64_t seen, Milliseconds longest)
{
    std::unique_lock<std::mutex> guard(mutex_);
    changed_.wait_for(guard, longest, [&] { return stopping_ || generation_ != seen; });
}

// Renews the lease at a third of its length, on the connection that the batch was claimed with.
class Worker::LeaseKeeper : public Progress
{
  public:
    LeaseKeeper(Worker &worker, const std::vector<Task> &tasks, Clock::time_point held_since)
        : worker_(worker), tasks_(tasks), renewed_(held_since)
    {
    }

    bool go_on() override
    {
        if (worker_.signals_.stopping() || lost_)
            return false;
        if (Clock::now() - renewed_ < worker_.config_.lease / 3)
            return true;
        lost_ = !worker_.extend(tasks_);
        renewed_ = Clock::now();
        return !lost_;
    }

    std::set<std::string> paths_in_use(const Task &task, const std::vector<std::string> &paths) override
    {
        if (paths.empty())
            return {};
        const std::lock_guard<std::mutex> guard(worker_.line_.mutex);
        return worker_.queue(worker_.line_).paths_in_use(task, paths);
    }

  private:
    Worker &worker_;
    const std::vector<Task> &tasks_;
    Clock::time_point renewed_;
    bool lost_ = false;
};

Worker::Worker(const Config &config, const ServiceConfig &service, std::string name, Signals &signals)
    : config_(config), service_config_(service), name_(std::move(name)), signals_(signals),
      service_(make_service(service))
{
}

Worker::~Worker() = default;

Queue &Worker::queue(Line &line)
{
    if (!line.queue) {
        line.database = std::make_unique<Database>(config_.conninfo, "vedfolnir-listener");
        line.queue = std::make_unique<Queue>(*line.database);
    }
    return *line.queue;
}

void Worker::disconnect(Line &line)
{
    line.queue.reset();
    line.database.reset();
}

// A kind is worked on only if every relation that may queue it for this service is on the service's list.
std::vector<std::string> Worker::allowed_kinds()
{
    std::set<std::string> kinds;
    for (const auto &[relation, kind] : service_config_.allow)
        kinds.insert(kind);
    std::set<std::string> refused;
    for (const Source &source : queue(line_).sources()) {
        if (source.service != service_config_.name || service_config_.allow.count({source.relation, source.kind}) != 0)
            continue;
        kinds.erase(source.kind);
        refused.insert(source.kind + " of " + source.relation);
    }
    for (const std::string &one : refused)
        if (refused_sources_.count(one) == 0)
            log_event(LogLevel::error, {{"service", service_config_.name}},
                      "a clean-up rule is not on the list of this service, its kind waits: " + one);
    refused_sources_ = refused;
    return {kinds.begin(), kinds.end()};
}

void Worker::refuse_bad_targets(Batch &batch) const
{
    for (size_t i = 0; i < batch.tasks.size(); i++) {
        const Task &task = batch.tasks[i];
        const std::string refusal = task.readable ? refusal_of_target(task.kind, task.target) : unreadable;
        if (!refusal.empty())
            batch.outcomes[i] = {Verdict::dead, refusal, Milliseconds(0)};
    }
}

void Worker::skip_targets_in_use(Batch &batch)
{
    const std::lock_guard<std::mutex> guard(line_.mutex);
    const std::set<int64_t> in_use = queue(line_).targets_in_use(batch.tasks);
    for (size_t i = 0; !in_use.empty() && i < batch.tasks.size(); i++)
        if (in_use.count(batch.tasks[i].id) != 0 && batch.outcomes[i].verdict == Verdict::released)
            batch.outcomes[i] = {Verdict::skipped, "a row that stays names it", Milliseconds(0)};
}

Batch Worker::claim()
{
    const std::lock_guard<std::mutex> guard(line_.mutex);
    const std::vector<std::string> kinds = allowed_kinds();
    Batch batch;
    if (kinds.empty())
        return batch;
    batch.tasks = queue(line_).claim(name_, config_.batch, config_.lease, kinds, service_config_.name);
    batch.outcomes.resize(batch.tasks.size());
    batch.held_since = Clock::now();
    if (!batch.empty())
        VDF_FAULT("claimed");
    return batch;
}

bool Worker::extend(const std::vector<Task> &tasks)
{
    const std::lock_guard<std::mutex> guard(line_.mutex);
    const bool held = queue(line_).extend(tasks, config_.lease) == static_cast<int>(tasks.size());
    if (!held)
        log_event(LogLevel::warn, {{"service", service_config_.name}}, "lost the lease of a batch, left it");
    return held;
}

// A batch that was claimed ahead may have waited for one that took long after all.
bool Worker::is_still_held(Batch &batch)
{
    if (Clock::now() - batch.held_since < config_.lease / 3)
        return true;
    if (!extend(batch.tasks))
        return false;
    batch.held_since = Clock::now();
    return true;
}

void Worker::ask_in_use(Batch &batch)
{
    refuse_bad_targets(batch);
    try {
        skip_targets_in_use(batch);
    } catch (const Error &error) {
        could_not_ask(error, batch.outcomes);
    }
    batch.asked = Clock::now();
}

// What rows that stay name is asked right before the work; an answer that had to wait is not used.
void Worker::execute(Batch &batch)
{
    const Clock::time_point started = Clock::now();
    if (!is_still_held(batch))
        return;
    if (started - batch.asked > quick)
        ask_in_use(batch);
    std::vector<Task> left;
    std::vector<size_t> index;
    for (size_t i = 0; i < batch.tasks.size(); i++)
        if (batch.outcomes[i].verdict == Verdict::released) {
            left.push_back(batch.tasks[i]);
            index.push_back(i);
        }
    std::vector<Outcome> found(left.size());
    LeaseKeeper keeper(*this, left, batch.held_since);
    try {
        if (!left.empty())
            service_->run(left, keeper, found);
    } catch (const Error &error) {
        could_not_ask(error, found);
    } catch (const std::exception &) {
        // Its text may quote what was read. One such task must not end the listener, and dies of it in the end.
        for (Outcome &outcome : found)
            if (outcome.verdict == Verdict::released)
                outcome = {Verdict::retry, "an unexpected failure inside the listener", Milliseconds(0)};
    }
    for (size_t i = 0; i < left.size(); i++)
        batch.outcomes[index[i]] = std::move(found[i]);
    batch.took = std::chrono::duration_cast<Milliseconds>(Clock::now() - started);
    VDF_FAULT("before_settle");
}

Batch Worker::claim_ahead()
{
    Batch batch;
    if (!signals_.stopping())
        batch = claim();
    if (!batch.empty())
        ask_in_use(batch);
    return batch;
}

// While the service does one batch, the database settles the last one and gives out the next; but only where batches take
// no time, so that a lease, a stop or another listener never waits for a batch that waits itself.
int Worker::round()
{
    int claimed = 0;
    bool ahead = false;
    Batch finished, current = claim();
    while (!current.empty()) {
        claimed += static_cast<int>(current.tasks.size());
        std::future<void> settled;
        std::future<Batch> next;
        if (ahead) {
            settled = std::async(std::launch::async, [&] { settle(finished, settling_); });
            next = std::async(std::launch::async, [this] { return claim_ahead(); });
        } else {
            settle(finished, line_); // it took long, and this one was claimed meanwhile
        }
        execute(current);
        pause_if_unavailable(current);
        Batch following;
        if (ahead) {
            following = next.get();
            settled.get();
        }
        if (!following.empty() && (unavailable() || signals_.stopping())) {
            release(following);
            following = {};
        }
        ahead = service_->is_quick() && current.took < quick;
        finished = std::move(current);
        current = std::move(following);
        if (!current.empty())
            continue;
        settle(finished, line_);
        if (!unavailable() && !signals_.stopping())
            current = claim();
    }
    return claimed;
}

void Worker::release(const Batch &batch)
{
    const std::lock_guard<std::mutex> guard(line_.mutex);
    queue(line_).release(batch.tasks);
}

void Worker::settle(Batch &batch, Line &line)
{
    if (batch.empty())
        return;
    const std::lock_guard<std::mutex> guard(line.mutex);
    Settlement settlement(config_, service_config_.name, batch);
    settlement.write(queue(line));
    settlement.report(signals_);
    if (const Milliseconds next = settlement.next_try(); next.count() > 0)
        next_try_ = next_try_.count() == 0 ? next : std::min(next_try_, next);
    batch = {};
    VDF_FAULT("settled");
}

// While the service is away, its tasks stay where they are instead of being claimed and failed one by one.
void Worker::pause_if_unavailable(Batch &batch)
{
    bool away = false;
    for (const Outcome &outcome : batch.outcomes)
        away = away || (outcome.verdict == Verdict::unavailable && outcome.retry_after.count() == 0);
    batch.away = unavailable_rounds_ = away ? unavailable_rounds_ + 1 : 0;
}

void Worker::loop()
{
    int failures = 0;
    std::set<std::string> reported;
    while (!signals_.stopping()) {
        const uint64_t seen = signals_.generation();
        Milliseconds pause{0};
        try {
            const Clock::time_point began = Clock::now();
            const int claimed = round();
            if (failures > 0)
                log_event(LogLevel::info, {{"service", service_config_.name}}, "database is back");
            failures = 0;
            if (unavailable_rounds_ > 0) {
                pause = backoff_delay(config_.backoff_base, Settlement::away_cap, unavailable_rounds_, random_chance());
            } else if (claimed == 0) {
                service_->idle();
                disconnect(settling_);
                const Milliseconds longest = next_try_.count() > 0 ? std::min(next_try_, config_.poll) : config_.poll;
                next_try_ = Milliseconds(0);
                // A look that found nothing and was slow, because many tasks wait for an earlier phase, is not
                // repeated at each wake-up: at most a third of the time goes into looking.
                pause = std::chrono::duration_cast<Milliseconds>((Clock::now() - began) * 2);
                if (pause < Milliseconds(50))
                    pause = Milliseconds(0);
                signals_.wait(seen, longest + Milliseconds(1));
            }
        } catch (const Error &error) {
            disconnect(line_);
            disconnect(settling_);
            // Each reason is said once per outage, and the last one at times again.
            if (failures == 0)
                reported.clear();
            if (reported.insert(error.what()).second || failures % 20 == 0)
                log_event(LogLevel::error, {{"service", service_config_.name}}, std::string("database: ") + error.what());
            pause = backoff_delay(Milliseconds(200), Milliseconds(5000), ++failures, random_chance());
        } catch (const std::exception &) {
            disconnect(line_);
            disconnect(settling_);
            log_event(LogLevel::error, {{"service", service_config_.name}}, "an unexpected failure inside the listener");
            pause = backoff_delay(Milliseconds(200), Milliseconds(5000), ++failures, random_chance());
        }
        for (const Clock::time_point until = Clock::now() + pause; !signals_.stopping() && Clock::now() < until;)
            signals_.wait(signals_.generation(), std::chrono::duration_cast<Milliseconds>(until - Clock::now()) + Milliseconds(1));
    }
}

} // namespace vedfolnir
