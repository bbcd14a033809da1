// error.hpp: the one exception of core; it carries the facts that an ereport needs.
#ifndef VEDFOLNIR_CORE_ERROR_HPP
#define VEDFOLNIR_CORE_ERROR_HPP

#include <stdexcept>
#include <string>

namespace vedfolnir
{

class Error : public std::runtime_error
{
  public:
    Error(const char *sqlstate, const std::string &message, std::string detail = {}, std::string hint = {})
        : std::runtime_error(message), sqlstate_(sqlstate), detail_(std::move(detail)), hint_(std::move(hint))
    {
    }
    const std::string &sqlstate() const { return sqlstate_; }
    const std::string &detail() const { return detail_; }
    const std::string &hint() const { return hint_; }

  private:
    std::string sqlstate_;
    std::string detail_;
    std::string hint_;
};

} // namespace vedfolnir
#endif
