"""python3 -m vdfbench, called by run.sh once the cluster is up."""
import argparse
import os
import sys

from .experiments import EXPERIMENTS
from .laboratory import Laboratory, say
from .model import Model, Sizes
from .report import text_table, write_json, write_page, write_plots
from .targets import ROWS, Table

# Units of about 58 rows: the whale, the users of the growth plot, those of the plot without indexes, the small users.
SIZES = {"full": lambda: Sizes(16500, [1650, 5200, 520], [1, 2, 4, 8, 14], 36000),
         "huge": lambda: Sizes(165000, [16500], [1, 2], 36000),
         "small": lambda: Sizes(60, [6, 20], [2, 5], 300)}


def main():
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    p = argparse.ArgumentParser(prog="run.sh")
    p.add_argument("--size", choices=SIZES, default="full")
    p.add_argument("--rounds", type=int)
    p.add_argument("--only")
    p.add_argument("--out")
    args = p.parse_args()
    wanted = set(args.only.upper().split(",")) if args.only else {r[0] for r in ROWS}
    unknown = wanted - {r[0] for r in ROWS}
    if unknown:
        p.error("no such row: " + ", ".join(sorted(unknown)))
    if args.size == "huge":             # one question: is the memory still the same?
        wanted &= {"P8"}
    rounds = args.rounds or (3 if args.size == "full" else 1)
    if args.size == "small":
        wanted -= {"P13"}

    lab = Laboratory(Model(SIZES[args.size]()))
    if wanted - {"P13"}:
        lab.have_ours()
    for experiment, names in EXPERIMENTS:
        if wanted & names:
            say(f"experiment {experiment.__name__}: {experiment.__doc__.splitlines()[0]}")
            experiment(lab, rounds, wanted & names)
    table = Table(lab, wanted, os.path.join(here, "listener.sh") if args.size == "full" else "")
    rows = list(table.rows.values())
    with open("/proc/cpuinfo") as f:
        cpu = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), "unknown")
    facts = {"server": "PostgreSQL " + lab.admin.value("SHOW server_version"), "machine": f"{os.cpu_count()} cores, {cpu}",
             "rows in the database": f"{lab.total_rows():,} in {len(lab.model.tables)} tables, {len(lab.model.keys)} foreign keys",
             "rounds": rounds, "settings": ", ".join(f"{s} = {lab.admin.value('SHOW ' + s)}" for s in ("shared_buffers", "work_mem", "fsync", "jit"))}
    out = args.out or (os.path.join(os.path.dirname(here), "doc", "benchmark") if args.size == "full" and not args.only else None)
    if out:
        os.makedirs(out, exist_ok=True)
        write_json(os.path.join(out, "benchmark.json"), lab, rows, facts)
        write_page(os.path.join(out, "README.md"), lab, rows, facts, write_plots(out, lab))
    if args.size != "small":            # a small run proves equality; its times mean nothing
        print(text_table(rows))
    failed = [t for t, ok in lab.checks if not ok]
    for t in failed:
        print("not ok: " + t)
    print(f"{len(lab.checks) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed or not lab.checks else 0


sys.exit(main())
