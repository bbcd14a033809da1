"""The rows P1 to P13: what is compared with what, the target, the stretch and the result."""
import os
import re
import subprocess

from .statistics import median


class Row:
    def __init__(self, name, work, target, stretch):
        self.name, self.work, self.target, self.stretch = name, work, target, stretch
        self.result, self.met, self.stretched, self.note = None, None, None, ""

    def ratio(self, value, unit, target, stretch=None, at_least=True, note=""):
        self.result, self.note = f"{value:.2f}{unit}", note
        good = (lambda limit: value >= limit) if at_least else (lambda limit: value <= limit)
        self.met, self.stretched = good(target), None if stretch is None else good(stretch)

    def as_dict(self):
        return {k: getattr(self, k) for k in ("name", "work", "target", "stretch", "result", "met", "stretched", "note")}


ROWS = (("P1", "whale against native CASCADE, CPU and wall", ">= 2.5 x faster", ">= 4 x"),
        ("P2", "whale against the best SQL on NO ACTION keys", ">= 8 x faster", ">= 12 x"),
        ("P3", "whale against the floor without keys, CPU", "<= 3 x", "<= 1.6 x"),
        ("P4", "many users in one call against CASCADE as one set", ">= 4 x faster", ">= 6 x"),
        ("P5", "one small user, warm connection, latency against CASCADE", "<= 1.2 x", "<= 0.8 x"),
        ("P6", "no index on the referring columns against CASCADE", ">= 30 x faster", "whale <= 1.3 x of indexed"),
        ("P7", "growth: CPU a row, whale against a tenth of it", "<= 1 x", ""),
        ("P8", "backend memory of the whale", "<= 8 MB + 4 x work_mem", ""),
        ("P9", "exact dry run against the delete, CPU", "<= 1.1 x, no WAL", "<= 0.7 x"),
        ("P10", "plan over 2,400 foreign keys", "<= 50 ms", "<= 15 ms"),
        ("P11", "audit, a row per relation", "<= 2 % on top", ""),
        ("P12", "batches of 10,000 rows against one transaction, CPU", "<= 2.5 x", "<= 1.5 x"),
        ("P13", "listener", ">= 90 % of unlink; >= 70 % of DEL", "io_uring: 120 %"))


class Table:
    def __init__(self, lab, wanted, hook):
        self.lab, self.rows = lab, {r[0]: Row(*r) for r in ROWS if r[0] in wanted}
        for name, row in self.rows.items():
            if name == "P13":
                self.listener(row, hook)
                continue
            try:
                getattr(self, name)(row)
            except (KeyError, IndexError, ZeroDivisionError) as e:
                row.note = f"not measured ({type(e).__name__}: {e})"
        for row in self.rows.values():
            if row.result and self.void(row.name):
                row.result, row.met, row.stretched = "void: a result was wrong", False, False

    def void(self, name):
        """A wrong result of a contestant of the row's experiment makes the row worthless."""
        what = {"P4": "users", "P5": "small", "P6": "no_index", "P7": "growth", "P10": "catalogue"}.get(name, "whale")
        return any(not ok and text.startswith(what) for text, ok in self.lab.checks)

    def get(self, what, contestant, field="cpu"):
        return median([s[field] for s in self.lab.results[what][contestant]])

    def P1(self, row):
        cpu = self.get("whale", "cascade") / self.get("whale", "ours")
        wall = self.get("whale", "cascade", "wall") / self.get("whale", "ours", "wall")
        row.ratio(min(cpu, wall), " x", 2.5, 4, note=f"CPU {cpu:.2f} x, wall {wall:.2f} x")

    def P2(self, row):
        name = min(("sql_key_tables", "sql_one_statement"), key=lambda n: self.get("whale", n))
        row.ratio(self.get("whale", name) / self.get("whale", "ours_no_action"), " x", 8, 12, note=f"CPU, best SQL: {name}")

    def P3(self, row):
        row.ratio(self.get("whale", "ours") / self.get("whale", "floor"), " x", 3, 1.6, at_least=False)

    def P4(self, row):
        cpu, wall = (self.get("users", "cascade", f) / self.get("users", "ours", f) for f in ("cpu", "wall"))
        row.ratio(min(cpu, wall), " x", 4, 6, note=f"CPU {cpu:.2f} x, wall {wall:.2f} x, shuffled ids CPU "
                  f"{self.get('users', 'cascade') / self.get('users', 'ours_shuffled'):.2f} x")

    def P5(self, row):
        row.ratio(self.get("small", "ours", "wall") / self.get("small", "cascade", "wall"), " x", 1.2, 0.8, at_least=False,
                  note=f"{self.get('small', 'ours', 'wall') * 1e3:.2f} ms against {self.get('small', 'cascade', 'wall') * 1e3:.2f} ms, "
                       f"CPU {self.get('small', 'ours') / self.get('small', 'cascade'):.2f} x")

    def P6(self, row):
        what = f"no_index_{self.lab.model.sizes.parents[-1]}"
        whale = self.get("no_index_whale", "ours") / self.get("no_index_whale", "ours_with_index")
        row.ratio(self.get(what, "cascade") / self.get(what, "ours"), " x", 30, note=f"{self.get(what, 'ours', 'rows'):.0f} rows; "
                  f"whale without index {whale:.2f} x of its indexed CPU")
        row.stretched = whale <= 1.3

    def P7(self, row):
        z = self.lab.model.sizes
        tenth = min(z.others, key=lambda o: abs(z.special[o - 1] - z.special[0] / 10))
        cost = [self.get(f"growth_{o}", "ours") / self.get(f"growth_{o}", "ours", "rows") for o in (1, tenth)]
        row.ratio(cost[0] / cost[1], " x", 1, at_least=False, note=f"{cost[1] * 1e6:.2f} us a row at the tenth, {cost[0] * 1e6:.2f} at the whale")

    def P8(self, row):
        row.ratio(max(s["memory"] for s in self.lab.results["whale"]["ours"]) / 2 ** 20, " MB", 8 + 4 * 4, at_least=False,
                  note="work_mem 4 MB, largest of all runs, shared memory left out")

    def P9(self, row):
        row.ratio(self.get("whale", "ours_dry_run") / self.get("whale", "ours"), " x", 1.1, 0.7, at_least=False,
                  note=f"{self.get('whale', 'ours_dry_run', 'wal'):.0f} bytes of WAL, none on user tables")

    def P10(self, row):
        row.ratio(self.get("catalogue", "policy_hash_first", "wall") * 1e3, " ms", 50, 15, at_least=False,
                  note="vedfolnir_policy_hash, first call of a connection; made anew later {:.0f} ms, kept {:.1f} ms; dry run of 4 rows {:.0f} ms, then {:.0f} ms".format(
                      *(self.get("catalogue", n, "wall") * 1e3 for n in ("policy_hash_anew", "policy_hash_again", "dry_run_first", "dry_run_again"))))

    def P11(self, row):
        row.ratio(100 * self.get("whale", "audit_alone") / self.get("whale", "ours"), " %", 2, at_least=False,
                  note=f"CPU of writing the {self.get('whale', 'audit_alone', 'rows'):.0f} audit rows of the whale by themselves")

    def P12(self, row):
        row.ratio(self.get("whale", "ours_in_batches") / self.get("whale", "ours"), " x", 2.5, 1.5, at_least=False,
                  note=f"wall {self.get('whale', 'ours_in_batches', 'wall') / self.get('whale', 'ours', 'wall'):.2f} x")

    @staticmethod
    def listener(row, hook):
        """bench/listener.sh ends with a table: what, tasks a second plainly and by the listener, the share in per cent."""
        if not os.path.exists(hook):
            row.note = "measured by the listener's own benchmark"
            return
        out = subprocess.run(["bash", hook], stdout=subprocess.PIPE, text=True, check=False)
        shares = {what: int(share) for what, share in re.findall(r"^# (files|new files|Redis keys|Redis pattern) .* (\d+)%$", out.stdout, re.M)}
        if out.returncode != 0 or len(shares) != 4:
            row.note = f"bench/listener.sh ended with {out.returncode} and no table"
            return
        row.result = f"{shares['files']} % of unlink; {shares['Redis keys']} % of DEL"
        row.met = shares["files"] >= 90 and shares["Redis keys"] >= 70
        row.stretched = shares["files"] >= 120
        row.note = (f"bench/listener.sh; a task for each key; by one task with a pattern {shares['Redis pattern']} % of DEL; "
                    f"files that never reached the disk {shares['new files']} %")
