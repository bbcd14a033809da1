"""What is run for which row of the table. Contestants take turns within a round."""
from . import contestants as by
from .backend import cpu_seconds, measure
from .connection import Connection
from .laboratory import say
from .statistics import median

WHALE = 1


def _sql(lab, ids, names):
    m = lab.model
    known = {"cascade": ("cascade", by.cascade), "sql_key_tables": ("no_action", by.sql_key_tables),
             "sql_one_statement": ("no_action", by.sql_one_statement), "sql_triggers_off": ("no_action", by.sql_triggers_off)}
    return [(n, known[n][0], known[n][1](m, ids)) for n in names]


def whale(lab, rounds, wanted):
    """P1, P2, P3, P8, P9, P11, P12."""
    names = [] if wanted == {"P8"} else ["cascade"]
    if wanted & {"P2"}:
        names += ["sql_key_tables", "sql_one_statement", "sql_triggers_off"]
    for r in range(rounds):
        for name, template, statements in _sql(lab, [WHALE], names):
            lab.run("whale", name, template, statements, prove=r == 0)
        if wanted & {"P3"}:
            lab.run("whale", "floor", "floor", by.floor(lab.model, 0), prove=False)
            lab.check("whale: floor deletes as many rows as cascade", _floor_deleted(lab) == lab.results["whale"]["cascade"][0].get("deleted"))
        if not lab.have_ours():
            continue
        if wanted & {"P9"}:
            dry_run(lab, "whale", [WHALE])
        ours(lab, "whale", "ours", "ours_cascade", [WHALE])
        if wanted & {"P2"}:
            ours(lab, "whale", "ours_no_action", "ours_no_action", [WHALE])
        if wanted & {"P12"} and lab.has_procedure("vedfolnir_delete_user_in_batches"):
            batch = 10000 if lab.model.sizes.special[0] > 1000 else 100
            lab.run("whale", "ours_in_batches", "ours_cascade", by.ours_in_batches(WHALE, batch))
    if lab.have_ours() and "ours" in lab.results.get("whale", {}) and "P11" in wanted:
        audit(lab)


def _floor_deleted(lab):
    with Connection("run") as c:
        left = sum(int(c.value(f"SELECT count(*) FROM public.{t.name}")) for t in lab.model.tables)
    return lab.total_rows() - left


def ours(lab, what, name, template, ids):
    sample, rows = lab.run(what, name, template, by.ours(ids))
    if sample is None:
        return None
    told = sum(int(r[4]) for r in rows if r[3] == "delete")
    lab.check(f"{what}: {name} reports the rows that went ({told} of {sample['deleted']})", told == sample["deleted"])
    with Connection("run") as c:
        audited = int(c.value("SELECT coalesce(sum(row_count), 0) FROM vedfolnir.audit_log WHERE action = 'delete'"))
        tasks = int(c.value("SELECT count(*) FROM vedfolnir.cleanup_task"))
        images = lab.reference[what][1]["image"][0]
    lab.check(f"{what}: {name} audits the rows that went ({audited} of {sample['deleted']})", audited == sample["deleted"])
    gone = lab.model.rows["image"] - images
    lab.check(f"{what}: {name} queues one task per image ({tasks} of {gone})", tasks == gone)
    return _steps(rows)


def _steps(rows):
    """Everything but the notes, which carry the plan hash and ids."""
    return [r[:6] for r in rows or ()]


def dry_run(lab, what, ids):
    """The dry run must say what the run does, write nothing, and leave everything in place."""
    start = lab.admin.value("SELECT pg_current_wal_insert_lsn()")
    sample, rows = lab.run(what, "ours_dry_run", "ours_cascade", by.ours(ids, True), prove=False,
                           setup=["SET default_transaction_read_only = on"])
    if sample is None:
        return
    touched = lab.user_relations_in_wal(start)
    with Connection("run") as c:
        left = sum(int(c.value(f"SELECT count(*) FROM public.{t.name}")) for t in lab.model.tables)
        done = c.run(by.ours(ids)[0])
    lab.check(f"{what}: the dry run deletes nothing", left == lab.total_rows())
    lab.check(f"{what}: the dry run writes no WAL on user tables ({touched} records)", touched == 0)
    lab.check(f"{what}: the dry run returns the rows of the run", _steps(rows) == _steps(done) and rows)


def audit(lab):
    """P11: what writing the audit rows of the last deletion costs by itself, repeated until it can be measured."""
    lab.fresh("ours_cascade")
    with Connection("run") as c:
        c.run(by.ours([WHALE])[0])
        c.run("CREATE TABLE public.written AS SELECT * FROM vedfolnir.audit_log")
        c.run("CREATE TABLE public.audit_copy (LIKE vedfolnir.audit_log INCLUDING ALL)")
        insert = "INSERT INTO public.audit_copy SELECT row_number() OVER () + {0} * 1000, " + ", ".join(
            f"w.{a[0]}" for a in c.run("SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = 'vedfolnir.audit_log'::regclass"
                                       " AND attnum > 0 AND attname <> 'id' AND NOT attisdropped ORDER BY attnum")) + " FROM public.written w"
        count = int(c.value("SELECT count(*) FROM public.written"))
        repeats = 50
        sample, _ = measure(c, [insert.format(i) for i in range(repeats)], lab.admin)
    sample = {k: v / repeats for k, v in sample.items()}
    sample["rows"] = count
    lab.results["whale"]["audit_alone"] = [sample]
    lab.check("whale: the audit holds a row per relation, not per row", 0 < count < 100)


def growth(lab, rounds, wanted):
    """P7 and the plot of time against rows: owners of different size in the same database."""
    z = lab.model.sizes
    for r in range(rounds):
        for bit, owner in enumerate([WHALE] + z.others):
            what = f"growth_{owner}"
            for name, template, statements in _sql(lab, [owner], ["cascade"]):
                lab.run(what, name, template, statements, prove=r == 0)
            lab.run(what, "floor", "floor", by.floor(lab.model, bit), prove=False)
            if lab.have_ours():
                ours(lab, what, "ours", "ours_cascade", [owner])
    for owner in [WHALE] + z.others:
        for samples in lab.results.get(f"growth_{owner}", {}).values():
            for s in samples:
                s["rows"] = lab.results[f"growth_{owner}"]["cascade"][0].get("deleted", 0)


def users(lab, rounds, wanted):
    """P4: many small users in one call, ids sorted and shuffled."""
    z = lab.model.sizes
    count = 10000 if z.small > 20000 else 100
    ids = [z.first_small + i * (z.small // count) for i in range(count)]
    shuffled = [ids[i * 7919 % count] for i in range(count)]
    assert sorted(shuffled) == ids
    for r in range(rounds):
        for name, template, statements in _sql(lab, ids, ["cascade"]):
            lab.run("users", name, template, statements, prove=r == 0)
        if lab.have_ours():
            one = ours(lab, "users", "ours", "ours_cascade", ids)
            two = ours(lab, "users", "ours_shuffled", "ours_cascade", shuffled)
            lab.check("users: sorted and shuffled ids give the same steps", one and one == two)


def small(lab, rounds, wanted):
    """P5: one small user after the other in a warm connection, contestants in turn within each block."""
    z = lab.model.sizes
    warm, blocks, block = (30, 10, 30) if z.small > 20000 else (5, 2, 5)
    ids = [z.first_small + 17 + i * (z.small // (warm + blocks * block + 20)) for i in range(warm + blocks * block)]
    names = ["cascade"] + (["ours"] if lab.have_ours() else [])
    template = {"cascade": "cascade", "ours": "ours_cascade"}
    for _ in range(rounds):
        conns = {}
        for n in names:
            lab.fresh(template[n])
            lab.admin.run(f"DROP DATABASE IF EXISTS run_{n}")
            lab.admin.run(f"ALTER DATABASE run RENAME TO run_{n}")
            conns[n] = Connection(f"run_{n}")
        lab.admin.run("CHECKPOINT")
        call = {"cascade": lambda i: by.cascade(lab.model, [i]), "ours": lambda i: by.ours([i])}
        walls, cpus, failed = {n: [] for n in names}, {n: [] for n in names}, None
        try:
            for n in names:
                for i in ids[:warm]:
                    conns[n].run(call[n](i)[0])
            for b in range(blocks):
                part = ids[warm + b * block:warm + (b + 1) * block]
                for n in names if b % 2 == 0 else reversed(names):
                    for i in part:
                        cpu = cpu_seconds(conns[n].pid)
                        sample, _ = conns[n].timed(call[n](i)[0]) # a sampling thread would cost more than the statement
                        walls[n].append(sample)
                        cpus[n].append(cpu_seconds(conns[n].pid) - cpu)
        except Exception as e:          # noqa: BLE001
            failed = e
        finally:
            for c in conns.values():
                c.close()
        lab.check(f"small: all calls run{'' if failed is None else f' ({failed})'}", failed is None)
        for n in names:
            if walls[n]:
                lab.results.setdefault("small", {}).setdefault(n, []).append(
                    {"wall": median(walls[n]), "cpu": median(cpus[n]), "fastest": min(walls[n]), "calls": len(walls[n])})
                say(f"small {n:<10} median {median(walls[n]) * 1e3:.2f} ms, cpu {median(cpus[n]) * 1e3:.2f} ms, fastest {min(walls[n]) * 1e3:.2f} ms")
        left = {n: lab.fingerprint(f"run_{n}") for n in names}
        for n in names[1:]:
            lab.check(f"small: {n} leaves the same rows as cascade", left[n] == left["cascade"])
            lab.check(f"small: {n} leaves no orphans", lab.orphans(f"run_{n}") == 0)
        for n in names:
            lab.admin.run(f"DROP DATABASE run_{n}")


def no_index(lab, rounds, wanted):
    """P6 and the plot of time against parents without index."""
    z = lab.model.sizes
    for r in range(rounds):
        for owner in z.parents:
            what = f"no_index_{owner}"
            for name, _, statements in _sql(lab, [owner], ["cascade"]):
                lab.run(what, name, "no_index", statements, prove=r == 0)
            if lab.have_ours():
                ours(lab, what, "ours", "ours_no_index", [owner])
        if lab.have_ours():
            if r == 0:
                lab.run("no_index_whale", "ours_with_index", "ours_cascade", by.ours([WHALE]))
            else:
                lab.run("no_index_whale", "ours_with_index", "ours_cascade", by.ours([WHALE]), prove=False)
            ours(lab, "no_index_whale", "ours", "ours_no_index", [WHALE])
    for owner in z.parents:
        for samples in lab.results.get(f"no_index_{owner}", {}).values():
            for s in samples:
                s["rows"] = lab.results[f"no_index_{owner}"]["cascade"][0].get("deleted", 0)


def catalogue(lab, rounds, wanted):
    """P10: the plan over a catalogue of many keys; nothing is behind most of them."""
    tables = 1200 if lab.model.sizes.small > 20000 else 60
    statements = ["CREATE TABLE public.t0 (id bigint PRIMARY KEY)"]
    for i in range(1, tables):
        a, b = (i - 1) // 2, (i - 1) // 3
        statements.append(f"CREATE TABLE public.t{i} (id bigint PRIMARY KEY, a bigint REFERENCES public.t{a} ON DELETE CASCADE,"
                          f" b bigint REFERENCES public.t{b} ON DELETE CASCADE)")
    statements += ["INSERT INTO public.t0 VALUES (1), (2)", "INSERT INTO public.t1 VALUES (1, 1, 1)", "INSERT INTO public.t2 VALUES (1, 1, 1)",
                   "INSERT INTO public.t5 VALUES (1, 1, 1)", "CREATE EXTENSION vedfolnir",
                   "SELECT vedfolnir_register_subject('public.t0', 'id')"]
    try:
        lab.build("catalogue", None, statements)
    except Exception as e:              # noqa: BLE001
        lab.check(f"catalogue: the database can be built ({e})", False)
        lab.admin.run("DROP DATABASE IF EXISTS catalogue")
        return
    lab.admin.run("CHECKPOINT")
    for _ in range(max(rounds, 3)):
        with Connection("catalogue") as c:
            plan = "SELECT vedfolnir_policy_hash('user')"
            for name, sql in (("policy_hash_first", plan), ("policy_hash_again", plan),
                              (None, "SELECT vedfolnir_set_policy('public.t1', 't1_a_fkey', 'delete', reason => 'benchmark')"),
                              ("policy_hash_anew", plan), ("dry_run_first", by.ours([1], True)[0]), ("dry_run_again", by.ours([1], True)[0])):
                try:
                    cpu = cpu_seconds(c.pid)
                    wall, rows = c.timed(sql)
                    cpu = cpu_seconds(c.pid) - cpu
                except Exception as e:  # noqa: BLE001
                    lab.check(f"catalogue: {name or sql} runs ({e})", False)
                    continue
                if name is None:        # after a change of the policy the plan is made anew
                    continue
                lab.results.setdefault("catalogue", {}).setdefault(name, []).append({"wall": wall, "cpu": cpu})
                say(f"catalogue {name} {wall * 1e3:.1f} ms, cpu {cpu * 1e3:.1f} ms")
                if name.startswith("dry_run"):
                    told = sum(int(r[4]) for r in rows if r[3] == "delete")
                    lab.check(f"catalogue: {name} counts 4 rows ({told})", told == 4)


EXPERIMENTS = ((whale, {"P1", "P2", "P3", "P8", "P9", "P11", "P12"}), (small, {"P5"}), (users, {"P4"}),
               (no_index, {"P6"}), (growth, {"P7"}), (catalogue, {"P10"}))
