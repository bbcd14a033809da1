"""Links that are more than columns to a key: arrays, expressions, conditions, and parent columns that several rows may share."""

from kinds import KINDS, Kind
from names import ident, literal

LIKE = {"int2": ("int4", "int8"), "int4": ("int4", "int8"), "int8": ("int4", "int8"), "posint": ("int4",), "uuid": ("uuid",), "text": ("text", "varchar"),
        "varchar": ("text",), "text_c": ("text",), "citext": ("citext",), "path": ("text",)}
NUMBERS = ("int4", "int8")


class Link:
    """A link and what its rows need; it is no key, so nothing checks it."""

    def __init__(self, child, column, parent, target, name, style):
        self.child, self.column, self.parent, self.target, self.name, self.style = child, column, parent, target, name, style
        self.expression = self.condition = self.when = None
        self.action = "block"
        self.twin = None                # a column that often refers to the same row

    def facts(self):
        columns = [] if self.expression else [self.column.name]
        return {"link": self.name, "relation": self.child.qualified(), "parent": self.parent.qualified(), "columns": columns,
                "parent_columns": [self.target.name], "action": self.action, "expression": self.expression, "condition": self.condition,
                "when": self.when, "value": self.column.name, "array": self.style == "array", "table": self.child.qualified(),
                "parent_table": self.parent.qualified()}

    def fill(self, rng):
        values = [r[self.target] for r in self.parent.rows if r[self.target] is not None] + [self.target.kind.value(50)] * (rng.random() < 0.3)
        for row in self.child.rows:
            if not values or rng.random() < 0.2:
                continue
            row[self.column] = row[self.twin] if self.twin and row.get(self.twin) is not None and rng.random() < 0.8 else rng.choice(values)
            if self.style == "array":
                row[self.column] = "{%s}" % ",".join(rng.choice(values + ["NULL"]) for _ in range(rng.choice([0, 1, 1, 1, 2, 3])))


def make_links(g):
    found = []
    if not g.chance(0.25):
        return found
    for n in range(g.rng.randint(1, 3)):
        parent = g.tables[0] if g.chance(0.5) else g.rng.choice(g.tables)
        targets = [c for c in parent.columns if c.kind.name in LIKE]
        if targets:
            found.append(make_link(g, n, parent, g.rng.choice(targets), [k.column for k in found]))
    return found


def make_link(g, n, parent, target, linked):
    rng = g.rng
    child, style = rng.choice(g.tables), rng.choice(["array", "array", "expression", "columns", "columns"])
    # A key and a link of one row to one parent, where the link's condition asks whether the key is there.
    twins = [(t, c) for t in g.tables for c in t.columns if any(c.refers is p for p in parent.columns) and c.refers.kind.name in LIKE and c.kind is c.refers.kind and not c.notnull]
    twin = rng.choice(twins) if twins and style != "array" and g.chance(0.6) else None
    if twin:
        child, target = twin[0], twin[1].refers
    like = KINDS[rng.choice(LIKE[target.kind.name])]
    kind = Kind(like.name + "[]", like.sql + "[]", lambda k: "{%s}" % like.value(k), needs=like.needs) if style == "array" else like
    link = Link(child, g.add_column(child, kind, "l%d" % n), parent, target, g.names.pick("link_%d" % n, child.key_names), style)
    if style == "expression":
        plain = ident(link.column.name)
        link.expression = rng.choice(["c." + plain, "coalesce(%s, c.%s)" % (plain, plain)] + ["c.%s::text" % plain, "c.%s + 0" % plain] * (like.name in NUMBERS))
    # Also what the same run clears: the condition is asked before and after.
    if twin and g.chance(0.8):
        link.twin = twin[1]
        when = rng.choice(["given", "missing", "missing"])
        link.condition, link.when = "%s IS %sNULL" % (ident(twin[1].name), "NOT " if when == "given" else ""), [when, twin[1].name]
    free = [] if link.condition else [c for c in child.columns if c is not link.column and c not in linked and c.kind.name in ("int4", "int8", "text", "uuid")]
    if free and g.chance(0.4):
        column = rng.choice(free)
        if g.chance(0.4):
            text = column.kind.value(rng.randint(0, 4))
            link.condition, link.when = "c.%s <> %s" % (ident(column.name), literal(text)), ["differs", column.name, text]
        else:
            when = rng.choice(["given", "given", "missing"])
            link.condition, link.when = "%s IS %sNULL" % (ident(column.name), "NOT " if when == "given" else ""), [when, column.name]
    link.action = rng.choice(["delete"] * 4 + ["retain", "block"] + ["nullify"] * (0 if style == "expression" else 3))
    return link


def declare(case, links, rng):
    for link in links:
        case.links.append(link.facts())
        if rng.random() < 0.7:
            case.policies.append({"relation": link.child.qualified(), "edge": link.name, "action": link.action, "collateral": "delete", "reassign_to": None})
