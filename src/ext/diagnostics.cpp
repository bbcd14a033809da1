/*
 * diagnostics.cpp: what a test asks about the session's C++ objects.
 */
#include "bridge/wall.h"
#include "ext/pg.h"
#include "ext/report.h"

/* vedfolnir.live_plans(): plans on core's side of the wall; the session keeps one per subject. 42501. */
VDF_FUNCTION(vedfolnir_live_plans)
{
    if (!superuser())
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for function live_plans"),
                        errdetail("Only superusers may look at the session's objects.")));
    PG_RETURN_INT64(vdf_live_plans());
}
