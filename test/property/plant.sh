#!/usr/bin/env bash
# Proves that the property test can fail: plants engine faults, one at a time, in a scratch copy of the checkout and
# sees each of them found. Usage: test/property/plant.sh [COUNT [FAULT ...]]   (schemas per fault, default 300)
#        test/property/plant.sh --fits   only tells whether each fault can still be planted; builds nothing
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
    replace src/core/sql_parts.cpp 'return parent + pair.parent_cast + " " + pair.op + " " + right;' \
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
    replace src/ext/ri_triggers.cpp 'is_walked(executor, trigger->tgconstraint)' '(executor != NULL)'
}
miss_an_heir() {
    replace src/ext/foreign_keys.cpp 'found = lappend_oid(found, heir);' 'found = i > 0 ? lappend_oid(found, heir) : found;'
}
miss_a_cleanup_rule() {
    replace src/ext/targets.cpp '    for (int i = 0; i < info->nrules; i++) {
        Datum values[5];' '    for (int i = info->nrules > 1 ? 1 : 0; i < info->nrules; i++) {
        Datum values[5];'
}
remove_what_others_name() {
    replace src/ext/target_settle.cpp 'if (t->group_of[i] != group || !may_name(run, group, i))' 'if (t->group_of[i] != group || may_name(run, group, i))'
}
miss_column_rules() {
    replace src/core/sql_detach.cpp 'if (rule.edge == edge && rule.node == node)' 'if (rule.edge == edge && rule.node == node && edge < 0)'
}
take_one_parent_for_all() {
    replace src/ext/edge_details.cpp 'info->many = pairs[0].any || !names_one_parent(link);' 'info->many = link == NULL || names_one_parent == NULL;'
}
miss_a_place_of_an_index() {
    replace src/ext/key_probe.cpp 'probe->places[probe->nplaces++] = *place;' \
        'if (ItemPointerGetOffsetNumber(place) % 5 != 2)
                probe->places[probe->nplaces++] = *place;'
}
audit_a_batch_twice() {
    replace src/ext/batch_take.cpp '    vdf_record_audit(w->run, &r);' '    vdf_record_audit(w->run, &r);
    vdf_record_audit(w->run, &r);'
}
lose_targets_of_batches() {
    replace src/ext/batch_take.cpp '    (void) vdf_targets_enqueue(w->run, r.ids);' ''
}

# copy_tree: a fresh scratch copy, built objects included, so that only the planted file is compiled again.
copy_tree() {
    rm -rf "$scratch/copy"
    mkdir "$scratch/copy"
    (cd "$root" && tar --exclude=.git --exclude=./build -cf - .) | tar -xf - -C "$scratch/copy"
}

# failing_seeds LOG: the seeds that failed, sorted.
failing_seeds() {
    { grep -oE '^FAILED seed [^ ]+' "$1" || true; } | sort
}

faults=(miss_an_edge use_a_wrong_operator null_what_should_go cut_cycles_short drop_ri_of_an_unwalked_edge miss_an_heir miss_a_cleanup_rule
    remove_what_others_name miss_column_rules take_one_parent_for_all miss_a_place_of_an_index audit_a_batch_twice lose_targets_of_batches)
if [ "$count" = --fits ]; then
    mkdir "$scratch/copy"
    for fault in "${faults[@]}"; do
        cp -r "$root/src" "$scratch/copy/"
        "$fault"
    done
    exit
fi

copy_tree
make -s -C "$scratch/copy" -j"$(nproc)" >"$scratch/make.log" 2>&1 || { tail "$scratch/make.log"; exit 2; }
bash "$scratch/copy/tools/property.sh" --count "$count" --seed 1 >"$scratch/base.log" 2>&1 || true
echo "without a plant: $(tail -n 1 "$scratch/base.log")"
failing_seeds "$scratch/base.log" >"$scratch/base"

# Where nothing fails without a plant, a few failures say enough.
limit=''
[ -s "$scratch/base" ] || limit='--stop-after 3'
[ $# -lt 2 ] || faults=("${@:2}")
planted=0 found=0
for fault in "${faults[@]}"; do
    copy_tree
    "$fault"
    make -s -C "$scratch/copy" -j"$(nproc)" >"$scratch/make.log" 2>&1 || { tail "$scratch/make.log"; exit 2; }
    planted=$((planted + 1))
    # shellcheck disable=SC2086
    bash "$scratch/copy/tools/property.sh" --count "$count" --seed 1 $limit >"$scratch/run.log" 2>&1 || true
    failing_seeds "$scratch/run.log" >"$scratch/seen"
    more=$(comm -13 "$scratch/base" "$scratch/seen" | wc -l)
    if [ "$more" -gt 0 ]; then
        found=$((found + 1))
        kinds=$(grep -oE '^    [A-Z]+:' "$scratch/run.log" | tr -d ' :' | sort | uniq -c | sort -rn | head -n 3 | awk '{ printf "%s %s ", $1, $2 }')
        echo "found $fault: $more schemas more fail ($kinds)"
    else
        echo "NOT FOUND $fault: $(tail -n 1 "$scratch/run.log")"
    fi
done
echo "$planted planted, $found found"
[ "$planted" = "$found" ]
