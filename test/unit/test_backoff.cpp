// Exponential, capped, with jitter downwards only (R56).
#include "listener/backoff.hpp"

#include <gtest/gtest.h>

using namespace vedfolnir;

TEST(Backoff, DoublesUpToTheCap)
{
    const Milliseconds base(1000), cap(300000);
    EXPECT_EQ(backoff_delay(base, cap, 1, 0.0).count(), 1000);
    EXPECT_EQ(backoff_delay(base, cap, 2, 0.0).count(), 2000);
    EXPECT_EQ(backoff_delay(base, cap, 5, 0.0).count(), 16000);
    EXPECT_EQ(backoff_delay(base, cap, 12, 0.0), cap);
    EXPECT_EQ(backoff_delay(base, cap, 2000000000, 0.0), cap);
    EXPECT_EQ(backoff_delay(base, cap, 0, 0.0).count(), 1000);
}

TEST(Backoff, TakesOffUpToAHalf)
{
    for (int i = 0; i < 1000; i++) {
        const auto delay = backoff_delay(Milliseconds(1000), Milliseconds(60000), 4, random_chance()).count();
        EXPECT_GT(delay, 4000 - 1);
        EXPECT_LE(delay, 8000);
    }
}

TEST(Backoff, SpreadsWorkers)
{
    EXPECT_NE(backoff_delay(Milliseconds(1000), Milliseconds(60000), 6, 0.1),
              backoff_delay(Milliseconds(1000), Milliseconds(60000), 6, 0.9));
}
