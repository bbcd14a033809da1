"""The databases: one template per kind of keys, a fresh file copy of it for every run, and the proofs afterwards."""
import sys
import time

from . import contestants
from .backend import measure
from .connection import Connection


def say(text):
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)


class Laboratory:
    """Dead rows of one run would slow down the next: a run never sees a table that another run has touched."""

    def __init__(self, model):
        self.model = model
        self.admin = Connection("postgres")
        self.admin.run("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        self.templates = set()
        self.checks = []                # (text, passed)
        self.results = {}               # what -> contestant -> list of samples
        self.reference = {}             # what -> fingerprint of the first contestant
        self.ours_installed = None

    # templates ----------------------------------------------------------------------------------------------------
    def build(self, name, base, statements):
        started = time.time()
        self.admin.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {base} STRATEGY FILE_COPY" if base else ""))
        with Connection(name) as c:
            for sql in statements:
                c.run(sql)
            c.run("VACUUM (FREEZE, ANALYZE)")
        self.templates.add(name)
        say(f"built {name} in {time.time() - started:.1f} s")

    def template(self, name):
        """Builds a template when the first experiment asks for it."""
        if name in self.templates:
            return name
        m = self.model
        if name == "base":
            self.build("base", None, [*m.create_tables(), *m.fill(), *m.indexes(), "CREATE EXTENSION pg_prewarm"])
        elif name == "floor":
            flags = contestants.flag_tables(m, [1] + m.sizes.others)
            self.build("floor", self.template("base"), flags)
        elif name in ("cascade", "no_action"):
            self.build(name, self.template("base"), [*m.foreign_keys(name.replace("_", " ").upper())])
        elif name == "no_index":
            self.build(name, self.template("cascade"), m.without_parent_indexes())
        elif name.startswith("ours_"):
            plain = name[len("ours_"):]
            self.build(name, self.template(plain), contestants.configure(m, plain == "no_action"))
        return name

    def have_ours(self):
        """Without the engine the others are still measured; every row about ours then says so."""
        if self.ours_installed is None:
            try:
                self.template("ours_cascade")
                self.ours_installed = True
            except Exception as e:      # noqa: BLE001 - said once, and every row of ours fails
                say(f"vedfolnir cannot be configured: {e}")
                self.admin.run("DROP DATABASE IF EXISTS ours_cascade")
                self.ours_installed = False
            self.check("the extension is installed and configured", self.ours_installed)
        return self.ours_installed

    def has_procedure(self, name):
        """What a version does not have yet is left out of its table, and said."""
        with Connection("run") as c:
            found = c.value(f"SELECT count(*) FROM pg_proc WHERE proname = '{name}'") != "0"
        if not found:
            say(f"{name} is not installed: its row is not measured")
        return found

    def fresh(self, template):
        self.admin.run("DROP DATABASE IF EXISTS run")
        self.admin.run(f"CREATE DATABASE run TEMPLATE {self.template(template)} STRATEGY FILE_COPY")
        with Connection("run") as c:
            c.run("SELECT sum(pg_prewarm(c.oid)) FROM pg_class c WHERE c.relkind IN ('r', 'i', 't')")
        self.admin.run("CHECKPOINT")

    def user_relations_in_wal(self, start):
        """WAL records since start that change a table or index of the schema, in the database of the run."""
        with Connection("run") as c:
            pattern = c.value("SELECT format('rel [0-9]+/%s/(%s) ', d.oid, string_agg(pg_relation_filenode(c.oid)::text, '|')) FROM pg_class c,"
                              " pg_database d WHERE d.datname = current_database() AND c.relnamespace = 'public'::regnamespace"
                              " AND c.relkind IN ('r', 'i') GROUP BY d.oid")
        self.admin.run("CHECKPOINT")    # records can be read once they are flushed
        return int(self.admin.value(f"SELECT count(*) FROM pg_get_wal_records_info('{start}', pg_current_wal_flush_lsn())"
                                    f" WHERE block_ref || ' ' ~ '{pattern}'"))

    # proofs -------------------------------------------------------------------------------------------------------
    def check(self, text, passed):
        self.checks.append((text, bool(passed)))
        if not passed:
            say("FAILED: " + text)
        return bool(passed)

    def fingerprint(self, dbname="run"):
        """Count and hash of the keys of every table: equal only if the same rows are left."""
        arms = []
        for t in self.model.tables:
            cols = t.primary_key + [c for k in t.keys if k.set_null for c in k.columns]
            arms.append(f"SELECT '{t.name}' AS t, count(*) AS n, bit_xor(hash_record_extended(ROW({', '.join(cols)}), 0)) AS h FROM public.{t.name}")
        with Connection(dbname) as c:
            return {t: (int(n), h) for t, n, h in c.run(" UNION ALL ".join(arms))}

    def orphans(self, dbname="run"):
        total = 0
        with Connection(dbname) as c:
            for k in self.model.keys:
                given = " AND ".join(f"c.{a} IS NOT NULL" for a in k.columns)
                match = " AND ".join(f"p.{b} = c.{a}" for a, b in zip(k.columns, k.parent_columns))
                total += int(c.value(f"SELECT count(*) FROM public.{k.table} c WHERE {given} AND NOT EXISTS "
                                     f"(SELECT FROM public.{k.parent} p WHERE {match})"))
        return total

    def total_rows(self):
        return sum(self.model.rows[t.name] for t in self.model.tables)

    def prove(self, what, contestant):
        """The same rows are left as after the first contestant, and no key points nowhere. Returns the rows deleted."""
        left = self.fingerprint()
        deleted = self.total_rows() - sum(n for n, _ in left.values())
        first = self.reference.setdefault(what, (contestant, left))
        same = left == first[1]
        if not same:
            for t, v in left.items():
                if v != first[1][t]:
                    say(f"{what}: {contestant} leaves {t} {v}, {first[0]} leaves {first[1][t]}")
        self.check(f"{what}: {contestant} leaves the same rows as {first[0]}", same)
        orphans = self.orphans()
        self.check(f"{what}: {contestant} leaves no orphans", orphans == 0)
        return deleted, orphans

    # runs ---------------------------------------------------------------------------------------------------------
    def run(self, what, contestant, template, statements, prove=True, setup=()):
        """One run on a fresh copy in a fresh connection. A contestant that fails is recorded as failed."""
        self.fresh(template)
        sample, rows = {}, None
        try:
            with Connection("run") as c:
                for sql in setup:
                    c.run(sql)
                sample, rows = measure(c, statements, self.admin)
        except Exception as e:          # noqa: BLE001
            self.check(f"{what}: {contestant} runs ({e})", False)
            return None, None
        if prove:
            sample["deleted"], sample["orphans"] = self.prove(what, contestant)
            sample["rows_left_equal"] = self.checks[-2][1]
        self.results.setdefault(what, {}).setdefault(contestant, []).append(sample)
        say(f"{what:<22} {contestant:<18} cpu {sample['cpu']:8.3f} s  wall {sample['wall']:8.3f} s  wal {sample['wal'] / 1e6:7.1f} MB"
            f"  memory {sample['memory'] / 1e6:6.1f} MB" + (f"  deleted {sample['deleted']}" if prove else ""))
        return sample, rows
