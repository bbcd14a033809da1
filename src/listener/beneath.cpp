// beneath.cpp: the kernel resolves the path, so that nobody can swap a directory for a link between check and use.
#include "listener/beneath.hpp"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace vedfolnir
{

FileDescriptor &FileDescriptor::operator=(FileDescriptor &&other) noexcept
{
    std::swap(fd_, other.fd_);
    return *this;
}

FileDescriptor::~FileDescriptor()
{
    if (fd_ >= 0)
        close(fd_);
}

static bool can_openat2(int root)
{
    struct open_how how = {};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    const FileDescriptor probe(static_cast<int>(syscall(SYS_openat2, root, ".", &how, sizeof(how))));
    return probe.get() >= 0;
}

FileDescriptor open_directory_beneath(int root, const std::string &path)
{
    static std::atomic<bool> kernel_has_it{true};
    struct open_how how = {};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
    // EAGAIN: a rename or mount elsewhere disturbed the look-up. It is no answer, only a reason to ask again.
    for (int attempt = 0; kernel_has_it && attempt < 1000; attempt++) {
        const long fd = syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof(how));
        if (fd >= 0)
            return FileDescriptor(static_cast<int>(fd));
        const int number = errno;
        // An old container runtime answers EPERM for a call that it does not know.
        if (number == ENOSYS || (number == EPERM && !can_openat2(root)))
            kernel_has_it = false;
        errno = number;
        if (!kernel_has_it)
            break;
        if (errno != EAGAIN && errno != EINTR)
            return FileDescriptor();
    }
    if (kernel_has_it)
        return FileDescriptor();
    return open_directory_stepwise(root, path);
}

FileDescriptor open_directory_stepwise(int root, const std::string &path)
{
    struct stat top, here;
    FileDescriptor current(openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!current || fstat(root, &top) != 0)
        return FileDescriptor();
    for (size_t start = 0; start < path.size();) {
        size_t end = path.find('/', start);
        if (end == std::string::npos)
            end = path.size();
        const std::string name = path.substr(start, end - start);
        start = end + 1;
        if (name.empty() || name == ".." || name == ".") {
            errno = EXDEV;
            return FileDescriptor();
        }
        FileDescriptor next(openat(current.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) {
            // O_DIRECTORY with O_NOFOLLOW gives ENOTDIR for a link; openat2() says ELOOP.
            struct stat entry;
            if (errno == ENOTDIR && fstatat(current.get(), name.c_str(), &entry, AT_SYMLINK_NOFOLLOW) == 0)
                errno = S_ISLNK(entry.st_mode) ? ELOOP : ENOTDIR;
            return FileDescriptor();
        }
        if (fstat(next.get(), &here) != 0)
            return FileDescriptor();
        if (here.st_dev != top.st_dev) {
            errno = EXDEV;
            return FileDescriptor();
        }
        current = std::move(next);
    }
    return current;
}

} // namespace vedfolnir
