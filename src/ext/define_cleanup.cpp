/*
 * define_cleanup.cpp: vedfolnir_add_cleanup, what rows name outside the database.
 */
#include "bridge/wall.h"
#include "ext/configuration.h"
#include "ext/definition.h"
#include "ext/duty.h"
#include "ext/names.h"
#include "ext/report.h"
#include "ext/template_text.h"

/*
 * vedfolnir_add_cleanup(relation regclass, kind text, target text, service text, on_expire text, subject name): 22004,
 * 22023, 42501, 42703, 42704.
 */
/* No error: what is named is another's business, and the rule may be meant for a listener that takes more. */
static void warn_of_template(const char *kind, const char *target)
{
    VdfError error;
    char refusal[256] = "";

    if (target[0] == '=')
        return;
    if (!vdf_template_refusal(kind, target, refusal, sizeof(refusal), &error))
        vdf_raise(&error);
    if (refusal[0] != '\0')
        ereport(WARNING, (errmsg("the listener will take no target of this template: %s", refusal),
                          errhint("Paths are relative to the root of their service, patterns begin with literal text, and an identity is "
                                  "{realm}/{id} or {realm}/username={name}.")));
}

VDF_FUNCTION(vedfolnir_add_cleanup)
{
    static const char *const required[] = {"relation", "kind", "target", "service", "on_expire", "subject"};
    static const char *const kinds[] = {"file", "directory", "redis_key", "redis_pattern", "identity", "webhook"};
    Oid relation, root;
    char *kind, *target, *service, *on_expire, *subject;
    VdfRow row = {0};
    bool known = false;

    vdf_require_duty("admin");
    vdf_require_arguments(fcinfo, lengthof(required), required);
    relation = PG_GETARG_OID(0);
    kind = vdf_text_argument(fcinfo, 1);
    target = vdf_text_argument(fcinfo, 2);
    service = vdf_text_argument(fcinfo, 3);
    on_expire = vdf_text_argument(fcinfo, 4);
    subject = vdf_name_argument(fcinfo, 5);
    root = vdf_require_subject(subject);
    vdf_require_table(relation);
    for (size_t i = 0; i < lengthof(kinds); i++)
        known = known || strcmp(kinds[i], kind) == 0;
    if (!known)
        vdf_invalid_value("kind", kind, "file, directory, redis_key, redis_pattern, identity and webhook");
    if (strcmp(on_expire, "no") != 0 && strcmp(on_expire, "enqueue") != 0 && strcmp(on_expire, "delete") != 0)
        vdf_invalid_value("on_expire", on_expire, "no, enqueue and delete");
    if (strcmp(on_expire, "delete") == 0 && relation == root)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("expiring sessions must not delete the person"),
                        errhint("Use on_expire => 'enqueue' for rules of the root table.")));
    if (service[0] == '\0')
        vdf_invalid_value("service", service, "names of services in the listener's configuration");
    vdf_row_name(&row, subject);
    vdf_row_relation(&row, relation);
    vdf_row_text(&row, kind);
    vdf_row_text(&row, target);
    vdf_row_text(&row, vdf_target_compile(relation, kind, target));
    warn_of_template(kind, target);
    vdf_row_text(&row, service);
    vdf_row_text(&row, on_expire);
    vdf_row_write(&row, "INSERT INTO vedfolnir.cleanup_rule (subject, relation, relation_schema, relation_name, kind, target, parsed, "
                    "service, on_expire) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                    "ON CONFLICT (subject, relation, kind, target, service) DO UPDATE SET "
                    "relation_schema = excluded.relation_schema, relation_name = excluded.relation_name, "
                    "parsed = excluded.parsed, on_expire = excluded.on_expire");
    PG_RETURN_VOID();
}
