// thread_pool.hpp: threads that share the items of a job with the thread that runs it.
#ifndef VEDFOLNIR_LISTENER_THREAD_POOL_HPP
#define VEDFOLNIR_LISTENER_THREAD_POOL_HPP

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vedfolnir
{

class ThreadPool
{
  public:
    // The caller of run() is one of the threads. The name is for the log.
    ThreadPool(int threads, std::string service) : threads_(threads), service_(std::move(service)) {}
    ~ThreadPool() { rest(); }
    ThreadPool(const ThreadPool &) = delete;
    ThreadPool &operator=(const ThreadPool &) = delete;

    // Does item(0) to item(count - 1), each at most once and begun in this order, in any of the threads. Only the caller's own
    // thread asks go_on(). False: it said no, and what was not begun is left. What an item or go_on() throws ends the job
    // and comes out here, when no thread is at work any more.
    bool run(size_t count, const std::function<void(size_t)> &item, const std::function<bool()> &go_on);
    // For an item that has steps: whether to take the next one. Waits where the caller got no answer of go_on() for a while: nobody
    // works on without the lease that it keeps.
    bool proceed();
    // Ends the threads; the next job starts them again.
    void rest();

  private:
    void start(size_t wanted);
    void serve();
    void work();
    void fail();
    bool has_work() const { return item_ != nullptr && !stopping_ && next_ < count_; }

    const int threads_;
    const std::string service_;
    std::vector<std::thread> helpers_;
    bool said_ = false;

    std::mutex mutex_; // of what follows, but for the atomics
    std::condition_variable begins_, ends_;
    const std::function<void(size_t)> *item_ = nullptr;
    const std::function<bool()> *go_on_ = nullptr;
    size_t count_ = 0;
    std::thread::id caller_;
    std::exception_ptr failure_;
    int busy_ = 0; // helpers at work
    bool resting_ = false;
    std::atomic<size_t> next_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<std::chrono::steady_clock::time_point> allowed_{}; // when go_on() said yes
};

} // namespace vedfolnir
#endif
