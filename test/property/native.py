"""PostgreSQL's own ON DELETE as second reference: the policies become declared actions, then one plain DELETE."""

import psycopg2

from catalogue import comparable, fetch_rows
from names import ident, literal

ACTION_SQL = {"delete": "CASCADE", "nullify": "SET NULL", "default": "SET DEFAULT", "undeclared": "NO ACTION", "block": "NO ACTION"}
DECLARED_SQL = {"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT", "a": "NO ACTION", "r": "RESTRICT"}


def possible(reference):
    """Reassigning, retaining, links and column rules have no native form; a tombstone keeps its root row."""
    return reference.mode == "delete" and not any(reference.rules) and all(a in ACTION_SQL for a in reference.actions) and not any(e.link for e in reference.edges) and not reference.out.kept


def alter_statements(reference):
    for e, (edge, action) in enumerate(zip(reference.edges, reference.actions)):
        wanted, columns = ACTION_SQL[action], reference.changed_columns(e)
        as_declared = wanted == DECLARED_SQL[edge.declared] and columns == edge.set_columns or wanted == "NO ACTION" and edge.declared == "r"
        if edge.enforced() and as_declared:
            continue
        subset = ""
        if wanted in ("SET NULL", "SET DEFAULT") and columns != edge.columns:
            subset = " (%s)" % ", ".join(map(ident, columns))
        # What is only inherited becomes a key.
        begin = "DROP CONSTRAINT %s, ADD CONSTRAINT %s" % (ident(edge.name), ident(edge.name)) if edge.enforced() else "ADD"
        yield "ALTER TABLE %s %s FOREIGN KEY (%s) REFERENCES %s (%s)%s ON DELETE %s%s%s%s" % (
            edge.child.qualified(), begin, ", ".join(map(ident, edge.columns)), edge.parent.qualified(),
            ", ".join(map(ident, edge.targets)), " MATCH FULL" if edge.match_full else "", wanted, subset,
            " DEFERRABLE" if edge.deferrable else "", "" if edge.validated else " NOT VALID")


def check(cursor, case, catalogue, reference):
    """None when reference and server agree, a text when they do not. Leaves the transaction to the caller's savepoint."""
    out = reference.out
    root = reference.root
    try:
        for sql in alter_statements(reference):
            cursor.execute(sql)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("DELETE FROM %s WHERE %s IN (%s)" % (root.only(), ident(case.key_column), ", ".join(
            "%s::%s" % (literal(key), root.named(case.key_column).sql_type) for key in case.keys())))
    except psycopg2.Error as error:
        return "failed", "%s %s" % (error.pgcode, error.diag.message_primary)
    if out.conflict:
        return "order", None
    real = {e: reason for e, reason in out.blockers.items()}
    if real or out.must_fail:
        return "wrong", "native DELETE succeeds, the reference refuses: %s %s" % (
            [(reference.edges[e].child.qualified(), reference.edges[e].name, r) for e, r in real.items()], out.must_fail)
    moved = any("partition key" in text for text in out.lenient)
    expected = comparable(out.final, catalogue, not moved)
    seen = comparable(fetch_rows(cursor, catalogue), catalogue, not moved)
    text = difference(expected, seen)
    return ("wrong", "native DELETE leaves another state: " + text) if text else ("same", None)


def difference(expected, seen):
    lines = []
    for relation in expected:
        if expected[relation] != seen[relation]:
            missing, extra = list(expected[relation]), list(seen[relation])
            for row in seen[relation]:
                if row in missing:
                    missing.remove(row)
            for row in expected[relation]:
                if row in extra:
                    extra.remove(row)
            lines.append("%s: expected but not there %s; there but not expected %s" % (relation, missing[:3], extra[:3]))
    return "\n".join(lines)
