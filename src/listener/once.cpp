// once.cpp: --once and --check.
#include "listener/daemon.hpp"

#include "core/error.hpp"
#include "listener/worker.hpp"

#include <iostream>
#include <unistd.h>

namespace vedfolnir
{
namespace
{

void print_line(const std::string &what, const char *result, const std::string &text)
{
    std::string name = what;
    name.resize(11, ' ');
    std::string verdict = result;
    verdict.resize(5, ' ');
    std::cout << name << verdict << text << '\n';
}

std::string waiting_text(const std::vector<Depth> &depth, const std::string &service)
{
    for (const Depth &one : depth)
        if (one.service == service)
            return " (" + std::to_string(one.open) + (one.open == 1 ? " task waiting" : " tasks waiting") +
                   (one.dead > 0 ? ", " + std::to_string(one.dead) + " dead)" : ")");
    return " (0 tasks waiting)";
}

// Rules of the database that this service would not work on.
std::string refused_sources(const ServiceConfig &service, const std::vector<Source> &sources)
{
    std::string list;
    for (const Source &source : sources)
        if (source.service == service.name && service.allow.count({source.relation, source.kind}) == 0)
            list += (list.empty() ? "" : ", ") + source.relation + ":" + source.kind;
    return list;
}

bool check_service(const ServiceConfig &config, const std::vector<Depth> &depth, const std::vector<Source> &sources,
                   bool database_ok)
{
    std::string place;
    try {
        place = make_service(config)->check();
    } catch (const Error &error) {
        print_line(config.type, "FAIL", config.name + " -> " + error.what());
        return false;
    }
    const std::string refused = refused_sources(config, sources);
    if (!refused.empty()) {
        print_line(config.type, "FAIL", config.name + " -> " + place + ": rules that are not in allow: " + refused);
        return false;
    }
    print_line(config.type, "ok", config.name + " -> " + place + (database_ok ? waiting_text(depth, config.name) : ""));
    return true;
}

} // namespace

std::string worker_name(const Config &config)
{
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    return (config.worker.empty() ? std::string(host) : config.worker) + "-" + std::to_string(getpid());
}

void report_unknown_services(const Config &config, const std::vector<Depth> &depth)
{
    for (const Depth &one : depth) {
        bool known = false;
        for (const ServiceConfig &service : config.services)
            known = known || service.name == one.service;
        if (!known && one.open > 0)
            log_event(LogLevel::warn, {{"service", one.service}},
                      std::to_string(one.open) + " tasks wait for a service that is not in the configuration");
    }
}

int run_once(const Config &config)
{
    Signals signals;
    std::vector<std::unique_ptr<Worker>> workers;
    const std::string name = worker_name(config);
    for (const ServiceConfig &service : config.services)
        workers.push_back(std::make_unique<Worker>(config, service, name, signals));
    Database database(config.conninfo, "vedfolnir-listener");
    Queue queue(database);
    // What one service settles may let another's next phase start.
    for (bool claimed = true; claimed;) {
        claimed = false;
        for (const auto &worker : workers)
            while (!worker->unavailable() && worker->round() > 0)
                claimed = true;
    }
    int64_t open = 0, dead = 0;
    const std::vector<Depth> depth = queue.depth();
    report_unknown_services(config, depth);
    for (const Depth &one : depth) {
        open += one.open;
        dead += one.dead;
    }
    log_event(LogLevel::info, {{"done", std::to_string(signals.done)},
                               {"skipped", std::to_string(signals.skipped)},
                               {"open", std::to_string(open)},
                               {"dead", std::to_string(dead)}});
    return dead > 0 ? exit_dead : open > 0 ? exit_remaining : exit_ok;
}

int run_check(const Config &config)
{
    bool ok = true, database_ok = false;
    std::vector<Depth> depth;
    std::vector<Source> sources;
    try {
        Database database(config.conninfo, "vedfolnir-listener");
        Queue queue(database);
        depth = queue.depth();
        sources = queue.sources();
        database_ok = true;
        print_line("database", "ok",
                   database.place() + ", schema version " + queue.version() + ", role " + queue.role());
    } catch (const Error &error) {
        print_line("database", "FAIL", error.what() + (error.hint().empty() ? "" : "; " + error.hint()));
        ok = false;
    }
    for (const ServiceConfig &service : config.services)
        ok = check_service(service, depth, sources, database_ok) && ok;
    if (config.services.empty()) {
        print_line("services", "FAIL", "the configuration has no [service NAME] section");
        ok = false;
    }
    std::set<std::string> missing;
    for (const Source &source : sources)
        missing.insert(source.service);
    for (const Depth &one : depth)
        missing.insert(one.service);
    for (const ServiceConfig &service : config.services)
        missing.erase(service.name);
    for (const std::string &name : missing)
        print_line("service", "warn", name + " is used by the database and not in this configuration");
    return ok ? exit_ok : exit_failure;
}

} // namespace vedfolnir
