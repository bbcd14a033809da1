// database.hpp: one libpq connection. Every failure is an Error with the server's SQLSTATE, or 08006 if it is lost.
#ifndef VEDFOLNIR_LISTENER_DATABASE_HPP
#define VEDFOLNIR_LISTENER_DATABASE_HPP

#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vedfolnir
{

using Parameter = std::optional<std::string>;

class Result
{
  public:
    explicit Result(PGresult *result) : result_(result, PQclear) {}
    int rows() const { return PQntuples(result_.get()); }
    bool null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
    std::string text(int row, int column) const
    {
        return std::string(PQgetvalue(result_.get(), row, column), PQgetlength(result_.get(), row, column));
    }
    int64_t number(int row, int column) const { return std::stoll(text(row, column)); }

  private:
    std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

class Database
{
  public:
    // Fills in what a daemon needs and the caller left out: time limits, keepalives, TLS for another host.
    Database(const std::string &conninfo, const std::string &application_name);

    Result query(const std::string &sql, const std::vector<Parameter> &parameters = {});
    PGconn *connection() const { return connection_.get(); }
    bool lost() const { return PQstatus(connection_.get()) != CONNECTION_OK; }

    // The server does not know what its bytes mean and hands them on as they are.
    bool any_bytes() const { return any_bytes_; }

    // Where it leads to, for --check: "app at /run/postgresql".
    std::string place() const;

  private:
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
    bool any_bytes_ = false;
};

bool is_connection_failure(const std::string &sqlstate);

std::string array_literal(const std::vector<int64_t> &values);
std::string array_literal(const std::vector<std::string> &values);
std::string quote_identifier(const std::string &name);

} // namespace vedfolnir
#endif
