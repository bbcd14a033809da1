// directory.cpp: depth first, in portions, with the database asked about each portion.
#include "listener/directory.hpp"

#include "listener/beneath.hpp"
#include "listener/fault.hpp"
#include "listener/files.hpp"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace vedfolnir
{
namespace
{

constexpr size_t portion = 1000;
constexpr int rounds_max = 5; // of a directory that is filled while it is emptied

struct DirectoryCloser
{
    void operator()(DIR *stream) const { closedir(stream); }
};
using DirectoryStream = std::unique_ptr<DIR, DirectoryCloser>;

// Reads the next names that are not in kept, from the start: unlinking moves positions on some file systems.
std::vector<std::string> read_names(DIR *stream, const std::set<std::string> &kept)
{
    std::vector<std::string> names;
    rewinddir(stream);
    errno = 0;
    while (const dirent *entry = readdir(stream)) {
        const std::string name = entry->d_name;
        if (name != "." && name != ".." && kept.count(name) == 0)
            names.push_back(name);
        if (names.size() == portion)
            break;
        errno = 0;
    }
    if (errno != 0)
        throw DirectoryCleaner::Failure{outcome_of_errno(errno, "directory cannot be read")};
    return names;
}

} // namespace

int64_t DirectoryCleaner::empty(int directory, const std::string &path, int depth)
{
    FileDescriptor owned(directory);
    if (depth > config_.max_depth)
        throw Failure{{Verdict::dead, "directory is deeper than max_depth", Milliseconds(0)}};
    const DirectoryStream stream(fdopendir(directory));
    if (!stream)
        throw Failure{outcome_of_errno(errno, "directory cannot be read")};
    owned.release();
    std::set<std::string> kept_names;
    int64_t kept = 0;
    for (;;) {
        const std::vector<std::string> names = read_names(stream.get(), kept_names);
        if (names.empty())
            break;
        if (removed_ >= config_.max_entries || !progress_.go_on())
            throw Stopped();
        std::vector<std::string> paths;
        for (const std::string &name : names)
            paths.push_back(path + "/" + name);
        const std::set<std::string> in_use = progress_.paths_in_use(task_, paths);
        std::vector<Found> found(names.size(), Found::gone);
        const auto remove = [&](size_t i) {
            if (in_use.count(paths[i]) == 0)
                found[i] = remove_file(directory, names[i]);
        };
        if (!threads_.run(names.size(), remove, [this] { return progress_.go_on(); }))
            throw Stopped();
        for (size_t i = 0; i < names.size(); i++) {
            removed_ += found[i] == Found::removed || found[i] == Found::linked;
            linked_ += found[i] == Found::linked;
            int64_t stay = in_use.count(paths[i]) != 0 ? 1 : 0;
            if (found[i] == Found::directory)
                stay = remove_directory(directory, paths[i], names[i], depth);
            if (stay > 0)
                kept_names.insert(names[i]);
            kept += stay;
        }
    }
    VDF_FAULT("effect");
    if (fsync(directory) != 0)
        throw Failure{outcome_of_errno(errno, "directory cannot be synced")};
    return kept;
}

int64_t DirectoryCleaner::remove_directory(int directory, const std::string &path, const std::string &name, int depth)
{
    for (int round = 1;; round++) {
        FileDescriptor child = open_directory_beneath(directory, name);
        if (!child && errno == ENOENT)
            return 0;
        if (!child)
            throw Failure{outcome_of_errno(errno, "directory cannot be opened")};
        const int64_t kept = empty(child.release(), path, depth + 1);
        if (kept > 0)
            return kept;
        if (unlinkat(directory, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) {
            removed_++;
            return 0;
        }
        if ((errno != ENOTEMPTY && errno != EEXIST) || round == rounds_max)
            throw Failure{{errno == ENOTEMPTY || errno == EEXIST ? Verdict::retry : Verdict::dead,
                           "directory cannot be removed", Milliseconds(0)}};
    }
}

// Runs in several threads at once.
DirectoryCleaner::Found DirectoryCleaner::remove_file(int directory, const std::string &name) const
{
    struct stat status;
    if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return Found::gone;
        throw Failure{outcome_of_errno(errno, "entry of the directory cannot be read")};
    }
    if (S_ISDIR(status.st_mode))
        return Found::directory;
    if (S_ISLNK(status.st_mode) && !config_.unlink_symlinks)
        throw Failure{{Verdict::dead, "directory holds a symbolic link", Milliseconds(0)}};
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode))
        throw Failure{{Verdict::dead, "directory holds an entry that is not a regular file", Milliseconds(0)}};
    if (unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT)
        throw Failure{outcome_of_errno(errno, "entry of the directory cannot be removed")};
    VDF_FAULT("removed");
    return S_ISREG(status.st_mode) && status.st_nlink > 1 ? Found::linked : Found::removed;
}

} // namespace vedfolnir
