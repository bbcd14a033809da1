"""Runs cases: the saved regressions first, then COUNT seeds from SEED on, over JOBS processes. Last line: N passed, N failed."""

import argparse
import collections
import glob
import multiprocessing
import os
import sys
import time
import traceback

import psycopg2

from case import Case
from generator import generate
from trial import Invalid, run_trial

HERE = os.path.dirname(os.path.abspath(__file__))
VACUUM_EVERY = 100
# The server keeps the plans of RI triggers and functions of dropped schemas for as long as a connection lives.
RECONNECT_EVERY = 200


def connect(job, with_engine):
    """A database of its own per process; schemas live and die in a transaction that is rolled back."""
    name = "property_%d" % job
    with_database = psycopg2.connect(dbname="postgres")
    with_database.autocommit = True
    cursor = with_database.cursor()
    cursor.execute("SELECT 1 FROM pg_catalog.pg_database WHERE datname = %s", (name,))
    if not cursor.fetchone():
        cursor.execute("CREATE DATABASE %s TEMPLATE template0" % name)
    with_database.close()
    connection = psycopg2.connect(dbname=name)
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET client_min_messages = warning")
    cursor.execute("CREATE EXTENSION IF NOT EXISTS citext")
    if with_engine:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vedfolnir")
    return connection


def attempt(connection, case, options):
    """The problems of a case; an error of the harness itself is a problem as well, never a pass."""
    try:
        return run_trial(connection, case, options.engine, options.native)
    except Invalid:
        raise
    except psycopg2.Error as error:
        result = Failure("%s %s" % (error.pgcode, error))
        if connection.closed:
            result.lost = True
        return result
    except Exception:
        return Failure(traceback.format_exc())


class Failure:
    def __init__(self, text):
        self.problems = [text]
        self.facts = {}
        self.lost = False


def reconnect(job, options):
    seen = None
    for _ in range(100):
        try:
            return connect(job, options.engine)
        except psycopg2.OperationalError as error:
            seen = error
            time.sleep(0.2)
    raise RuntimeError("the server does not come back: %s" % seen)


def work(job, seeds, options, results):
    """A worker that dies counts as a failure; the parent always hears the end."""
    try:
        work_through(job, seeds, options, results)
    except BaseException:
        results.put(("of worker %d" % job, [traceback.format_exc()], {}, ""))
    results.put(None)


def work_through(job, seeds, options, results):
    connection = reconnect(job, options)
    for n, (label, case) in enumerate(seeds):
        if options.deadline and time.time() > options.deadline:
            break                                        # what was not run is not counted
        if n % VACUUM_EVERY == VACUUM_EVERY - 1:
            connection.cursor().execute("VACUUM pg_attribute, pg_class, pg_depend, pg_type, pg_constraint, pg_index, pg_trigger, pg_shdepend")
        try:
            case = case or generate(int(label), options.max_tables)
            result = attempt(connection, case, options)
        except Invalid as error:
            result = Failure("the case's SQL does not run: %s" % error)
        except Exception:
            result = Failure(traceback.format_exc())
            case = None
        if n % RECONNECT_EVERY == RECONNECT_EVERY - 1:
            connection.close()
        if connection.closed:
            connection = reconnect(job, options)
        saved = ""
        if result.problems and case is not None and options.save:
            from shrinker import shrink
            case, connection = shrink(connection, case, result, options, lambda: reconnect(job, options))
            saved = os.path.join(options.save, "case_%s.sql" % label.replace("/", "_"))
            case.save(saved, "seed %s\n%s" % (label, "\n".join(result.problems)))
        results.put((label, result.problems, result.facts, saved))


def main():
    parser = argparse.ArgumentParser(prog="tools/property.sh")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--max-tables", type=int, default=40)
    parser.add_argument("--schema-only", metavar="SEED", help="print the SQL of one seed and end")
    parser.add_argument("--case", action="append", default=[], help="run this saved case instead of seeds")
    parser.add_argument("--save", metavar="DIR", help="shrink failing cases and save them here")
    parser.add_argument("--no-engine", dest="engine", action="store_false", help="only the reference against the server's own ON DELETE")
    parser.add_argument("--no-native", dest="native", action="store_false", help="without the server's own ON DELETE")
    parser.add_argument("--stop-after", type=int, default=0, metavar="N", help="end after N failures")
    parser.add_argument("--seconds", type=float, default=0, help="begin no further case after this time; the summary counts those that ran")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.schema_only:
        case = generate(int(options.schema_only), options.max_tables)
        case.save("/dev/stdout", "seed %s" % options.schema_only)
        return 0
    if options.save:
        os.makedirs(options.save, exist_ok=True)
    started = time.time()
    options.deadline = started + options.seconds if options.seconds else 0
    files = options.case or sorted(glob.glob(os.path.join(HERE, "regressions", "*.sql")))
    cases = [(os.path.basename(f), Case.load(f)) for f in files]
    if not options.case:
        cases += [(str(s), None) for s in range(options.seed, options.seed + options.count)]
    results = multiprocessing.Queue()
    jobs = [multiprocessing.Process(target=work, args=(j, cases[j::options.jobs], options, results)) for j in range(options.jobs)]
    for job in jobs:
        job.start()
    passed = failed = ended = 0
    facts = collections.Counter()
    while ended < len(jobs):
        item = results.get()
        if item is None:
            ended += 1
            continue
        label, problems, seen, saved = item
        for name, value in seen.items():
            if name == "native" or isinstance(value, bool):
                facts["%s=%s" % (name, value)] += 1
            elif name == "native_error" and options.verbose:
                print("seed %s: natively %s" % (label, value))
            elif isinstance(value, int):
                facts[name] += value
        if problems:
            failed += 1
            print("FAILED seed %s%s" % (label, " saved as " + saved if saved else ""))
            for text in problems:
                print("    " + text.replace("\n", "\n    "))
            sys.stdout.flush()
            if options.stop_after and failed >= options.stop_after:
                for job in jobs:
                    job.terminate()
                break
        else:
            passed += 1
    for job in jobs:
        job.join()
    print("# %s, %.1f s" % (", ".join("%s %d" % f for f in sorted(facts.items())), time.time() - started))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
