// secret.cpp: where a secret may come from. Never the command line, never the database.
#include "listener/config.hpp"
#include "listener/config_text.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace vedfolnir
{

std::string read_secret(const SecretSource &source)
{
    if (!source.text.empty())
        return source.text;
    if (!source.environment.empty()) {
        const char *value = std::getenv(source.environment.c_str());
        if (value == nullptr || *value == '\0')
            fail("environment variable " + source.environment + " is not set");
        return value;
    }
    std::string path = source.file;
    if (!source.credential.empty()) {
        const char *directory = std::getenv("CREDENTIALS_DIRECTORY");
        if (directory == nullptr)
            fail("credential " + source.credential + " is not there: CREDENTIALS_DIRECTORY is not set");
        path = std::string(directory) + "/" + source.credential;
    }
    if (path.empty())
        return {};
    std::ifstream in(path);
    struct stat status;
    if (!in || stat(path.c_str(), &status) != 0)
        fail("could not read secret file \"" + path + "\": " + std::strerror(errno));
    if ((status.st_mode & 077) != 0 && source.credential.empty())
        fail("secret file \"" + path + "\" can be read by others; use mode 0600");
    std::ostringstream text;
    text << in.rdbuf();
    const std::string secret = trimmed(text.str());
    if (secret.empty())
        fail("secret file \"" + path + "\" is empty");
    return secret;
}

} // namespace vedfolnir
