// Which relations batches may empty, and in which order.
#include "core/peel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

using namespace vedfolnir;

namespace
{

// Nodes are letters, the first is the root; edges "parent child action".
Plan plan_of(const std::string &nodes, const std::vector<std::string> &edges)
{
    Graph graph;
    for (char c : nodes) {
        Node node;
        node.schema = "s";
        node.relation = std::string(1, c);
        graph.nodes.push_back(node);
    }
    for (size_t i = 0; i < edges.size(); i++) {
        Edge edge;
        edge.parent = static_cast<int>(nodes.find(edges[i][0]));
        edge.child = static_cast<int>(nodes.find(edges[i][1]));
        edge.policy = static_cast<Action>(edges[i][2]);
        edge.name = "e" + std::to_string(i);
        edge.schema = "s";
        edge.relation = std::string(1, edges[i][1]);
        graph.edges.push_back(edge);
    }
    graph.root = 0;
    return make_plan(graph);
}

std::string peeled(const std::string &nodes, const std::vector<std::string> &edges, std::vector<bool> referred = {})
{
    referred.resize(edges.size());
    std::string order;
    for (int node : peel_order(plan_of(nodes, edges), referred))
        order += nodes[node];
    return order;
}

bool before(const std::string &order, char a, char b)
{
    return order.find(a) < order.find(b) && order.find(b) != std::string::npos;
}

} // namespace

TEST(Peel, ChildrenComeBeforeTheirParents)
{
    const std::string order = peeled("rabc", {"rad", "abd", "bcd"});
    EXPECT_EQ(order, "cba");
}

TEST(Peel, ADiamondIsPeeledFromBelow)
{
    const std::string order = peeled("rabcd", {"rad", "rbd", "acd", "bcd", "cdd"});
    EXPECT_EQ(order.size(), 4u);
    EXPECT_TRUE(before(order, 'd', 'c') && before(order, 'c', 'a') && before(order, 'c', 'b'));
}

TEST(Peel, TheRootIsNeverTaken)
{
    EXPECT_EQ(peeled("r", {}), "");
    EXPECT_EQ(peeled("ra", {"rad"}), "a");
}

TEST(Peel, SelfReferencesAndCyclesStayWithAllAboveThem)
{
    EXPECT_EQ(peeled("rab", {"rad", "abd", "bbd"}), "");
    EXPECT_EQ(peeled("rabcx", {"rad", "abd", "bcd", "cbd", "axd"}), "x");
    EXPECT_EQ(peeled("rab", {"rad", "abd", "brd"}), "");
}

TEST(Peel, WhatHangsBelowACycleIsPeeled)
{
    EXPECT_EQ(peeled("rab", {"rad", "aad", "abd"}), "b");
}

TEST(Peel, RowsThatReferWithoutGoingKeepTheirParents)
{
    // Rows of n refer to a, and rows of a hang on b.
    const std::vector<std::string> edges = {"rbd", "bad", "ann", "rcd"};
    EXPECT_EQ(peeled("rbanc", edges, {false, false, true, false}), "c");
    std::string order = peeled("rbanc", edges, {false, false, false, false});
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, "abc");
}

TEST(Peel, AncestorsAreAllNodesOnTheWay)
{
    const Plan plan = plan_of("rabcd", {"rad", "abd", "bcd", "cbd", "rdd"});
    EXPECT_EQ(ancestors(plan, 2), (std::vector<bool>{true, true, true, true, false}));
    EXPECT_EQ(ancestors(plan, 4), (std::vector<bool>{true, false, false, false, false}));
    EXPECT_EQ(ancestors(plan, 0), (std::vector<bool>(5, false)));
}
