/*
 * new_target.cpp: what rows that stay will name after the UPDATE of phase N. A run finds it in the rows; a dry run
 * works it out, so that it promises no task for a target that such a row then names.
 */
#include "ext/expression.h"
#include "ext/foresight.h"
#include "ext/targets.h"

static bool renamed(VdfRun *run, int node, const int *edges, int nedges, int rule)
{
    bool any = false;

    if (run->plan->graph.target_rules[rule].node != node || OidIsValid(run->plan->rules[rule]->mirror))
        return false;
    for (int i = 0; i < nedges && !any; i++)
        any = vdf_edge_renames(run->plan, edges[i], rule);
    return any;
}

bool vdf_may_rename(VdfRun *run, int node, const int *edges, int nedges)
{
    for (int i = 0; run->targets != NULL && run->targets->raw.count > 0 && i < run->plan->graph.ntarget_rules; i++)
        if (renamed(run, node, edges, nedges, i))
            return true;
    return false;
}

typedef struct NewTargetSink
{
    VdfSink sink;
    VdfRun *run;
    VdfKeys *names;
} NewTargetSink;

static void new_target_row(VdfSink *sink, TupleTableSlot *slot)
{
    NewTargetSink *s = (NewTargetSink *) sink;

    slot_getallattrs(slot);
    /* The tombstone's own row does not keep what was queued for it. */
    if (s->run->tombstones != NULL && vdf_rowset_has(s->run->tombstones, DatumGetObjectId(slot->tts_values[1]),
                                                     (ItemPointer) DatumGetPointer(slot->tts_values[2])))
        return;
    if (!slot->tts_isnull[0])
        vdf_keys_add(s->run, s->names, sink->desc, slot, 1);
}

static Bitmapset *columns_of(Relation table, const VdfTargetRule *rule)
{
    TupleDesc desc = RelationGetDescr(table);
    Bitmapset *columns = NULL;

    for (int i = 0; i < desc->natts; i++) {
        Form_pg_attribute a = TupleDescAttr(desc, i);

        if (!a->attisdropped && (vdf_expression_names_column(rule->expression, NameStr(a->attname)) ||
                                 (rule->filter != NULL && vdf_expression_names_column(rule->filter, NameStr(a->attname)))))
            columns = bms_add_member(columns, a->attnum);
    }
    return columns;
}

void vdf_foresee_targets(VdfRun *run, int node, const int *edges, int nedges, bool tombstone, VdfKeys *found)
{
    VdfForesight f;

    if (!run->dry || found->count == 0 || !vdf_may_rename(run, node, edges, nedges))
        return;
    vdf_foresight_open(&f, run, node, edges, nedges, tombstone, found);
    for (int i = 0; i < run->plan->graph.ntarget_rules; i++) {
        const VdfTargetRule *rule = &run->plan->graph.target_rules[i];
        bool filtered = rule->filter != NULL && rule->filter[0] != '\0';
        NewTargetSink s;

        if (!renamed(run, node, edges, nedges, i))
            continue;
        memset(&s, 0, sizeof(s));
        vdf_sink_init(&s.sink, NULL, new_target_row);
        s.run = run;
        s.names = &run->targets->renamed[i];
        vdf_foresight_ask(&f,
                          psprintf("SELECT (%s)::pg_catalog.text AS vdf_target, c.vdf_t, c.vdf_i FROM (SELECT r.*, r.vdf_t AS tableoid FROM %s r) c "
                                   "WHERE c.vdf_w%s%s", rule->expression,
                                   vdf_foresight_rows(&f, columns_of(f.table, rule), NULL), filtered ? " AND " : "",
                                   filtered ? rule->filter : ""),
                          NULL, &s.sink);
    }
    vdf_foresight_close(&f);
}
