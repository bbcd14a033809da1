// fault.hpp: named points where the test build kills itself. In any other build they are nothing.
#ifndef VEDFOLNIR_LISTENER_FAULT_HPP
#define VEDFOLNIR_LISTENER_FAULT_HPP

#ifdef VEDFOLNIR_FAULTS
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace vedfolnir
{

// VEDFOLNIR_FAULT=NAME:N kills the process when it reaches the point NAME for the N-th time, in whatever thread.
inline void fault_point(const char *name)
{
    static std::atomic<int> reached{0};
    const char *wanted = std::getenv("VEDFOLNIR_FAULT");
    if (wanted == nullptr)
        return;
    const char *colon = std::strchr(wanted, ':');
    if (colon == nullptr || std::strlen(name) != static_cast<size_t>(colon - wanted) ||
        std::strncmp(wanted, name, colon - wanted) != 0)
        return;
    if (++reached == std::atoi(colon + 1))
        kill(getpid(), SIGKILL);
}

} // namespace vedfolnir
#define VDF_FAULT(name) ::vedfolnir::fault_point(name)
#else
#define VDF_FAULT(name) static_cast<void>(0)
#endif
#endif
