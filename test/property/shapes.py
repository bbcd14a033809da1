"""Tables, columns and keys of a generated schema, their rows, and the SQL that makes them."""

from case import Item
from equality import canonical
from names import ident, literal

BASE = {"path": "text", "posint": "int4", "label": "text", "text_c": "text", "text_ci": "text", "text_ai": "text", "bpchar_long": "bpchar"}
LOCALE = {"text_ci": "level2", "text_ai": "level1"}


def compare(text, column, target):
    return canonical(text, BASE.get(column.kind.name, column.kind.name), BASE.get(target.kind.name, target.kind.name),
                     LOCALE.get(target.kind.name))


class Column:
    def __init__(self, name, kind, notnull=False):
        self.name, self.kind, self.notnull = name, kind, notnull
        self.refers = None              # the column it takes its values from, followed to the first
        self.identifying = False        # part of the primary key of its table
        self.wants_default = False
        self.default = None


class Table:
    def __init__(self, schema, name, index):
        self.schema, self.name, self.index = schema, name, index
        self.columns, self.rows = [], []
        self.column_names, self.key_names = set(), set()
        self.primary, self.uniques = None, []
        self.partition, self.leaves, self.leaf_unique = None, [], None
        self.unlogged, self.dropped, self.generated = False, 0, None
        self.inherits, self.standalone = None, False    # standalone: made on its own and told to inherit afterwards

    def qualified(self):
        return ident(self.schema) + "." + ident(self.name)

    def leaf_qualified(self, leaf):
        return ident(self.schema) + "." + ident(leaf[0])

    def lineage(self):
        """The table and those that it cannot live without."""
        return frozenset([self.qualified()]) | (self.inherits.lineage() if self.inherits else frozenset())

    def in_leaf(self, row, leaf):
        text = row[self.partition[1][0]]
        return leaf[2](None if text is None else int(text))

    def column_sql(self, column):
        return "%s %s%s%s" % (ident(column.name), column.kind.sql, " NOT NULL" if column.notnull else "",
                              "" if column.default is None else " DEFAULT " + literal(column.default))

    def create_items(self, rng):
        on = self.lineage()
        columns = [c for c in self.columns if not self.inherits or self.standalone or c not in self.inherits.columns]
        if self.standalone:
            rng.shuffle(columns)
        lines, dropped = [self.column_sql(c) for c in columns], []
        for n in range(self.dropped):
            dropped.append("gone%d" % n)
            lines.insert(rng.randint(0, len(lines)), "gone%d int" % n)
        if self.generated and not self.inherits:
            name, source = self.generated
            lines.insert(rng.randint(0, len(lines)), "%s boolean GENERATED ALWAYS AS (%s IS NULL) STORED" % (ident(name), ident(source.name)))
        if self.primary:
            lines.append("PRIMARY KEY (%s)" % ", ".join(ident(c.name) for c in self.primary))
        for unique in self.uniques:
            lines.append("UNIQUE (%s)" % ", ".join(ident(c.name) for c in unique))
        sql = "CREATE %sTABLE %s (%s)" % ("UNLOGGED " if self.unlogged else "", self.qualified(), ", ".join(lines))
        if self.partition:
            sql += " PARTITION BY %s (%s)" % (self.partition[0], ", ".join(ident(c.name) for c in self.partition[1]))
        if self.inherits and not self.standalone:
            sql += " INHERITS (%s)" % self.inherits.qualified()
        more = ["ALTER TABLE %s DROP COLUMN %s" % (self.qualified(), d) for d in dropped]
        if self.standalone:
            more.append("ALTER TABLE %s INHERIT %s" % (self.qualified(), self.inherits.qualified()))
        items = [Item("table", "; ".join([sql] + more), on)]
        for leaf in self.leaves:
            items.append(Item("leaf", self.leaf_sql(leaf, rng), on))
        return items

    def leaf_sql(self, leaf, rng):
        name = self.leaf_qualified(leaf)
        if rng.random() < 0.3 and not self.generated:
            # a leaf made on its own, with its columns in another order, has other attribute numbers than its root
            columns = self.columns[:]
            rng.shuffle(columns)
            sql = "CREATE TABLE %s (gone0 int, %s); ALTER TABLE %s DROP COLUMN gone0; ALTER TABLE %s ATTACH PARTITION %s %s" % (
                name, ", ".join(self.column_sql(c) for c in columns), name, self.qualified(), name, leaf[1])
        elif rng.random() < 0.2 and self.partition[0] != "hash":
            column = ident(self.partition[1][0].name)
            sql = "CREATE TABLE %s PARTITION OF %s %s PARTITION BY hash (%s)" % (name, self.qualified(), leaf[1], column)
            for r in range(2):
                sql += "; CREATE TABLE %s PARTITION OF %s FOR VALUES WITH (modulus 2, remainder %d)" % (
                    ident(self.schema) + "." + ident(leaf[0][:20] + "_sub%d_%d" % (self.index, r) + str(self.leaves.index(leaf))), name, r)
            if self.leaf_unique:
                return "CREATE TABLE %s PARTITION OF %s %s; ALTER TABLE %s ADD UNIQUE (%s)" % (
                    name, self.qualified(), leaf[1], name, ", ".join(ident(c.name) for c in self.leaf_unique))
        else:
            sql = "CREATE TABLE %s PARTITION OF %s %s" % (name, self.qualified(), leaf[1])
        if self.leaf_unique:
            sql += "; ALTER TABLE %s ADD UNIQUE (%s)" % (name, ", ".join(ident(c.name) for c in self.leaf_unique))
        return sql

    def row_items(self):
        if not self.rows or not self.columns:
            return []
        sql = "INSERT INTO %s (%s)" % (self.qualified(), ", ".join(ident(c.name) for c in self.columns))
        return [Item("rows", sql, self.lineage(), [", ".join(literal(r[c]) for c in self.columns) for r in self.rows])]


class Key:
    def __init__(self, child, columns, parent, target, converts, parent_leaf=None):
        self.child, self.columns, self.parent, self.target, self.converts = child, columns, parent, target, converts
        self.parent_leaf, self.child_leaf = parent_leaf, None
        self.name, self.action, self.set_columns = None, "NO ACTION", None
        self.match_full, self.deferrable, self.not_valid = False, "", False
        self.link = None                # the action, where it is a declared link and no key

    def relation(self):
        return self.child.leaf_qualified(self.child_leaf) if self.child_leaf else self.child.qualified()

    def tables(self):
        return self.child.lineage() | self.parent.lineage()

    def parent_relation(self):
        return self.parent.leaf_qualified(self.parent_leaf) if self.parent_leaf else self.parent.qualified()

    def link_facts(self):
        return {"link": self.name, "relation": self.relation(), "parent": self.parent_relation(), "columns": [c.name for c in self.columns],
                "parent_columns": [c.name for c in self.target], "action": self.link, "table": self.child.qualified(), "parent_table": self.parent.qualified()}

    def item(self):
        parent = self.parent_relation()
        subset = "" if not self.set_columns else " (%s)" % ", ".join(ident(c.name) for c in self.set_columns)
        sql = "ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)%s ON DELETE %s%s %s%s" % (
            self.relation(), ident(self.name), ", ".join(ident(c.name) for c in self.columns), parent,
            ", ".join(ident(c.name) for c in self.target), " MATCH FULL" if self.match_full else "", self.action, subset,
            self.deferrable, " NOT VALID" if self.not_valid else "")
        return Item("key", sql.rstrip(), self.tables(), edge=(self.relation(), self.name))

    def concerns(self, row):
        return self.child_leaf is None or self.child.in_leaf(row, self.child_leaf)

    def parents(self):
        return [r for r in self.parent.rows if self.parent_leaf is None or self.parent.in_leaf(r, self.parent_leaf)]

    def side(self, row):
        return tuple(compare(row[c], c, t) for c, t in zip(self.columns, self.target))

    def target_side(self, row):
        return tuple(compare(row[t], t, t) for t in self.target)


def fill_rows(tables, keys, ghosts, rng):
    """ghosts: references that nobody checks, so that some lead nowhere."""
    sizes = [0, 3, 6, 10, 16, 24]
    for table in tables:
        count = rng.randint(2, 7) if table.index == 0 else rng.choice(sizes)
        uniques = [c for u in table.uniques + ([table.primary] if table.primary else []) for c in u]
        table.rows = [{c: None for c in table.columns} for _ in range(count)]
        for column in table.columns:
            if column.refers:
                continue
            for n, row in enumerate(table.rows):
                k = n if column in uniques and (len(table.primary or []) < 2 or rng.random() < 0.5) else rng.randint(0, 12)
                if column.notnull or column in (table.primary or []) or rng.random() < 0.85:
                    row[column] = column.kind.respell(column.kind.value(k), rng)
        for key in keys + ghosts:
            if key.child is table and all(c.identifying for c in key.columns):
                refer(key, rng)
    for key in keys + ghosts:
        if not all(c.identifying for c in key.columns):
            refer(key, rng)
    repair(tables, keys, rng)
    for table in tables:
        for column in table.columns:
            if column.wants_default and table.rows:
                column.default = rng.choice([r[column] for r in table.rows])
            elif column.wants_default:
                column.default = None


def refer(key, rng):
    parents = key.parents()
    chain = rng.random() < 0.4                                # row n refers to row n - 1: deep trees and long cycles
    for n, row in enumerate(key.child.rows):
        free = [c for c in key.columns if row[c] is None]
        if rng.random() < 0.15 and not any(c.notnull for c in free):
            if key.match_full or rng.random() < 0.5:
                continue
            free = free[1:]                                   # a partial NULL: no reference
        fixed = [(c, t) for c, t in zip(key.columns, key.target) if row[c] is not None]
        matching = [p for p in parents if all(compare(row[c], c, t) == compare(p[t], t, t) for c, t in fixed)]
        if not matching:
            continue
        chosen = matching[int(len(matching) * rng.random() ** 2)]      # the first rows have most children
        if chain and rng.random() < 0.9:
            chosen = matching[max(n - 1, 0) % len(matching)]
        for column, target, convert in zip(key.columns, key.target, key.converts):
            if column in free and chosen[target] is not None:
                row[column] = convert(chosen[target], rng)


def repair(tables, keys, rng):
    """Makes the data keep every promise: clears or drops what does not, until nothing changes."""
    changed = True
    while changed:
        changed = False
        for table in tables:
            for columns in table.uniques + ([table.primary] if table.primary else []):
                seen, kept = set(), []
                for row in table.rows:
                    value = tuple(compare(row[c], c, c) for c in columns)
                    if None in value or value not in seen:
                        kept.append(row)
                        seen.add(value)
                changed |= len(kept) != len(table.rows)
                table.rows = kept
            if table.leaf_unique:
                seen, kept = set(), []
                for row in table.rows:
                    value = tuple(compare(row[c], c, c) for c in table.leaf_unique)
                    if value not in seen:
                        kept.append(row)
                        seen.add(value)
                changed |= len(kept) != len(table.rows)
                table.rows = kept
            kept = [r for r in table.rows if all(r[c] is not None for c in table.columns if c.notnull) and all(r[c] is not None for c in table.primary or [])]
            changed |= len(kept) != len(table.rows)
            table.rows = kept
        for key in keys:
            known = {s for s in map(key.target_side, key.parents()) if None not in s}
            kept = []
            for row in key.child.rows:
                side = key.side(row)
                partial = None in side and any(v is not None for v in side)
                if not key.concerns(row) or (None in side and not (partial and key.match_full)) or side in known:
                    kept.append(row)
                elif key.not_valid and rng.random() < 0.3 and not row.get("orphan"):
                    row["orphan"] = True                          # what NOT VALID is for
                    kept.append(row)
                elif row.get("orphan") and key.not_valid:
                    kept.append(row)
                elif any(c.notnull for c in key.columns):
                    changed = True
                else:
                    for column in key.columns:
                        row[column] = None
                    changed = True
                    kept.append(row)
            key.child.rows = kept
    if not tables[0].rows:
        root = tables[0]
        root.rows = [{c: c.kind.value(0) if c.notnull or c in (root.primary or []) else None for c in root.columns}]
