// log.cpp: lines are composed here; spdlog keeps them whole across threads.
#include "listener/log.hpp"

#include "core/error.hpp"

#include <ctime>
#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace vedfolnir
{
namespace
{

bool log_json = false;

spdlog::logger &logger()
{
    static const std::shared_ptr<spdlog::logger> instance = [] {
        auto made = spdlog::stderr_logger_mt("vedfolnir");
        made->set_pattern("%v");
        return made;
    }();
    return *instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level)
{
    switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: break;
    }
    return spdlog::level::err;
}

const char *level_name(LogLevel level)
{
    switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: break;
    }
    return "error";
}

std::string utc_now()
{
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

// A message of a server may hold line breaks; a log line may not.
std::string on_one_line(std::string text)
{
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    for (char &c : text)
        if (static_cast<unsigned char>(c) < ' ')
            c = ' ';
    return text;
}

} // namespace

void configure_log(LogLevel least, bool json)
{
    log_json = json;
    logger().set_level(spdlog_level(least));
    logger().flush_on(spdlog::level::trace);
}

LogLevel parse_log_level(const std::string &name)
{
    for (LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error})
        if (name == level_name(level))
            return level;
    throw Error("F0000", "log level must be debug, info, warn or error, not \"" + name + "\"");
}

std::string format_log_line(LogLevel level, const std::string &time, const LogFields &fields, const std::string &message,
                            bool json)
{
    if (json) {
        nlohmann::ordered_json line;
        line["time"] = time;
        line["level"] = level_name(level);
        for (const auto &[name, value] : fields)
            line[name] = on_one_line(value);
        if (!message.empty())
            line["message"] = on_one_line(message);
        return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    }
    std::string name = level_name(level);
    name.resize(5, ' ');
    std::string line = time + ' ' + name;
    for (const auto &[key, value] : fields)
        line += ' ' + key + '=' + on_one_line(value);
    if (!message.empty())
        line += ' ' + on_one_line(message);
    return line;
}

void log_event(LogLevel level, const LogFields &fields, const std::string &message)
{
    if (logger().should_log(spdlog_level(level)))
        logger().log(spdlog_level(level), "{}", format_log_line(level, utc_now(), fields, message, log_json));
}

} // namespace vedfolnir
