"""The expected outcome of a deletion, row at a time: a fixpoint over fetched rows. Shares nothing with the engine."""

from collections import defaultdict

from catalogue import Row
from equality import array_elements, canonical
from survivors import DECLARED, STRENGTH, Survivors


class Outcome:
    def __init__(self):
        self.deleted = set()            # rows that go
        self.counts = defaultdict(int)  # (edge index, action) -> count
        self.collateral = defaultdict(int)
        self.blockers = {}              # edge index -> reason
        self.collateral_refused = False
        self.lenient = []               # why the outcome may also be a refusal
        self.must_fail = []             # why the run fails although no blocker is predicted by name
        self.kept = set()               # partition roots whose triggers keep rows back
        self.final = {}                 # expected rows per partition root
        self.updated = {}               # row -> new values
        self.given = {}                 # row -> columns that an edge gave a value
        self.in_cycle = set()           # partition roots inside a cycle of delete edges
        self.conflict = False           # native order decides: two edges change one column
        self.unsure = set()             # edge indexes whose count is ambiguous


class Reference(Survivors):
    def __init__(self, catalogue, state, defaults, root, key_column, keys, mode, policies, columns):
        self.catalogue, self.state, self.defaults = catalogue, state, defaults
        self.root = root
        self.mode = mode
        self.edges = catalogue.edges
        chosen = {(p["relation"], p["edge"]): p for p in policies}
        self.policy = [chosen.get((e.child.qualified(), e.name)) or e.declared_on and chosen.get((e.declared_on.qualified(), e.name))
                       for e in self.edges]
        self.actions = [p["action"] if p else e.link or DECLARED[e.declared] for p, e in zip(self.policy, self.edges)]
        # What an edge's rows get besides; the rules of a table hold for those that inherit from it, which may have their own.
        # Declared again, the last call counts.
        columns = list({(c["relation"], c["edge"], c["column"]): c for c in columns}.values())
        columns = sorted(columns, key=lambda c: self.heirs_of(c["relation"]))
        self.rules = [[(c["column"], c["value"]) for c in columns if c["edge"] == e.name and self.is_of(e.child, c["relation"])] for e in self.edges]
        self.root_rules = [(c["column"], c["value"]) for c in columns if c["edge"] is None] if mode == "tombstone" else []
        attribute = root.named(key_column)
        known = {canonical(r.values[key_column], attribute.base, attribute.base, attribute.locale): r for r in state[root.oid]}
        self.roots = {known[canonical(key, attribute.base, attribute.base, attribute.locale)] for key in keys}
        self.tombstones = self.roots if mode == "tombstone" else set()

    def is_of(self, relation, name):
        return any(any(r is relation for r in self.catalogue.with_heirs(r)) for r in self.catalogue.relations.values() if r.qualified() == name)

    def heirs_of(self, name):
        return sum(len(self.catalogue.with_heirs(r)) for r in self.catalogue.relations.values() if r.qualified() == name)

    # ---- keys ----
    def child_sides(self, edge, row, values=None, conditioned=True):
        """The comparable references of a row: none, one, or as many as an array has elements."""
        values = values or row.values
        if row.leaf not in edge.child.tree or conditioned and not edge.applies(values):
            return []
        if edge.array:
            text = values[edge.columns[0]]
            return [self.comparable(edge, [v]) for v in array_elements(text) if v is not None] if text is not None else []
        given = [values[c] for c in edge.columns]
        return [] if None in given else [self.comparable(edge, given)]

    @staticmethod
    def comparable(edge, given):
        side = []
        for value, column, target in zip(given, edge.columns, edge.targets):
            parent = edge.parent.named(target)
            side.append(canonical(value, edge.child.named(column).base, parent.base, parent.locale))
        return tuple(side)

    def parents_of(self, e, row, values=None):
        return [p for side in self.child_sides(self.edges[e], row, values) for p in self.parents[e].get(side, [])]

    def refers_to_gone(self, e, row, values=None):
        return any(p in self.gone for p in self.parents_of(e, row, values))

    def still_refers(self, e, row):
        """By a reference that the row had before, to what goes. What its condition asks about may have changed: it held before."""
        after = set(self.child_sides(self.edges[e], row, self.out.updated.get(row), conditioned=False))
        return any(side in after and any(p in self.gone for p in self.parents[e].get(side, [])) for side in self.child_sides(self.edges[e], row))

    def parent_side(self, edge, row, values=None):
        if row.leaf not in edge.parent.tree:
            return None
        values = values or row.values
        side = []
        for target in edge.targets:
            if values[target] is None:
                return None
            parent = edge.parent.named(target)
            side.append(canonical(values[target], parent.base, parent.base, parent.locale))
        return tuple(side)

    def index(self):
        """parents[e]: side -> parent row; children[e]: side -> child rows."""
        self.parents, self.children = [], []
        for edge in self.edges:
            by_side, kids = defaultdict(list), defaultdict(list)
            for row in self.state[edge.parent.top]:
                side = self.parent_side(edge, row)
                if side is not None:
                    by_side[side].append(row)
            for row in self.state[edge.child.top]:
                for side in set(self.child_sides(edge, row)):
                    kids[side].append(row)
            self.parents.append(by_side)
            self.children.append(kids)

    def referring(self, e, parent_row):
        side = self.parent_side(self.edges[e], parent_row)
        return [] if side is None else self.children[e].get(side, [])

    # ---- the fixpoint ----
    def closure(self, start, stop=()):
        gone, queue = set(start), list(start)
        while queue:
            row = queue.pop()
            for e in self.edges_below[self.top_of[row]]:
                for child in self.referring(e, row):
                    if child not in gone and child not in stop and child not in self.tombstones:
                        gone.add(child)
                        queue.append(child)
        return gone

    def compute(self):
        out = self.out = Outcome()
        self.index()
        self.top_of = {row: oid for oid, rows in self.state.items() for row in rows}
        self.edges_below = defaultdict(list)
        for e, edge in enumerate(self.edges):
            if self.actions[e] == "delete":
                self.edges_below[edge.parent.top].append(e)
        self.gone = self.closure(self.roots)          # a tombstone counts as gone for the edges that lead to it
        self.find_cycles()
        self.count_deletes()
        self.mark_collateral()
        self.change_survivors()
        self.find_blockers()
        out.deleted = self.gone - self.tombstones
        for oid, rows in self.state.items():
            out.final[oid] = [r if r not in out.updated else Row(r.leaf, out.updated[r]) for r in rows if r not in out.deleted]
        self.check_promises()
        self.check_keepers()
        return out

    def find_cycles(self):
        below = defaultdict(set)
        for e, edge in enumerate(self.edges):
            if self.actions[e] == "delete":
                below[edge.parent.top].add(edge.child.top)
        for start in list(below):
            seen, queue = set(), [start]
            while queue:
                for child in below[queue.pop()]:
                    if child not in seen:
                        seen.add(child)
                        queue.append(child)
            if start in seen:
                self.out.in_cycle.add(start)

    def count_deletes(self):
        """Each row once, for the first edge (schema, relation, name) that reaches it. Inside a cycle only the sum is sure."""
        for row in self.gone - self.roots:
            for e, edge in enumerate(self.edges):
                if self.actions[e] != "delete" or edge.child.top != self.top_of[row]:
                    continue
                if self.refers_to_gone(e, row):
                    self.out.counts[e, "delete"] += 1
                    break

    def reachable_tops(self):
        """Tables that can hold rows of a person: those that delete edges lead to from the root table."""
        reached, queue = {self.root.top}, [self.root.top]
        while queue:
            for e in self.edges_below[queue.pop()]:
                child = self.edges[e].child.top
                if child not in reached:
                    reached.add(child)
                    queue.append(child)
        return reached

    def mark_collateral(self):
        base = set()
        owners = self.reachable_tops()
        for row in self.gone - self.roots:
            if self.top_of[row] == self.root.top:
                base.add(row)
                continue
            for e, edge in enumerate(self.edges):
                if self.actions[e] != "delete" or edge.child.top != self.top_of[row] or edge.parent.top not in owners:
                    continue
                if any(p not in self.gone for p in self.parents_of(e, row)):
                    base.add(row)
                    break
        own = self.closure(self.roots, stop=base)
        self.collateral = self.gone - own
        bringing_base, bringing = [], []
        for row in self.collateral:
            self.out.collateral[self.top_of[row]] += 1
            for e, edge in enumerate(self.edges):
                if self.actions[e] != "delete" or edge.child.top != self.top_of[row]:
                    continue
                if self.refers_to_gone(e, row):
                    accepted = bool(self.policy[e]) and self.policy[e]["collateral"] == "delete"
                    (bringing_base if row in base else bringing).append((row, e, accepted))
        for row in base:
            mine = [a for r, _, a in bringing_base if r is row]
            if not any(mine):
                self.out.collateral_refused = True
            elif not all(mine):
                self.out.lenient.append("collateral accepted by one edge and not by another")
        if not all(a for _, _, a in bringing):
            self.out.lenient.append("collateral behind collateral")

    def find_blockers(self):
        out = self.out
        for e, edge in enumerate(self.edges):
            action = self.actions[e]
            for row in self.tombstones if action == "delete" else ():
                after = set(self.child_sides(edge, row, out.updated.get(row)))
                if any(s in after and any(p in self.gone - self.tombstones for p in self.parents[e].get(s, [])) for s in self.child_sides(edge, row)):
                    out.blockers[e] = "tombstone refers to what goes"
            if action in STRENGTH and self.cannot_change(e):
                for row in self.state[edge.child.top]:
                    if (row not in self.gone or row in self.tombstones) and self.refers_to_gone(e, row):
                        if self.still_refers(e, row):
                            out.blockers[e] = "NOT NULL"
                            out.counts[e, "block"] += 1
                        else:
                            out.conflict = True
        for e, edge in enumerate(self.edges):
            action = self.actions[e]
            for row in self.state[edge.child.top]:
                if row in self.gone and row not in self.tombstones:
                    continue
                before, comes = self.refers_to_gone(e, row), self.comes_to_refer(e, row)
                if row in self.roots and any(p in self.roots for p in self.parents_of(e, row) + self.parents_of(e, row, out.updated.get(row))):
                    if action in ("undeclared", "block", "retain"):
                        out.lenient.append("a tombstone refers to itself")
                        out.unsure.add(e)
                elif action == "retain" and (not edge.enforced() or any(p in self.tombstones for p in self.parents_of(e, row))):
                    out.counts[e, "retain"] += before and self.still_refers(e, row)
                elif action in ("undeclared", "block", "retain"):
                    if before and self.still_refers(e, row) or comes:
                        out.blockers[e] = action
                        out.counts[e, "block"] += 1
                elif comes and e not in out.blockers:
                    out.must_fail.append("new reference %s.%s" % (edge.child.qualified(), edge.name))

    def comes_to_refer(self, e, row):
        """By a new value, of the reference or of what its condition asks about, to what goes."""
        if row not in self.out.updated:
            return False
        before = self.child_sides(self.edges[e], row)
        return any(p in self.gone for side in self.child_sides(self.edges[e], row, self.out.updated[row]) if side not in before
                   for p in self.parents[e].get(side, []))

    def check_keepers(self):
        """Triggers that keep every row back: the run must find out (VF003)."""
        for row in self.out.deleted:
            if self.top_of[row] in self.catalogue.delete_keepers:
                self.out.kept.add(self.top_of[row])
        for row in self.out.updated:
            if self.top_of[row] in self.catalogue.update_keepers:
                self.out.kept.add(self.top_of[row])

    def leaves_dangling(self):
        """Does a reference that nobody checks lead nowhere in the end?"""
        for edge in self.edges:
            known = {self.parent_side(edge, row) for row in self.out.final[edge.parent.top]}
            if not edge.validated and any(side not in known for row in self.out.final[edge.child.top] for side in self.child_sides(edge, row)):
                return True
        return False

    # ---- the end state keeps every promise, or the run must fail ----
    def check_promises(self):
        out = self.out
        for e, edge in enumerate(self.edges):
            if not edge.enforced():
                continue
            known = set()
            for row in self.state[edge.parent.top]:
                if row not in out.deleted:
                    known.add(self.parent_side(edge, row, out.updated.get(row)))
            for row in self.state[edge.child.top]:
                if row in out.deleted or row.leaf not in edge.child.tree:
                    continue
                values = out.updated.get(row)
                before, side = (next(iter(self.child_sides(edge, row, v)), None) for v in (None, values))
                if side is not None and side not in known and not (side == before and before not in self.parents[e]):
                    if e not in out.blockers and not any(p in self.tombstones for p in self.parents[e].get(side, [])):
                        out.must_fail.append("dangling %s.%s" % (edge.child.qualified(), edge.name))
                if edge.match_full and values:
                    given = [values[c] is None for c in edge.columns]
                    if any(given) and not all(given):
                        out.must_fail.append("MATCH FULL %s.%s" % (edge.child.qualified(), edge.name))
        for relation, columns, not_distinct, _ in self.catalogue.uniques:
            seen = {}
            for row in self.state[relation.top]:
                if row in out.deleted or row.leaf not in relation.tree:
                    continue
                values = out.updated.get(row, row.values)
                value = tuple(canonical(values[c], relation.named(c).base, relation.named(c).base, relation.named(c).locale) for c in columns)
                if None in value and not not_distinct:
                    continue
                if value in seen:
                    out.must_fail.append("unique %s" % relation.qualified())
                seen[value] = row
                was = tuple(canonical(row.values[c], relation.named(c).base, relation.named(c).base, relation.named(c).locale) for c in columns)
                if was != value and row in out.updated:
                    out.lenient.append("unique columns change while other rows may hold the value")
        for row in out.updated:
            for e, edge in enumerate(self.edges):
                if not edge.validated and edge.enforced() and any(side not in self.parents[e] for side in self.child_sides(edge, row)):
                    out.lenient.append("an orphan that this transaction inserted is checked again")
            leaf = self.catalogue.relations[row.leaf]
            chain = [r for r in self.catalogue.relations.values() if row.leaf in r.tree and r.partition_columns]
            for relation in chain:
                for column in relation.partition_columns:
                    if out.updated[row].get(column) != row.values.get(column):
                        out.lenient.append("a partition key changes in %s" % leaf.qualified())
