"""What becomes of the rows that stay: cleared, reassigned or retained references, and column rules. One new version per row."""

from collections import defaultdict

from equality import array_elements, canonical

DECLARED = {"c": "delete", "n": "nullify", "d": "default", "a": "undeclared", "r": "undeclared"}
STRENGTH = {"default": 1, "nullify": 2, "reassign": 3}


class Survivors:
    """The part of the reference that changes rows."""

    def change_survivors(self):
        """One new version per row. The strongest edge comes first (reassign, nullify, default); a weaker one whose columns
        it has changed finds its reference cleared and does nothing more."""
        out = self.out
        decided = defaultdict(dict)       # row -> column -> (strength, value, edge)
        reached = defaultdict(list)       # row -> edges, the strongest first
        changing = [e for e in range(len(self.edges)) if self.actions[e] in STRENGTH]
        for e in sorted(changing, key=lambda e: -STRENGTH[self.actions[e]]):
            edge, strength = self.edges[e], STRENGTH[self.actions[e]]
            if self.cannot_change(e):
                continue
            reason = self.leads_astray(e)
            for row in self.state[edge.child.top]:
                if row in self.gone and row not in self.tombstones:
                    self.note_conflict(e, row)
                    continue
                if not self.refers_to_gone(e, row):
                    continue
                shared = [decided[row][c] for c in edge.columns if c in decided[row]]
                if shared:
                    out.conflict = True
                    out.unsure.update([e] + [old[2] for old in shared])
                if any(old[0] > strength for old in shared):
                    continue
                out.counts[e, self.actions[e]] += 1
                if reason:
                    out.blockers[e] = reason
                    continue
                reached[row].append(e)
                for column, value in self.new_values(e, edge, row):
                    if column not in decided[row]:
                        decided[row][column] = (strength, value, e)
        given = {row: {c: d[1] for c, d in columns.items()} for row, columns in decided.items()}
        self.apply_rules(given, reached)
        for row, columns in given.items():
            values = dict(row.values)
            for column, value in columns.items():
                values[column] = value
                if value is None and self.catalogue.relations[row.leaf].named(column).notnull:
                    out.must_fail.append("NOT NULL of a leaf")
            out.updated[row] = values
            out.given[row] = set(columns)

    def apply_rules(self, given, reached):
        """Column rules look at the old row and go before what edges give."""
        for e, edge in enumerate(self.edges):
            if self.actions[e] != "retain" or not self.rules[e]:
                continue
            for row in self.state[edge.child.top]:
                parents = [p for p in self.parents_of(e, row) if p in self.gone]
                if row in self.gone and row not in self.tombstones or not parents or set(given.get(row, ())) & set(edge.columns):
                    continue
                if not edge.enforced() or any(p in self.tombstones for p in parents):
                    reached[row].append(e)
        claims = {row: [rule for e in edges for rule in self.rules[e]] for row, edges in reached.items()}
        for row in self.tombstones:
            claims.setdefault(row, []).extend(self.root_rules)
        for row, rules in claims.items():
            new = {}
            for column, value in rules:
                new.setdefault(column, self.rule_value(row, value))
            if new:
                given.setdefault(row, {}).update(new)

    @staticmethod
    def rule_value(row, value):
        if value[0] == "null":
            return None
        if value[0] == "constant":
            return value[1]
        old = row.values[value[1]]
        return old if value[0] == "copy" or old is None else old + value[2]

    def cannot_change(self, e):
        """A NULL would go into a NOT NULL column: the edge changes nothing and blocks where its reference is not cleared otherwise."""
        edge = self.edges[e]
        if any(value == ["null"] and edge.child.named(column).notnull for column, value in self.rules[e]):
            return True
        return self.actions[e] != "reassign" and any(v is None and edge.child.named(c).notnull for c, v in self.new_values(e, edge))

    def leads_astray(self, e):
        """A new reference to a row that is not there or goes: the edge changes nothing and blocks."""
        edge, side = self.edges[e], []
        if self.actions[e] not in ("reassign", "default"):
            return None
        given = dict(self.new_values(e, edge))
        for column, target in zip(edge.columns, edge.targets):
            parent = edge.parent.named(target)
            if given.get(column) is None:
                return None
            own = parent if self.actions[e] == "reassign" else edge.child.named(column)
            side.append(canonical(given[column], own.base, parent.base, parent.locale))
        return None if any(p not in self.gone for p in self.parents[e].get(tuple(side), [])) else self.actions[e] + " target"

    def note_conflict(self, e, row):
        """A row that goes and is also nulled: natively the order of the keys decides when they share columns."""
        if self.refers_to_gone(e, row):
            for f, other in enumerate(self.edges):
                if self.actions[f] == "delete" and other.child.top == self.top_of[row] and set(other.columns) & set(self.changed_columns(e)):
                    self.out.conflict = True

    def changed_columns(self, e):
        """A policy other than the declared action speaks of the whole reference, and one NULL is enough to clear it, unless the key is MATCH FULL."""
        edge = self.edges[e]
        if not edge.link and (self.policy[e] is None or edge.listed and self.actions[e] == DECLARED[edge.declared]):
            return edge.set_columns
        nullable = [c for c in edge.columns if not edge.child.named(c).notnull]
        return nullable if self.actions[e] == "nullify" and nullable and not edge.match_full else edge.columns

    def new_values(self, e, edge, row=None):
        action = self.actions[e]
        if edge.array:                            # what goes is taken out of the array
            if row is None:
                return []
            left = [v for v in array_elements(row.values[edge.columns[0]])
                    if v is None or not any(p in self.gone for p in self.parents[e].get(self.comparable(edge, [v]), []))]
            return [(edge.columns[0], "{%s}" % ",".join("NULL" if v is None else v for v in left))]
        if action == "nullify":
            return [(c, None) for c in self.changed_columns(e)]
        if action == "default":
            return [(c, self.defaults[edge.child.oid, c]) for c in self.changed_columns(e)]
        return [(edge.columns[0], self.policy[e]["reassign_to"])]
