"""What the sessions of the application do: insert, move, update and delete rows, each in a transaction with its ledger."""

import time

TABLES = ["person", "post", "comment", "ticket", "step", "folder", "doc", "account", "booking", "event", "remark", "asset",
          "visit", "log", "member", "badge", "pass"]

# One row that somebody else may be deleting.
SOME = "(SELECT %s FROM app.%s ORDER BY random() LIMIT 1)"
PERSON = "(SELECT id FROM app.person WHERE id <> 0 ORDER BY random() LIMIT 1)"
NEXT = "nextval('app.ids')"


def some(table, column="id"):
    return SOME % (column, table)


INSERTS = {
    "person": "SELECT %s, %s" % (NEXT, PERSON),
    "post": "SELECT %s, %s, CASE WHEN random() < 0.6 THEN %s END" % (NEXT, PERSON, some("post")),
    "comment": "SELECT %s, id, %s FROM app.post ORDER BY random() LIMIT 1" % (NEXT, PERSON),
    "ticket": "SELECT %s, id FROM app.person WHERE id <> 0 ORDER BY random() LIMIT 1" % NEXT,
    "step": "SELECT %s, id FROM app.ticket ORDER BY random() LIMIT 1" % NEXT,
    "folder": "SELECT %s, %s, %s" % (NEXT, PERSON, some("doc")),
    "doc": "SELECT %s, %s" % (NEXT, some("folder")),
    "account": "SELECT id, %s FROM app.person WHERE id <> 0 ORDER BY random() LIMIT 1" % NEXT,
    "booking": "SELECT %s, person, no FROM app.account ORDER BY random() LIMIT 1" % NEXT,
    "event": "SELECT %s, (random() * 1)::int, %s" % (NEXT, PERSON),
    "remark": "SELECT %s, id, kind FROM app.event ORDER BY random() LIMIT 1" % NEXT,
    "asset": "SELECT %s, id FROM app.person WHERE id <> 0 ORDER BY random() LIMIT 1" % NEXT,
    "visit": "SELECT %s, %s, %s" % (NEXT, PERSON, PERSON),
    "log": "SELECT %s, %s" % (NEXT, PERSON),
    "member": "SELECT %s, 'somebody'" % NEXT,
    "badge": "SELECT %s, id FROM app.member ORDER BY random() LIMIT 1" % NEXT,
    "pass": "SELECT %s, %s" % (NEXT, some("member")),
}
COLUMNS = {"visit": "id, guest, host", "booking": "id, person, no", "person": "id, inviter", "step": "id, ticket", "member": "id, name"}

# To a person and away from one, to another parent, to another partition, and changes that concern no reference.
MOVES = [
    "UPDATE app.person SET inviter = %s WHERE id = %s" % (PERSON, PERSON),
    "UPDATE app.person SET seen = seen + 1 WHERE id = %s" % PERSON,
    "UPDATE app.post SET author = %s WHERE id = %s" % (PERSON, some("post")),
    "UPDATE app.post SET parent = %s WHERE id = %s" % (some("post"), some("post")),
    "UPDATE app.comment SET post = p.id FROM (SELECT id FROM app.post ORDER BY random() LIMIT 1) p WHERE comment.id = %s" % some("comment"),
    "UPDATE app.comment SET author = %s WHERE id = %s" % (PERSON, some("comment")),
    "UPDATE app.ticket SET person = p.id FROM (SELECT id FROM app.person WHERE id <> 0 ORDER BY random() LIMIT 1) p WHERE ticket.id = %s" % some("ticket"),
    "UPDATE app.step SET ticket = p.id FROM (SELECT id FROM app.ticket ORDER BY random() LIMIT 1) p WHERE step.id = %s" % some("step"),
    "UPDATE app.step SET seen = seen + 1 WHERE id = %s" % some("step"),
    "UPDATE app.folder SET doc = %s WHERE id = %s" % (some("doc"), some("folder")),
    "UPDATE app.folder SET owner = %s WHERE id = %s" % (PERSON, some("folder")),
    "UPDATE app.doc SET folder = %s WHERE id = %s" % (some("folder"), some("doc")),
    "UPDATE app.booking SET person = a.person, no = a.no FROM (SELECT * FROM app.account ORDER BY random() LIMIT 1) a WHERE id = %s" % some("booking"),
    "UPDATE app.booking SET seen = seen + 1 WHERE id = %s" % some("booking"),
    "UPDATE app.event SET kind = 1 - kind WHERE id = %s" % some("event"),
    "UPDATE app.event SET person = %s WHERE id = %s" % (PERSON, some("event")),
    "UPDATE app.asset SET holder = p.id FROM (SELECT id FROM app.person WHERE id <> 0 ORDER BY random() LIMIT 1) p WHERE asset.id = %s" % some("asset"),
    "UPDATE app.visit SET host = coalesce(%s, host) WHERE id = %s AND host IS NOT NULL" % (PERSON, some("visit")),
    "UPDATE app.member SET seen = seen + 1 WHERE id = %s" % some("member"),
    "UPDATE app.badge SET member = m.id FROM (SELECT id FROM app.member ORDER BY random() LIMIT 1) m WHERE badge.id = %s" % some("badge"),
]
# Only rows that nothing refers to: what goes must be counted by whoever deletes it.
LEAVES = ["comment", "step", "booking", "remark", "asset", "visit", "log", "badge", "pass"]


class Worker:
    def __init__(self, churn):
        self.churn = churn

    def insert(self, cursor, table):
        names = COLUMNS.get(table)
        cursor.execute("INSERT INTO app.%s%s %s" % (table, " (%s)" % names if names else "", INSERTS[table]))
        self.enter(cursor, table, cursor.rowcount)

    @staticmethod
    def enter(cursor, table, rows):
        if rows:
            cursor.execute("INSERT INTO app.ledger VALUES (%s, %s)", ("app." + table, rows))

    def fill(self, connection, rng):
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            for _ in range(120):
                self.insert(cursor, "person")
            for _ in range(20):
                self.insert(cursor, "member")
            for _ in range(1500):
                self.insert(cursor, rng.choice(TABLES[1:]))
            cursor.execute("COMMIT; ANALYZE")

    def step(self, connection, rng):
        with connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL " + rng.choices(["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"], [6, 2, 1])[0])
            cursor.execute("SET LOCAL lock_timeout = '5s'")
            for _ in range(rng.choice([1, 1, 2, 5])):
                what = rng.random()
                if what < 0.55:
                    self.insert(cursor, rng.choice(["person", "person", "person"] + TABLES))
                elif what < 0.9:
                    cursor.execute(rng.choice(MOVES))
                else:
                    table = rng.choice(LEAVES)
                    cursor.execute("DELETE FROM app.%s WHERE id = %s" % (table, some(table)))
                    self.enter(cursor, table, cursor.rowcount and -cursor.rowcount)
                if rng.random() < 0.2:
                    time.sleep(rng.random() * 0.01)
            cursor.execute("COMMIT" if rng.random() < 0.95 else "ROLLBACK")
