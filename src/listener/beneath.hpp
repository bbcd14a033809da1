// beneath.hpp: opens directories strictly below a root: no "..", no symbolic link, no mount point on the way.
#ifndef VEDFOLNIR_LISTENER_BENEATH_HPP
#define VEDFOLNIR_LISTENER_BENEATH_HPP

#include <string>
#include <utility>

namespace vedfolnir
{

class FileDescriptor
{
  public:
    explicit FileDescriptor(int fd = -1) : fd_(fd) {}
    FileDescriptor(FileDescriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    FileDescriptor &operator=(FileDescriptor &&other) noexcept;
    FileDescriptor(const FileDescriptor &) = delete;
    ~FileDescriptor();
    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

// Opens the directory at a relative path below root ("" is the root itself). Gives -1 and errno on failure.
FileDescriptor open_directory_beneath(int root, const std::string &path);

// The same without openat2(): one component at a time, O_NOFOLLOW, on one device. For kernels before 5.6.
FileDescriptor open_directory_stepwise(int root, const std::string &path);

} // namespace vedfolnir
#endif
