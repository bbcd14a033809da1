// thread_pool.cpp: the threads wait between jobs. One that cannot be had is done without.
#include "listener/thread_pool.hpp"

#include "listener/log.hpp"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace vedfolnir
{
namespace
{

// How often go_on() is asked while others are still at work.
constexpr std::chrono::milliseconds look_up{50};
// How long a yes of go_on() is good for: little beside a lease, which is renewed at a third of its length.
constexpr std::chrono::milliseconds good_for{1000};

} // namespace

bool ThreadPool::run(size_t count, const std::function<void(size_t)> &item, const std::function<bool()> &go_on)
{
    if (count == 0)
        return true;
    // Before any other thread begins.
    if (!go_on())
        return false;
    start(std::min(static_cast<size_t>(threads_), count) - 1);
    std::unique_lock<std::mutex> lock(mutex_);
    item_ = &item;
    go_on_ = &go_on;
    count_ = count;
    caller_ = std::this_thread::get_id();
    failure_ = nullptr;
    next_ = 0;
    stopping_ = false;
    allowed_ = std::chrono::steady_clock::now();
    lock.unlock();
    begins_.notify_all();
    work();
    lock.lock();
    while (!ends_.wait_for(lock, look_up, [this] { return busy_ == 0; })) {
        lock.unlock();
        try {
            proceed();
        } catch (...) {
            fail();
        }
        lock.lock();
    }
    item_ = nullptr; // a helper that wakes up late finds nothing
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
    return !stopping_;
}

bool ThreadPool::proceed()
{
    if (std::this_thread::get_id() != caller_) {
        while (!stopping_ && std::chrono::steady_clock::now() - allowed_.load() > good_for)
            std::this_thread::sleep_for(look_up / 5);
        return !stopping_;
    }
    if (!stopping_ && !(*go_on_)())
        stopping_ = true;
    allowed_ = std::chrono::steady_clock::now();
    return !stopping_;
}

void ThreadPool::rest()
{
    {
        const std::lock_guard<std::mutex> guard(mutex_);
        resting_ = true;
    }
    begins_.notify_all();
    for (std::thread &helper : helpers_)
        helper.join();
    helpers_.clear();
    resting_ = false;
}

void ThreadPool::start(size_t wanted)
{
    try {
        helpers_.reserve(wanted);
        while (helpers_.size() < wanted)
            helpers_.emplace_back([this] { serve(); });
    } catch (const std::system_error &error) {
        if (!std::exchange(said_, true))
            log_event(LogLevel::warn, {{"service", service_}},
                      "going on with " + std::to_string(helpers_.size() + 1) + " of " + std::to_string(threads_) + " threads: " +
                          error.what());
    }
}

void ThreadPool::serve()
{
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        begins_.wait(lock, [this] { return resting_ || has_work(); });
        if (resting_)
            return;
        busy_++;
        lock.unlock();
        work();
        lock.lock();
        if (--busy_ == 0)
            ends_.notify_all();
    }
}

void ThreadPool::work()
{
    try {
        while (proceed()) {
            const size_t index = next_++;
            if (index >= count_)
                return;
            (*item_)(index);
        }
    } catch (...) {
        fail();
    }
}

// The first failure is the one that is told.
void ThreadPool::fail()
{
    const std::lock_guard<std::mutex> guard(mutex_);
    if (!failure_)
        failure_ = std::current_exception();
    stopping_ = true;
}

} // namespace vedfolnir
