// daemon.cpp: one thread per service, one that waits for notifications, one that waits for signals.
#include "listener/daemon.hpp"

#include "core/error.hpp"
#include "listener/sd_notify.hpp"
#include "listener/worker.hpp"

#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace vedfolnir
{
namespace
{

using Clock = std::chrono::steady_clock;

// The workers of one configuration; a reload replaces them as a whole.
class Crew
{
  public:
    Crew(Config config, const std::string &name) : config_(std::move(config))
    {
        for (const ServiceConfig &service : config_.services)
            workers_.push_back(std::make_unique<Worker>(config_, service, name, signals_));
        for (const auto &worker : workers_)
            threads_.emplace_back([&w = *worker] { w.loop(); });
    }
    ~Crew()
    {
        signals_.stop();
        for (std::thread &thread : threads_)
            thread.join();
    }
    Crew(const Crew &) = delete;
    Crew &operator=(const Crew &) = delete;

    Signals &signals() { return signals_; }
    const Config &config() const { return config_; }

  private:
    const Config config_;
    Signals signals_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<std::thread> threads_;
};

std::atomic<bool> stop_wanted{false};
std::atomic<bool> reload_wanted{false};
std::atomic<bool> stopped{false};
int wake_fd = -1;

void wake_main()
{
    const uint64_t one = 1;
    if (write(wake_fd, &one, sizeof(one)) < 0)
        return; // full: it is awake already
}

// Waits for signals in a thread of its own: a connection attempt may hold the main thread for seconds.
void watch_signals(sigset_t set, const std::atomic<int64_t> &stop_timeout)
{
    for (;;) {
        int number = 0;
        if (sigwait(&set, &number) != 0)
            continue;
        if (number == SIGUSR2)
            return; // the main thread is done
        if (number == SIGHUP) {
            reload_wanted = true;
            wake_main();
            continue;
        }
        stop_wanted = true;
        wake_main();
        const Clock::time_point until = Clock::now() + Milliseconds(stop_timeout.load());
        while (!stopped && Clock::now() < until)
            std::this_thread::sleep_for(Milliseconds(20));
        if (!stopped) {
            log_event(LogLevel::warn, {}, "stopped in the middle of a batch; its lease ends by itself");
            _exit(exit_ok);
        }
        return;
    }
}

// Listens on the wake-up channel. Everything works without it, only later.
class Ear
{
  public:
    Ear(const Config &config, const std::string &name, Clock::time_point started_at)
        : config_(config), name_(name), started_at_(started_at)
    {
    }

    bool connected() const { return queue_ != nullptr; }
    int socket() const { return connected() ? PQsocket(database_->connection()) : -1; }

    // False: try again later. Error 0A000 is handed on: that schema will not become known by waiting.
    bool connect()
    {
        try {
            database_ = std::make_unique<Database>(config_.conninfo, "vedfolnir-listener");
            // LISTEN before the first scan: what is queued in between is seen by one of them.
            database_->query("LISTEN vedfolnir_cleanup");
            queue_ = std::make_unique<Queue>(*database_);
            log_event(LogLevel::info, {}, std::string(said_ ? "database is back: " : "connected: ") + database_->place() +
                                              ", schema version " + queue_->version() + ", role " + queue_->role());
            started_text_ = queue_->server_time(std::chrono::duration_cast<Milliseconds>(Clock::now() - started_at_));
            said_ = true;
            failures_ = 0;
            check_notifications();
            return true;
        } catch (const Error &error) {
            disconnect();
            if (error.sqlstate() == "0A000" && !said_)
                throw;
            report(error);
            return false;
        }
    }

    void disconnect()
    {
        queue_.reset();
        database_.reset();
    }

    // Said at the start and after a reload: nobody else would ever say it.
    void look_for_unknown_services()
    {
        try {
            report_unknown_services(config_, queue_->depth());
        } catch (const Error &error) {
            report(error);
            disconnect();
        }
    }

    Milliseconds retry_delay() { return backoff_delay(Milliseconds(200), Milliseconds(5000), failures_, random_chance()); }

    // True if a wake-up came.
    bool take_notifications()
    {
        if (!connected())
            return false;
        if (PQconsumeInput(database_->connection()) == 0) {
            report(Error("08006", "connection to the database was lost"));
            disconnect();
            return false;
        }
        bool any = false;
        while (PGnotify *notification = PQnotifies(database_->connection())) {
            any = true;
            PQfreemem(notification);
        }
        return any;
    }

    void heartbeat(const Counters &counters)
    {
        if (!connected())
            return;
        try {
            queue_->heartbeat(name_, started_text_, counters);
            if (config_.prune_after.count() > 0)
                queue_->prune(config_.prune_after);
        } catch (const Error &error) {
            report(error);
            disconnect();
        }
    }

  private:
    // Each reason is said once per outage, and the last one at times again.
    void report(const Error &error)
    {
        if (failures_ == 0)
            reported_.clear();
        if (reported_.insert(error.what()).second || failures_ % 20 == 0)
            log_event(LogLevel::error, {}, std::string("database: ") + error.what());
        failures_++;
    }

    // Through a transaction pooler LISTEN is accepted and nothing ever comes: send one to ourselves and look.
    void check_notifications()
    {
        const std::string channel = "vedfolnir_listener_" + std::to_string(getpid());
        Database other(config_.conninfo, "vedfolnir-listener");
        database_->query("LISTEN " + channel);
        other.query("SELECT pg_catalog.pg_notify($1, '')", {channel});
        bool heard = false;
        for (const Clock::time_point until = Clock::now() + Milliseconds(2000); !heard && Clock::now() < until;) {
            pollfd ready = {socket(), POLLIN, 0};
            poll(&ready, 1, 100);
            heard = take_notifications();
            if (!connected())
                throw Error("08006", "connection to the database was lost");
        }
        database_->query("UNLISTEN " + channel);
        if (heard == deaf_)
            log_event(heard ? LogLevel::info : LogLevel::warn, {},
                      heard ? "notifications arrive again"
                            : "notifications do not arrive (a transaction pooler?); polling every " +
                                  std::to_string(config_.poll.count()) + " ms does the work");
        deaf_ = !heard;
    }

    const Config &config_;
    const std::string name_;
    const Clock::time_point started_at_;
    std::string started_text_; // the same by the server's clock
    std::unique_ptr<Database> database_;
    std::unique_ptr<Queue> queue_;
    bool said_ = false, deaf_ = false;
    int failures_ = 0;
    std::set<std::string> reported_;
};

Config reload(const std::string &path, const Config &old)
{
    try {
        Config config = read_config(path);
        configure_log(config.log_level, config.log_json);
        log_event(LogLevel::info, {}, "configuration reloaded");
        return config;
    } catch (const Error &error) {
        log_event(LogLevel::error, {}, std::string("the old configuration stays in use: ") + error.what());
        return old;
    }
}

void wait_for_event(int database_socket, Milliseconds longest)
{
    pollfd ready[2] = {{wake_fd, POLLIN, 0}, {database_socket, POLLIN, 0}};
    poll(ready, database_socket >= 0 ? 2 : 1, static_cast<int>(std::max<long long>(longest.count(), 0)));
    if ((ready[0].revents & POLLIN) != 0) {
        uint64_t count;
        if (read(wake_fd, &count, sizeof(count)) < 0)
            return;
    }
}

// Serves with one configuration until it is to stop or to reload.
void serve(const Config &config, const std::string &name, Clock::time_point started_at, Counters &counters)
{
    Ear ear(config, name, started_at);
    // An unknown schema is found here, before anything is claimed.
    while (!ear.connect() && !stop_wanted && !reload_wanted) {
        notify_systemd("WATCHDOG=1\nSTATUS=waiting for the database");
        wait_for_event(-1, ear.retry_delay());
    }
    if (stop_wanted || reload_wanted)
        return;
    Crew crew(config, name);
    ear.look_for_unknown_services();
    const Counters before = counters;
    Clock::time_point next_beat = Clock::now(), next_connect = Clock::now();
    while (!stop_wanted && !reload_wanted) {
        if (!ear.connected() && Clock::now() >= next_connect) {
            if (ear.connect())
                crew.signals().wake(); // what was queued while we were deaf
            next_connect = Clock::now() + ear.retry_delay();
        }
        if (ear.take_notifications())
            crew.signals().wake();
        if (Clock::now() >= next_beat) {
            counters = {before.done + crew.signals().done, before.skipped + crew.signals().skipped,
                        before.failed + crew.signals().failed};
            ear.heartbeat(counters);
            notify_systemd("WATCHDOG=1\nSTATUS=" + std::string(ear.connected() ? "working" : "waiting for the database") +
                           ", " + std::to_string(counters.done + counters.skipped) + " tasks settled");
            next_beat = Clock::now() + config.heartbeat;
        }
        const Clock::time_point next = ear.connected() ? next_beat : std::min(next_beat, next_connect);
        wait_for_event(ear.socket(), std::chrono::duration_cast<Milliseconds>(next - Clock::now()) + Milliseconds(1));
    }
}

} // namespace

int run_daemon(const std::string &config_path, Config config)
{
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2})
        sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    std::atomic<int64_t> stop_timeout{config.stop_timeout.count()};
    std::thread signal_thread(watch_signals, set, std::cref(stop_timeout));
    const Clock::time_point started_at = Clock::now();
    const std::string name = worker_name(config);
    Counters counters;
    int code = exit_ok;
    log_event(LogLevel::info, {{"worker", name}}, std::string("vedfolnir-listener ") + VEDFOLNIR_VERSION + " started");
    notify_systemd("READY=1");
    try {
        while (!stop_wanted) {
            serve(config, name, started_at, counters);
            if (reload_wanted.exchange(false)) {
                config = reload(config_path, config);
                stop_timeout = config.stop_timeout.count();
            }
        }
        notify_systemd("STOPPING=1");
    } catch (const Error &error) {
        log_event(LogLevel::error, {}, error.what());
        code = exit_failure;
    }
    stopped = true;
    pthread_kill(signal_thread.native_handle(), SIGUSR2);
    signal_thread.join();
    log_event(LogLevel::info, {}, "stopped");
    return code;
}

} // namespace vedfolnir
