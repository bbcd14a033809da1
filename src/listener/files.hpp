// files.hpp: the kinds file and directory: below one configured root, and nowhere else.
#ifndef VEDFOLNIR_LISTENER_FILES_HPP
#define VEDFOLNIR_LISTENER_FILES_HPP

#include "listener/beneath.hpp"
#include "listener/service.hpp"
#include "listener/thread_pool.hpp"

#include <optional>

namespace vedfolnir
{

class FileService : public Service
{
  public:
    FileService(std::string name, FilesConfig config);
    void run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes) override;
    bool is_quick() const override { return true; }
    std::string check() override;
    void idle() override { threads_.rest(); }

  private:
    struct Entry;
    struct Group;

    FileDescriptor open_root();
    void remove_files(int root, const std::vector<Task> &tasks, const std::vector<size_t> &order, Progress &progress,
                      std::vector<Outcome> &outcomes);
    void remove_slice(const Group &group, Entry *first, const Entry *last, const std::vector<Task> &tasks);
    Outcome remove_file(int parent, const Task &task, const std::string &name);
    Outcome remove_directory(int root, const Task &task, Progress &progress);

    std::string name_;
    FilesConfig config_;
    std::optional<std::pair<uint64_t, uint64_t>> root_; // device and inode
    ThreadPool threads_;
};

// What an errno of a file operation means for its task.
Outcome outcome_of_errno(int number, const char *what);

} // namespace vedfolnir
#endif
