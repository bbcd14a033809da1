// No exception passes the wall and nothing stays behind it: every allocation of every function fails once (R77, R78).
#include "bridge/wall.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace
{

// The number of allocations that still succeed; negative: all.
long allowance = -1;
bool failed = false;

void *allocate(std::size_t size)
{
    if (allowance == 0) {
        failed = true;
        throw std::bad_alloc();
    }
    if (allowance > 0)
        allowance--;
    if (void *memory = std::malloc(size ? size : 1))
        return memory;
    throw std::bad_alloc();
}

} // namespace

void *operator new(std::size_t size)
{
    return allocate(size);
}
void *operator new[](std::size_t size)
{
    return allocate(size);
}
void operator delete(void *memory) noexcept
{
    std::free(memory);
}
void operator delete[](void *memory) noexcept
{
    std::free(memory);
}
void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}
void operator delete[](void *memory, std::size_t) noexcept
{
    std::free(memory);
}

namespace
{

// Runs a call with 0, 1, 2 ... allocations until it succeeds; each failure must be 53200 and leave no plan.
template <typename Call> int fail_at_each_allocation(Call call)
{
    int failures = 0;
    for (long n = 0;; n++) {
        VdfError error;
        std::memset(&error, 0, sizeof(error));
        const long before = vdf_live_plans();
        allowance = n;
        failed = false;
        const bool ok = call(&error);
        allowance = -1;
        if (ok) {
            EXPECT_FALSE(failed);
            return failures;
        }
        failures++;
        EXPECT_TRUE(failed);
        EXPECT_STREQ(error.sqlstate, "53200");
        EXPECT_STREQ(error.message, "out of memory");
        EXPECT_EQ(vdf_live_plans(), before) << "after allocation " << n;
        if (::testing::Test::HasFailure())
            return failures;
    }
}

// users; folder and doc in a cycle; note, whose reference is cleared; clean-up and column rules.
class Wall : public ::testing::Test
{
  protected:
    void SetUp() override
    {
        std::memset(edges, 0, sizeof(edges));
        for (int i = 0; i < 4; i++)
            edge(i, i == 1 ? 2 : i == 2 ? 1 : i == 0 ? 1 : 3, i == 1 ? 1 : i == 2 ? 2 : 0, i == 3 ? VDF_ACTION_NULLIFY : VDF_ACTION_DELETE);
        std::memset(&graph, 0, sizeof(graph));
        graph.nnodes = 4;
        graph.nodes = nodes;
        graph.nedges = 4;
        graph.edges = edges;
        graph.ncolumn_rules = 1;
        graph.column_rules = &rule;
        graph.ntarget_rules = 1;
        graph.target_rules = &target;
        graph.key_column = "id";
        graph.key_op = "OPERATOR(pg_catalog.=)";
        graph.label_column = "a_label_that_is_too_long_to_be_kept_inside_of_a_string";
    }

    void edge(int i, int child, int parent, char policy)
    {
        edges[i].child = child;
        edges[i].parent = parent;
        edges[i].name = names[i];
        edges[i].schema = "a_schema_with_a_name_that_has_to_be_allocated";
        edges[i].relation = nodes[child].relation;
        edges[i].display = nodes[child].display;
        edges[i].from = nodes[child].from;
        edges[i].parent_from = nodes[parent].from;
        edges[i].policy = policy;
        edges[i].validated = true;
        edges[i].npairs = 1;
        edges[i].pairs = &pair;
        edges[i].nsets = 1;
        edges[i].sets = &set;
    }

    VdfPlan *plan()
    {
        VdfPlan *p = nullptr;
        VdfError error;
        EXPECT_TRUE(vdf_plan_create(&graph, &p, &error)) << error.message;
        return p;
    }

    const char *names[4] = {"folder_owner_fkey_with_a_long_name", "doc_folder_fkey_with_a_long_name", "folder_doc_fkey_with_a_long_name",
                            "note_author_fkey_with_a_long_name"};
    VdfNode nodes[4] = {{"app", "users", "app.users", "ONLY app.users"}, {"app", "folder", "app.folder", "ONLY app.folder"},
                        {"app", "doc", "app.doc", "ONLY app.doc"}, {"app", "note", "app.note", "ONLY app.note"}};
    VdfPair pair = {"id", "", "OPERATOR(pg_catalog.=)", "parent_column_with_a_name_of_some_length", "", true, false};
    VdfSet set = {"parent_column_with_a_name_of_some_length", "NULL", false};
    VdfColumnRule rule = {3, 3, "text_column_with_a_name_of_some_length", "'somebody whose name is not known any more'"};
    VdfTargetRule target = {2, "file", "'documents of the person/' || c.id", ""};
    VdfEdge edges[4];
    VdfGraph graph;
};

TEST_F(Wall, CreatingAPlanFailsCleanlyAtEachAllocation)
{
    VdfPlan *p = nullptr;
    const long before = vdf_live_plans();
    EXPECT_GT(fail_at_each_allocation([&](VdfError *e) { return vdf_plan_create(&graph, &p, e); }), 20);
    EXPECT_EQ(vdf_live_plans(), before + 1);
    vdf_plan_free(p);
    EXPECT_EQ(vdf_live_plans(), before);
}

TEST_F(Wall, ReachabilityFailsCleanlyAtEachAllocation)
{
    unsigned char reachable[4];
    EXPECT_GT(fail_at_each_allocation([&](VdfError *e) { return vdf_reachable(&graph, reachable, e); }), 3);
}

TEST_F(Wall, EachStatementFailsCleanlyAtEachAllocation)
{
    VdfPlan *p = plan();
    const int detached = 3;
    const VdfSqlRequest requests[] = {
        {VDF_SQL_FIND_ROOT, -1, VDF_LOCK, 0, nullptr},
        {VDF_SQL_TAKE_ROOT, -1, VDF_KEYS | VDF_DELETE, 0, nullptr},
        {VDF_SQL_TAKE_EDGE, 1, VDF_KEYS | VDF_IDENTITY | VDF_COLLATERAL | VDF_TARGETS | VDF_DELETE, 0, nullptr},
        {VDF_SQL_FIND_REFERENCES, 3, VDF_LOCK, 0, nullptr},
        {VDF_SQL_DETACH, 3, 0, 1, &detached},
        {VDF_SQL_NEW_ROWS, 3, 0, 1, &detached, nullptr, ", c.a_column_with_a_long_name AS a_column_with_a_long_name"},
        {VDF_SQL_FIND_LEFT, 1, 0, 0, nullptr},
        {VDF_SQL_FOLLOW_OWN, 1, 0, 0, nullptr},
    };
    for (const VdfSqlRequest &request : requests) {
        const char *text = nullptr;
        EXPECT_GT(fail_at_each_allocation([&](VdfError *e) { return vdf_plan_sql(p, &request, &text, e); }), 1) << request.kind;
        ASSERT_NE(text, nullptr);
        EXPECT_GT(std::strlen(text), 10u);
    }
    vdf_plan_free(p);
    EXPECT_EQ(vdf_live_plans(), 0);
}

TEST_F(Wall, TemplatesAndTargetsFailCleanlyAtEachAllocation)
{
    VdfTemplatePart parts[VDF_TEMPLATE_PARTS];
    int n;
    char buffer[2048], out[512];
    const std::string path = "a_directory_with_a_name_of_some_length//and/./a_file_with_a_name_of_some_length";
    EXPECT_GT(fail_at_each_allocation([&](VdfError *e) {
                  return vdf_template_parse("a_prefix_with_a_name_of_some_length/{a_column_with_a_name_of_some_length}.txt", parts, &n, buffer,
                                            sizeof(buffer), e);
              }),
              1);
    EXPECT_GT(fail_at_each_allocation([&](VdfError *e) {
                  return vdf_template_refusal("identity", "a_realm_with_a_name_of_some_length/{a_column_with_a_name_of_some_length}", out,
                                              sizeof(out), e);
              }),
              1);
    EXPECT_GT(fail_at_each_allocation([&](VdfError *e) { return vdf_normalised_sql("file", "c.a_column_with_a_long_name", buffer, sizeof(buffer), e); }), 1);
    EXPECT_GT(fail_at_each_allocation([&](VdfError *e) { return vdf_normalise_path(path.data(), static_cast<int>(path.size()), out, sizeof(out), e) >= 0; }), 0);
}

TEST_F(Wall, WhatIsNoPlanIsAnErrorAndNotAnException)
{
    VdfPlan *p = nullptr;
    VdfError error;
    graph.root = 99;
    EXPECT_FALSE(vdf_plan_create(&graph, &p, &error));
    EXPECT_STREQ(error.sqlstate, "XX000");
    EXPECT_EQ(p, nullptr);
    EXPECT_EQ(vdf_live_plans(), 0);
}

} // namespace
