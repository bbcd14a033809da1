"""What must hold when all sessions have ended: no row refers to nothing, and each row that is missing is in the evidence."""

ORPHANS = """
SELECT conrelid::regclass::text, conname,
       (SELECT string_agg(format('c.%I = p.%I', a.attname, b.attname), ' AND ' ORDER BY k.n)
          FROM unnest(conkey, confkey) WITH ORDINALITY AS k(child, parent, n)
          JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.child JOIN pg_attribute b ON b.attrelid = confrelid AND b.attnum = k.parent),
       (SELECT string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ')
          FROM unnest(conkey) AS k(child) JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.child), confrelid::regclass::text
  FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND connamespace = 'app'::regnamespace"""


def one(cursor, sql, *values):
    cursor.execute(sql, values)
    return cursor.fetchone()[0]


def prove(churn, connection, tables):
    with connection.cursor() as cursor:
        finish(churn, cursor)
        keys = 0
        cursor.execute(ORPHANS)
        for table, name, same, given, parent in cursor.fetchall():
            keys += 1
            rows = one(cursor, "SELECT count(*) FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s)" % (table, given, parent, same))
            if rows:
                churn.problem("%d rows of %s refer to nothing through %s" % (rows, table, name))
        churn.count("keys_looked_at", keys)
        account(churn, cursor, tables)
        people(churn, cursor)


def finish(churn, cursor):
    """Batches that were interrupted, and rows that came behind a link or a tombstone: another run removes them."""
    for person in sorted(churn.batches):
        if one(cursor, "SELECT count(*) FROM app.person WHERE id = %s", person):
            cursor.execute("CALL vedfolnir_delete_user_in_batches(%s)", (str(person),))
            churn.told["user"].add(person)
    cursor.execute("SELECT DISTINCT person FROM app.log l WHERE NOT EXISTS (SELECT FROM app.person p WHERE p.id = l.person) AND person IS NOT NULL")
    for (person,) in cursor.fetchall():
        churn.count("came_behind_the_link")
        cursor.execute("SELECT FROM vedfolnir_delete_user(%s, false)", (str(person),))
    cursor.execute("SELECT id FROM app.member m WHERE name = 'gone' AND (EXISTS (SELECT FROM app.badge b WHERE b.member = m.id) "
                   "OR EXISTS (SELECT FROM app.pass b WHERE b.member = m.id))")
    for (person,) in cursor.fetchall():
        churn.count("came_behind_a_tombstone")
        cursor.execute("SELECT FROM vedfolnir_delete_user(%s, false, subject => 'member')", (str(person),))
    rows = one(cursor, "SELECT count(*) FROM vedfolnir.deletion WHERE state NOT IN ('complete')")
    if rows:
        churn.problem("%d deletions are not complete" % rows)


def account(churn, cursor, tables):
    """Rows there = rows that the sessions inserted and deleted - rows in the audit."""
    for table in tables:
        there = one(cursor, "SELECT count(*) FROM app." + table)
        entered = one(cursor, "SELECT coalesce(sum(rows), 0) FROM app.ledger WHERE relation = %s", "app." + table)
        audited = one(cursor, "SELECT coalesce(sum(row_count), 0) FROM vedfolnir.audit_log WHERE action = 'delete' AND relation = %s", "app." + table)
        churn.count("rows_deleted", int(audited))
        if there != entered - audited:
            churn.problem("app.%s has %d rows; %d were entered, %d are in the audit" % (table, there, entered, audited))
        if not audited and table not in ("asset", "visit", "member", "pass"):
            churn.problem("nothing was deleted from app." + table)
    for table, action, what in (("asset", "reassign", "given"), ("visit", "nullify", "cleared")):
        done = one(cursor, "SELECT coalesce(sum(rows), 0) FROM app.ledger WHERE relation = %s", what)
        audited = one(cursor, "SELECT coalesce(sum(row_count), 0) FROM vedfolnir.audit_log WHERE action = %s AND relation = %s", action, "app." + table)
        churn.count("rows_changed", int(audited))
        if done != audited:
            churn.problem("%d references of app.%s changed, %d are in the audit" % (done, table, audited))


def people(churn, cursor):
    """Nobody went whom nobody deleted; who was said to be gone is; nothing is left of them."""
    entered = one(cursor, "SELECT sum(rows) FROM app.ledger WHERE relation = 'app.person'")
    gone = entered - one(cursor, "SELECT count(*) FROM app.person")
    evidence = one(cursor, "SELECT count(DISTINCT pseudonym) FROM vedfolnir.deletion WHERE subject = 'user'")
    if gone != evidence:
        churn.problem("%d people are gone, the evidence names %d" % (gone, evidence))
    churn.count("people_gone", gone)
    cursor.execute("SELECT id FROM app.person WHERE id = ANY (%s)", (list(churn.told["user"]),))
    for (person,) in cursor.fetchall():
        churn.problem("person %s was deleted and is there" % person)
    stones = one(cursor, "SELECT count(*) FROM app.member WHERE name = 'gone'")
    evidence = one(cursor, "SELECT count(DISTINCT pseudonym) FROM vedfolnir.deletion WHERE subject = 'member'")
    if stones != evidence:
        churn.problem("%d members are tombstones, the evidence names %d" % (stones, evidence))
    churn.count("tombstones", stones)
    for subject, ids in churn.told.items():
        for person in sorted(ids)[-300:]:
            cursor.execute("SELECT kind, relation, via FROM vedfolnir_verify_user(%s, subject => %s) WHERE kind <> 'retained'", (str(person), subject))
            for row in cursor.fetchall():
                churn.problem("of a deleted %s is left: %s" % (subject, row))
