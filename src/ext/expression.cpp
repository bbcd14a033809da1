#include "ext/expression.h"

#include "ext/execute.h"
#include "ext/report.h"

static void not_scalar(const char *text)
{
    ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("not a scalar expression: %s", text)));
}

/* The parser's positions are in the expression, not in the statement that declares it. */
static void tell_position(void *text)
{
    int position = geterrposition();

    if (position > 0) {
        errposition(0);
        internalerrposition(position);
        internalerrquery((const char *) text);
    }
}

static List *parse_text(const char *text)
{
    ErrorContextCallback context = {error_context_stack, tell_position, const_cast<char *>(text)};
    List *parsed;

    error_context_stack = &context;
    parsed = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
    error_context_stack = context.previous;
    return parsed;
}

Node *vdf_expression_parse(Oid relation, const char *text, bool subqueries)
{
    List *parsed = parse_text(text);
    SelectStmt *select = (SelectStmt *) linitial_node(RawStmt, parsed)->stmt;
    ParseState *state = make_parsestate(NULL);
    Relation table;
    ParseNamespaceItem *item;
    Node *node;

    if (list_length(select->targetList) != 1 || select->fromClause != NIL || select->whereClause != NULL ||
        select->groupClause != NIL || select->havingClause != NULL || select->distinctClause != NIL ||
        select->sortClause != NIL || select->limitCount != NULL || select->limitOffset != NULL ||
        select->windowClause != NIL || select->lockingClause != NIL)
        not_scalar(text);
    table = table_open(relation, AccessShareLock);
    item = addRangeTableEntryForRelation(state, table, AccessShareLock, makeAlias("c", NIL), false, true);
    addNSItemToQuery(state, item, false, true, true);
    node = transformExpr(state, linitial_node(ResTarget, select->targetList)->val, EXPR_KIND_POLICY);
    if (!subqueries && checkExprHasSubLink(node))
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a subquery is not possible here: %s", text)));
    assign_expr_collations(state, node);
    table_close(table, AccessShareLock);
    free_parsestate(state);
    return node;
}

/* Constants are read back later, under whatever settings: in forms that all of them read alike. */
static void set_formats(void)
{
    static const char *const formats[][2] = {
        {"datestyle", "ISO"}, {"intervalstyle", "postgres"}, {"extra_float_digits", "1"}, {"bytea_output", "hex"}};

    for (size_t i = 0; i < lengthof(formats); i++)
        (void) set_config_option(formats[i][0], formats[i][1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

char *vdf_deparse(Node *expression, List *context, bool prefix)
{
    int level = vdf_set_path();
    char *text;

    set_formats();
    text = deparse_expression(expression, context, prefix, false);
    vdf_unset_path(level);
    return text;
}

char *vdf_value_text(Oid type, Datum value, char *given)
{
    Oid function, base = getBaseType(type);
    bool varlena;
    int level;

    if (base != DATEOID && base != TIMESTAMPOID && base != TIMESTAMPTZOID && base != INTERVALOID)
        return given;
    getTypeOutputInfo(base, &function, &varlena);
    level = NewGUCNestLevel();
    set_formats();
    given = OidOutputFunctionCall(function, value);
    AtEOXact_GUC(true, level);
    return given;
}

char *vdf_expression_compile(Oid relation, const char *text, bool subqueries, Oid type, int32 typmod)
{
    char *compiled;
    int level = vdf_set_path(); /* what an expression names outside pg_catalog, it names with its schema */
    Node *node = vdf_expression_parse(relation, text, subqueries);

    if (OidIsValid(type)) {
        Oid from = exprType(node);

        node = coerce_to_target_type(NULL, node, from, type, typmod, COERCION_ASSIGNMENT, COERCE_EXPLICIT_CAST, -1);
        if (node == NULL)
            ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("the expression gives type %s where %s is needed: %s",
                                                                     format_type_be(from), format_type_be(type), text)));
    }
    compiled = vdf_deparse(node, deparse_context_for("c", relation), true);
    vdf_unset_path(level);
    return compiled;
}

char *vdf_expression_compile_text(Oid relation, const char *text)
{
    char *compiled = vdf_expression_compile(relation, text, true, TEXTOID, -1);
    int level = vdf_set_path();
    Node *node = vdf_expression_parse(relation, text, true);

    vdf_unset_path(level);
    if (!type_is_collatable(exprType(node)) || exprCollation(node) == DEFAULT_COLLATION_OID)
        return compiled;
    return psprintf("(%s) COLLATE pg_catalog.\"C\"", compiled);
}

typedef struct ColumnSearch
{
    Oid relation;
    const char *wanted; /* NULL: the first that is missing */
    char *found;
} ColumnSearch;

static bool search_columns(Node *node, void *arg)
{
    ColumnSearch *search = (ColumnSearch *) arg;

    if (node == NULL)
        return false;
    if (IsA(node, ColumnRef)) {
        List *fields = ((ColumnRef *) node)->fields;

        if (list_length(fields) == 2 && IsA(linitial(fields), String) && IsA(lsecond(fields), String) &&
            strcmp(strVal(linitial(fields)), "c") == 0 &&
            (search->wanted ? strcmp(search->wanted, strVal(lsecond(fields))) == 0
                            : get_attnum(search->relation, strVal(lsecond(fields))) == InvalidAttrNumber)) {
            search->found = pstrdup(strVal(lsecond(fields)));
            return true;
        }
        return false;
    }
    return vdf_raw_walker(node, search_columns, arg);
}

/* Only names are looked at: nothing is resolved, so nothing can fail. */
static char *search(Oid relation, const char *text, const char *wanted)
{
    ColumnSearch state = {relation, wanted, NULL};

    (void) search_columns(linitial_node(RawStmt, raw_parser(text, RAW_PARSE_PLPGSQL_EXPR))->stmt, &state);
    return state.found;
}

char *vdf_expression_missing_column(Oid relation, const char *text)
{
    return search(relation, text, NULL);
}

bool vdf_expression_names_column(const char *text, const char *column)
{
    return search(InvalidOid, text, column) != NULL;
}

bool vdf_expression_reads_row(Oid relation, const char *text)
{
    int level = vdf_set_path();
    Bitmapset *columns = NULL;

    pull_varattnos(vdf_expression_parse(relation, text, true), 1, &columns);
    vdf_unset_path(level);
    return !bms_is_empty(columns);
}

bool vdf_expression_is_null(const char *text)
{
    return strcmp(text, "NULL") == 0 || strncmp(text, "NULL::", 6) == 0;
}
