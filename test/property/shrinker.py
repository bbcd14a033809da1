"""Makes a failing case small: drops tables, keys, triggers, policies and rows as long as it still fails the same way."""

import collections
import time

from trial import Invalid, run_trial

LIMIT_SECONDS = 20


SHRUNK = collections.Counter()      # per process and kind of problem: two small cases of each are enough


def kinds_of(problems):
    return {p.split(":")[0].split()[0] for p in problems}


def shrink(connection, case, result, options, reconnect):
    """Returns the smallest case found and a live connection. A case from a file has no parts and stays as it is."""
    if case.setup is not None or any(SHRUNK[k] >= 2 for k in kinds_of(result.problems)):
        return case, connection
    for kind in kinds_of(result.problems):
        SHRUNK[kind] += 1
    wanted, deadline = kinds_of(result.problems), time.time() + LIMIT_SECONDS
    best = case

    def fails(candidate):
        nonlocal connection
        try:
            problems = run_trial(connection, candidate, options.engine, options.native).problems
        except Invalid:
            return False
        except Exception as error:
            if connection.closed:
                connection = reconnect()
                return "lost" in wanted or bool(wanted & {"None", "server"})
            problems = [str(error)]
        if kinds_of(problems) & wanted:
            result.problems = problems
            return True
        return False

    changed = True
    while changed and time.time() < deadline:
        changed = False
        for candidate in candidates(best):
            if time.time() > deadline:
                break
            if candidate is not None and fails(candidate):
                best, changed = candidate, True
                break
    return best, connection


def without(case, items):
    smaller = case.copy()
    gone = set(items)
    smaller.items = [i for n, i in enumerate(smaller.items) if n not in gone]
    tables = {t for i in smaller.items if i.kind == "table" for t in i.tables}
    smaller.links = [k for k in smaller.links if k["parent_table"] in tables and k["table"] in tables]
    edges = {i.edge for i in smaller.items if i.edge} | {(k["relation"], k["link"]) for k in smaller.links}
    smaller.policies = [p for p in smaller.policies if (p["relation"], p["edge"]) in edges]
    smaller.columns = [c for c in smaller.columns if c["edge"] is None or (c["relation"], c["edge"]) in edges]
    smaller.cleanups = [c for c in smaller.cleanups if c["table"] in tables]
    return smaller


def candidates(case):
    tables = sorted({t for i in case.items for t in i.tables} - {case.root})
    for size in (max(1, len(tables) // 2), 1):
        for start in range(0, len(tables), size):
            chunk = set(tables[start:start + size])
            yield without(case, [n for n, i in enumerate(case.items) if i.tables & chunk])
    extras = [n for n, i in enumerate(case.items) if i.kind in ("index", "trigger", "owner")]
    if extras:
        yield without(case, extras)
    for n, item in enumerate(case.items):
        if item.kind in ("key", "trigger", "owner", "index", "prelude"):
            yield without(case, [n])
    for n in range(len(case.links)):
        smaller = case.copy()
        link = smaller.links.pop(n)
        smaller.policies = [p for p in smaller.policies if (p["relation"], p["edge"]) != (link["relation"], link["link"])]
        yield smaller
    for n in range(len(case.policies)):
        smaller = case.copy()
        del smaller.policies[n]
        yield smaller
    for name in ("columns", "cleanups", "extra_keys"):
        for n in range(len(getattr(case, name))):
            smaller = case.copy()
            del getattr(smaller, name)[n]
            yield smaller
    if case.isolation != "READ COMMITTED":
        smaller = case.copy()
        smaller.isolation = "READ COMMITTED"
        yield smaller
    for n, item in enumerate(case.items):
        count = len(item.rows or [])
        for size in (count // 2, 1):
            for start in range(0, count if size else 0, max(size, 1)):
                smaller = case.copy()
                rows = smaller.items[n].rows
                smaller.items[n].rows = rows[:start] + rows[start + size:]
                yield smaller
