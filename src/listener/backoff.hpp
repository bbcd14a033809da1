// backoff.hpp: how long to wait after a failure: doubled each time up to a cap, less up to a half at random.
#ifndef VEDFOLNIR_LISTENER_BACKOFF_HPP
#define VEDFOLNIR_LISTENER_BACKOFF_HPP

#include <chrono>
#include <random>

namespace vedfolnir
{

using Milliseconds = std::chrono::milliseconds;

// attempt counts from 1; chance lies in [0, 1). The jitter keeps many workers from coming back at one moment.
inline Milliseconds backoff_delay(Milliseconds base, Milliseconds cap, int attempt, double chance)
{
    Milliseconds delay = base;
    for (int i = 1; i < attempt && delay < cap; i++)
        delay *= 2;
    if (delay > cap)
        delay = cap;
    return Milliseconds(static_cast<long long>(delay.count() * (1.0 - chance / 2)));
}

inline double random_chance()
{
    thread_local std::mt19937_64 generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

} // namespace vedfolnir
#endif
