// directory.hpp: empties a directory tree around what is still in use. Each step may be repeated.
#ifndef VEDFOLNIR_LISTENER_DIRECTORY_HPP
#define VEDFOLNIR_LISTENER_DIRECTORY_HPP

#include "listener/service.hpp"
#include "listener/thread_pool.hpp"

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

    DirectoryCleaner(const FilesConfig &config, const Task &task, Progress &progress, ThreadPool &threads)
        : config_(config), task_(task), progress_(progress), threads_(threads)
    {
    }

    // Takes the descriptor over. Gives the number of entries that stay because a row names them.
    int64_t empty(int directory, const std::string &path, int depth);
    int64_t linked() const { return linked_; }

  private:
    enum class Found { gone, removed, linked, directory }; // linked: removed as well

    Found remove_file(int directory, const std::string &name) const;
    int64_t remove_directory(int directory, const std::string &path, const std::string &name, int depth);

    const FilesConfig &config_;
    const Task &task_;
    Progress &progress_;
    ThreadPool &threads_;
    int64_t removed_ = 0, linked_ = 0;
};

} // namespace vedfolnir
#endif
