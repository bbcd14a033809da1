// Targets: one spelling per file, what is refused, and how values are escaped (R64, R71, R75).
#include "core/error.hpp"
#include "core/task.hpp"

#include <gtest/gtest.h>

using namespace vedfolnir;
using namespace std::string_literals;

TEST(RealmOfTarget, IsDecoded)
{
    for (const auto &[target, realm] : {std::pair<std::string, std::string>("a-b/x", "a-b"),
                                        {"a%2Db/x", "a-b"},
                                        {"%61%2db/username=y", "a-b"},
                                        {"a%2Fb/x", "a/b"},
                                        {"a%2", "a%2"},
                                        {"a%zz%/x", "a%zz%"},
                                        {"/x", ""},
                                        {"", ""}}) {
        std::string text = target;
        text.resize(realm_of_target(text.data(), text.size()));
        EXPECT_EQ(text, realm) << target;
    }
}

TEST(NormaliseTarget, GivesOneSpellingPerFile)
{
    for (const char *same : {"a/b", "a//b", "./a/b", "a/./b", "a/b/", "a/b/.", ".//a/.//b//"})
        EXPECT_EQ(normalise_target("file", same), "a/b") << same;
    EXPECT_EQ(normalise_target("directory", "user_1/"), "user_1");
}

TEST(NormaliseTarget, DoesNotHideWhatIsRefused)
{
    EXPECT_EQ(normalise_target("file", "//a"), "/a");
    EXPECT_EQ(normalise_target("file", "/"), "/");
    EXPECT_EQ(normalise_target("file", "a/../b"), "a/../b");
    EXPECT_EQ(normalise_target("file", "./."), ".");
    EXPECT_EQ(normalise_target("file", ""), "");
}

TEST(NormaliseTarget, LeavesOtherKindsAlone)
{
    EXPECT_EQ(normalise_target("redis_key", "a//b/./"), "a//b/./");
    EXPECT_EQ(normalise_target("identity", "r/x/"), "r/x/");
}

TEST(RefusalOfTarget, RefusesPathsThatCouldLeaveTheRoot)
{
    for (const char *kind : {"file", "directory"})
        for (const char *bad : {"", "/", "/etc/passwd", "//a", "..", "../a", "a/..", "a/../b", ".", "./", "./.", "a//../b"})
            EXPECT_NE(refusal_of_target(kind, bad), "") << kind << ' ' << bad;
    EXPECT_NE(refusal_of_target("file", "a\0b"s), "");
}

TEST(RefusalOfTarget, AcceptsOrdinaryPaths)
{
    for (const char *good : {"a", "a/b", "...", "a/..b", "a/b..", ".hidden", "a b/\xC3\xBC", "a/./b", "x/", "-rf", "a\nb"})
        EXPECT_EQ(refusal_of_target("file", good), "") << good;
}

TEST(RefusalOfTarget, HasLimitsOfLength)
{
    EXPECT_EQ(refusal_of_target("file", std::string(255, 'a')), "");
    EXPECT_NE(refusal_of_target("file", std::string(256, 'a')), "");
    std::string deep;
    while (deep.size() + 2 < 4095)
        deep += "a/";
    EXPECT_EQ(refusal_of_target("file", deep + "b"), "");
    EXPECT_NE(refusal_of_target("file", deep + "a/a/b"), "");
    EXPECT_EQ(refusal_of_target("redis_key", std::string(65536, 'a')), "");
    EXPECT_NE(refusal_of_target("redis_key", std::string(65537, 'a')), "");
}

TEST(RefusalOfTarget, RefusesPatternsThatFitEverybody)
{
    EXPECT_NE(refusal_of_target("redis_pattern", "*"), "");
    EXPECT_NE(refusal_of_target("redis_pattern", "*:12"), "");
    EXPECT_NE(refusal_of_target("redis_pattern", "?x"), "");
    EXPECT_NE(refusal_of_target("redis_pattern", "[a]x"), "");
    EXPECT_EQ(refusal_of_target("redis_pattern", "cache:12:*"), "");
    EXPECT_EQ(refusal_of_target("redis_pattern", "\\*12"), "");
}

TEST(RefusalOfTarget, RefusesKindsItDoesNotKnow)
{
    EXPECT_NE(refusal_of_target("tape", "x"), "");
    EXPECT_EQ(refusal_of_target("webhook", "x"), "");
}

TEST(RefusalOfTarget, NeverRepeatsTheTarget)
{
    for (const char *kind : {"file", "redis_pattern", "identity"})
        for (const char *bad : {"/secret-name", "*secret-name", "../secret-name", "secret-name"})
            EXPECT_EQ(refusal_of_target(kind, bad).find("secret"), std::string::npos);
}

TEST(RefusalOfTarget, RefusesAMarkedValue)
{
    EXPECT_NE(refusal_of_target("directory", std::string("storage/user_") + refused_segment_mark + "../x"), "");
    EXPECT_NE(refusal_of_target("file", std::string(1, refused_segment_mark)), "");
    EXPECT_EQ(refusal_of_target("directory", "storage/user_12/x"), "");
}

TEST(EscapePercent, RoundTrips)
{
    std::string all;
    for (int c = 1; c < 256; c++)
        all += static_cast<char>(c);
    const std::string escaped = escape_percent(all);
    EXPECT_EQ(unescape_percent(escaped), all);
    for (char c : escaped)
        EXPECT_TRUE(isalnum(static_cast<unsigned char>(c)) || strchr("-._~%", c)) << c;
    EXPECT_EQ(escape_percent("a/b c"), "a%2Fb%20c");
}

TEST(EscapePercent, RefusesMalformedText)
{
    for (const char *bad : {"%", "%4", "%zz", "%4x", "%00", "a%"})
        EXPECT_THROW(unescape_percent(bad), Error) << bad;
}

TEST(IdentityTarget, HasTwoForms)
{
    const IdentityTarget by_id = parse_identity_target("realm/0a-1");
    EXPECT_EQ(by_id.realm, "realm");
    EXPECT_EQ(by_id.id, "0a-1");
    EXPECT_EQ(by_id.username, "");
    const IdentityTarget by_name = parse_identity_target("r/username=a%2Fb");
    EXPECT_EQ(by_name.id, "");
    EXPECT_EQ(by_name.username, "a%2Fb");
}

TEST(IdentityTarget, RefusesEverythingElse)
{
    for (const char *bad : {"", "realm", "/id", "realm/", "realm/username=", "realm/a/b", "../id", "realm/..", "realm/%zz"})
        EXPECT_NE(refusal_of_target("identity", bad), "") << bad;
}
