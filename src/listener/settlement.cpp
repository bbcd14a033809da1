// settlement.cpp: done and skipped in one statement, failures in one transaction, what was not tried given back.
#include "listener/settlement.hpp"

#include "listener/worker.hpp"

#include <algorithm>

namespace vedfolnir
{
namespace
{

std::string seconds_text(Milliseconds duration)
{
    const long long tenths = (duration.count() + 50) / 100;
    return std::to_string(tenths / 10) + (tenths >= 100 || tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + "s";
}

} // namespace

void IdRange::add(int64_t id)
{
    least = count == 0 ? id : std::min(least, id);
    most = count == 0 ? id : std::max(most, id);
    count++;
}

std::string IdRange::text() const
{
    return least == most ? std::to_string(least) : std::to_string(least) + ".." + std::to_string(most);
}

Settlement::Settlement(const Config &config, const std::string &service, Batch &batch)
    : config_(config), service_(service), batch_(batch)
{
    for (size_t i = 0; i < batch.tasks.size(); i++) {
        const Task &task = batch.tasks[i];
        Outcome &outcome = batch.outcomes[i];
        if (outcome.verdict == Verdict::released) {
            released_.push_back(task);
        } else if (outcome.verdict == Verdict::done || outcome.verdict == Verdict::skipped) {
            Summary &summary = summaries_[task.deletion];
            summary.settled.add(task.id);
            (outcome.verdict == Verdict::done ? summary.done : outcome.message.empty() ? summary.skipped : summary.in_use)++;
            finished_.push_back(task);
            results_.push_back(outcome.verdict == Verdict::done ? "done" : "skipped");
        } else {
            if (outcome.verdict == Verdict::retry && task.attempts >= config_.max_attempts)
                outcome = {Verdict::dead, "gave up after " + std::to_string(task.attempts) + " attempts: " + outcome.message,
                           Milliseconds(0)};
            failed_.push_back(i);
        }
    }
}

Milliseconds Settlement::delay_of(size_t index) const
{
    const Outcome &outcome = batch_.outcomes[index];
    if (outcome.retry_after.count() > 0)
        return outcome.retry_after;
    const bool away = outcome.verdict == Verdict::unavailable;
    const Milliseconds cap = away ? std::min(config_.backoff_cap, away_cap) : config_.backoff_cap;
    return backoff_delay(std::min(config_.backoff_base, cap), cap, away ? batch_.away : batch_.tasks[index].attempts,
                         random_chance());
}

void Settlement::write(Queue &queue)
{
    if (!finished_.empty())
        lost_ = static_cast<int>(finished_.size()) - queue.finish(finished_, results_);
    if (!failed_.empty())
        write_failures(queue);
    if (!released_.empty())
        queue.release(released_);
}

void Settlement::write_failures(Queue &queue)
{
    const std::vector<Task> &tasks = batch_.tasks;
    // Each locks its deletion until the commit: in one order, as everywhere, or two workers could wait for each other.
    std::sort(failed_.begin(), failed_.end(), [&](size_t a, size_t b) { return tasks[a].deletion < tasks[b].deletion; });
    queue.begin();
    for (size_t i : failed_) {
        const Outcome &outcome = batch_.outcomes[i];
        const Milliseconds delay = delay_of(i);
        if (outcome.verdict == Verdict::unavailable)
            queue.postpone(tasks[i], outcome.message, delay);
        else
            queue.fail(tasks[i], outcome.message, outcome.verdict == Verdict::dead, delay);
        Failures &group = failures_[{tasks[i].deletion, outcome.verdict, outcome.message}];
        group.ids.add(tasks[i].id);
        group.delay = std::max(group.delay, delay);
        if (outcome.verdict != Verdict::dead)
            next_try_ = next_try_.count() == 0 ? delay : std::min(next_try_, delay);
    }
    queue.commit();
}

void Settlement::report(Signals &signals) const
{
    if (lost_ > 0)
        log_event(LogLevel::warn, {{"service", service_}},
                  "the lease of " + std::to_string(lost_) + " of the next tasks was lost: others settle them");
    for (const auto &[deletion, summary] : summaries_) {
        LogFields fields = {{"deletion", deletion.substr(0, 8)},
                            {"task", summary.settled.text()},
                            {"service", service_},
                            {"done", std::to_string(summary.done)},
                            {"skipped", std::to_string(summary.skipped)}};
        if (summary.in_use > 0)
            fields.emplace_back("in_use", std::to_string(summary.in_use));
        fields.emplace_back("in", std::to_string(batch_.took.count()) + "ms");
        log_event(LogLevel::info, fields);
        signals.done += summary.done;
        signals.skipped += summary.skipped + summary.in_use;
    }
    for (const auto &[key, group] : failures_) {
        const auto &[deletion, verdict, message] = key;
        LogFields fields = {{"deletion", deletion.substr(0, 8)}, {"task", group.ids.text()}, {"service", service_}};
        if (group.ids.count > 1)
            fields.emplace_back("tasks", std::to_string(group.ids.count));
        if (verdict == Verdict::dead)
            log_event(LogLevel::error, fields, "dead: " + message);
        else
            log_event(LogLevel::warn, fields, "retry in " + seconds_text(group.delay) + ": " + message);
        signals.failed += group.ids.count;
    }
    if (!finished_.empty() || !failed_.empty())
        signals.wake();
}

} // namespace vedfolnir
