// Opening below a root: what is refused, by openat2() and by its stepwise replacement; and under attack (R65).
#include "listener/beneath.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace vedfolnir;
namespace fs = std::filesystem;

namespace
{

class Beneath : public ::testing::TestWithParam<bool>
{
  protected:
    void SetUp() override
    {
        char name[] = "/tmp/vedfolnir-beneath-XXXXXX";
        top = mkdtemp(name);
        fs::create_directories(top / "root/a/b");
        fs::create_directories(top / "outside/b");
        std::ofstream(top / "root/file") << "x";
        fs::create_symlink("../outside", top / "root/link");
        fs::create_symlink("a", top / "root/inner_link");
        root = FileDescriptor(open((top / "root").c_str(), O_RDONLY | O_DIRECTORY));
    }
    void TearDown() override { fs::remove_all(top); }

    FileDescriptor open_it(const std::string &path)
    {
        return GetParam() ? open_directory_beneath(root.get(), path) : open_directory_stepwise(root.get(), path);
    }
    int failure(const std::string &path)
    {
        errno = 0;
        const FileDescriptor opened = open_it(path);
        return opened ? 0 : errno;
    }

    fs::path top;
    FileDescriptor root;
};

} // namespace

TEST_P(Beneath, OpensWhatIsThere)
{
    EXPECT_EQ(failure(""), 0);
    EXPECT_EQ(failure("a"), 0);
    EXPECT_EQ(failure("a/b"), 0);
    EXPECT_EQ(failure("a/none"), ENOENT);
    EXPECT_EQ(failure("file"), ENOTDIR);
    EXPECT_EQ(failure("file/x"), ENOTDIR);
}

TEST_P(Beneath, RefusesWaysOut)
{
    EXPECT_EQ(failure(".."), EXDEV);
    EXPECT_EQ(failure("a/../.."), EXDEV);
    EXPECT_EQ(failure("/etc"), EXDEV);
    EXPECT_EQ(failure("link"), ELOOP);
    EXPECT_EQ(failure("link/b"), ELOOP);
    EXPECT_EQ(failure("inner_link"), ELOOP);
    EXPECT_EQ(failure("inner_link/b"), ELOOP);
}

// Another thread swaps a/b between a directory and a link to the outside, as fast as it can.
TEST_P(Beneath, IsNotFooledByARace)
{
    const long tries = std::getenv("VEDFOLNIR_RACE_TRIES") ? std::atol(std::getenv("VEDFOLNIR_RACE_TRIES")) : 1000000;
    fs::rename(top / "root/a/b", top / "root/a/real");
    fs::create_symlink("../../outside", top / "root/a/evil");
    std::ofstream(top / "outside/victim") << "x";
    const std::string real = top / "root/a/real", evil = top / "root/a/evil", name = top / "root/a/b";
    std::atomic<bool> done{false};
    std::thread attacker([&] {
        while (!done) {
            if (rename(evil.c_str(), name.c_str()) == 0)
                rename(name.c_str(), evil.c_str());
            if (rename(real.c_str(), name.c_str()) == 0)
                rename(name.c_str(), real.c_str());
        }
    });
    long opened = 0, refused = 0, escaped = 0;
    struct stat outside;
    ASSERT_EQ(stat((top / "outside").c_str(), &outside), 0);
    for (long i = 0; i < tries; i++) {
        const FileDescriptor directory = open_it("a/b");
        struct stat here;
        if (!directory) {
            refused++;
            continue;
        }
        ASSERT_EQ(fstat(directory.get(), &here), 0);
        opened++;
        escaped += here.st_ino == outside.st_ino && here.st_dev == outside.st_dev;
        unlinkat(directory.get(), "victim", 0);
    }
    done = true;
    attacker.join();
    EXPECT_EQ(escaped, 0);
    EXPECT_TRUE(fs::exists(top / "outside/victim"));
    EXPECT_GT(opened, 0) << "the race was not run";
    EXPECT_GT(refused, 0) << "the race was not run";
}

INSTANTIATE_TEST_SUITE_P(Both, Beneath, ::testing::Values(true, false),
                         [](const auto &parameter) { return parameter.param ? "openat2" : "stepwise"; });
