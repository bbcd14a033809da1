"""One trial of one case on one connection: set up, compute the reference, compare, roll everything back."""

import psycopg2

import engine
import native
from catalogue import Catalogue, fetch_rows
from reference import Reference


class Invalid(Exception):
    """The case's own SQL does not run: a defect of the generator, or a candidate of the shrinker that went too far."""


class Result:
    def __init__(self):
        self.problems = []
        self.facts = {}


def drop_schemas(cursor):
    """What a case with committed data left behind."""
    cursor.execute("SELECT pg_catalog.quote_ident(nspname) FROM pg_catalog.pg_namespace "
                   "WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', 'vedfolnir')")
    for (name,) in cursor.fetchall():
        cursor.execute("DROP SCHEMA %s CASCADE" % name)


def run_trial(connection, case, with_engine, with_native):
    result = Result()
    cursor = connection.cursor()
    cursor.execute("ROLLBACK")
    if case.committed:
        drop_schemas(cursor)
    cursor.execute("BEGIN ISOLATION LEVEL " + case.isolation)
    try:
        try:
            cursor.execute(case.setup_sql())
            # ALTER TABLE and a deferred check do not mix; nothing is pending after this.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            if case.committed:
                cursor.execute("COMMIT; BEGIN ISOLATION LEVEL " + case.isolation)
        except psycopg2.Error as error:
            raise Invalid("%s %s" % (error.pgcode, error.diag.message_primary)) from error
        catalogue = Catalogue(cursor)
        try:
            catalogue.add_links(case.links)
        except KeyError as error:
            raise Invalid("a link without its table") from error
        # The server merges a leaf's key with an equal one of the root: then only the root's can have a policy.
        known = {(e.child.qualified(), e.name) for e in catalogue.edges}
        case.policies = [p for p in case.policies if (p["relation"], p["edge"]) in known]
        case.columns = [c for c in case.columns if c["edge"] is None or (c["relation"], c["edge"]) in known]
        root = next((r for r in catalogue.relations.values() if r.qualified() == case.root), None)
        if root is None:
            raise Invalid("no root table")
        state = fetch_rows(cursor, catalogue)
        defaults = {}
        for edge in catalogue.edges:
            for column in set(edge.set_columns) | set(edge.columns):
                defaults[edge.child.oid, column] = catalogue.default_value(cursor, edge.child, column)
        try:
            reference = Reference(catalogue, state, defaults, root, case.key_column, case.keys(), case.mode, case.policies, case.columns)
        except KeyError as error:
            raise Invalid("no root row") from error
        out = reference.compute()
        result.facts = {"tables": len(catalogue.tops()), "deleted": len(out.deleted), "refused": bool(out.blockers or out.must_fail or out.collateral_refused or out.kept),
                        "lenient": bool(out.lenient)}
        for reason in set(out.blockers.values()) | {t.split()[0] for t in out.must_fail} | ({"collateral"} if out.collateral_refused else set()):
            result.facts["refused for " + reason] = True
        if with_native and native.possible(reference):
            cursor.execute("SAVEPOINT native")
            verdict, text = native.check(cursor, case, catalogue, reference)
            cursor.execute("ROLLBACK TO native")
            result.facts["native"] = verdict
            if verdict == "failed" and not result.facts["refused"]:
                result.facts["native"] = "failed where the reference goes through"
                result.facts["native_error"] = text
            if verdict == "wrong":
                result.problems.append("REFERENCE " + text)
        if with_engine:
            result.problems += engine.check(cursor, case, catalogue, reference, state)
    finally:
        if not connection.closed:
            cursor.execute("ROLLBACK")
            if case.committed:
                drop_schemas(cursor)
            cursor.close()
    return result
