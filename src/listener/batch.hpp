// batch.hpp: tasks under one lease, on their way from claim to settlement.
#ifndef VEDFOLNIR_LISTENER_BATCH_HPP
#define VEDFOLNIR_LISTENER_BATCH_HPP

#include "listener/service.hpp"

namespace vedfolnir
{

struct Batch
{
    using Clock = std::chrono::steady_clock;

    std::vector<Task> tasks;
    std::vector<Outcome> outcomes;
    Clock::time_point held_since, asked; // asked: what rows that stay name
    Milliseconds took{0};
    int away = 0; // rounds for which the service did not answer, this one included

    bool empty() const { return tasks.empty(); }
};

} // namespace vedfolnir
#endif
