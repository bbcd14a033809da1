// Threads that share a job: each item once, in several threads, and nobody at work when run() returns.
#include "listener/thread_pool.hpp"

#include <chrono>
#include <gtest/gtest.h>
#include <set>
#include <stdexcept>

using namespace vedfolnir;
using namespace std::chrono_literals;

namespace
{

const auto always = [] { return true; };

// Counts who is inside, and waits there until so many are, or for two seconds.
class Gate
{
  public:
    explicit Gate(int wanted) : wanted_(wanted) {}
    void pass()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        most_ = std::max(most_, ++inside_);
        changed_.notify_all();
        changed_.wait_for(lock, 2s, [this] { return most_ >= wanted_; });
        inside_--;
    }
    int most() const { return most_; }
    int inside() const { return inside_; }

  private:
    const int wanted_;
    int inside_ = 0, most_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
};

} // namespace

TEST(ThreadPool, DoesEachItemOnce)
{
    ThreadPool pool(8, "test");
    for (const size_t count : {0, 1, 2, 7, 8, 9, 1000}) {
        std::vector<std::atomic<int>> done(count);
        EXPECT_TRUE(pool.run(count, [&](size_t i) { done[i]++; }, always));
        for (const auto &times : done)
            EXPECT_EQ(times, 1);
    }
}

TEST(ThreadPool, UsesAsManyThreadsAsItHas)
{
    for (const int threads : {1, 2, 8}) {
        ThreadPool pool(threads, "test");
        Gate gate(threads);
        EXPECT_TRUE(pool.run(40, [&](size_t) { gate.pass(); }, always));
        EXPECT_EQ(gate.most(), threads);
        EXPECT_EQ(gate.inside(), 0);
    }
}

// Whoever hangs while it renews the lease may lose it: nobody works on meanwhile.
TEST(ThreadPool, WaitsWhileTheCallerHasNoAnswer)
{
    ThreadPool pool(4, "test");
    std::atomic<int> begun{0};
    int asked = 0, early = 0, late = 0;
    const auto late_answer = [&] {
        if (++asked == 2) {
            std::this_thread::sleep_for(1300ms);
            early = begun;
            std::this_thread::sleep_for(500ms);
            late = begun;
        }
        return true;
    };
    EXPECT_TRUE(pool.run(1200, [&](size_t) { begun++, std::this_thread::sleep_for(5ms); }, late_answer));
    EXPECT_GT(early, 0);
    EXPECT_LT(early, 1200);
    EXPECT_EQ(late, early);
    EXPECT_EQ(begun, 1200);
}

TEST(ThreadPool, AsksOnlyInTheThreadOfTheCaller)
{
    ThreadPool pool(4, "test");
    std::set<std::thread::id> asked;
    pool.run(
        200, [&](size_t) { std::this_thread::sleep_for(100us); pool.proceed(); }, [&] { return asked.insert(std::this_thread::get_id()), true; });
    EXPECT_EQ(asked, std::set<std::thread::id>{std::this_thread::get_id()});
}

TEST(ThreadPool, LeavesTheRestWhenItIsToStop)
{
    ThreadPool pool(4, "test");
    std::atomic<int> done{0};
    int asked = 0;
    EXPECT_FALSE(pool.run(100000, [&](size_t) { done++; std::this_thread::sleep_for(100us); }, [&] { return ++asked < 5; }));
    EXPECT_LT(done, 100000);
    EXPECT_FALSE(pool.run(10, [&](size_t) { FAIL() << "begun"; }, [] { return false; }));
    EXPECT_TRUE(pool.run(10, [](size_t) {}, always));
}

// The caller has no item any more, and must still hear that it is to stop.
TEST(ThreadPool, AsksWhileItWaitsForOthers)
{
    ThreadPool pool(2, "test");
    const std::thread::id caller = std::this_thread::get_id();
    std::atomic<bool> helper_works{false}, told{false};
    const auto start = std::chrono::steady_clock::now();
    pool.run(
        2,
        [&](size_t) {
            if (std::this_thread::get_id() == caller) {
                while (!helper_works && std::chrono::steady_clock::now() - start < 2s)
                    std::this_thread::sleep_for(1ms);
                return;
            }
            helper_works = true;
            while (pool.proceed() && std::chrono::steady_clock::now() - start < 4s)
                std::this_thread::sleep_for(1ms);
            told = !pool.proceed();
        },
        [&] { return !helper_works || std::chrono::steady_clock::now() - start < 100ms; });
    EXPECT_TRUE(told);
}

TEST(ThreadPool, HandsOnWhatAnItemThrows)
{
    ThreadPool pool(4, "test");
    std::atomic<int> at_work{0}, done{0};
    for (int round = 0; round < 50; round++) {
        done = 0;
        EXPECT_THROW(pool.run(
                         10000,
                         [&](size_t i) {
                             at_work++;
                             std::this_thread::sleep_for(50us);
                             at_work--;
                             done++;
                             if (i == 20)
                                 throw std::runtime_error("item");
                         },
                         always),
                     std::runtime_error);
        EXPECT_EQ(at_work, 0);
        EXPECT_LT(done, 10000);
    }
    EXPECT_THROW(pool.run(100, [](size_t) { std::this_thread::sleep_for(1ms); }, []() -> bool { throw std::logic_error("asked"); }), std::logic_error);
    EXPECT_TRUE(pool.run(10, [](size_t) {}, always));
}

TEST(ThreadPool, StartsAgainAfterARest)
{
    ThreadPool pool(4, "test");
    for (int round = 0; round < 20; round++) {
        Gate gate(4);
        EXPECT_TRUE(pool.run(8, [&](size_t) { gate.pass(); }, always));
        EXPECT_EQ(gate.most(), 4);
        pool.rest();
        pool.rest();
    }
}
