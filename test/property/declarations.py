"""Random column rules and clean-up rules. What a rule computes is declared twice: as SQL for the engine, as data for the reference."""

from names import ident, literal

# Kinds whose values are printed as they are written.
PLAIN = {"int2", "int4", "int8", "posint", "numeric", "text", "varchar", "label", "text_c", "citext", "name", "uuid", "bytea", "mood", "int_array", "path"}
TEXTS = {"text", "varchar", "text_c", "path"}
KINDS_OUTSIDE = ["file", "file", "directory", "redis_key", "redis_key", "redis_pattern", "identity", "webhook"]


def choose_rules(case, keys, ghosts, links, root, rng):
    """Columns of rows that stay, through an edge, and of the root row."""
    referred = {c for k in keys for c in k.target} | {c for k in links for c in (k.target, k.column)}
    asked = {(k.child, k.when[1]) for k in links if k.when}
    referred |= {c for table, name in asked for c in table.columns if c.name == name}
    for key in keys + [g for g in ghosts if rng.random() < 0.3]:
        for column in free_columns(key.child, referred):
            if rng.random() < 0.5:
                add_rule(case, key.relation(), key.name, column, key.child, rng)
    for column in free_columns(root, referred):
        if rng.random() < 0.6:
            add_rule(case, root.qualified(), None, column, root, rng)


def free_columns(table, referred):
    """Columns that no key, index or partition depends on."""
    used = {c for u in table.uniques + [table.primary or [], table.leaf_unique or []] for c in u}
    used |= set(table.partition[1]) if table.partition else set()
    return [c for c in table.columns if c not in used and c not in referred and not c.refers]


def add_rule(case, relation, edge, column, table, rng):
    sources = [c for c in table.columns if c.kind is column.kind and c is not column]
    style = rng.choice(["null", "constant", "constant", "copy", "append"])
    if style == "null" and not (column.notnull and (edge is None or rng.random() < 0.8)):
        value, expression = ["null"], "NULL"
    elif style == "copy" and sources:
        source = rng.choice(sources)
        value, expression = ["copy", source.name], rng.choice(["", "c."]) + ident(source.name)
    elif style == "append" and column.kind.name in TEXTS:
        value, expression = ["append", column.name, "-gone"], "%s || '-gone'" % ident(column.name)
    elif column.kind.name in PLAIN:
        text = column.kind.value(rng.randint(0, 12))
        value, expression = ["constant", text], literal(text)
    else:
        return
    case.columns.append({"relation": relation, "column": column.name, "edge": edge, "expression": expression, "value": value})


def choose_cleanups(case, tables, rng):
    for _ in range(rng.randint(1, 5)):
        table = rng.choice(tables[:1] * 2 + tables)
        columns = [c for c in table.columns]
        if not columns:
            continue
        kind, service = rng.choice(KINDS_OUTSIDE), rng.choice(["default", "other"])
        column, second = rng.choice(columns), rng.choice(columns)
        # Parts are text, and columns as lists of one name.
        parts = rng.choice([[[column.name]], [[column.name]], ["p:", [column.name]], ["p/", [column.name], "/", [second.name]], ["p{}/", [column.name]],
                            [[column.name], [second.name]]])
        if kind == "identity":
            parts = ["realm/", [column.name]]
        if kind == "redis_pattern":
            parts = ["p:", [column.name], "*"]
        relation = table.qualified()
        if table.leaves and rng.random() < 0.2:
            relation = table.leaf_qualified(rng.choice(table.leaves))
        names = "".join(p[0] for p in parts if isinstance(p, list))
        if "{" in names or "}" in names or rng.random() < 0.2:
            target = "=" + " || ".join("c.%s::text" % ident(p[0]) if isinstance(p, list) else literal(p) for p in parts)
            escaped = False
        else:
            target = "".join("{%s}" % p[0] if isinstance(p, list) else p.replace("{", "{{").replace("}", "}}") for p in parts)
            escaped = True
        rule = {"relation": relation, "kind": kind, "service": service, "target": target, "parts": parts, "escaped": escaped, "table": table.qualified()}
        if not any((r["relation"], r["kind"], r["service"], r["target"]) == (relation, kind, service, target) for r in case.cleanups):
            case.cleanups.append(rule)
