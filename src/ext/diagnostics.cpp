/*
 * diagnostics.cpp: what a test asks about the session's C++ objects.
 */
#include "bridge/wall.h"
#include "ext/fault.h"
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

#ifdef VEDFOLNIR_FAULTS
void vdf_place(const char *name)
{
    if (vdf_fault_due(name))
        ereport(ERROR, (errcode(ERRCODE_EXTERNAL_ROUTINE_EXCEPTION), errmsg("fault")));
}

/* Only in the test build, which declares them itself. */
VDF_FUNCTION(vedfolnir_fault_arm)
{
    vdf_fault_arm(text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)), (long) PG_GETARG_INT64(2));
    PG_RETURN_VOID();
}

VDF_FUNCTION(vedfolnir_fault_reached)
{
    PG_RETURN_INT64(vdf_fault_reached());
}

VDF_FUNCTION(vedfolnir_fault_blocks)
{
    PG_RETURN_INT64(vdf_fault_blocks());
}
#endif
