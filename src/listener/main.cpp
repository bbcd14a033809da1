// main.cpp: command line of vedfolnir-listener.
#include "core/error.hpp"
#include "listener/daemon.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <unistd.h>

using namespace vedfolnir;

int main(int argc, char **argv)
{
    CLI::App app("Does the outside work that deletions queue in the database: files, Redis, identities, webhooks.",
                 "vedfolnir-listener");
    std::string config_path = "/etc/vedfolnir/listener.ini", log_level;
    bool once = false, check = false, allow_root = false, list_options = false;
    app.add_option("-c,--config", config_path, "configuration file")->capture_default_str();
    auto *once_flag = app.add_flag("--once", once, "settle what is due now and exit: 0 all settled, 1 a task is dead, "
                                                   "3 tasks remain");
    auto *check_flag = app.add_flag("--check", check, "check configuration, database and services, change nothing");
    once_flag->excludes(check_flag);
    app.add_option("--log-level", log_level, "debug, info, warn or error");
    app.add_flag("--allow-root", allow_root, "run although the user is root");
    app.add_flag("--list-options", list_options, "print the options of the configuration file");
    app.set_version_flag("--version", std::string("vedfolnir-listener ") + VEDFOLNIR_VERSION);
    app.footer("Exit codes: 0 success, 1 a task is dead (--once), 2 configuration or connection failed, "
               "3 tasks remain (--once).");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? exit_ok : exit_failure;
    }
    if (list_options) {
        for (const std::string &name : option_names())
            std::cout << name << '\n';
        return exit_ok;
    }
    std::signal(SIGPIPE, SIG_IGN);
    try {
        Config config = read_config(config_path);
        if (!log_level.empty())
            config.log_level = parse_log_level(log_level);
        configure_log(config.log_level, config.log_json);
        if (geteuid() == 0 && !allow_root && !config.allow_root)
            throw Error("F0000", "refusing to run as root; use an unprivileged user, or --allow-root");
        if (check)
            return run_check(config);
        if (config.services.empty())
            throw Error("F0000", "the configuration has no [service NAME] section");
        return once ? run_once(config) : run_daemon(config_path, std::move(config));
    } catch (const Error &error) {
        std::cerr << "vedfolnir-listener: " << error.what() << '\n';
        if (!error.hint().empty())
            std::cerr << "hint: " << error.hint() << '\n';
    } catch (const std::exception &error) {
        std::cerr << "vedfolnir-listener: " << error.what() << '\n';
    }
    return exit_failure;
}
