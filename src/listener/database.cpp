// database.cpp: libpq behind RAII.
#include "listener/database.hpp"

#include "core/error.hpp"

#include <cstring>
#include <map>

namespace vedfolnir
{
namespace
{

bool is_local(const std::map<std::string, std::string> &settings)
{
    for (const char *name : {"host", "hostaddr"}) {
        const auto found = settings.find(name);
        if (found == settings.end())
            continue;
        const std::string &host = found->second;
        if (!host.empty() && host.front() != '/' && host.front() != '@' && host != "localhost" && host != "127.0.0.1" &&
            host != "::1")
            return false;
    }
    return true;
}

std::map<std::string, std::string> parse_conninfo(const std::string &conninfo)
{
    char *message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(conninfo.c_str(), &message), PQconninfoFree);
    if (!options) {
        // libpq's text may quote the string, which may hold a password.
        PQfreemem(message);
        throw Error("F0000", "[database] conninfo is no valid connection string");
    }
    std::map<std::string, std::string> settings;
    for (PQconninfoOption *option = options.get(); option->keyword != nullptr; option++)
        if (option->val != nullptr)
            settings[option->keyword] = option->val;
    return settings;
}

// The parts of libpq's message that say why; it repeats the address, which is no secret.
std::string one_line(const char *message)
{
    std::string text = message == nullptr ? "" : message;
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    for (char &c : text)
        if (c == '\n' || c == '\t')
            c = ' ';
    return text;
}

} // namespace

Database::Database(const std::string &conninfo, const std::string &application_name) : connection_(nullptr, PQfinish)
{
    std::map<std::string, std::string> settings = parse_conninfo(conninfo);
    // A peer that is gone is found within 30 seconds, also while a statement waits for its answer.
    for (const auto &[name, value] : std::map<std::string, std::string>{{"connect_timeout", "10"},
                                                                        {"keepalives", "1"},
                                                                        {"keepalives_idle", "10"},
                                                                        {"keepalives_interval", "5"},
                                                                        {"keepalives_count", "3"},
                                                                        {"tcp_user_timeout", "20000"},
                                                                        {"application_name", application_name},
                                                                        {"target_session_attrs", "read-write"},
                                                                        {"client_encoding", "UTF8"}})
        settings.emplace(name, value);
    if (!is_local(settings) && std::getenv("PGSSLMODE") == nullptr)
        settings.emplace("sslmode", "verify-full");
    std::vector<const char *> names, values;
    for (const auto &[name, value] : settings) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectdbParams(names.data(), values.data(), 0));
    if (!connection_ || lost())
        throw Error("08001", "could not connect: " + one_line(PQerrorMessage(connection_.get())));
    // Of such a database one target that is no UTF-8 would make every claim fail.
    const char *encoding = PQparameterStatus(connection_.get(), "server_encoding");
    any_bytes_ = encoding != nullptr && std::strcmp(encoding, "SQL_ASCII") == 0;
    if (any_bytes_ && PQsetClientEncoding(connection_.get(), "SQL_ASCII") != 0)
        throw Error("08001", "could not connect: " + one_line(PQerrorMessage(connection_.get())));
    PQsetNoticeProcessor(
        connection_.get(), [](void *, const char *) {}, nullptr);
}

Result Database::query(const std::string &sql, const std::vector<Parameter> &parameters)
{
    std::vector<const char *> values;
    values.reserve(parameters.size());
    for (const Parameter &parameter : parameters)
        values.push_back(parameter ? parameter->c_str() : nullptr);
    PGresult *raw = PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                 nullptr, nullptr, 0);
    Result result(raw);
    const ExecStatusType status = PQresultStatus(raw);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    const char *sqlstate = PQresultErrorField(raw, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(raw, PG_DIAG_MESSAGE_PRIMARY);
    if (lost() || sqlstate == nullptr)
        throw Error("08006", "connection to the database was lost");
    throw Error(sqlstate, one_line(primary));
}

std::string Database::place() const
{
    const char *host = PQhost(connection_.get());
    return std::string(PQdb(connection_.get())) + " at " + (host == nullptr ? "" : host);
}

bool is_connection_failure(const std::string &sqlstate)
{
    return sqlstate.compare(0, 2, "08") == 0 || sqlstate.compare(0, 3, "57P") == 0;
}

std::string array_literal(const std::vector<int64_t> &values)
{
    std::string literal = "{";
    for (int64_t value : values)
        literal += (literal.size() > 1 ? "," : "") + std::to_string(value);
    return literal + "}";
}

std::string array_literal(const std::vector<std::string> &values)
{
    std::string literal = "{";
    for (const std::string &value : values) {
        literal += literal.size() > 1 ? ",\"" : "\"";
        for (char c : value) {
            if (c == '"' || c == '\\')
                literal += '\\';
            literal += c;
        }
        literal += '"';
    }
    return literal + "}";
}

std::string quote_identifier(const std::string &name)
{
    std::string quoted = "\"";
    for (char c : name)
        quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

} // namespace vedfolnir
