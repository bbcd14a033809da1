#include "ext/template_text.h"

#include "bridge/wall.h"
#include "ext/expression.h"
#include "ext/names.h"
#include "ext/report.h"

/* Text functions refuse nondeterministic collations, and two that differ. */
static char *plain_text(char *value, Oid collation)
{
    return collation == InvalidOid || collation == DEFAULT_COLLATION_OID ? value : psprintf("(%s COLLATE pg_catalog.\"C\")", value);
}

/*
 * A column as text: of dates, times and bytes the form that the session's settings of DateStyle, TimeZone and bytea_output
 * have no part in, since whoever asks later whether the target is in use may have others.
 */
static char *plain_value(const char *column, Oid type)
{
    char *value = psprintf("c.%s", quote_identifier(column));

    switch (getBaseType(type)) {
    case DATEOID: return psprintf("(pg_catalog.to_jsonb(%s) OPERATOR(pg_catalog.#>>) '{}')", value);
    case TIMESTAMPOID: return psprintf("pg_catalog.translate(pg_catalog.to_jsonb(%s) OPERATOR(pg_catalog.#>>) '{}', 'T', ' ')", value);
    case TIMESTAMPTZOID:
        return psprintf("pg_catalog.regexp_replace(pg_catalog.translate(pg_catalog.to_jsonb(%s::pg_catalog.timestamptz AT TIME ZONE "
                        "'UTC') OPERATOR(pg_catalog.#>>) '{}', 'T', ' '), '^([-0-9]+ [0-9:.]+)', E'\\\\1+00')", value);
    case BYTEAOID: return psprintf("(E'\\\\x' OPERATOR(pg_catalog.||) pg_catalog.encode(%s, 'hex'))", value);
    default: return psprintf("%s::pg_catalog.text", value);
    }
}

/*
 * A value is escaped for the kind of its target, so that it cannot mean more than itself. Only functions of pg_catalog:
 * the statement runs as the table's owner, who has no rights on the extension.
 */
static char *value_text(Oid relation, const char *kind, const char *column, bool whole)
{
    AttrNumber number = vdf_column_number(relation, column);
    Oid type, collation;
    int32 typmod;
    char *value;

    get_atttypetypmodcoll(relation, number, &type, &typmod, &collation);
    value = plain_text(plain_value(get_attname(relation, number, false), type), collation);
    if (strcmp(kind, "redis_pattern") == 0)
        return psprintf("pg_catalog.regexp_replace(%s, E'([*?\\\\[\\\\]\\\\\\\\])', E'\\\\\\\\\\\\1', 'g')", value);
    /*
     * Everything but the unreserved characters of RFC 3986, byte by byte of the UTF-8 form. Most values have none: whether a
     * target is still in use is asked of each row of the table, so these must cost no more than one look.
     */
    if (strcmp(kind, "identity") == 0 || strcmp(kind, "webhook") == 0)
        return psprintf("CASE WHEN %s COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.~) '^[A-Za-z0-9._~-]*$' THEN %s ELSE "
                        "(SELECT pg_catalog.string_agg(CASE WHEN v.c OPERATOR(pg_catalog.~) '^[A-Za-z0-9._~-]$' "
                        "THEN v.c ELSE pg_catalog.regexp_replace(pg_catalog.upper(pg_catalog.encode(pg_catalog.convert_to(v.c, 'UTF8'), "
                        "'hex')), '(..)', E'%%\\\\1', 'g') END, '' ORDER BY v.o) FROM "
                        "pg_catalog.regexp_split_to_table(%s COLLATE pg_catalog.\"C\", '') WITH ORDINALITY AS v(c, o)) END",
                        value, value, value);
    if ((strcmp(kind, "file") == 0 || strcmp(kind, "directory") == 0) && !whole)
        return psprintf("CASE WHEN %s OPERATOR(pg_catalog.~) E'^(\\\\.{0,2}$)|/' THEN E'\\001' ELSE '' END OPERATOR(pg_catalog.||) %s",
                        value, value);
    return value;
}

char *vdf_target_compile(Oid relation, const char *kind, const char *target)
{
    VdfTemplatePart parts[VDF_TEMPLATE_PARTS];
    VdfError error;
    StringInfoData sql;
    int n, size = strlen(target) + VDF_TEMPLATE_PARTS + 1;
    char *buffer = (char *) palloc(size);

    if (target[0] == '=') {
        vdf_require_owner(relation);
        return vdf_expression_compile_text(relation, target + 1);
    }
    if (!vdf_template_parse(target, parts, &n, buffer, size, &error))
        vdf_raise(&error);
    initStringInfo(&sql);
    for (int i = 0; i < n; i++)
        appendStringInfo(&sql, "%s%s", i ? " OPERATOR(pg_catalog.||) " : "",
                         parts[i].column ? value_text(relation, kind, parts[i].text, n == 1)
                                         : psprintf("%s::pg_catalog.text", quote_literal_cstr(parts[i].text)));
    return sql.data;
}
