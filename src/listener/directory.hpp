// directory.hpp: empties a directory tree around what is still in use. Each step may be repeated.
#ifndef VEDFOLNIR_LISTENER_DIRECTORY_HPP
#define VEDFOLNIR_LISTENER_DIRECTORY_HPP

#include "listener/service.hpp"

namespace vedfolnir
{

class DirectoryCleaner
{
  public:
    struct Stopped // the lease is lost, the listener stops, or this run has done its share
    {
    };
    struct Failure
    {
        Outcome outcome;
    };

    DirectoryCleaner(const FilesConfig &config, const Task &task, Progress &progress)
        : config_(config), task_(task), progress_(progress)
    {
    }

    // Takes the descriptor over. Gives the number of entries that stay because a row names them.
    int64_t empty(int directory, const std::string &path, int depth);
    int64_t linked() const { return linked_; }

  private:
    int64_t remove_entry(int directory, const std::string &path, const std::string &name, int depth);

    const FilesConfig &config_;
    const Task &task_;
    Progress &progress_;
    int64_t removed_ = 0, linked_ = 0;
};

} // namespace vedfolnir
#endif
