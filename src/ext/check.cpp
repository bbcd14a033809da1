/*
 * check.cpp: vedfolnir_check() and what depends on its answer.
 */
#include "ext/check.h"

#include "ext/duty.h"
#include "ext/report.h"
#include "ext/steps.h"

static const char *const SEVERITIES[] = {"error", "warning", "notice"};

void vdf_find(VdfReview *review, VdfSeverity severity, const char *code, const char *object, const char *message,
              const char *remedy)
{
    VdfFinding *finding = (VdfFinding *) palloc(sizeof(VdfFinding));

    finding->severity = severity;
    finding->code = code;
    finding->object = pstrdup(object);
    finding->message = pstrdup(message);
    finding->remedy = remedy ? pstrdup(remedy) : NULL;
    review->findings = lappend(review->findings, finding);
}

bool vdf_is_persons_name(const char *column, const char *root_relation)
{
    VdfError error;
    bool answer;

    if (!vdf_names_person(column, root_relation, &answer, &error))
        vdf_raise(&error);
    return answer;
}

bool vdf_is_actors_name(const char *column)
{
    VdfError error;
    bool answer;

    if (!vdf_names_actor(column, &answer, &error))
        vdf_raise(&error);
    return answer;
}

char *vdf_edge_object(const char *relation, const char *edge)
{
    return edge && edge[0] ? psprintf("%s (%s)", relation, edge) : pstrdup(relation);
}

char *vdf_column_object(Oid relation, const char *column)
{
    return psprintf("%s.%s", vdf_relation_name(relation), quote_identifier(column));
}

static int compare_findings(const ListCell *a, const ListCell *b)
{
    const VdfFinding *left = (const VdfFinding *) lfirst(a), *right = (const VdfFinding *) lfirst(b);
    int order = (int) left->severity - (int) right->severity;

    if (order == 0)
        order = strcmp(left->object, right->object);
    if (order == 0)
        order = strcmp(left->code, right->code);
    return order ? order : strcmp(left->message, right->message);
}

/* Two edges on the same column lack the same index. */
static void remove_doubles(VdfReview *review)
{
    List *kept = NIL;
    VdfFinding *last = NULL;
    ListCell *cell;

    foreach (cell, review->findings) {
        VdfFinding *f = (VdfFinding *) lfirst(cell);

        if (last == NULL || compare_findings(cell, list_tail(kept)) != 0)
            kept = lappend(kept, f);
        last = f;
    }
    review->findings = kept;
}

static Datum oid_array(Oid *oids, int n)
{
    Datum *values = (Datum *) palloc(sizeof(Datum) * (n + 1));

    for (int i = 0; i < n; i++)
        values[i] = ObjectIdGetDatum(oids[i]);
    return PointerGetDatum(construct_array(values, n, OIDOID, sizeof(Oid), true, TYPALIGN_INT));
}

static void sort_tables(VdfReview *review)
{
    VdfDeletionPlan *plan = review->plan;
    Oid *oids = (Oid *) palloc(sizeof(Oid) * (plan->graph.nnodes + review->schema->facts.ntables + 1));
    int n = 0;

    for (int i = 0; i < plan->graph.nnodes; i++)
        if (plan->view->component_of[i] >= 0)
            oids[n++] = plan->nodes[i].relation;
    review->goes = oid_array(oids, n);
    n = 0;
    oids[n++] = plan->configuration->relation;
    /* The other half of a tombstone: its key is the person's. */
    for (int i = 0; i < review->schema->facts.ntables; i++)
        if (review->schema->halves[i])
            oids[n++] = review->schema->tables[i];
    review->persons = oid_array(oids, n);
}

static VdfReview *review_subject(const char *subject, bool sample)
{
    VdfReview *review = (VdfReview *) palloc0(sizeof(VdfReview));

    review->plan = vdf_plan_for(subject);
    review->schema = vdf_schema_of(subject);
    review->sample = sample;
    vdf_require_review(review->plan->configuration->relation);
    sort_tables(review);
    vdf_review_edges(review);
    vdf_review_rules(review);
    vdf_review_dismissals(review);
    vdf_review_tables(review);
    vdf_review_lookups(review);
    vdf_review_copies(review);
    vdf_review_candidates(review);
    vdf_review_addresses(review);
    vdf_review_watched(review);
    vdf_review_running(review);
    if (sample)
        vdf_review_values(review);
    list_sort(review->findings, compare_findings);
    remove_doubles(review);
    vdf_plan_release(review->plan);
    return review;
}

static char *name_argument(FunctionCallInfo fcinfo, int n)
{
    if (PG_ARGISNULL(n))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("subject must not be null")));
    return pstrdup(NameStr(*PG_GETARG_NAME(n)));
}

/* vedfolnir_check(subject name, sample_values boolean): one row per finding, errors first; 22004, 42501, 42704. */
VDF_FUNCTION(vedfolnir_check)
{
    ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
    VdfReview *review;
    ListCell *cell;

    if (PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("sample_values must not be null")));
    review = review_subject(name_argument(fcinfo, 0), PG_GETARG_BOOL(1));
    InitMaterializedSRF(fcinfo, 0);
    foreach (cell, review->findings) {
        VdfFinding *f = (VdfFinding *) lfirst(cell);
        Datum values[5];
        bool nulls[5] = {false, false, false, false, f->remedy == NULL};

        values[0] = CStringGetTextDatum(SEVERITIES[f->severity]);
        values[1] = CStringGetTextDatum(f->code);
        values[2] = CStringGetTextDatum(f->object);
        values[3] = CStringGetTextDatum(f->message);
        values[4] = f->remedy ? CStringGetTextDatum(f->remedy) : (Datum) 0;
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
    return (Datum) 0;
}

/* vedfolnir_assert_check(subject name): VF007 with every error that vedfolnir_check() reports; 22004, 42501, 42704. */
VDF_FUNCTION(vedfolnir_assert_check)
{
    char *subject = name_argument(fcinfo, 0);
    VdfReview *review = review_subject(subject, false);
    StringInfoData detail;
    ListCell *cell;
    int errors = 0;

    initStringInfo(&detail);
    foreach (cell, review->findings) {
        VdfFinding *f = (VdfFinding *) lfirst(cell);

        if (f->severity == VDF_SEVERITY_ERROR)
            appendStringInfo(&detail, "%s%s: %s", errors++ ? "\n" : "", f->object, f->message);
    }
    if (errors > 0)
        ereport(ERROR, (errcode(ERRCODE_VDF_BLOCKED),
                        errmsg("the policy of subject \"%s\" does not cover the schema: %d %s", subject, errors,
                               errors == 1 ? "error" : "errors"),
                        errdetail_internal("%s", detail.data),
                        errhint("SELECT * FROM vedfolnir_check(%s) WHERE severity = 'error';",
                                strcmp(subject, "user") == 0 ? "" : quote_literal_cstr(subject))));
    PG_RETURN_VOID();
}
