#include "ext/steps.h"

#include "ext/catalog.h"
#include "ext/evidence.h"
#include "ext/report.h"
#include "ext/targets.h"

static VdfStep *add(List **steps, const char *relation, const char *via, const char *action, uint64 rows)
{
    VdfStep *step = (VdfStep *) palloc0(sizeof(VdfStep));

    step->relation = pstrdup(relation);
    step->via = via ? pstrdup(via) : NULL;
    step->action = action;
    step->rows = rows;
    *steps = lappend(*steps, step);
    return step;
}

static void note(VdfStep *step, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    if (step->note == NULL)
        step->note = pstrdup(text);
    else /* a call ends its part by itself */
        step->note = psprintf("%s%s %s", step->note, step->note[strlen(step->note) - 1] == ';' ? "" : ";", text);
}

/* A trigger may change what a run finds, so the dry run names it. */
static void note_triggers(VdfStep *step, const VdfFacts *facts, bool del)
{
    char *keeper = del ? facts->delete_keeper : facts->update_keeper;
    char *trigger = del ? facts->delete_trigger : facts->update_trigger;

    if (keeper)
        note(step, psprintf("%s may keep rows back", keeper));
    else if (trigger)
        note(step, psprintf("trigger \"%s\" fires", trigger));
}

/* Audit tables of the application that get a copy of each row that goes. */
static void note_mirrors(VdfRun *run, VdfStep *step, int node)
{
    const VdfNodeInfo *info = &run->plan->nodes[node];

    for (int i = 0; i < info->nrules; i++)
        if (OidIsValid(run->plan->rules[info->rules[i]]->mirror))
            note(step, psprintf("copied to %s", run->plan->rules[info->rules[i]]->service));
}

/* What a reader should know about the rows of an edge. */
static void note_edge(VdfRun *run, VdfStep *step, int edge)
{
    const VdfEdge *e = &run->plan->graph.edges[edge];
    VdfEdgeInfo *info = &run->plan->edges[edge];
    char action = vdf_action(run->plan, edge);

    if (action == VDF_ACTION_RETAIN)
        note(step, info->reason ? psprintf("retained: %s", info->reason) : "retained");
    if (run->edges[edge].collateral > 0)
        note(step, psprintf("%s of other users %s with them", vdf_rows(run->edges[edge].collateral),
                            run->edges[edge].collateral == 1 ? "goes" : "go"));
    if (run->edges[edge].sources > 0 && !e->collateral_ok)
        note(step, psprintf("refused: %s", vdf_collateral_remedy(run, edge)));
    if (action != VDF_ACTION_RETAIN)
        note_triggers(step, vdf_facts(run->plan, info->relation), action == VDF_ACTION_DELETE);
    note(step, run->edges[edge].note);
    if (info->declared_on != info->relation)
        note(step, "the table inherits the columns, not the foreign key");
    if (!e->validated && !e->link)
        note(step, "the foreign key is NOT VALID");
    if (action != VDF_ACTION_RETAIN)
        note(step, vdf_missing_index(run->plan, edge));
}

static void add_deletes(VdfRun *run, List **steps)
{
    const VdfPlanView *view = run->plan->view;

    for (int c = 0; c < view->ncomponents; c++) {
        const VdfComponent *component = &view->components[c];

        for (int i = 0; i < component->nouter + component->ninner; i++) {
            int edge = i < component->nouter ? component->outer[i] : component->inner[i - component->nouter];
            VdfStep *step;

            if (run->edges[edge].rows == 0)
                continue;
            step = add(steps, run->plan->graph.edges[edge].display, run->plan->graph.edges[edge].name, "delete",
                       run->edges[edge].rows);
            step->collateral = run->edges[edge].collateral;
            note_mirrors(run, step, run->plan->graph.edges[edge].child);
            note_edge(run, step, edge);
        }
    }
}

static int compare_blockers(const ListCell *a, const ListCell *b)
{
    const VdfBlocker *left = (const VdfBlocker *) lfirst(a), *right = (const VdfBlocker *) lfirst(b);
    int order = strcmp(left->schema, right->schema);

    if (order == 0)
        order = strcmp(left->table, right->table);
    return order ? order : strcmp(left->via ? left->via : "", right->via ? right->via : "");
}

/* The plural of a kind. */
static char *several(const char *kind)
{
    size_t stem = strlen(kind) - 1;

    if (strcmp(kind, "directory") == 0 || strcmp(kind, "identity") == 0)
        return psprintf("%.*sies", (int) stem, kind);
    return psprintf("%ss", kind);
}

List *vdf_steps_of(VdfRun *run)
{
    const VdfPlanView *view = run->plan->view;
    List *steps = NIL;
    ListCell *cell;
    VdfTargetGroup *groups;
    int ngroups;

    if (run->root_rows > 0) {
        VdfStep *root = add(&steps, run->plan->graph.nodes[run->plan->graph.root].display, NULL,
                            run->tombstone ? "tombstone" : "delete", run->root_rows);

        if (!run->tombstone)
            note_mirrors(run, root, run->plan->graph.root);
        note(root, run->root_note);
        note_triggers(root, vdf_facts(run->plan, run->plan->nodes[run->plan->graph.root].relation), !run->tombstone);
    }
    add_deletes(run, &steps);
    for (int i = 0; i < view->ndetach; i++) {
        int edge = view->detach[i];

        if (run->edges[edge].rows > 0)
            note_edge(run,
                      add(&steps, run->plan->graph.edges[edge].display, run->plan->graph.edges[edge].name,
                          vdf_action_name(vdf_action(run->plan, edge)), run->edges[edge].rows),
                      edge);
    }
    list_sort(run->blockers, compare_blockers);
    foreach (cell, run->blockers) {
        VdfBlocker *b = (VdfBlocker *) lfirst(cell);

        if (b->listed)
            note(add(&steps, b->relation, b->via, "block", b->rows),
                 b->remedy ? psprintf("%s: %s", strcmp(b->reason, "no policy") == 0 ? "undeclared" : b->reason, b->remedy)
                           : b->reason);
    }
    ngroups = vdf_targets_groups(run->targets, &groups);
    for (int i = 0; i < ngroups; i++) {
        VdfStep *step;

        if (groups[i].tasks == 0 && groups[i].kept == 0)
            continue;
        step = add(&steps, groups[i].kind, groups[i].service, "enqueue", groups[i].tasks);
        if (groups[i].kept > 0)
            note(step, psprintf("%s %s kept: still used by a row that stays", vdf_number(groups[i].kept),
                                groups[i].kept == 1 ? groups[i].kind : several(groups[i].kind)));
    }
    return steps;
}

/* Has a step before it deleted from its relation? Edges of one relation need not be side by side. */
static bool is_repeated(List *steps, int number)
{
    const VdfStep *step = (const VdfStep *) list_nth(steps, number);

    for (int i = 0; i < number; i++) {
        const VdfStep *before = (const VdfStep *) list_nth(steps, i);

        if (strcmp(before->relation, step->relation) == 0 && strcmp(before->action, "delete") == 0)
            return true;
    }
    return false;
}

VdfTotals vdf_totals(VdfRun *run, List *steps)
{
    VdfTotals totals;
    ListCell *cell;
    VdfTargetGroup *groups;
    int ngroups = vdf_targets_groups(run->targets, &groups);

    memset(&totals, 0, sizeof(totals));
    foreach (cell, steps) {
        VdfStep *step = (VdfStep *) lfirst(cell);

        if (strcmp(step->action, "delete") == 0) {
            totals.rows += step->rows;
            if (!is_repeated(steps, foreach_current_index(cell)))
                totals.relations++;
        } else if (strcmp(step->action, "nullify") == 0 || strcmp(step->action, "default") == 0 ||
                   strcmp(step->action, "reassign") == 0)
            totals.references += step->rows;
    }
    totals.blocking = list_length(run->blockers);
    for (int i = 0; i < ngroups; i++) {
        totals.tasks += groups[i].tasks;
        totals.kept += groups[i].kept;
    }
    return totals;
}

static void describe(VdfDeletionPlan *plan, StringInfo text)
{
    const VdfConfiguration *c = plan->configuration;

    appendStringInfo(text, "subject %s root %s key %s mode %s\n", c->subject, plan->graph.nodes[plan->graph.root].display,
                     c->key_column, c->tombstone ? "tombstone" : "delete");
    for (int pass = 0; pass < 3; pass++) {
        const VdfPlanView *view = plan->view;
        int n = pass == 0 ? view->ncomponents : pass == 1 ? view->ndetach : view->nblock;

        for (int i = 0; i < n; i++) {
            const VdfComponent *component = pass == 0 ? &view->components[i] : NULL;
            int m = component ? component->nouter + component->ninner : 1;

            for (int j = 0; j < m; j++) {
                int edge = component ? (j < component->nouter ? component->outer[j] : component->inner[j - component->nouter])
                                     : (pass == 1 ? view->detach[i] : view->block[i]);
                const VdfEdge *e = &plan->graph.edges[edge];

                appendStringInfo(text, "edge %s %s %s", e->display, quote_identifier(e->name),
                                 vdf_action_name(vdf_action(plan, edge)));
                for (int k = 0; k < e->npairs; k++)
                    appendStringInfo(text, " %s=%s", e->pairs[k].child, e->pairs[k].parent_column);
                appendStringInfo(text, " to %s%s%s%s%s%s\n", e->parent_from, e->condition ? " where " : "",
                                 e->condition ? e->condition : "", e->collateral_ok ? " collateral" : "",
                                 plan->edges[edge].reassign_to ? " reassign " : "",
                                 plan->edges[edge].reassign_to ? plan->edges[edge].reassign_to : "");
            }
        }
    }
    for (int i = 0; i < c->ncolumns; i++)
        appendStringInfo(text, "column %s %s %s = %s\n", quote_qualified_identifier(c->columns[i].schema, c->columns[i].table), c->columns[i].edge,
                         c->columns[i].column, c->columns[i].expression);
    for (int i = 0; i < plan->graph.ntarget_rules; i++)
        appendStringInfo(text, "clean-up %s %s %s %s %d\n", plan->graph.nodes[plan->graph.target_rules[i].node].display,
                         plan->rules[i]->kind, plan->rules[i]->service, plan->rules[i]->target,
                         (int) plan->rules[i]->on_expire);
}

void vdf_describe_plan(VdfDeletionPlan *plan, StringInfo text)
{
    if (plan->description == NULL) {
        StringInfoData made;

        initStringInfo(&made);
        describe(plan, &made);
        plan->description = MemoryContextStrdup(plan->context, made.data);
        pfree(made.data);
    }
    appendStringInfoString(text, plan->description);
}

/* Over the digest of the description, which is long and the same for each person. */
static const char *description_digest(VdfDeletionPlan *plan)
{
    if (plan->digest == NULL) {
        StringInfoData text;

        initStringInfo(&text);
        vdf_describe_plan(plan, &text);
        plan->digest = MemoryContextStrdup(plan->context, vdf_sha256_hex(text.data, text.len));
        pfree(text.data);
    }
    return plan->digest;
}

/* Formats would cost more than the digest. */
static void append_number(StringInfo text, uint64 number)
{
    char digits[MAXINT8LEN + 1];

    appendBinaryStringInfo(text, digits, pg_ulltoa_n(number, digits));
}

char *vdf_plan_hash(VdfRun *run, List *steps, const char *const *keys, int nkeys)
{
    StringInfoData text;
    ListCell *cell;

    initStringInfo(&text);
    appendStringInfo(&text, "plan %s\n", description_digest(run->plan));
    for (int i = 0; i < nkeys; i++)
        appendStringInfo(&text, "key %zu:%s\n", strlen(keys[i]), keys[i]);
    foreach (cell, steps) {
        VdfStep *s = (VdfStep *) lfirst(cell);

        appendStringInfoString(&text, "step ");
        appendStringInfoString(&text, s->relation);
        appendStringInfoChar(&text, ' ');
        appendStringInfoString(&text, s->via ? quote_identifier(s->via) : "-");
        appendStringInfoChar(&text, ' ');
        appendStringInfoString(&text, s->action);
        appendStringInfoChar(&text, ' ');
        append_number(&text, s->rows);
        appendStringInfoChar(&text, ' ');
        append_number(&text, s->collateral);
        appendStringInfoChar(&text, '\n');
    }
    return vdf_sha256_hex(text.data, text.len);
}
