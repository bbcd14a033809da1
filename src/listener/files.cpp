// files.cpp: unlink below the root, and one fsync per directory before anything is acknowledged.
#include "listener/files.hpp"

#include "core/error.hpp"
#include "core/task.hpp"
#include "listener/directory.hpp"
#include "listener/fault.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <deque>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace vedfolnir
{
namespace
{

// Files that a thread takes at a time.
constexpr std::ptrdiff_t slice_length = 8;

std::pair<std::string, std::string> split_parent(const std::string &path)
{
    const size_t slash = path.rfind('/');
    if (slash == std::string::npos)
        return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
}

Outcome done()
{
    return {Verdict::done, {}, Milliseconds(0)};
}

Outcome skipped()
{
    return {Verdict::skipped, {}, Milliseconds(0)};
}

// Until the directory is on disk, the file may come back after a crash of the machine.
bool is_synced(int directory)
{
    int code;
    do
        code = fsync(directory);
    while (code != 0 && errno == EINTR);
    return code == 0;
}

} // namespace

Outcome outcome_of_errno(int number, const char *what)
{
    const std::string message = std::string(what) + ": ";
    switch (number) {
    case ENOENT: return skipped();
    case ELOOP: return {Verdict::dead, message + "a symbolic link is on the way", Milliseconds(0)};
    case EXDEV: return {Verdict::dead, message + "the path leaves the root or its file system", Milliseconds(0)};
    case ENOTDIR: return {Verdict::dead, message + "a part of the path is not a directory", Milliseconds(0)};
    case EPERM:
    case EACCES:
    case EISDIR:
    case ENAMETOOLONG:
    case EINVAL: return {Verdict::dead, message + std::strerror(number), Milliseconds(0)};
    default: return {Verdict::retry, message + std::strerror(number), Milliseconds(0)};
    }
}

FileService::FileService(std::string name, FilesConfig config)
    : name_(std::move(name)), config_(std::move(config)), threads_(config_.threads, name_)
{
    try {
        open_root();
    } catch (const Error &) {
        // said when there is something to do
    }
}

// In another directory than before everything seems to be gone already: a file system was unmounted, or a root replaced.
FileDescriptor FileService::open_root()
{
    FileDescriptor root(open(config_.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root)
        throw Error("58030", std::string("root of the service cannot be opened: ") + std::strerror(errno));
    struct stat status;
    if (!config_.marker.empty() && fstatat(root.get(), config_.marker.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        throw Error("58030", "marker is not in the root of the service; is its file system mounted?");
    if (fstat(root.get(), &status) != 0)
        throw Error("58030", std::string("root of the service cannot be read: ") + std::strerror(errno));
    const std::pair<uint64_t, uint64_t> found(status.st_dev, status.st_ino);
    if (root_.value_or(found) != found)
        throw Error("58030", "root of the service is another directory than before; is its file system mounted? SIGHUP accepts it");
    root_ = found;
    return root;
}

void FileService::run(const std::vector<Task> &tasks, Progress &progress, std::vector<Outcome> &outcomes)
{
    FileDescriptor root;
    try {
        root = open_root();
    } catch (const Error &error) {
        for (Outcome &outcome : outcomes)
            outcome = {Verdict::unavailable, error.what(), Milliseconds(0)};
        return;
    }
    std::vector<size_t> files;
    for (size_t i = 0; i < tasks.size(); i++)
        if (tasks[i].kind == "file")
            files.push_back(i);
    remove_files(root.get(), tasks, files, progress, outcomes);
    for (size_t i = 0; i < tasks.size(); i++)
        if (tasks[i].kind == "directory") {
            if (!progress.go_on())
                return;
            outcomes[i] = remove_directory(root.get(), tasks[i], progress);
        }
}

struct FileService::Entry
{
    std::string parent, name;
    size_t index;
    Outcome outcome; // counts when the directory is synced
};

// The files of one directory. Who takes the first of them opens it, who ends the last one syncs it.
struct FileService::Group
{
    Entry *first, *last;
    std::once_flag once;
    FileDescriptor parent;
    int number = 0; // errno, if it cannot be opened
    bool begun = false, settled = false;
    std::atomic<size_t> left{0};

    void open(int root)
    {
        std::call_once(once, [&] {
            parent = open_directory_beneath(root, first->parent);
            number = errno;
            begun = true;
        });
    }

    void settle(std::vector<Outcome> &outcomes)
    {
        VDF_FAULT("effect");
        if (parent && !is_synced(parent.get())) {
            const int code = errno;
            // What was gone before may have been removed by a try that was cut off here.
            for (Entry *entry = first; entry != last; entry++)
                if (entry->outcome.verdict == Verdict::done || entry->outcome.verdict == Verdict::skipped)
                    entry->outcome = outcome_of_errno(code, "directory cannot be synced");
        }
        parent = FileDescriptor();
        for (Entry *entry = first; entry != last; entry++)
            outcomes[entry->index] = std::move(entry->outcome);
        settled = true;
        VDF_FAULT("fsynced");
    }
};

// Sorted by directory, so that each is opened and synced once. The threads take a few files of one directory at a time, in
// order: so no more directories are open than there are threads, and one more.
void FileService::remove_files(int root, const std::vector<Task> &tasks, const std::vector<size_t> &order,
                               Progress &progress, std::vector<Outcome> &outcomes)
{
    std::vector<Entry> entries;
    for (size_t index : order) {
        auto [parent, name] = split_parent(normalise_target("file", tasks[index].target));
        entries.push_back({std::move(parent), std::move(name), index, {}});
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) { return a.parent < b.parent; });
    std::deque<Group> groups;
    struct Slice
    {
        Group *group;
        Entry *first, *last;
    };
    std::vector<Slice> slices;
    for (Entry *first = entries.data(), *end = first + entries.size(); first != end; first = groups.back().last) {
        Group &group = groups.emplace_back();
        group.first = group.last = first;
        while (group.last != end && group.last->parent == first->parent)
            group.last++;
        group.left = static_cast<size_t>(group.last - first);
        for (Entry *next = first; next != group.last; next = slices.back().last)
            slices.push_back({&group, next, next + std::min<std::ptrdiff_t>(slice_length, group.last - next)});
    }
    threads_.run(
        slices.size(),
        [&](size_t i) {
            const auto &[group, first, last] = slices[i];
            group->open(root);
            remove_slice(*group, first, last, tasks);
            const auto length = static_cast<size_t>(last - first);
            if (group->left.fetch_sub(length) == length)
                group->settle(outcomes);
        },
        [&] { return progress.go_on(); });
    // A stop may come in the middle of a directory; what was not tried is left as released.
    for (Group &group : groups)
        if (group.begun && !group.settled)
            group.settle(outcomes);
}

void FileService::remove_slice(const Group &group, Entry *first, const Entry *last, const std::vector<Task> &tasks)
{
    for (Entry *entry = first; entry != last && threads_.proceed(); entry++)
        entry->outcome = group.parent ? remove_file(group.parent.get(), tasks[entry->index], entry->name)
                                      : outcome_of_errno(group.number, "directory cannot be opened");
}

Outcome FileService::remove_file(int parent, const Task &task, const std::string &name)
{
    struct stat status;
    if (fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return outcome_of_errno(errno, "file cannot be read");
    if (S_ISDIR(status.st_mode))
        return {Verdict::dead, "target is a directory", Milliseconds(0)};
    if (S_ISLNK(status.st_mode) && !config_.unlink_symlinks)
        return {Verdict::dead, "target is a symbolic link", Milliseconds(0)};
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        return {Verdict::dead, "target is not a regular file", Milliseconds(0)};
    if (unlinkat(parent, name.c_str(), 0) != 0)
        return outcome_of_errno(errno, "file cannot be removed");
    VDF_FAULT("removed");
    if (S_ISREG(status.st_mode) && status.st_nlink > 1)
        log_event(LogLevel::warn,
                  {{"deletion", task.deletion.substr(0, 8)}, {"task", std::to_string(task.id)}, {"service", name_}},
                  "the data has " + std::to_string(status.st_nlink - 1) + " other hard links and stays on disk");
    return done();
}

Outcome FileService::remove_directory(int root, const Task &task, Progress &progress)
{
    const std::string path = normalise_target("directory", task.target);
    const auto [parent_path, name] = split_parent(path);
    FileDescriptor parent = open_directory_beneath(root, parent_path);
    if (!parent)
        return outcome_of_errno(errno, "directory cannot be opened");
    FileDescriptor directory = open_directory_beneath(root, path);
    if (!directory) {
        const int number = errno;
        // A try that was cut off may have removed it.
        return number == ENOENT && !is_synced(parent.get()) ? outcome_of_errno(errno, "directory cannot be synced")
                                                            : outcome_of_errno(number, "directory cannot be opened");
    }
    DirectoryCleaner cleaner(config_, task, progress, threads_);
    const LogFields fields = {
        {"deletion", task.deletion.substr(0, 8)}, {"task", std::to_string(task.id)}, {"service", name_}};
    try {
        const int64_t kept = cleaner.empty(directory.release(), path, 1);
        if (cleaner.linked() > 0)
            log_event(LogLevel::warn, fields, std::to_string(cleaner.linked()) +
                                                  " files have other hard links, their data stays on disk");
        if (kept > 0) {
            log_event(LogLevel::info, fields, std::to_string(kept) + " entries kept, rows that stay name them");
            return done();
        }
    } catch (const DirectoryCleaner::Stopped &) {
        return {};
    } catch (const DirectoryCleaner::Failure &failure) {
        return failure.outcome;
    }
    if (unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
        return errno == ENOTEMPTY || errno == EEXIST
                   ? Outcome{Verdict::retry, "directory was filled while it was emptied", Milliseconds(0)}
                   : outcome_of_errno(errno, "directory cannot be removed");
    VDF_FAULT("effect");
    if (!is_synced(parent.get()))
        return outcome_of_errno(errno, "directory cannot be synced");
    VDF_FAULT("fsynced");
    return done();
}

std::string FileService::check()
{
    const FileDescriptor root = open_root();
    if (faccessat(root.get(), ".", W_OK | X_OK, AT_EACCESS) != 0)
        throw Error("58030", std::string("root of the service cannot be written to: ") + std::strerror(errno));
    return config_.root;
}

} // namespace vedfolnir
