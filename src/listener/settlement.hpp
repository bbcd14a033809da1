// settlement.hpp: what a batch has come to: written to the queue, then said in the log.
#ifndef VEDFOLNIR_LISTENER_SETTLEMENT_HPP
#define VEDFOLNIR_LISTENER_SETTLEMENT_HPP

#include "listener/batch.hpp"

#include <map>

namespace vedfolnir
{

class Signals;

// "9182" or "9182..9381": tasks of one deletion are mostly neighbours.
struct IdRange
{
    int64_t least = 0, most = 0;
    int count = 0;

    void add(int64_t id);
    std::string text() const;
};

class Settlement
{
  public:
    // A service that is back is found soon, however long it was away.
    static constexpr Milliseconds away_cap{15000};

    Settlement(const Config &config, const std::string &service, Batch &batch);

    void write(Queue &queue);
    // Counts as well, and wakes the other workers: one may hold the next phase.
    void report(Signals &signals) const;
    // When the first of those that failed is due again; 0: none is.
    Milliseconds next_try() const { return next_try_; }

  private:
    struct Summary
    {
        IdRange settled;
        int done = 0, skipped = 0, in_use = 0;
    };
    struct Failures
    {
        IdRange ids;
        Milliseconds delay{0};
    };

    void write_failures(Queue &queue);
    Milliseconds delay_of(size_t index) const;

    const Config &config_;
    const std::string &service_;
    Batch &batch_;
    std::vector<Task> finished_, released_;
    std::vector<std::string> results_;
    std::vector<size_t> failed_;
    std::map<std::string, Summary> summaries_;
    std::map<std::tuple<std::string, Verdict, std::string>, Failures> failures_;
    Milliseconds next_try_{0};
    int lost_ = 0; // of the finished ones: the fence was another by then
};

} // namespace vedfolnir
#endif
