#include "ext/candidates.h"

#include "ext/names.h"
#include "ext/report.h"
#include "ext/store.h"

/* Tables that foreign keys refer to, those whose name or columns speak of a person first. */
static const char *const CANDIDATES =
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), k.keys "
    "FROM (SELECT f.confrelid, pg_catalog.count(*) AS keys FROM pg_catalog.pg_constraint f "
    "      WHERE f.contype OPERATOR(pg_catalog.=) 'f' AND f.conparentid OPERATOR(pg_catalog.=) 0 "
    "      AND f.confrelid OPERATOR(pg_catalog.<>) f.conrelid GROUP BY f.confrelid) k "
    "JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) k.confrelid AND NOT c.relispartition "
    "JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace "
    "AND n.nspname OPERATOR(pg_catalog.<>) 'vedfolnir' "
    "ORDER BY (c.relname OPERATOR(pg_catalog.~*) '(^|_)(users?|accounts?|people|persons?|members?|customers?|identit(y|ies))$') DESC, "
    /* A table that has the key of another one is a part of what that one holds. */
    "EXISTS (SELECT FROM pg_catalog.pg_constraint p JOIN pg_catalog.pg_constraint f ON f.conrelid OPERATOR(pg_catalog.=) p.conrelid "
    "        AND f.contype OPERATOR(pg_catalog.=) 'f' AND f.conkey OPERATOR(pg_catalog.=) p.conkey "
    "        WHERE p.conrelid OPERATOR(pg_catalog.=) c.oid AND p.contype OPERATOR(pg_catalog.=) 'p'), "
    "EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid "
    "        AND a.attname OPERATOR(pg_catalog.~*) '^(e_?mail|user_?name|login)$') DESC, "
    "k.keys DESC, n.nspname, c.relname LIMIT 3";

void vdf_raise_not_registered(const char *subject)
{
    VdfStore store;
    StringInfoData hint;
    char *first = NULL;
    List *subjects = NIL;
    const char *closest;

    vdf_store_open(&store);
    vdf_store_run(&store, "SELECT s.subject FROM vedfolnir.subject AS s ORDER BY s.subject", 0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < store.count; i++)
        subjects = lappend(subjects, vdf_store_text(&store, i, 1));
    closest = vdf_closest(subject, subjects);
    if (closest != NULL)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("subject \"%s\" is not registered", subject),
                        errhint("Perhaps you meant the subject \"%s\".", closest)));
    initStringInfo(&hint);
    vdf_store_run(&store, CANDIDATES, 0, NULL, NULL, NULL, true);
    for (uint64 i = 0; i < store.count; i++) {
        char *name = vdf_store_text(&store, i, 1);
        char *keys = vdf_store_text(&store, i, 2);

        if (first == NULL)
            first = name;
        appendStringInfo(&hint, i == 0 ? "%s (referenced by %s foreign %s)" : ", %s (%s)", name, keys,
                         strcmp(keys, "1") == 0 ? "key" : "keys");
    }
    if (first == NULL)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("subject \"%s\" is not registered", subject),
                        errhint("Register its table: SELECT vedfolnir_register_subject('schema.table');")));
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("subject \"%s\" is not registered", subject),
             errhint("Tables that look like users: %s.\nRegister one: SELECT vedfolnir_register_subject(%s%s);", hint.data,
                     quote_literal_cstr(first),
                     strcmp(subject, "user") == 0 ? "" : psprintf(", subject => %s", quote_literal_cstr(subject)))));
}
