"""The engine under test: dry run, run with and without fast_ri, compared with the reference and with each other."""

import collections
import re

import psycopg2

import batches
from catalogue import comparable, fetch_rows
from names import ident, literal
from native import difference
from outside import expected_targets, operations

CHANGES = ("delete", "nullify", "default", "reassign", "retain")
PHASE = {"delete": 0, "nullify": 1, "default": 1, "reassign": 1, "retain": 1, "block": 2, "enqueue": 3}
Step = collections.namedtuple("Step", "step relation via action row_count collateral note")


class Call:
    """One call of the engine inside a savepoint: its rows, or its error."""

    def __init__(self, cursor, sql, before=()):
        self.rows, self.code, self.text, self.detail = None, None, "", ""
        try:
            for statement in before:
                cursor.execute(statement)
            cursor.execute(sql)
            self.rows = [Step(*r) for r in cursor.fetchall()]
        except psycopg2.Error as error:
            if error.pgcode is None or cursor.connection.closed:
                raise
            self.code, self.text, self.detail = error.pgcode, error.diag.message_primary, error.diag.message_detail or ""

    def describe(self):
        return "%s %s (%s)" % (self.code, self.text, self.detail) if self.code else "goes through"


def shown(rows):
    return "\n".join("    %s" % (tuple(r),) for r in rows)


def check(cursor, case, catalogue, reference, state):
    trial = EngineTrial(cursor, case, catalogue, reference, state)
    try:
        trial.configure()
    except psycopg2.Error as error:
        if cursor.connection.closed:
            raise
        return ["CONFIGURE: %s %s" % (error.pgcode, error.diag.message_primary)]
    trial.compare()
    if case.batch_rows and trial.single and not (trial.single[0] or "")[:2] == "23":
        trial.problems += batches.check(cursor, case, trial.state, trial.single)
    return trial.problems


class EngineTrial:
    def __init__(self, cursor, case, catalogue, reference, state):
        self.cursor, self.case, self.catalogue, self.reference, self.before = cursor, case, catalogue, reference, state
        self.out = reference.out
        self.targets, self.sure = expected_targets(reference, case.cleanups)
        self.problems = []
        self.single = None
        self.edge_of = {(e.child.display, e.name): n for n, e in enumerate(reference.edges)}
        self.moved = any("partition key" in text for text in self.out.lenient)
        self.loose = {(reference.edges[e].child.top, reference.edges[e].columns[0])
                      for e, action in enumerate(reference.actions) if action == "reassign"}

    def problem(self, text):
        self.problems.append(text)

    def configure(self):
        for sql in self.case.configuration():
            self.cursor.execute(sql)

    def compare(self):
        cursor, case, out = self.cursor, self.case, self.out
        cursor.execute("SAVEPOINT dry")
        dry = Call(cursor, case.run_sql(True), ["SET TRANSACTION READ ONLY"])
        cursor.execute("ROLLBACK TO dry")
        if dry.code:
            self.problem("DRYRUN: fails with " + dry.describe())
            return
        blocked = any(r.action == "block" for r in dry.rows)
        self.check_order(dry.rows)
        self.check_counts(dry.rows)
        self.check_enqueue(dry.rows)
        cursor.execute("SAVEPOINT fast")
        fast = Call(cursor, case.run_sql(False), ["SET LOCAL vedfolnir.fast_ri = on"])
        fast_state = None
        if not fast.code:
            self.check_outcome(fast, dry)
            fast_state = self.state()
        self.single = (fast.code, fast_state, None if fast.code else batches.record(cursor))
        cursor.execute("ROLLBACK TO fast")
        plan_hash = re.search(r"plan_hash=([0-9a-f]+)", dry.rows[0].note or "") if dry.rows else None
        if not plan_hash:
            self.problem("DRYRUN: the first row carries no plan_hash")
        if not self.native_is_wider():
            self.compare_slow(fast, fast_state, plan_hash and plan_hash.group(1))
        self.check_refusal(fast, blocked, dry.rows)

    def native_is_wider(self):
        """Before PostgreSQL 18 a key's own trigger compares by the collation of the referring column alone, and where only that one is
        nondeterministic it changes rows that refer to another key as well."""
        for edge in self.reference.edges:
            for column, target in zip(edge.columns, edge.targets):
                child, parent = edge.child.named(column), edge.parent.named(target)
                if child.locale and child.collation != parent.collation:
                    return True
        return False

    def compare_slow(self, fast, fast_state, plan_hash):
        cursor, case = self.cursor, self.case
        cursor.execute("SAVEPOINT slow")
        slow = Call(cursor, case.run_sql(False, plan_hash), ["SET LOCAL vedfolnir.fast_ri = off"])
        if not slow.code and fast_state is not None:
            text = difference(fast_state, self.state())
            if text:
                self.problem("FASTRI: off leaves another state: " + text)
            if slow.rows != fast.rows:
                self.problem("FASTRI: off returns other rows:\n%s\nthan\n%s" % (shown(slow.rows), shown(fast.rows)))
        cursor.execute("ROLLBACK TO slow")
        if (slow.code or None) != (fast.code or None):
            self.problem("FASTRI: on %s, off %s" % (fast.describe(), slow.describe()))

    # ---- refused or not ----
    def check_refusal(self, run, blocked, rows):
        out = self.out
        expected = bool(out.blockers or out.collateral_refused or out.must_fail or out.kept)
        reasons = [(self.reference.edges[e].child.qualified(), self.reference.edges[e].name, r) for e, r in out.blockers.items()]
        reasons += out.must_fail + ["kept back by a trigger" for _ in out.kept] + (["collateral"] if out.collateral_refused else [])
        # That a link comes true is told, and left to a trigger that may prevent it.
        left = any(text.startswith("new reference") for text in out.must_fail) and any(" prevents it" in (r.note or "") for r in rows)
        kept = run.code == "VF003" and (out.kept or left)
        if run.code and not (run.code == "VF007" or run.code.startswith("23") or kept):
            self.problem("ERROR %s: %s" % (run.code, run.describe()))
        if run.code and not expected and not out.lenient:
            self.problem("REFUSED: %s; the reference knows no reason\n%s" % (run.describe(), shown(rows)))
        if not run.code and expected:
            self.problem("NOTREFUSED: the run goes through, the reference refuses: %s\n%s" % (reasons, shown(rows)))
        if blocked and run.code != "VF007" and not kept:
            self.problem("DRYRUN: shows block rows, the run %s\n%s" % (run.describe(), shown(rows)))
        foreign = out.collateral_refused or any("collateral" in text for text in out.lenient)
        if run.code == "VF007" and not blocked and not foreign and not out.kept:
            self.problem("DRYRUN: shows no block row, the run %s\n%s" % (run.describe(), shown(rows)))
        if (out.blockers or out.collateral_refused) and run.code and run.code != "VF007" and not kept:
            self.problem("UNPREDICTED: %s, but it was foreseeable: %s\n%s" % (run.describe(), reasons, shown(rows)))
        if run.code == "VF007" and not out.kept:
            for row in rows:
                if row.action == "block" and row.via and row.via.replace('"', '""') not in run.detail:
                    self.problem("DETAIL: edge %r of %s is not in the DETAIL of VF007: %s" % (row.via, row.relation, run.detail))

    # ---- rows of the dry run ----
    def check_order(self, rows):
        if not rows:
            self.problem("ORDER: no rows")
            return
        first = rows[0]
        if first.via is not None or first.relation != self.reference.root.display or first.row_count != len(self.reference.roots) or first.action not in ("delete", "tombstone"):
            self.problem("ORDER: the first row is not the root row: %s" % (tuple(first),))
        if [r.step for r in rows] != list(range(1, len(rows) + 1)):
            self.problem("ORDER: steps are not 1, 2, 3 ...\n" + shown(rows))
        rest = rows[1:]
        phases = [PHASE.get(r.action, 9) for r in rest]
        if phases != sorted(phases):
            self.problem("ORDER: deletes, then changes, then block rows\n" + shown(rows))
        for phase in (1, 2):
            keys = [self.reference.edges[self.edge_of[r.relation, r.via]].order() for r in rest
                    if PHASE.get(r.action) == phase and (r.relation, r.via) in self.edge_of]
            if keys != sorted(keys):
                self.problem("ORDER: within a phase by schema, relation, name\n" + shown(rows))
        seen = [self.reference.edges[self.edge_of[r.relation, r.via]] for r in rest if r.action == "delete" and (r.relation, r.via) in self.edge_of]
        for n, edge in enumerate(seen):
            if edge.parent.top in self.out.in_cycle:
                continue
            if any(later.child.top == edge.parent.top for later in seen[n + 1:]):
                self.problem("ORDER: %s.%s comes before an edge into its parent\n%s" % (edge.child.qualified(), edge.name, shown(rows)))

    def check_counts(self, rows):
        out, edges = self.out, self.reference.edges
        per_top, collateral_top = collections.Counter(), collections.Counter()
        seen, notes = {}, collections.defaultdict(list)
        for row in rows[1:]:
            if row.action == "enqueue":
                continue
            e = self.edge_of.get((row.relation, row.via))
            if e is None:
                self.problem("COUNT: unknown edge %s" % (tuple(row),))
                continue
            if (e, row.action) in seen:
                # A row of its own for each reason.
                if row.action != "block" or row.note in notes[e]:
                    self.problem("COUNT: edge twice %s" % (tuple(row),))
                notes[e].append(row.note)
                continue
            notes[e].append(row.note)
            if row.row_count == 0 and not row.note:
                self.problem("COUNT: a row without rows and without note %s" % (tuple(row),))
            seen[e, row.action] = row
            if row.action == "delete":
                per_top[edges[e].child.top] += row.row_count
                collateral_top[edges[e].child.top] += row.collateral
        expected_top = collections.Counter()
        for (e, action), count in out.counts.items():
            if action == "delete":
                expected_top[edges[e].child.top] += count
        for top in set(per_top) | set(expected_top):
            name = self.catalogue.relations[top].qualified()
            if per_top[top] != expected_top[top]:
                self.problem("COUNT: %s deletes %d rows, expected %d\n%s" % (name, per_top[top], expected_top[top], shown(rows)))
            elif collateral_top[top] != out.collateral[top]:
                self.problem("COLLATERAL: %s has %d rows, expected %d\n%s" % (name, collateral_top[top], out.collateral[top], shown(rows)))
        refused = {edges[e].child.top for e, kind in seen
                   if kind == "block" and self.reference.actions[e] in ("nullify", "default", "reassign")}
        self.any_change_refused = bool(refused)

        def refused_change(edge):
            return edge.child.top in refused

        for e, edge in enumerate(edges):
            for action in CHANGES + ("block",):
                count = out.counts.get((e, action), 0)
                row = seen.get((e, action))
                found = row.row_count if row else 0
                if action == "delete" and edge.child.top in out.in_cycle or e in out.unsure:
                    continue
                if e in out.blockers and out.blockers[e] not in ("undeclared", "block", "retain", "NOT NULL") or found == count:
                    continue
                if action == "block" and count == 0 and (out.must_fail or out.lenient or out.collateral_refused):
                    continue                     # a predicted failure is counted as the engine sees fit
                if action == "block" and refused_change(edge):
                    continue                     # what an edge that would be refused changes is not changed for others either
                if action != "block" and count and (e, "block") in seen and (out.must_fail or out.lenient):
                    continue
                self.problem("COUNT: %s via %s %s counts %d, expected %d\n%s" % (edge.child.qualified(), edge.name, action, found, count, shown(rows)))
            if e in out.blockers and (e, "block") not in seen and e not in out.unsure and not refused_change(edge):
                self.problem("BLOCK: %s via %s is not shown as blocked (%s)\n%s" % (edge.child.qualified(), edge.name, out.blockers[e], shown(rows)))

    def check_enqueue(self, rows):
        expected = {group: len(targets) * len(operations(group[0])) for group, targets in self.targets.items() if targets}
        seen = {(r.relation, r.via): r.row_count for r in rows if r.action == "enqueue"}
        seen = {group: count for group, count in seen.items() if count}
        # A row whose change would be refused names what it named.
        kept = {(r.relation, r.via) for r in rows if self.any_change_refused and r.action == "enqueue" and "kept" in (r.note or "")}
        wrong = [group for group in set(seen) | set(expected) if seen.get(group, 0) != expected.get(group, 0)
                 and not (group in kept and seen.get(group, 0) < expected.get(group, 0))]
        if len(self.reference.roots) == 1 and self.sure and wrong:
            self.problem("ENQUEUE: %s, expected %s\n%s" % (seen, expected, shown(rows)))

    def check_tasks(self, rows):
        """The queue has what the reference expects, once per person at most, and as many tasks as the run says."""
        self.cursor.execute("SELECT phase, kind, operation, service, target, pg_catalog.count(*) FROM vedfolnir.cleanup_task GROUP BY 1, 2, 3, 4, 5")
        seen = {tuple(r[:5]): r[5] for r in self.cursor.fetchall()}
        expected = {(phase, kind, name, service, target) for (kind, service), targets in self.targets.items()
                    for target in targets for phase, name in operations(kind)}
        if set(seen) != expected:
            self.problem("TASKS: missing %s, too many %s\n%s" % (sorted(expected - set(seen))[:5], sorted(set(seen) - expected)[:5], shown(rows)))
        if any(n > len(self.reference.roots) for n in seen.values()):
            self.problem("TASKS: queued twice: %s" % seen)
        if sum(seen.values()) != sum(r.row_count for r in rows if r.action == "enqueue"):
            self.problem("TASKS: %d in the queue, the run says otherwise\n%s" % (sum(seen.values()), shown(rows)))

    # ---- after a run ----
    def state(self):
        return comparable(fetch_rows(self.cursor, self.catalogue), self.catalogue, not self.moved, self.loose)

    def check_outcome(self, run, dry):
        cursor, out = self.cursor, self.out
        plain, foreseen = ([tuple(r[:6]) for r in c.rows if self.sure or r.action != "enqueue"] for c in (run, dry))
        if plain != foreseen:
            self.problem("DRYRUN: other rows than the run:\n%s\nrun:\n%s" % (shown(dry.rows), shown(run.rows)))
        try:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg2.Error as error:
            self.problem("KEYS: a constraint fails after the call returned: %s %s" % (error.pgcode, error.diag.message_primary))
            return
        expected = comparable(out.final, self.catalogue, not self.moved, self.loose)
        text = difference(expected, self.state())
        if text:
            self.problem("STATE: " + text + "\n" + shown(run.rows))
        self.check_keys()
        self.check_audit(run.rows)
        self.check_tasks(run.rows)
        if not text:
            self.check_triggers()
            self.check_afterwards()

    def check_keys(self):
        """Every validated key by anti-join: no child without its parent."""
        parts = []
        for n, edge in enumerate(self.reference.edges):
            if not edge.validated:
                continue
            pairs = []
            for column, target in zip(edge.columns, edge.targets):
                collation = edge.parent.named(target).collation
                pairs.append("p.%s%s = c.%s" % (ident(target), " COLLATE " + collation if collation else "", ident(column)))
            parts.append("SELECT %d, count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)" % (
                n, edge.child.only(), " AND ".join("c.%s IS NOT NULL" % ident(c) for c in edge.columns), edge.parent.only(), " AND ".join(pairs)))
        if parts:
            self.cursor.execute(" UNION ALL ".join(parts))
            for n, count in self.cursor.fetchall():
                if count:
                    edge = self.reference.edges[n]
                    self.problem("KEYS: %s.%s has %d rows without parent" % (edge.child.qualified(), edge.name, count))

    def check_audit(self, rows):
        expected = collections.Counter()
        for row in rows:
            if row.action in CHANGES + ("tombstone",):
                expected[row.relation, row.action] += row.row_count
        # All other deletions of this database were rolled back, so the log holds this call's rows only.
        self.cursor.execute("SELECT relation, action, pg_catalog.sum(row_count)::bigint, pg_catalog.count(*), pg_catalog.count(DISTINCT pseudonym) "
                            "FROM vedfolnir.audit_log GROUP BY relation, action")
        seen = {}
        for relation, action, count, entries, people in self.cursor.fetchall():
            seen[relation, action] = count
            if entries != people:
                self.problem("AUDIT: %d rows for %s %s" % (entries, relation, action))
        if seen != {k: v for k, v in expected.items() if v}:
            self.problem("AUDIT: %s, the run says %s" % (seen, dict(expected)))

    def check_triggers(self):
        """The application's AFTER triggers saw each row exactly once, under an owner of the table."""
        self.cursor.execute("SELECT pg_catalog.to_regclass('audit_log.entry') IS NOT NULL")
        if not self.cursor.fetchone()[0]:
            return
        self.cursor.execute("SELECT tgrelid, tgname FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgparentid = 0")
        triggers = [t for t in self.cursor.fetchall() if t[0] in self.catalogue.relations]
        self.cursor.execute("SELECT relation::oid, op, who::text, pg_catalog.count(*) FROM audit_log.entry GROUP BY 1, 2, 3")
        seen = collections.Counter()
        for oid, op, who, count in self.cursor.fetchall():
            relation = self.catalogue.relations[oid]
            seen[relation.top, op] += count
            owners = {r.owner for r in self.catalogue.relations.values() if r.top == relation.top}
            if who not in owners:
                self.problem("TRIGGER: of %s runs as %s, owners are %s" % (relation.qualified(), who, owners))
        gone = collections.Counter(self.reference.top_of[row] for row in self.out.deleted)
        changed = collections.Counter(self.reference.top_of[row] for row in self.out.updated)
        for oid, name in triggers:
            relation = self.catalogue.relations[oid]
            leaves = len(relation.tree) > 1
            expected = {"zz_log": [("DELETE", gone), ("UPDATE", changed)], "log_all": [("GONE", gone)], "log_update": [("UPDATE", changed)]}.get(name, [])
            for op, counts in expected:
                if leaves and (op == "GONE" or self.moved):
                    continue
                if seen[oid, op] != counts[oid]:
                    self.problem("TRIGGER: %s of %s saw %d rows %s, expected %d" % (name, relation.qualified(), seen[oid, op], op, counts[oid]))

    def check_afterwards(self):
        """Nothing is found any more; a second run says so."""
        if self.case.mode == "tombstone" or self.reference.leaves_dangling() or any(action == "retain" for _, action in self.out.counts):
            return
        self.cursor.execute("SAVEPOINT again")
        left, kinds = [], ("row", "dangling") if any(self.targets.values()) else ("row", "dangling", "task")
        for key in self.case.keys():
            self.cursor.execute("SELECT kind, relation, via, row_count FROM vedfolnir_verify_user(user_key => %s)" % literal(key))
            left += [r for r in self.cursor.fetchall() if r[0] in kinds]
        if left:
            self.problem("VERIFY: finds %s" % left)
        again = Call(self.cursor, self.case.run_sql(False))
        if again.code or {r.action for r in again.rows} != {"already_deleted"}:
            self.problem("AGAIN: the second run %s %s" % (again.describe(), "" if again.code else shown(again.rows)))
        self.cursor.execute("ROLLBACK TO again")
