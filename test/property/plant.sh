#!/usr/bin/env bash
# Proves that the property test can fail: plants engine faults, one at a time, in a scratch copy of the checkout and
# sees each of them found. Usage: test/property/plant.sh [COUNT]   (schemas per fault, default 300)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
count=${1:-300}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python=${PYTHON:-/usr/bin/python3}

# replace FILE OLD NEW: the old text must be there, so that a plant that went stale is noticed.
replace() {
    "$python" - "$scratch/copy/$1" "$2" "$3" <<'PY'
import sys
path, old, new = sys.argv[1:]
text = open(path, encoding="utf-8").read()
if text.count(old) != 1:
    sys.exit("the plant does not fit any more: %s occurs %d times in %s" % (old, text.count(old), path))
open(path, "w", encoding="utf-8").write(text.replace(old, new))
PY
}

miss_an_edge() {
    replace src/core/plan.cpp 'edges[i] = nodes[graph.edges[i].parent];' \
        'edges[i] = nodes[graph.edges[i].parent] && i % 7 != 3;'
}
use_a_wrong_operator() {
    replace src/core/sql_text.cpp 'return parent + pair.parent_cast + " " + pair.op + " " + right;' \
        'return pair.any ? parent + " " + pair.op + " " + right : parent + "::text COLLATE \"C\" = " + child + "::text";'
}
null_what_should_go() {
    replace src/core/graph.cpp '    if (policy != Action::none)' \
        '    if (policy == Action::del && declared == Action::nullify)
        return declared;
    if (policy != Action::none)'
}
cut_cycles_short() {
    replace src/ext/walk.cpp 'while (component->loop && take_deltas(run, component))' \
        'for (int round = 0; round < 2 && component->loop && take_deltas(run, component); round++)'
}
drop_ri_of_an_unwalked_edge() {
    miss_an_edge
    replace src/ext/execute.cpp 'is_walked(executor, trigger->tgconstraint)' 'executor != NULL'
}

planted=0 found=0
for fault in miss_an_edge use_a_wrong_operator null_what_should_go cut_cycles_short drop_ri_of_an_unwalked_edge; do
    rm -rf "$scratch/copy"
    mkdir "$scratch/copy"
    (cd "$root" && tar --exclude=.git --exclude=./build -cf - .) | tar -xf - -C "$scratch/copy"
    "$fault"
    make -s -C "$scratch/copy" -j"$(nproc)" >"$scratch/make.log" 2>&1 || { tail "$scratch/make.log"; exit 2; }
    planted=$((planted + 1))
    if "$scratch/copy/tools/property.sh" --count "$count" --seed 1 >"$scratch/run.log" 2>&1; then
        echo "NOT FOUND $fault"
    elif grep -q '^FAILED seed [0-9]' "$scratch/run.log"; then
        found=$((found + 1))
        echo "found $fault: $(tail -n 1 "$scratch/run.log"); $(grep -m 1 -oE '^    [A-Z]+:' "$scratch/run.log" | tr -d ' :')"
    else
        echo "NOT FOUND $fault: the run broke otherwise"
        tail -n 5 "$scratch/run.log"
    fi
done
echo "$planted planted, $found found"
[ "$planted" = "$found" ]
