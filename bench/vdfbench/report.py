"""The table on the terminal, benchmark.json, and the page with its plots."""
import json
import os
import re
import shutil
import subprocess

from .statistics import median, summary


def _mark(flag):
    return "" if flag is None else "yes" if flag else "no"


def text_table(rows):
    head = ("row", "work", "target", "met", "stretch", "met", "result", "note")
    body = [(r.name, r.work, r.target, _mark(r.met), r.stretch, _mark(r.stretched), r.result or "-", r.note or "") for r in rows]
    widths = [max(len(line[i]) for line in [head] + body) for i in range(len(head) - 1)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths)) + "  " + line[-1] for line in [head] + body)


def write_json(path, lab, rows, facts):
    data = {"facts": facts, "rows": [r.as_dict() for r in rows],
            "results": {what: {name: {"summary": summary(s), "samples": s} for name, s in by.items()} for what, by in lab.results.items()},
            "checks": [{"check": t, "passed": ok} for t, ok in lab.checks]}
    with open(path, "w") as f:
        json.dump(data, f, indent=1)
        f.write("\n")


def _series(lab, prefix, owners, x):
    """contestant -> [(x, median wall, median CPU)]"""
    out = {}
    for owner in owners:
        for name, samples in lab.results.get(f"{prefix}_{owner}", {}).items():
            wall, cpu = (median([s[f] for s in samples]) for f in ("wall", "cpu"))
            out.setdefault(name, []).append((x(owner, samples), wall, cpu))
    return {n: sorted(points) for n, points in out.items()}


def _plot(path, title, xlabel, series):
    """One SVG by gnuplot, both axes logarithmic; returns False where gnuplot is missing."""
    if not shutil.which("gnuplot") or not series:
        return False
    label = {"cascade": "ON DELETE CASCADE", "ours": "vedfolnir", "floor": "floor: no foreign keys"}
    data = "".join("${} << EOD\n{}\nEOD\n".format(n, "\n".join(f"{a} {w:.6f} {c:.6f}" for a, w, c in pts)) for n, pts in series.items())
    lines = ", ".join(f"${n} using 1:3 with linespoints lw 2 pt 7 ps 0.6 title '{label.get(n, n)}'" for n in series)
    script = (f"{data}set terminal svg size 720,440 dynamic background rgb 'white' font 'sans,13'\nset output '{path}'\n"
              f"set title '{title}'\nset xlabel '{xlabel}'\nset ylabel 'CPU seconds of the backend'\nset logscale xy\nset key left top\n"
              f"set grid\nplot {lines}\n")
    return subprocess.run(["gnuplot"], input=script.encode(), check=False).returncode == 0


def write_plots(out, lab):
    z = lab.model.sizes
    made = []
    for name, title, xlabel, series in (
            ("time-against-rows.svg", "One user deleted: CPU against the rows deleted", "rows deleted",
             _series(lab, "growth", [1] + z.others, lambda o, s: s[0]["rows"])),
            ("time-against-parents.svg", "No index on the referring columns: CPU against the rows deleted", "rows deleted, each a parent without index",
             _series(lab, "no_index", z.parents, lambda o, s: s[0]["rows"]))):
        if _plot(os.path.join(out, name), title, xlabel, series):
            made.append((title, name))
    return made


def _missed(rows):
    """Why a target is missed: the paragraphs of missed.md for the rows that are."""
    with open(os.path.join(os.path.dirname(__file__), "missed.md")) as f:
        sections = re.split(r"^## +", f.read(), flags=re.M)[1:]
    texts = {s.split("\n", 1)[0].strip(): s.split("\n", 1)[1].strip() for s in sections}
    lines = []
    for r in rows:
        if r.met is False or r.stretched is False:
            lines += ["", f"**{r.name}, {'target' if r.met is False else 'stretch'}.** {texts.get(r.name, 'Not looked into yet.')}"]
    return ["", "## What was missed, and why"] + lines if lines else []


def write_page(path, lab, rows, facts, plots):
    lines = ["# Benchmark", "", "Written by `bash bench/run.sh`; run it again to repeat every number. The raw samples are in [benchmark.json](benchmark.json).",
             "", "All contestants delete the same rows from a fresh file copy of the same database, in turns, with a CHECKPOINT before each run.",
             "After the runs the rows left are compared by count and hash, and every foreign key is checked for orphans; a wrong result voids its row.",
             "CPU is user + system time of the backend, memory its private memory above the start of the statement; numbers are medians.", ""]
    lines += [f"- {k}: {v}" for k, v in facts.items()] + ["", "## Targets", "",
              "| row | work | target | met | stretch | met | result | note |", "|---|---|---|---|---|---|---|---|"]
    lines += [f"| {r.name} | {r.work} | {r.target} | {_mark(r.met)} | {r.stretch} | {_mark(r.stretched)} | {r.result or '-'} | {r.note or ''} |" for r in rows]
    lines += _missed(rows)
    for title, file in plots:
        lines += ["", f"![{title}]({file})"]
    lines += ["", "## Runs", "", "| experiment | contestant | runs | CPU s | fastest CPU s | wall s | WAL MB | memory MB | rows deleted |", "|---|---|---|---|---|---|---|---|---|"]
    for what, contestants in lab.results.items():
        for name, samples in contestants.items():
            s = summary([{k: v for k, v in x.items() if k not in ("deleted",)} for x in samples])
            deleted = next((x["deleted"] for x in samples if "deleted" in x), "")
            cell = lambda f, scale=1.0, kind="median", fmt="{:.3f}": fmt.format(s[f][kind] / scale) if f in s else ""  # noqa: E731
            lines.append(f"| {what} | {name} | {s['runs']} | {cell('cpu', fmt='{:.4f}')} | {cell('cpu', kind='min', fmt='{:.4f}')} | {cell('wall', fmt='{:.4f}')} "
                         f"| {cell('wal', 1e6, fmt='{:.1f}')} | {cell('memory', 1e6, fmt='{:.1f}')} | {deleted} |")
    with open(path, "w") as f:
        f.write("\n".join(lines) + "\n")
