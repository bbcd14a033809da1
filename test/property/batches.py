"""vedfolnir_delete_user_in_batches on committed data: the end state, the audit and the queue are those of one run."""

import psycopg2

from names import literal
from native import difference

AUDIT = "SELECT relation, action, pg_catalog.sum(row_count)::bigint FROM vedfolnir.audit_log GROUP BY 1, 2 ORDER BY 1, 2"
TASKS = "SELECT phase, kind, operation, service, target, pg_catalog.count(*) FROM vedfolnir.cleanup_task GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5"
FORGET = """
DELETE FROM vedfolnir.cleanup_task; DELETE FROM vedfolnir.audit_log; DELETE FROM vedfolnir.deletion; DELETE FROM vedfolnir.column_rule;
DELETE FROM vedfolnir.cleanup_rule; DELETE FROM vedfolnir.policy; DELETE FROM vedfolnir.link; DELETE FROM vedfolnir.subject"""


def record(cursor):
    found = []
    for sql in (AUDIT, TASKS):
        cursor.execute(sql)
        found.append(cursor.fetchall())
    return found


def check(cursor, case, rows_now, single):
    """single: (error code, state, audit and tasks) of the one run. Nothing of it is there any more; the call commits."""
    problems = []
    code, state, evidence = single
    cursor.execute("ROLLBACK; BEGIN")
    try:
        for sql in case.configuration():
            cursor.execute(sql)
        cursor.execute("COMMIT")
        before = rows_now()
        failed = None
        try:
            cursor.execute("CALL vedfolnir_delete_user_in_batches(%s, %d)" % (literal(case.key), case.batch_rows))
        except psycopg2.Error as error:
            if error.pgcode is None or cursor.connection.closed:
                raise
            failed = "%s %s" % (error.pgcode, error.diag.message_primary)
        after = rows_now()
        # The call asks for blockers before it deletes; the one run meets the trigger that keeps rows first.
        other = code == "VF003" and (failed or "").startswith("VF007")
        if (failed or "")[:5] != (code or "") and not other:
            problems.append("BATCHES: of %d rows %s, the one run %s" % (case.batch_rows, failed or "go through", code or "goes through"))
        elif code == "VF007" and difference(before, after):
            problems.append("BATCHES: a refused call changes rows: " + difference(before, after))
        elif not code:
            if difference(state, after):
                problems.append("BATCHES: of %d rows leave another state: %s" % (case.batch_rows, difference(state, after)))
            for name, one, many in zip(("audit", "tasks"), evidence, record(cursor)):
                if one != many:
                    problems.append("BATCHES: of %d rows leave other %s: %s, one run %s" % (case.batch_rows, name, many, one))
            cursor.execute("SELECT state FROM vedfolnir.deletion")
            states = [r[0] for r in cursor.fetchall()]
            if states != ["pending" if evidence[1] else "complete"]:
                problems.append("BATCHES: the deletion is %s" % states)
    finally:
        if not cursor.connection.closed:
            cursor.execute("ROLLBACK")
            cursor.execute(FORGET)
    return problems
