// daemon.hpp: the three ways to run: as a daemon, once, or only to check.
#ifndef VEDFOLNIR_LISTENER_DAEMON_HPP
#define VEDFOLNIR_LISTENER_DAEMON_HPP

#include "listener/config.hpp"
#include "listener/queue.hpp"

namespace vedfolnir
{

// Exit codes, also in the manual page.
enum ExitCode {
    exit_ok = 0,       // all settled
    exit_dead = 1,     // --once: a task is dead
    exit_failure = 2,  // configuration or connection
    exit_remaining = 3 // --once: tasks remain that could not be done now
};

int run_daemon(const std::string &config_path, Config config);
int run_once(const Config &config);
int run_check(const Config &config);

std::string worker_name(const Config &config);

// Warns of each service that has open tasks and is not in the configuration.
void report_unknown_services(const Config &config, const std::vector<Depth> &depth);

} // namespace vedfolnir
#endif
