"""Sessions that change the application of schema.sql while others delete its people; afterwards every row is accounted for.

usage: churn.py CONNINFO SECONDS SEED. Prints one line per fact, "name value", and one line "problem ..." per problem.
"""

import collections
import random
import sys
import threading
import time

import psycopg2

from work import TABLES, Worker
from proof import prove

LEVELS = ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
# What a session may meet because of the others. VF003: a row came behind the link meanwhile; 55006: another call is at it in batches.
WORKER_CODES = {"23503", "40001", "40P01", "55P03", "57014", "57P01"}
DELETER_CODES = {"40001", "40P01", "55P03", "57014", "57P01", "55006", "VF003"}


class Churn:
    def __init__(self, conninfo, seed):
        self.conninfo, self.seed = conninfo, seed
        self.lock = threading.Lock()
        self.facts = collections.Counter()
        self.problems = []
        self.attempted = {"user": set(), "member": set()}
        self.told = {"user": set(), "member": set()}       # the client was told that they are gone
        self.batches = set()
        self.stop = threading.Event()

    def connect(self):
        connection = psycopg2.connect(self.conninfo + " application_name=churn")
        connection.autocommit = True
        return connection

    def count(self, name, n=1):
        with self.lock:
            self.facts[name] += n

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def session(self, number, step, allowed, name):
        """Runs steps until the end, connecting anew when the connection was terminated."""
        rng = random.Random("%s %s %s" % (self.seed, name, number))
        connection = None
        while not self.stop.is_set():
            try:
                if connection is None or connection.closed:
                    connection = self.connect()
                step(connection, rng)
                self.count(name)
            except psycopg2.Error as error:
                code = error.pgcode or ("57P01" if connection is None or connection.closed else "none")
                self.count("%s_%s" % (name, code))
                if code not in allowed or code == "VF003" and "log_person" not in str(error):
                    self.problem("%s met %s: %s" % (name, code, str(error).strip()))
                connection = self.cleared(connection)
        if connection is not None:
            connection.close()

    @staticmethod
    def cleared(connection):
        try:
            connection.cursor().execute("ROLLBACK")
            return connection
        except (psycopg2.Error, AttributeError):
            return None

    # ---- deleters ----
    def delete(self, connection, rng):
        with connection.cursor() as cursor:
            subject = "member" if rng.random() < 0.15 else "user"
            table = "app.member WHERE name <> 'gone'" if subject == "member" else "app.person WHERE id <> 0"
            cursor.execute("SELECT id FROM %s ORDER BY random() LIMIT %d" % (table, rng.choice([1, 1, 2, 4])))
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return time.sleep(0.05)
            cursor.execute("SET vedfolnir.lock_timeout = '%s'" % rng.choice(["5s", "1s", "50ms"]))
            cursor.execute("SET vedfolnir.fast_ri = " + rng.choice(["on", "on", "off"]))
            how = rng.random()
            if subject == "user" and how < 0.25:
                return self.in_batches(cursor, ids[0], rng)
            if how < 0.35:
                return self.dry_run(cursor, subject, ids[0], rng)
            if subject == "member":
                ids = ids[:1]
            with self.lock:
                self.attempted[subject].update(ids)
            cursor.execute("BEGIN ISOLATION LEVEL " + rng.choices(LEVELS, [4, 2, 2])[0])
            if rng.random() < 0.3:
                cursor.execute("SELECT count(*) FROM app.post")      # the snapshot is older than the call
                time.sleep(rng.random() * 0.02)
            if len(ids) > 1:
                cursor.execute("SELECT FROM vedfolnir_delete_users(%s, false, subject => %s)", ([str(i) for i in ids], subject))
            else:
                cursor.execute("SELECT FROM vedfolnir_delete_user(%s, false, subject => %s)", (str(ids[0]), subject))
            if rng.random() < 0.1:
                cursor.execute("ROLLBACK")
                return self.count("rolled_back")
            cursor.execute("COMMIT")
            with self.lock:
                self.told[subject].update(ids)
            self.count("deleted_together" if len(ids) > 1 else "deleted_" + subject)

    def in_batches(self, cursor, person, rng):
        with self.lock:
            self.attempted["user"].add(person)
            self.batches.add(person)
        cursor.execute("CALL vedfolnir_delete_user_in_batches(%s, %s)", (str(person), rng.choice([1, 3, 20])))
        with self.lock:
            self.told["user"].add(person)
            self.batches.discard(person)
        self.count("deleted_in_batches")

    def dry_run(self, cursor, subject, person, rng):
        cursor.execute("BEGIN ISOLATION LEVEL %s READ ONLY" % rng.choice(LEVELS))
        cursor.execute("SELECT count(*) FILTER (WHERE action = 'block') FROM vedfolnir_delete_user(%s, subject => %s)", (str(person), subject))
        if cursor.fetchone()[0]:
            self.problem("a dry run shows something in the way")
        cursor.execute("ROLLBACK")
        self.count("dry_run")

    def disturb(self, connection, rng):
        time.sleep(rng.random() * 0.1)
        how = rng.choice(["cancel", "cancel", "terminate"])
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_%s_backend(pid) FROM pg_stat_activity WHERE application_name = 'churn' AND state = 'active' "
                           "AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1" % how)
            self.count(how, cursor.rowcount)

    def run(self, seconds):
        workers = [Worker(self) for _ in range(6)]
        jobs = [(n, w.step, WORKER_CODES, "work") for n, w in enumerate(workers)]
        jobs += [(n, self.delete, DELETER_CODES | {"VF001"}, "delete") for n in range(3)] + [(0, self.disturb, WORKER_CODES, "disturb")]
        threads = [threading.Thread(target=self.session, args=job) for job in jobs]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.stop.set()
        for thread in threads:
            thread.join(60)
            if thread.is_alive():
                self.problem("a session does not come to its end")


def main():
    conninfo, seconds, seed = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    churn = Churn(conninfo, seed)
    first = churn.connect()
    Worker(churn).fill(first, random.Random(seed))
    churn.run(seconds)
    prove(churn, first, TABLES)
    for name, value in sorted(churn.facts.items()):
        print(name, value)
    for text in churn.problems[:40]:
        print("problem", text.replace("\n", " "))
    print("problems", len(churn.problems))


main()
